package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
)

// TestArm64 runs the program for linux/arm64 under qemu-user: what it signs the one for this machine verifies, and the other
// way around.
func TestArm64(t *testing.T) {
	dir, r := dist(t)
	other := target{"linux", "arm64"}
	if !slices.Contains(distTargets(t, dir, r), other) {
		t.Skip("the release is not for linux/arm64")
	}
	wants(t, "qemu-aarch64") // of Debian's qemu-user
	crossCheck(t, newRoom(t, dir, "THERE=qemu-aarch64 "+command.folder(other, r)+"/runattest"), "tar -xzf dist/"+command.archive(other, r), r)
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
	if !slices.Contains(distTargets(t, dir, r), other) {
		t.Skip("the release is not for windows/amd64")
	}
	wine, compiler := "/usr/lib/wine/wine64", "x86_64-w64-mingw32-gcc-win32"
	wants(t, wine, compiler, "unzip") // of Debian's wine64, gcc-mingw-w64-x86-64-win32 and unzip
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

// TestCosign: another client verifies the provenance of each file and the signature of the checksums, and refuses a file that the
// provenance does not cover, and checksums that are not the signed ones.
func TestCosign(t *testing.T) {
	dir, r := dist(t)
	cosign, err := filepath.Abs("../e2e/bin/cosign") // which .ci/release-check installs
	if err != nil {
		t.Fatal(err)
	}
	wants(t, cosign, "jq")
	room := newRoom(t, dir, "COSIGN="+cosign, "KEY="+distKey(t))
	archive := command.archive(built[0], r)
	check := "mkdir -p docs && cp $KEY docs/release.pub; cosign() { $COSIGN \"$@\"; }; file=" + archive + "\n" + pageLine(t, r, `[ -f "dist/$file" ]`)
	room.want(t, check, fmt.Sprintf("\n%x  %s\nGOOD: %s\n", sha256.Sum256([]byte(readFile(t, filepath.Join(dir, archive)))), archive, archive))
	// cosign accepts a file of the release under another name too, as it does one of an older release.
	other := command.archive(target{"darwin", "arm64"}, r)
	out, err := room.run("mkdir renamed && cp dist/* renamed && mv renamed/" + archive + " renamed/" + other + "\n" +
		strings.NewReplacer(archive, other, "dist/", "renamed/").Replace(check))
	if err == nil || !strings.HasSuffix(out, "Verified OK\nBAD: do not use it\n") {
		t.Errorf("a renamed file: %v\n%s", err, out)
	}
	// A name of two lines is two patterns for grep, of which one may be true of an older release.
	out, err = room.run("mkdir lines && cp dist/* lines && file=" + archive + "\nname=\"$file\n$(sha256sum <lines/$file | cut -c-64)  $file\" && mv lines/$file \"lines/$name\"\n" +
		strings.NewReplacer("file="+archive, "file=$name", "dist/", "lines/").Replace(check))
	if err == nil || !strings.HasSuffix(out, "BAD: do not use it\n") {
		t.Errorf("a name of two lines: %v\n%s", err, out)
	}
	// A file with another provenance for jq than for cosign: cosign alone accepts it, the lines refuse it.
	twoFaced(t, filepath.Join(dir, provenanceFile(r)), filepath.Join(room.dir, "forged.json"), r.tag, "v99.0.0")
	room.want(t, `$COSIGN verify-blob-attestation --key "$KEY" --insecure-ignore-tlog --type slsaprovenance1 --bundle forged.json dist/`+archive, "Verified OK")
	if out, err := room.run(strings.ReplaceAll(check, "dist/"+provenanceFile(r), "forged.json")); err == nil {
		t.Errorf("the lines accept two provenances in one file: %s", out)
	}
	room.want(t, `for f in dist/*.whl dist/*.tgz dist/*.tar.gz dist/*.deb dist/*.rpm dist/*.tar; do
$COSIGN verify-blob-attestation --key "$KEY" --insecure-ignore-tlog --type slsaprovenance1 --bundle dist/`+provenanceFile(r)+` $f; done
if $COSIGN verify-blob-attestation --key "$KEY" --insecure-ignore-tlog --type slsaprovenance1 --bundle dist/`+provenanceFile(r)+` dist/checksums.txt
then exit 1; else echo refused; fi`, "Verified OK", "refused")
	// This cosign takes a signature in a bundle only.
	sums := readFile(t, filepath.Join(dir, checksumsFile))
	digest := sha256.Sum256([]byte(sums))
	writeFile(t, filepath.Join(room.dir, "sums.sigstore.json"), fmt.Sprintf(`{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":""}},
"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":%q},"signature":%q}}`, attest.BundleMediaType,
		base64.StdEncoding.EncodeToString(digest[:]), strings.TrimSpace(readFile(t, filepath.Join(dir, signatureFile)))))
	writeFile(t, filepath.Join(room.dir, "other.txt"), strings.Replace(sums, "runattest", "runattesT", 1))
	room.want(t, `$COSIGN verify-blob --key "$KEY" --insecure-ignore-tlog --bundle sums.sigstore.json dist/checksums.txt
if $COSIGN verify-blob --key "$KEY" --insecure-ignore-tlog --bundle sums.sigstore.json other.txt; then exit 1; else echo refused; fi`, "Verified OK", "refused")
}

// twoFaced makes a file of a provenance: the signed envelope is where cosign's older form has it, and where the newer form has one,
// there is one that was never signed, in which old is replaced by new.
func twoFaced(t *testing.T, from, to, old, new string) {
	t.Helper()
	var bundle map[string]any
	if err := json.Unmarshal([]byte(readFile(t, from)), &bundle); err != nil {
		t.Fatal(err)
	}
	signed, err := json.Marshal(bundle["dsseEnvelope"])
	if err != nil {
		t.Fatal(err)
	}
	envelope := bundle["dsseEnvelope"].(map[string]any)
	payload, err := base64.StdEncoding.DecodeString(envelope["payload"].(string))
	if err != nil || !strings.Contains(string(payload), old) {
		t.Fatalf("%v, %q is not in %s", err, old, payload)
	}
	envelope["payload"] = base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(string(payload), old, new)))
	bundle["base64Signature"] = base64.StdEncoding.EncodeToString(signed)
	forged, err := json.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(forged))
}

// TestOpenSSL: without any client, openssl verifies the signature of the provenance, over DSSE's encoding of its payload.
func TestOpenSSL(t *testing.T) {
	dir, r := dist(t)
	wants(t, "openssl")
	var bundle struct {
		DSSEEnvelope struct {
			Payload, PayloadType string
			Signatures           []struct{ Sig string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, filepath.Join(dir, provenanceFile(r)))), &bundle); err != nil {
		t.Fatal(err)
	}
	e := bundle.DSSEEnvelope
	payload, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil || len(e.Signatures) != 1 {
		t.Fatalf("%v, %d signatures", err, len(e.Signatures))
	}
	signature, err := base64.StdEncoding.DecodeString(e.Signatures[0].Sig)
	if err != nil {
		t.Fatal(err)
	}
	room := newRoom(t, dir, "KEY="+distKey(t))
	encoded := fmt.Sprintf("DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(payload), payload)
	writeFile(t, filepath.Join(room.dir, "signed"), encoded)
	writeFile(t, filepath.Join(room.dir, "other"), encoded+" ")
	writeFile(t, filepath.Join(room.dir, "signature"), string(signature))
	room.want(t, `openssl dgst -sha256 -verify "$KEY" -signature signature signed
if openssl dgst -sha256 -verify "$KEY" -signature signature other; then exit 1; fi`, "Verified OK", "Verification failure")
}
