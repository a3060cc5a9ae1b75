package e2e

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What we attach to a tarball, oras finds there and carries on.
func TestOrasReadsOurTarballs(t *testing.T) {
	d := newDesk(t)
	from, to := startRegistry(t, "distribution"), startRegistry(t, "cue")
	const image = "/acme/trainer:v1"
	d.image(from.Host + image)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest", "--attach", from.Host+image)
	d.oras("cp", "-r", "--from-plain-http", "--to-oci-layout", from.Host+image, "layout:v1").ok()
	d.tarball("layout", "layout.tar")
	d.sign("runattest", "--attach", "oci-layout://layout.tar:v1", "--annotation", "ticket=ML-1")
	d.sign("runattest", "--attach", "oci-layout://layout.tar:v1", "--annotation", "ticket=ML-2")

	found := d.oras("discover", "--oci-layout", "--format", "json", "layout.tar:v1").ok()
	if n := bytes.Count(found, []byte(`"artifactType": "`+bundleType+`"`)); n != 3 {
		t.Errorf("oras discovers %d attestations in the tarball, want 3:\n%s", n, found)
	}
	d.oras("cp", "-r", "--from-oci-layout", "--to-plain-http", "layout.tar:v1", to.Host+image).ok()
	for _, ref := range []string{"oci-layout://layout.tar:v1", "oci://" + to.Host + image} {
		if sum := d.verifiesReference(0, ref, "--strict"); sum.Good != 3 {
			t.Errorf("%s: %+v", ref, sum)
		}
	}
	d.cosignVerifiesImage(predicateType, "runattest.pub", to.Host+image).ok()

	// A run in a tarball that push made is an artifact like any other.
	d.sign("runattest")
	d.runattest("push", "oci-layout://runs.tar", "runattest.sigstore.json").ok()
	tag := strings.ReplaceAll(identityOf(d.read("canonical.json")), ":", "-")
	d.oras("cp", "-r", "--from-oci-layout", "--to-plain-http", "runs.tar:"+tag, to.Host+"/runs:"+tag).ok()
	if sum := d.verifiesReference(0, "oci://"+to.Host+"/runs:"+tag, "--strict"); sum.Good != 1 {
		t.Errorf("%+v", sum)
	}

	// oras writes no tarballs: it makes a folder of that name.
	d.oras("cp", "-r", "--from-plain-http", "--to-oci-layout", from.Host+image, "new.tar:v1").ok()
	if info, err := os.Stat(d.path("new.tar")); err != nil || !info.IsDir() {
		t.Errorf("%v, %v: oras writes tarballs now, and docs/registry.md says that it does not", info, err)
	}
}
