package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	standin "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/runattest/runattest/signer"
)

// TestImageInRegistry pushes the images of a release to a registry on loopback. Their digests are those that the provenance names;
// cosign and the program find and verify the provenance there, and a run is attached besides.
func TestImageInRegistry(t *testing.T) {
	dir, r := dist(t)
	cosign, err := filepath.Abs("../e2e/bin/cosign")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, cosign, "jq")
	key, err := signer.ParsePublicKey([]byte(readFile(t, distKey(t))))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(standin.New(standin.WithReferrersSupport(true), standin.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	want := expectation{release: r, snapshot: r.isSnapshot(), targets: distTargets(t, dir, r), key: key}
	if err := push(t.Context(), want, dir, repository, t.Logf); err != nil {
		t.Fatal(err)
	}
	room := newRoom(t, dir, "COSIGN="+cosign, "KEY="+distKey(t))
	writeFile(t, filepath.Join(room.dir, "run.json"), declaration)
	room.want(t, "tar -xzf dist/"+command.archive(built[0], r)+" && cp "+command.folder(built[0], r)+"/runattest . && ./runattest keygen --no-password")
	first, err := remote.Head(mustRepository(t, repository).Tag(command.imageTag(r)))
	if err != nil {
		t.Fatal(err)
	}
	line := strings.ReplaceAll(pageLine(t, r, "cosign verify-attestation"), "registry.acme.example/runattest", repository)
	room.want(t, "mkdir -p docs && cp $KEY docs/release.pub; cosign() { $COSIGN \"$@\"; }\n"+line, "GOOD: "+first.Digest.String()+"\n")
	wantImageLine(t, room, r, line)
	for _, c := range imaged() {
		tag := mustRepository(t, repository).Tag(c.imageTag(r))
		there, err := remote.Head(tag)
		if err != nil {
			t.Fatal(err)
		}
		image := tag.Context().Digest(there.Digest.String()).String()
		// The digest is a subject of the provenance, which cosign holds the image against.
		room.want(t, "$COSIGN verify-attestation --key $KEY --insecure-ignore-tlog --type slsaprovenance1 "+tag.String(),
			"The signatures were verified against the specified public key")
		room.want(t, "./runattest inspect dist/"+provenanceFile(r), there.Digest.Hex)
		room.want(t, "./runattest list "+tag.String(), "slsa.dev/provenance/v1")
		// Attached again, it is the same referrer; a run that names the image is another.
		room.want(t, "./runattest attach "+image+" dist/"+provenanceFile(r)+" && ./runattest list --format json "+image+" | wc -l", "\n1\n")
		room.want(t, "./runattest sign --key runattest.key --attach "+image+" --bundle "+c.name+".sigstore.json run.json && ./runattest list --format json "+image+" | wc -l", "\n2\n")
		room.want(t, "./runattest verify --key runattest.pub oci://"+image, "verified")
		if out, err := room.run("./runattest verify --key $KEY oci://" + image); err == nil {
			t.Errorf("the release's key has signed a run: %s", out)
		}
	}
	// An image that the provenance does not name is refused by both.
	_, other := image(t, debRPMRel, archiveTime, archived(), linux)
	writeFile(t, filepath.Join(room.dir, "layout.tar"), string(other))
	room.want(t, `mkdir other && tar -xf layout.tar -C other
if ./runattest attach oci-layout://other:0.2.0-rc.1 dist/`+provenanceFile(r)+`; then exit 1; else echo refused; fi`, "refused")
}

// wantImageLine gives the page's line what a registry can have cosign print.
func wantImageLine(t *testing.T, room *room, r release, line string) {
	t.Helper()
	payload := func(version string) string {
		return base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
			`{"subject":[{"name":"runattest:%s","digest":{"sha256":"00"}}],"predicate":{"buildDefinition":{"externalParameters":{"version":%q}}}}`, r.bare(), version))
	}
	envelope := `{"payloadType":"application/vnd.in-toto+json","payload":"` + payload(r.tag) + `"%s,"signatures":[]}`
	for name, c := range map[string]struct{ out, log, want string }{
		"verified":        {fmt.Sprintf(envelope, ""), "", "\nGOOD: sha256:00\n"},
		"two payloads":    {fmt.Sprintf(envelope, `,"Payload":"e30="`), "", "\nBAD: do not run it\n"},
		"another version": {strings.ReplaceAll(fmt.Sprintf(envelope, ""), payload(r.tag), payload("v0.0.1")), "", "\nBAD: do not run it\n"},
		"nothing":         {"", "\x1b[2JGOOD: sha256:00", "^[[2JGOOD: sha256:00\nBAD: do not run it\n"},
		"no envelope":     {"[]", "", "\nBAD: do not run it\n"},
	} {
		writeFile(t, filepath.Join(room.dir, "out"), c.out+"\n")
		writeFile(t, filepath.Join(room.dir, "log"), c.log+"\n")
		out, err := room.run("cosign() { cat out; cat log >&2; }\n" + line)
		if !strings.HasSuffix("\n"+out, c.want) || strings.Contains(out, "\x1b") || (err == nil) != strings.HasPrefix(c.want, "\nGOOD") {
			t.Errorf("%s: %q, %v, want %q", name, out, err, c.want)
		}
	}
}
