package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recipeForm is the recipe for PKCS #11 in docs/kms.md.
var recipeForm = regexp.MustCompile(`(?s)\*\*PKCS #11\.\*\*.*?\n\n((?:    [^\n]*\n)+)`)

// TestPKCS11 runs the recipe of docs/kms.md with SoftHSM: the program of the archive finds the plugin of the archive beside it,
// signs with a key in the module, and verifies with the key and with the saved public half. So does the program in the wheel.
func TestPKCS11(t *testing.T) {
	dir, r := dist(t)
	wants(t, "softhsm2-util", "pkcs11-tool") // of Debian's softhsm2 and opensc
	recipe := recipeForm.FindStringSubmatch(readFile(t, "../docs/kms.md"))
	if recipe == nil {
		t.Fatal("docs/kms.md does not have the recipe")
	}
	const path = "PKCS11_MODULE_PATH=/usr/lib/softhsm/libsofthsm2.so"
	if strings.Count(recipe[1], path) != 1 {
		t.Fatalf("the recipe does not set %s:\n%s", path, recipe[1])
	}
	var modules []string
	for _, pattern := range []string{"/usr/lib*/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, found...)
	}
	if len(modules) == 0 {
		t.Fatal("softhsm2-util is here, but not its module")
	}
	room := newRoom(t, dir)
	plugin := pkcs11Plugin.folder(built[0], r)
	writeFile(t, filepath.Join(room.dir, "run.json"), declaration)
	writeFile(t, filepath.Join(room.dir, "softhsm2.conf"), "directories.tokendir = "+room.dir+"/tokens\nlog.level = ERROR\n")
	room.env = append(room.env, "SOFTHSM2_CONF="+filepath.Join(room.dir, "softhsm2.conf"))
	room.want(t, "tar -xzf dist/"+command.archive(built[0], r)+" && tar -xzf dist/"+pkcs11Plugin.archive(built[0], r)+`
mkdir tokens && softhsm2-util --init-token --free --label ci --pin 1234 --so-pin 12345678
python3 -m venv env && env/bin/pip install --quiet --no-index --find-links dist runattest`)
	room.want(t, "PATH=$PWD/"+command.folder(built[0], r)+":$PWD/"+plugin+":$PATH\n"+strings.ReplaceAll(recipe[1], path, "PKCS11_MODULE_PATH="+modules[0])+`
key='pkcs11://token=ci;object=signer'
runattest public-key --key "$key" -o hsm.pub
runattest verify --key hsm.pub run.json.sigstore.json
runattest verify --key "$key" run.json.sigstore.json
env/bin/runattest sign --key "$key" --bundle wheel.sigstore.json run.json && env/bin/runattest verify --key hsm.pub wheel.sigstore.json
if PKCS11_PIN=4321 runattest sign --key "$key" --bundle none run.json; then exit 1; fi; test ! -e none`,
		"airun:1:sha256:", "run.json.sigstore.json: verified", "wheel.sigstore.json: verified", "CKR_PIN_INCORRECT")
	// Without the plugin, the program names the archive.
	room.want(t, "status=0; PATH=/nowhere "+command.folder(built[0], r)+"/runattest public-key --key 'pkcs11://token=ci' || status=$?; test $status = 3",
		"no program sigstore-kms-pkcs11 on PATH", "runattest-pkcs11")
}

// TestPKCS11Arm64 starts the plugin for linux/arm64 under qemu-user, with Debian's glibc for it.
func TestPKCS11Arm64(t *testing.T) {
	dir, r := dist(t)
	other := target{"linux", "arm64"}
	if !slices.Contains(distTargets(t, dir, r), other) {
		t.Skip("the release is not for linux/arm64")
	}
	const root = "/usr/aarch64-linux-gnu"
	wants(t, "qemu-aarch64", root+"/lib/ld-linux-aarch64.so.1") // of Debian's qemu-user and libc6-arm64-cross
	room := newRoom(t, dir)
	start := "qemu-aarch64 -L " + root + " " + pkcs11Plugin.folder(other, r) + "/sigstore-kms-pkcs11 "
	room.want(t, "tar -xzf dist/"+pkcs11Plugin.archive(other, r)+"\n"+start+"--version 2>&1", "version "+r.tag)
}
