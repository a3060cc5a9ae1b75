package main

import (
	"bytes"
	"encoding/base64"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/signer"
)

// testModule is what tests release: it has the paths of the real module and a program of a few lines.
var testModule = map[string]string{
	"go.mod":                "module github.com/runattest/runattest\n\ngo 1.26.0\n",
	"LICENSE":               "Apache-2.0\n",
	"README.md":             "# runattest\n",
	"docs/man/runattest.1":  ".TH runattest 1\n",
	"cmd/runattest/main.go": testProgram,
	"plugins/go.mod":        "module github.com/runattest/runattest/plugins\n\ngo 1.26.0\n",
	"plugins/README.md":     "# plugins\n",
	"plugins/cmd/sigstore-kms-awskms/main.go":     testPlugin,
	"plugins/cmd/sigstore-kms-azurekms/main.go":   testPlugin,
	"plugins/cmd/sigstore-kms-gcpkms/main.go":     testPlugin,
	"plugins/cmd/sigstore-kms-hashivault/main.go": testPlugin,
	"plugins/cmd/sigstore-kms-pkcs11/main.go":     testCgoPlugin,
}

// testPlugin prints its own name.
const testPlugin = "package main\n\nimport \"os\"\n\nfunc main() { println(os.Args[0]) }\n"

// testCgoPlugin loads the library that it is told.
const testCgoPlugin = `package main

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdlib.h>
// static int load(const char *name) { return dlopen(name, RTLD_NOW) != NULL; }
import "C"

import "os"

func main() {
	println(os.Args[0], C.load(C.CString(os.Args[1])))
}
`

// testProgram knows completion, version, exit STATUS, and drain, which waits for SIGTERM and then exits with status 7.
const testProgram = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
)

func main() {
	switch os.Args[1] {
	case "completion":
		fmt.Println("#", os.Args[2])
	case "version":
		info, _ := debug.ReadBuildInfo()
		fmt.Printf("{\"version\":%q}\n", info.Main.Version)
	case "exit":
		status, _ := strconv.Atoi(os.Args[2])
		os.Exit(status)
	case "drain":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM, os.Interrupt)
		fmt.Println(os.Getpid())
		select {
		case s := <-c:
			fmt.Println(s)
			os.Exit(7)
		case <-time.After(20 * time.Second):
		}
	}
}
`

var built = []target{{"linux", "amd64"}, {"windows", "amd64"}}

// checkout makes a repository with the module, tagged v0.0.9, and after one more commit v0.1.0 and v0.2.0-rc.1.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range testModule {
		writeFile(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	for _, name := range []string{"python", "npm"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "first"}, {"tag", "v0.0.9"}, {"tag", "plugins/v0.0.9"},
		{"commit", "-q", "--allow-empty", "-m", "second"}, {"tag", "v0.1.0"}, {"tag", "plugins/v0.1.0"}, {"tag", "v0.2.0-rc.1"},
	} {
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@acme.example"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2026-11-27T01:02:03Z", "GIT_COMMITTER_DATE=2026-11-27T01:02:03Z")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func newKey(t *testing.T) signer.Signer {
	t.Helper()
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signer.Parse(pair.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// made is a release that is built once for all tests.
var made struct {
	sync.Once
	key   signer.Signer
	files map[string][]byte
	old   map[string][]byte // v0.0.9
	err   error
}

// toolsOnce are the tools, which are installed once for all tests.
var toolsOnce struct {
	sync.Once
	*toolbox
}

// asCommand is the environment variable with which the tests' binary is the release program.
const asCommand = "RELEASE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	if signal.Ignored(os.Interrupt) { // as a shell starts what it starts in the background; what the tests start would ignore it, too
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	code := m.Run()
	if toolsOnce.toolbox != nil {
		_ = os.RemoveAll(toolsOnce.dir)
	}
	os.Exit(code)
}

func tools(t *testing.T) *toolbox {
	t.Helper()
	toolsOnce.Do(func() {
		dir, err := os.MkdirTemp("", "release-tools-")
		if err != nil {
			t.Fatal(err)
		}
		if toolsOnce.toolbox, err = newToolbox(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	})
	if toolsOnce.toolbox == nil {
		t.Fatal("the tools were not installed")
	}
	return toolsOnce.toolbox
}

func releases(t *testing.T) {
	t.Helper()
	made.Do(func() {
		dir := checkout(t)
		made.key = newKey(t)
		for _, one := range []struct {
			tag   string
			files *map[string][]byte
		}{{"v0.1.0", &made.files}, {"v0.0.9", &made.old}} {
			if out, err := exec.Command("git", "-C", dir, "checkout", "-q", one.tag).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			s, err := openSource(dir, one.tag)
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "dist")
			if err := (&building{source: s, targets: built, key: made.key, tools: tools(t), say: t.Logf}).build(t.Context(), out); err != nil {
				t.Fatal(err)
			}
			*one.files = readFolder(t, out)
		}
	})
	if len(made.files) == 0 || len(made.old) == 0 {
		t.Fatal("no release was built")
	}
}

func readFolder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func writeFolder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		writeFile(t, filepath.Join(dir, name), string(data))
	}
	return dir
}

func expect(t *testing.T) expectation {
	t.Helper()
	releases(t)
	return expectation{release: release{"v0.1.0"}, targets: built, key: made.key.PublicKey()}
}

// resign signs changed files as the holder of the release's key would by mistake.
func resign(t *testing.T, files map[string][]byte) {
	t.Helper()
	delete(files, checksumsFile)
	delete(files, signatureFile)
	sums := checksums(files)
	signature, err := made.key.Sign(t.Context(), sums)
	if err != nil {
		t.Fatal(err)
	}
	files[checksumsFile], files[signatureFile] = sums, []byte(base64.StdEncoding.EncodeToString(signature)+"\n")
}

// reprove makes the provenance again, of what is there, and signs all.
func reprove(t *testing.T, files map[string][]byte, p provenance) {
	t.Helper()
	name := provenanceFile(release{"v0.1.0"})
	covered := maps.Clone(files)
	for _, other := range []string{name, checksumsFile, signatureFile} {
		delete(covered, other)
	}
	about, err := proved(release{"v0.1.0"}, covered)
	if err != nil {
		t.Fatal(err)
	}
	reproveOf(t, files, p, about)
}

// reproveOf makes the provenance about other subjects.
func reproveOf(t *testing.T, files map[string][]byte, p provenance, about []attest.Subject) {
	t.Helper()
	name := provenanceFile(release{"v0.1.0"})
	claim, err := attest.NewClaim(provenanceType, about, p.predicate())
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := attest.Sign(t.Context(), claim, made.key, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := bundle.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	files[name] = append(data, '\n')
	resign(t, files)
}

func TestVerify(t *testing.T) {
	want := expect(t)
	if err := verify(t.Context(), want, writeFolder(t, made.files)); err != nil {
		t.Fatal(err)
	}
	const linux, windows = "runattest_0.1.0_linux_amd64.tar.gz", "runattest_0.1.0_windows_amd64.zip"
	provenanceName := provenanceFile(want.release)
	plugins, kmsDeb := kmsPlugins.archive(built[0], want.release), formats[0].file(kmsPlugins, built[0], want.release)
	good, err := want.readProvenance(t.Context(), withoutSums(made.files))
	if err != nil {
		t.Fatal(err)
	}
	hsm, hsmDeb := pkcs11Plugin.archive(built[0], want.release), formats[0].file(pkcs11Plugin, built[0], want.release)
	hsmChanged := func(change func(program []byte) []byte) func(map[string][]byte) {
		return func(f map[string][]byte) {
			f[hsm] = edited(t, pkcs11Plugin, f[hsm], func(m map[string][]byte) { m["sigstore-kms-pkcs11"] = change(m["sigstore-kms-pkcs11"]) })
			reprove(t, f, good)
		}
	}
	oldProgram := func(files map[string][]byte) {
		files[linux] = repack(t, built[0], "runattest_0.0.9_linux_amd64", "runattest_0.1.0_linux_amd64", made.old["runattest_0.0.9_linux_amd64.tar.gz"])
	}
	for name, c := range map[string]struct {
		change func(files map[string][]byte)
		reason string
	}{
		"missing archive":    {func(f map[string][]byte) { delete(f, linux) }, "no such file"},
		"missing signature":  {func(f map[string][]byte) { delete(f, signatureFile) }, "no such file"},
		"missing checksums":  {func(f map[string][]byte) { delete(f, checksumsFile) }, "no such file"},
		"missing provenance": {func(f map[string][]byte) { delete(f, provenanceName) }, "no such file"},
		"added file":         {func(f map[string][]byte) { f["runattest_0.1.0_plan9_amd64.tar.gz"] = []byte("x") }, "is not a file of this release"},
		"renamed":            {func(f map[string][]byte) { f["x.zip"] = f[windows]; delete(f, windows) }, "is not a file of this release"},
		"exchanged":          {func(f map[string][]byte) { f[linux], f[windows] = f[windows], f[linux] }, "SHA-256 is"},
		"older release":      {func(f map[string][]byte) { clear(f); maps.Copy(f, made.old) }, `checksums.txt: it is of release "v0.0.9", want "v0.1.0"`},
		"older archive":      {func(f map[string][]byte) { f[linux] = made.old["runattest_0.0.9_linux_amd64.tar.gz"] }, "SHA-256 is"},
		"older archive, signed": {func(f map[string][]byte) {
			f[linux] = made.old["runattest_0.0.9_linux_amd64.tar.gz"]
			reprove(t, f, good)
		}, "which is not below"},
		"older program, signed":  {func(f map[string][]byte) { oldProgram(f); reprove(t, f, good) }, `version is "v0.0.9", want "v0.1.0"`},
		"unproved archive":       {func(f map[string][]byte) { oldProgram(f); resign(t, f) }, "its subjects are not exactly"},
		"fewer archives, signed": {func(f map[string][]byte) { delete(f, linux); reprove(t, f, good) }, "checksums.txt: it is of a release for [windows/amd64], want one for [linux/amd64 windows/amd64]"},
		"more archives, signed":  {func(f map[string][]byte) { f["x.zip"] = []byte("x"); reprove(t, f, good) }, `checksums.txt: lists "x.zip", which is not of this release`},
		"another sum, signed":    {func(f map[string][]byte) { p := good; p.Sums = otherSum(good, command); reprove(t, f, p) }, "runattest for linux/amd64: module sum is"},
		"another sum of plugins": {func(f map[string][]byte) { p := good; p.Sums = otherSum(good, kmsPlugins); reprove(t, f, p) }, "sigstore-kms-awskms for linux/amd64: module sum is"},
		"no sum of plugins": {func(f map[string][]byte) {
			p := good
			p.Sums = map[string]string{modulePath: good.Sums[modulePath]}
			reprove(t, f, p)
		}, "malformed"},
		"another version, signed": {func(f map[string][]byte) { p := good; p.Version = "v0.1.1"; reprove(t, f, p) }, `its predicate is that of release "v0.1.1", want "v0.1.0"`},
		"another Go, signed":      {func(f map[string][]byte) { p := good; p.Go = "go1.26.0"; reprove(t, f, p) }, "but the provenance says"},
		"another commit, signed": {func(f map[string][]byte) { p := good; p.Commit = strings.Repeat("0", 40); reprove(t, f, p) },
			provenanceName + ": its commit is " + strings.Repeat("0", 40) + ", but that in " + command.imageFile(want.release) + ` is "` + good.Commit + `"`},
		"hostile commit, signed": {func(f map[string][]byte) { p := good; p.Commit = "main"; reprove(t, f, p) }, "malformed"},
		"older wheel": {func(f map[string][]byte) {
			f[built[0].wheel(want.release)] = made.old[built[0].wheel(release{"v0.0.9"})]
			reprove(t, f, good)
		}, "want only runattest/"},
		"wheel of another target": {func(f map[string][]byte) {
			f[built[0].wheel(want.release)] = f[built[1].wheel(want.release)]
			reprove(t, f, good)
		}, "want only runattest/"},
		"older plugins": {func(f map[string][]byte) {
			f[plugins] = repack(t, built[0], "runattest-kms_0.0.9_linux_amd64", "runattest-kms_0.1.0_linux_amd64", made.old["runattest-kms_0.0.9_linux_amd64.tar.gz"])
			reprove(t, f, good)
		}, `sigstore-kms-awskms for linux/amd64: version is "v0.0.9", want "v0.1.0"`},
		"plugins in the program's archive": {func(f map[string][]byte) {
			f[linux] = repack(t, built[0], "runattest-kms_0.1.0_linux_amd64", "runattest_0.1.0_linux_amd64", f[plugins])
			reprove(t, f, good)
		}, linux + ": it has no runattest"},
		"a plugin exchanged for another": {func(f map[string][]byte) {
			f[plugins] = edited(t, kmsPlugins, f[plugins], func(m map[string][]byte) { m["sigstore-kms-awskms"] = m["sigstore-kms-gcpkms"] })
			reprove(t, f, good)
		}, `program is "github.com/runattest/runattest/plugins/cmd/sigstore-kms-gcpkms"`},
		"a plugin too few": {func(f map[string][]byte) {
			f[plugins] = edited(t, kmsPlugins, f[plugins], func(m map[string][]byte) { delete(m, "sigstore-kms-gcpkms") })
			reprove(t, f, good)
		}, "it has no sigstore-kms-gcpkms"},
		"a plugin too many": {func(f map[string][]byte) {
			f[plugins] = edited(t, kmsPlugins, f[plugins], func(m map[string][]byte) { m["sigstore-kms-x"] = nil })
			reprove(t, f, good)
		}, `it has a file "sigstore-kms-x"`},
		"no licences": {func(f map[string][]byte) {
			f[plugins] = edited(t, kmsPlugins, f[plugins], func(m map[string][]byte) { delete(m, "THIRD_PARTY_LICENSES") })
			reprove(t, f, good)
		}, "it has no THIRD_PARTY_LICENSES"},
		"an archive with more": {func(f map[string][]byte) {
			f[linux] = edited(t, command, f[linux], func(m map[string][]byte) { m["install.sh"] = nil })
			reprove(t, f, good)
		}, `it has a file "install.sh"`},
		"no package of plugins": {func(f map[string][]byte) { delete(f, kmsDeb); reprove(t, f, good) }, "checksums.txt: does not list \"" + kmsDeb + `"`},
		"the program's deb for that of the plugins": {func(f map[string][]byte) {
			f[kmsDeb] = f[formats[0].file(command, built[0], want.release)]
			reprove(t, f, good)
		}, kmsDeb + `: it is "runattest" "0.1.0-1"`},
		"the program's image for that of the plugins": {func(f map[string][]byte) {
			f[kmsPlugins.imageFile(want.release)] = f[command.imageFile(want.release)]
			reprove(t, f, good)
		}, kmsPlugins.imageFile(want.release) + ": the image for linux/amd64 is not made of"},
		"no archive with cgo":          {func(f map[string][]byte) { delete(f, hsm) }, "no such file"},
		"no archive with cgo, signed":  {func(f map[string][]byte) { delete(f, hsm); reprove(t, f, good) }, "checksums.txt: does not list"},
		"no package with cgo":          {func(f map[string][]byte) { delete(f, hsmDeb); reprove(t, f, good) }, "checksums.txt: does not list"},
		"an archive with cgo, renamed": {func(f map[string][]byte) { f["x.tar.gz"] = f[hsm]; delete(f, hsm) }, "is not a file of this release"},
		"an image with cgo": {func(f map[string][]byte) {
			f["runattest-pkcs11_0.1.0_image.tar"] = f[command.imageFile(want.release)]
			reprove(t, f, good)
		}, `lists "runattest-pkcs11_0.1.0_image.tar"`},
		"an archive with cgo, exchanged": {func(f map[string][]byte) { f[hsm] = f[plugins]; reprove(t, f, good) }, "which is not below"},
		"an older program with cgo": {func(f map[string][]byte) {
			f[hsm] = repack(t, built[0], "runattest-pkcs11_0.0.9_linux_amd64", "runattest-pkcs11_0.1.0_linux_amd64", made.old["runattest-pkcs11_0.0.9_linux_amd64.tar.gz"])
			reprove(t, f, good)
		}, `sigstore-kms-pkcs11 for linux/amd64: version is "v0.0.9", want "v0.1.0"`},
		"a plugin without cgo": {func(f map[string][]byte) {
			static, err := unpack(built[0], kmsPlugins.folder(built[0], want.release), f[plugins])
			if err != nil {
				t.Fatal(err)
			}
			hsmChanged(func([]byte) []byte { return static["sigstore-kms-awskms"] })(f)
		}, `CGO_ENABLED is "0", want "1"`},
		"a plugin with cgo among the others": {func(f map[string][]byte) {
			dynamic, err := unpack(built[0], pkcs11Plugin.folder(built[0], want.release), f[hsm])
			if err != nil {
				t.Fatal(err)
			}
			f[plugins] = edited(t, kmsPlugins, f[plugins], func(m map[string][]byte) { m["sigstore-kms-awskms"] = dynamic["sigstore-kms-pkcs11"] })
			reprove(t, f, good)
		}, `CGO_ENABLED is "1", want "0"`},
		"a plugin of a newer glibc": {hsmChanged(func(program []byte) []byte {
			return bytes.ReplaceAll(program, []byte("GLIBC_2.2.5\x00"), []byte("GLIBC_2.18\x00\x00"))
		}), "it needs GLIBC_2.18 of libc.so.6, want at most GLIBC_2.17"},
		"a plugin with another library": {hsmChanged(func(program []byte) []byte {
			return bytes.ReplaceAll(program, []byte("\x00libdl.so.2\x00"), []byte("\x00libdx.so.2\x00"))
		}), "it needs the library libdx.so.2"},
		"its deb with another program": {func(f map[string][]byte) {
			f[hsmDeb] = f[kmsDeb]
			reprove(t, f, good)
		}, hsmDeb + `: it is "runattest-kms" "0.1.0-1"`},
		"another zig, signed": {func(f map[string][]byte) { p := good; p.Zig = "0.17.1 "; reprove(t, f, p) }, "malformed"},
		"no zig, signed":      {func(f map[string][]byte) { p := good; p.Zig = ""; reprove(t, f, p) }, "malformed"},
		"images not proved": {func(f map[string][]byte) {
			clean := withoutSums(f)
			delete(clean, provenanceName)
			reproveOf(t, f, good, subjects(clean))
		}, "its subjects are not exactly"},
		"another image proved": {func(f map[string][]byte) {
			clean := withoutSums(f)
			delete(clean, provenanceName)
			about, err := proved(want.release, clean)
			if err != nil {
				t.Fatal(err)
			}
			about[len(about)-1].SHA256[0] ^= 1
			reproveOf(t, f, good, about)
		}, "its subjects are not exactly"},
		"no npm package": {func(f map[string][]byte) { delete(f, npmMain(want.release)); reprove(t, f, good) }, "does not list \"" + npmMain(want.release) + `"`},
		"older npm package": {func(f map[string][]byte) {
			f[built[0].npm(want.release)] = made.old[built[0].npm(release{"v0.0.9"})]
			reprove(t, f, good)
		}, "is not the program of"},
		"npm packages exchanged": {func(f map[string][]byte) {
			f[npmMain(want.release)] = f[built[0].npm(want.release)]
			reprove(t, f, good)
		}, npmMain(want.release) + ": has"},
		"CRLF": {func(f map[string][]byte) {
			f[checksumsFile] = bytes.ReplaceAll(f[checksumsFile], []byte("\n"), []byte("\r\n"))
		}, "its lines end with CRLF"},
		"signature cut": {func(f map[string][]byte) { f[signatureFile] = f[signatureFile][:20] }, "checksums.txt.sig: does not verify checksums.txt with this key"},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(made.files)
			c.change(files)
			if err := verify(t.Context(), want, writeFolder(t, files)); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v, want %q", err, c.reason)
			}
		})
	}
	t.Run("another key", func(t *testing.T) {
		other := want
		other.key = newKey(t).PublicKey()
		if err := verify(t.Context(), other, writeFolder(t, made.files)); err == nil {
			t.Error("verified")
		}
	})
	t.Run("fewer targets wanted", func(t *testing.T) {
		other := want
		other.targets = built[:1]
		if err := verify(t.Context(), other, writeFolder(t, made.files)); err == nil {
			t.Error("verified")
		}
	})
	t.Run("a snapshot", func(t *testing.T) {
		snapshot := release{"v0.0.0-20261127010203-0123456789ab"}
		for _, other := range []expectation{{release: snapshot}, {release: want.release, snapshot: true}} {
			other.targets, other.key = built, want.key
			if err := verify(t.Context(), other, writeFolder(t, made.files)); err == nil || !strings.Contains(err.Error(), "a snapshot is verified with --snapshot") {
				t.Errorf("%s, snapshot wanted %t: %v", other.release.tag, other.snapshot, err)
			}
		}
	})
}

// otherSum are the module sums of a provenance, with another one for the component.
func otherSum(p provenance, c *component) map[string]string {
	sums := maps.Clone(p.Sums)
	sums[c.module] = "h1:" + strings.Repeat("A", 43) + "="
	return sums
}

func withoutSums(files map[string][]byte) map[string][]byte {
	files = maps.Clone(files)
	delete(files, checksumsFile)
	delete(files, signatureFile)
	return files
}

// edited is the archive of a component for linux with other files.
func edited(t *testing.T, c *component, data []byte, edit func(files map[string][]byte)) []byte {
	t.Helper()
	folder := c.folder(built[0], release{"v0.1.0"})
	files, err := unpack(built[0], folder, data)
	if err != nil {
		t.Fatal(err)
	}
	edit(files)
	if data, err = pack(built[0], folder, entriesOf(files), archiveTime); err != nil {
		t.Fatal(err)
	}
	return data
}

// repack packs the files of one archive below another folder.
func repack(t *testing.T, to target, from, folder string, data []byte) []byte {
	t.Helper()
	files, err := unpack(to, from, data)
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for name, data := range files {
		entries = append(entries, entry{name, data, name == to.program()})
	}
	s, err := pack(to, folder, entries, archiveTime)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFlippedBits changes a bit of every file, at its ends and in its middle.
func TestFlippedBits(t *testing.T) {
	want := expect(t)
	dir := writeFolder(t, made.files)
	for name, data := range made.files {
		for _, at := range []int{0, len(data) / 2, len(data) - 2} { // behind the last byte of texts is a line break, which is signed too
			changed := slices.Clone(data)
			changed[at] ^= 1
			writeFile(t, filepath.Join(dir, name), string(changed))
			if err := verify(t.Context(), want, dir); err == nil {
				t.Errorf("%s: verified with bit 0 of byte %d changed", name, at)
			}
		}
		writeFile(t, filepath.Join(dir, name), string(data))
	}
	if err := verify(t.Context(), want, dir); err != nil {
		t.Error(err)
	}
}

// TestSameBytes builds twice: in another folder, on a host of another name, language and time zone.
func TestSameBytes(t *testing.T) {
	releases(t)
	otherHost(t)
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("GOFLAGS", "-tags=other")
	dir := checkout(t)
	s, err := openSource(dir, "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "dist")
	if err := (&building{source: s, targets: built, key: made.key, tools: tools(t), say: t.Logf}).build(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	again := readFolder(t, out)
	for _, name := range packages(s.release, built) {
		if len(again[name]) == 0 || !bytes.Equal(made.files[name], again[name]) {
			t.Errorf("%s: %d and %d bytes differ", name, len(made.files[name]), len(again[name]))
		}
	}
}

func TestSource(t *testing.T) {
	dir := checkout(t)
	for name, c := range map[string]struct{ tag, reason string }{
		"not tagged":     {"v0.3.0", "has no tag v0.3.0"},
		"plugins' tag":   {"v0.2.0-rc.1", "has no tag plugins/v0.2.0-rc.1"},
		"an older tag":   {"v0.0.9", "has no tag v0.0.9"},
		"no v":           {"0.1.0", "want vMAJOR.MINOR.PATCH"},
		"no semver":      {"v0.1", "want vMAJOR.MINOR.PATCH"},
		"build metadata": {"v0.1.0+x", "want vMAJOR.MINOR.PATCH"},
		"shell":          {"v0.1.0;id", "want vMAJOR.MINOR.PATCH"},
		"odd prerelease": {"v0.1.0-x", "want -alpha.N, -beta.N or -rc.N"},
		"pseudo-version": {"v0.0.0-20261127000000-0123456789ab", "is a pseudo-version"},
	} {
		if _, err := openSource(dir, c.tag); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
	if s, err := openSource(dir, ""); err != nil || !s.release.isSnapshot() {
		t.Errorf("snapshot: %v", err)
	}
	writeFile(t, filepath.Join(dir, "new"), "x")
	if _, err := openSource(dir, "v0.1.0"); err == nil || !strings.Contains(err.Error(), "not clean") {
		t.Errorf("dirty: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for tag, want := range map[string][3]string{
		"v0.1.0":                             {"0.1.0", "0.1.0", "0.1.0-1"},
		"v0.2.0-rc.1":                        {"0.2.0-rc.1", "0.2.0rc1", "0.2.0~rc.1-1"},
		"v0.2.0-beta.12":                     {"0.2.0-beta.12", "0.2.0b12", "0.2.0~beta.12-1"},
		"v0.0.0-20261127000000-0123456789ab": {"0.0.0-20261127000000-0123456789ab", "0.0.0.dev20261127000000", "0.0.0~20261127000000.0123456789ab-1"},
	} {
		r, err := parseVersion(tag)
		if err != nil {
			t.Errorf("%s: %v", tag, err)
		}
		if got := [3]string{r.bare(), r.python(), r.debian()}; got != want {
			t.Errorf("%s: %v, want %v", tag, got, want)
		}
	}
}

// TestBuildFails: a target that does not build, and a release that is there, leave nothing behind.
func TestBuildFails(t *testing.T) {
	dir := checkout(t)
	writeFile(t, filepath.Join(dir, "cmd", "runattest", "main_windows.go"), "package main\n\nvar x int = \"\"\n")
	for _, args := range [][]string{{"add", "."}, {"commit", "-q", "-m", "third"}} {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@acme.example"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s, err := openSource(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	out := filepath.Join(parent, "dist")
	if err := (&building{source: s, targets: built, key: newKey(t), tools: tools(t), say: t.Logf}).build(t.Context(), out); err == nil || !strings.Contains(err.Error(), "build for windows/amd64") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (&building{source: s, targets: built, key: newKey(t), tools: tools(t), say: t.Logf}).build(t.Context(), out); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("got %v", err)
	}
}
