package e2e

import (
	"bytes"
	"strings"
	"testing"
)

// regctl finds in our layouts what we put there, copies it, and its layouts are ours to attach to.
func TestRegctlCopiesAttestations(t *testing.T) {
	d := newDesk(t)
	r := startRegistry(t, "cue")
	d.image(r.Host + "/acme/trainer:v1")
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	plain := "reg=" + r.Host + ",tls=disabled"

	// An image with an attestation, from a registry to a layout of regctl's, where another one is attached.
	d.sign("runattest", "--attach", r.Host+"/acme/trainer:v1")
	d.regctl("image", "copy", "--host", plain, "--referrers", r.Host+"/acme/trainer:v1", "ocidir://theirs:v1").ok()
	d.sign("runattest", "--attach", "oci-layout://theirs:v1", "--annotation", "ticket=ML-1")
	if sum := d.verifiesReference(0, "oci-layout://theirs:v1", "--strict"); sum.Good != 2 {
		t.Errorf("regctl's layout: %+v", sum)
	}
	d.regctl("image", "copy", "--host", plain, "--referrers", "ocidir://theirs:v1", r.Host+"/acme/copied:v1").ok()
	if sum := d.verifiesReference(0, "oci://"+r.Host+"/acme/copied:v1", "--strict"); sum.Good != 2 {
		t.Errorf("what regctl has copied: %+v", sum)
	}

	// A run that was pushed to a layout.
	d.sign("runattest")
	d.runattest("push", "oci-layout://runs", "runattest.sigstore.json").ok()
	id := strings.Fields(string(d.runattest("id", "run.json").ok()))[0]
	tag := strings.ReplaceAll(id, ":", "-")
	d.regctl("image", "copy", "--host", plain, "--referrers", "ocidir://runs:"+tag, r.Host+"/runs:"+tag).ok()
	if sum := d.verifiesReference(0, "oci://"+r.Host+"/runs@"+id, "--strict"); sum.Good != 1 {
		t.Errorf("a run that regctl has copied: %+v", sum)
	}
}

// A layout as crane makes it has no tag, and stays one of one artifact for us, for oras and for regctl.
func TestLayoutOfCrane(t *testing.T) {
	d := newDesk(t)
	r := startRegistry(t, "cue")
	image := r.Host + "/acme/trainer:v1"
	digest := d.image(image)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.crane("pull", "--format=oci", image, "layout").ok()
	for _, ticket := range []string{"ML-1", "ML-2"} {
		d.sign("runattest", "--attach", "oci-layout://layout", "--annotation", "ticket="+ticket)
	}
	if sum := d.verifiesReference(0, "oci-layout://layout", "--strict"); sum.Good != 2 || !strings.HasSuffix(sum.Artifact, digest) {
		t.Errorf("%+v", sum)
	}
	if found := d.oras("discover", "--oci-layout", "--format", "json", "layout@"+digest).ok(); bytes.Count(found, []byte(`"digest"`)) < 3 {
		t.Errorf("oras finds\n%s", found)
	}
	if found := d.regctl("artifact", "list", "ocidir://layout@"+digest).ok(); bytes.Count(found, []byte(bundleType)) != 2 {
		t.Errorf("regctl finds\n%s", found)
	}
	d.oras("cp", "-r", "--from-oci-layout", "--to-plain-http", "layout@"+digest, r.Host+"/moved:v1").ok()
	if sum := d.verifiesReference(0, "oci://"+r.Host+"/moved:v1", "--strict"); sum.Good != 2 {
		t.Errorf("%+v", sum)
	}
	d.crane("push", "--index", "layout", r.Host+"/all:v1").ok()
	if sum := d.verifiesReference(0, "oci://"+r.Host+"/all@"+digest, "--strict"); sum.Good != 2 {
		t.Errorf("what crane has pushed: %+v", sum)
	}
}
