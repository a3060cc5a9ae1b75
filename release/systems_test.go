package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestArm64 runs the program for linux/arm64 under qemu-user: what it signs the one for this machine verifies, and the other
// way around.
func TestArm64(t *testing.T) {
	dir, r := dist(t)
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Skip("wants qemu-aarch64 of Debian's qemu-user")
	}
	other := target{"linux", "arm64"}
	if found, _ := filepath.Glob(filepath.Join(dir, command.archive(other, r))); len(found) == 0 {
		t.Skip("the release is not for linux/arm64")
	}
	crossCheck(t, newRoom(t, dir, "THERE="+qemu+" "+command.folder(other, r)+"/runattest"), "tar -xzf dist/"+command.archive(other, r), r)
}

// randomSource is bcryptprimitives.dll, which Go needs on Windows and Wine 8 does not have.
const randomSource = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
`

// TestWindows runs the program for windows/amd64 under Wine, in the same way as TestArm64.
func TestWindows(t *testing.T) {
	dir, r := dist(t)
	other := target{"windows", "amd64"}
	if found, _ := filepath.Glob(filepath.Join(dir, command.archive(other, r))); len(found) == 0 {
		t.Skip("the release is not for windows/amd64")
	}
	wine, compiler := "/usr/lib/wine/wine64", "x86_64-w64-mingw32-gcc-win32"
	for _, name := range []string{wine, compiler, "unzip"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("wants wine64, gcc-mingw-w64-x86-64-win32 and unzip of Debian: %v", err)
		}
	}
	room := newRoom(t, dir, "THERE="+wine+" "+command.folder(other, r)+"/runattest.exe", "WINEDEBUG=-all")
	writeFile(t, filepath.Join(room.dir, "random.c"), randomSource)
	// Go looks for it in the folder of the system alone.
	crossCheck(t, room, "unzip -q dist/"+command.archive(other, r)+" && "+compiler+` -shared -o random.dll random.c -ladvapi32
`+wine+` wineboot --init >/dev/null 2>&1
cp random.dll "$HOME/.wine/drive_c/windows/system32/bcryptprimitives.dll"`, r)
}

// crossCheck signs with the program for this machine and with the one that $THERE starts; each verifies what the other signed.
func crossCheck(t *testing.T, room *room, unpack string, r release) {
	t.Helper()
	writeFile(t, filepath.Join(room.dir, "a.json"), declaration)
	writeFile(t, filepath.Join(room.dir, "b.json"), declaration)
	room.want(t, "tar -xzf dist/"+command.archive(built[0], r)+" && "+unpack)
	room.want(t, "HERE="+command.folder(built[0], r)+`/runattest
$THERE version
$THERE keygen --no-password
$THERE sign --key runattest.key a.json && $HERE verify --key runattest.pub a.json.sigstore.json
$HERE sign --key runattest.key b.json && $THERE verify --key runattest.pub b.json.sigstore.json`,
		"runattest "+r.tag, "a.json.sigstore.json: verified", "b.json.sigstore.json: verified")
}

// TestCosign: another client verifies the provenance of each file, and refuses a file that it does not cover.
func TestCosign(t *testing.T) {
	dir, r := dist(t)
	cosign, err := filepath.Abs("../e2e/bin/cosign")
	if err == nil {
		_, err = exec.LookPath(cosign)
	}
	if err != nil {
		t.Skip("wants e2e/bin/cosign, which make e2e installs")
	}
	room := newRoom(t, dir, "COSIGN="+cosign)
	room.want(t, `for f in dist/*.whl dist/*.tgz dist/*.tar.gz; do $COSIGN verify-blob-attestation --key "`+distKey(t)+`" --insecure-ignore-tlog \
--type slsaprovenance1 --bundle dist/`+provenanceFile(r)+` $f; done
if $COSIGN verify-blob-attestation --key "`+distKey(t)+`" --insecure-ignore-tlog --type slsaprovenance1 --bundle dist/`+provenanceFile(r)+` dist/checksums.txt
then exit 1; else echo refused; fi`, "Verified OK", "refused")
}
