package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
)

// cosignVerifiesImage has cosign look for an attestation of an image in the registry.
func (d *desk) cosignVerifiesImage(predicateType, key, image string) outcome {
	d.t.Helper()
	return d.cosign("verify-attestation", "--key", key, "--type", predicateType, "--insecure-ignore-tlog=true", image)
}

func TestCosignVerifiesWhatWeAttach(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		image := r.Host + "/acme/trainer:v1"
		digest := d.image(image)
		d.declare("chat-llama-3.1-8b")
		d.makeKey("runattest", "ecdsa-p256", "--no-password")
		d.makeKey("other", "ecdsa-p256", "--no-password")
		d.sign("runattest", "--attach", image)
		d.cosignVerifiesImage(predicateType, "runattest.pub", image).ok()
		d.cosignVerifiesImage(predicateType, "runattest.pub", r.Host+"/acme/trainer@"+digest).ok()
		d.cosignVerifiesImage(predicateType, "other.pub", image).refused(badSignature)
		d.cosignVerifiesImage(predicateType+"1", "runattest.pub", image).refused("none of the attestations matched the predicate type")
		if sum := d.verifiesReference(0, "oci://"+image, "--strict"); sum.Good != 1 || sum.Artifact != "oci://"+r.Host+"/acme/trainer@"+digest {
			d.t.Errorf("%+v", sum)
		}
	})
}

// What cosign makes of our statement (attest-blob --statement), and we attach, we and cosign verify.
func TestWeVerifyWhatCosignSigns(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		image := r.Host + "/acme/trainer:v1"
		d.image(image)
		d.statementAbout(image)
		d.cosignAttests("runattest.key", "statement.json", "theirs.sigstore.json", d.withoutServices()).ok()
		d.runattest("attach", image, "theirs.sigstore.json", "runattest.sigstore.json").ok()
		if sum := d.verifiesReference(0, "oci://"+image, "--strict"); sum.Good != 2 {
			d.t.Errorf("%+v", sum)
		}
		d.cosignVerifiesImage(predicateType, "runattest.pub", image).ok()
	})
}

// statementAbout puts statement.json on the desk, and runattest.sigstore.json, which is about an image.
func (d *desk) statementAbout(image string) {
	d.t.Helper()
	d.usePassword()
	d.declare("agent-mcp")
	d.makeKey("runattest", "ecdsa-p256")
	d.sign("runattest", "--subject-ref", image)
	d.statement("runattest.sigstore.json", "statement.json")
}

// cosign v3.1.3 attest has a flag --statement and does not look at it (AttestCommand.Exec wants a
// predicate), so that a statement of its making is about the image alone. We find it where it is,
// its manifest is ours but for the bundle and the time, and verify says what is wrong with it: the
// first subject is not the run.
func TestCosignAttest(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		image := r.Host + "/acme/trainer:v1"
		digest := d.image(image)
		d.statementAbout(image)
		var statement struct {
			Predicate json.RawMessage `json:"predicate"`
		}
		if err := json.Unmarshal(d.read("statement.json"), &statement); err != nil {
			d.t.Fatal(err)
		}
		d.write("predicate.json", statement.Predicate)
		flags := append(d.withoutServices(), "--key", "runattest.key", "--yes", r.Host+"/acme/trainer@"+digest)
		d.cosign(append([]string{"attest", "--statement", "statement.json"}, flags...)...).refused("predicate cannot be empty")
		d.cosign(append([]string{"attest", "--predicate", "predicate.json", "--type", predicateType}, flags...)...).ok()
		theirs := d.listed(image)
		if len(theirs) != 1 || theirs[0].PredicateType != predicateType || theirs[0].Malformed != "" {
			d.t.Fatalf("listed: %+v", theirs)
		}
		if sum := d.verifiesReference(1, "oci://"+image); sum.NotVerified != 1 || sum.Malformed != 0 {
			d.t.Errorf("%+v", sum)
		}
		d.runattest("attach", image, "runattest.sigstore.json").ok()
		if sum := d.verifiesReference(0, "oci://"+image); sum.Good != 1 || sum.NotVerified != 1 {
			d.t.Errorf("%+v", sum)
		}
		for _, row := range d.listed(image) {
			if row.Referrer != theirs[0].Referrer {
				d.sameManifest(d.manifest(r.Host, "acme/trainer", row.Referrer), d.manifest(r.Host, "acme/trainer", theirs[0].Referrer))
			}
		}
	})
}

// sameManifest compares two referrers of one artifact but for their bundles and times.
func (d *desk) sameManifest(ours, theirs map[string]any) {
	d.t.Helper()
	for _, m := range []map[string]any{ours, theirs} {
		annotations, _ := m["annotations"].(map[string]any)
		delete(annotations, "org.opencontainers.image.created")
		layers, _ := m["layers"].([]any)
		if len(layers) != 1 {
			d.t.Fatalf("%d layers", len(layers))
		}
		layer, _ := layers[0].(map[string]any)
		delete(layer, "digest")
		delete(layer, "size")
	}
	if !maps.EqualFunc(ours, theirs, func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		d.t.Errorf("manifests differ:\nours   %v\ncosign %v", ours, theirs)
	}
}
