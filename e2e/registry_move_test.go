package e2e

import (
	"archive/tar"
	"bytes"
	"os"
	"strings"
	"testing"
)

// oras cp -r carries an artifact with its attestations: from a registry without the referrers
// API to one that has it, to a layout, and back.
func TestMovedAttestationsVerify(t *testing.T) {
	d := newDesk(t)
	from, to, back := startRegistry(t, "distribution"), startRegistry(t, "cue"), startRegistry(t, "distribution")
	image := "/acme/trainer:v1"
	digest := d.image(from.Host + image)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest", "--attach", from.Host+image)
	d.sign("runattest", "--attach", from.Host+image, "--annotation", "ticket=ML-1")

	check := func(ref string) {
		t.Helper()
		sum := d.verifiesReference(0, ref, "--strict")
		if sum.Good != 2 || !strings.HasSuffix(sum.Artifact, "@"+digest) {
			t.Errorf("%s: %+v", ref, sum)
		}
	}
	plain := []string{"--from-plain-http", "--to-plain-http"}
	d.oras(append([]string{"cp", "-r", from.Host + image, to.Host + image}, plain...)...).ok()
	check("oci://" + to.Host + image)
	d.oras("cp", "-r", "--from-plain-http", "--to-oci-layout", to.Host+image, "layout:v1").ok()
	check("oci-layout://layout:v1")
	d.tarball("layout", "layout.tar")
	check("oci-layout://layout.tar:v1")
	d.oras("cp", "-r", "--from-oci-layout", "--to-plain-http", "layout.tar:v1", back.Host+image).ok()
	check("oci://" + back.Host + image)
	d.cosignVerifiesImage(predicateType, "runattest.pub", back.Host+image).ok()

	// crane copies the artifact alone.
	d.crane("copy", from.Host+image, to.Host+"/copied:v1").ok()
	if sum := d.verifiesReference(1, "oci://"+to.Host+"/copied:v1"); sum.Good+sum.NotVerified != 0 {
		t.Errorf("crane copy carried %+v", sum)
	}
}

// oras finds in our layouts and registries what we put there.
func TestOrasFindsWhatWeAttach(t *testing.T) {
	d := newDesk(t)
	r := startRegistry(t, "distribution")
	image := r.Host + "/acme/trainer:v1"
	d.image(image)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.oras("cp", "--from-plain-http", "--to-oci-layout", image, "layout:v1").ok()
	d.sign("runattest", "--attach", "oci-layout://layout:v1")
	d.runattest("attach", "oci-layout://layout:v1", "runattest.sigstore.json").ok()
	found := d.oras("discover", "--oci-layout", "--format", "json", "layout:v1").ok()
	if n := bytes.Count(found, []byte(bundleType)); n == 0 {
		t.Errorf("oras finds nothing in the layout:\n%s", found)
	}
	d.sign("runattest", "--attach", image)
	found = d.oras("discover", "--plain-http", "--format", "json", "--artifact-type", bundleType, image).ok()
	if n := bytes.Count(found, []byte(bundleType)); n == 0 {
		t.Errorf("oras finds nothing in the registry:\n%s", found)
	}

	// A run is an artifact like any other.
	d.sign("runattest")
	ref := strings.TrimSpace(string(d.runattest("push", r.Host+"/runs", "runattest.sigstore.json").ok()))
	id := identityOf(d.read("canonical.json"))
	if ref != "oci://"+r.Host+"/runs@"+id {
		t.Errorf("pushed %s", ref)
	}
	tag := strings.ReplaceAll(id, ":", "-")
	d.oras("pull", "--plain-http", "-o", "pulled", r.Host+"/runs:"+tag).ok()
	if !bytes.Equal(d.read("pulled/"+tag+".json"), d.read("canonical.json")) {
		t.Error("what oras pulls is not the canonical declaration")
	}
}

// tarball packs a folder.
func (d *desk) tarball(dir, name string) {
	d.t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	if err := w.AddFS(os.DirFS(d.path(dir))); err != nil {
		d.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.write(name, data.Bytes())
}

// What is fetched for the air gap is verified where nothing can be asked.
func TestAirGap(t *testing.T) {
	d := newDesk(t)
	s := d.useServices()
	r := startRegistry(t, "distribution")
	image := r.Host + "/acme/trainer:v1"
	d.image(image)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest", "--attach", image, "--timestamp-server", s.Timestamper.URL)
	d.runattest("fetch", "--air-gap", "usb", "--trusted-root", "trusted_root.json", image).ok()
	r.Stop()
	offline := []string{
		"verify", "--key", "runattest.pub", "--trusted-root", "usb/trusted_root.json", "--require-timestamp", "1",
		"oci-layout://usb:v1",
	}
	d.runattest(offline...).ok()
	if o := d.runattest("verify", "--key", "runattest.pub", "oci://"+image); o.code != 3 {
		t.Errorf("%s: exit status %d, want 3: the registry is gone\n%s", o.command, o.code, o.stderr)
	}
}
