package e2e

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha512"
	"testing"
)

// cosignWays are the ways in which cosign signs without asking a service.
var cosignWays = []struct {
	name  string
	flags func(*desk) []string
}{
	{"signing config", (*desk).withoutServices},
	{"flags", (*desk).withoutServicesOrRoot},
}

func TestRunattestUsesCosignsKeys(t *testing.T) {
	d := newDesk(t)
	d.usePassword()
	d.declare("agent-mcp")
	d.cosign("generate-key-pair").ok()
	d.sign("cosign")
	ours := d.readBundle("cosign.sigstore.json")
	d.verified("cosign.pub", "cosign.sigstore.json")
	d.cosignVerifies("cosign.pub", "cosign.sigstore.json", "canonical.json").ok()
	d.statement("cosign.sigstore.json", "statement.json")

	d.makeKey("other", "ecdsa-p256")
	for _, way := range cosignWays {
		t.Run(way.name, func(t *testing.T) {
			d := d.in(t)
			d.cosignAttests("cosign.key", "statement.json", "theirs.sigstore.json", way.flags(d)).ok()
			checkTheirs(d, "cosign.pub", "theirs.sigstore.json", ours)
			d.notVerified("other.pub", "theirs.sigstore.json", "signature", "signer")
		})
	}
}

func TestCosignUsesOurKeys(t *testing.T) {
	for _, a := range algorithms {
		if a.name == "ed25519" { // TestCosignPrehashesEd25519
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.usePassword()
			d.declare("agent-mcp")
			d.makeKey("runattest", a.name)
			d.sign("runattest")
			d.statement("runattest.sigstore.json", "statement.json")
			d.cosignAttests("runattest.key", "statement.json", "theirs.sigstore.json", d.withoutServices()).ok()
			checkTheirs(d, "runattest.pub", "theirs.sigstore.json", d.readBundle("runattest.sigstore.json"))
		})
	}
}

// checkTheirs compares the bundle that cosign made of our statement with ours under the same key.
func checkTheirs(d *desk, key, name string, ours *bundle) {
	d.t.Helper()
	r := d.verified(key, name)
	theirs := d.readBundle(name)
	if !bytes.Equal(theirs.Envelope.Payload, ours.Envelope.Payload) {
		d.t.Errorf("payload: cosign's\n%s\nours\n%s", theirs.Envelope.Payload, ours.Envelope.Payload)
	}
	if theirs.Envelope.PayloadType != ours.Envelope.PayloadType || theirs.MediaType != ours.MediaType {
		d.t.Errorf("types: cosign's %s in %s, ours %s in %s",
			theirs.Envelope.PayloadType, theirs.MediaType, ours.Envelope.PayloadType, ours.MediaType)
	}
	if ours.hint() != r.Signer.KeyHint || ours.hint() != ours.Envelope.Signatures[0].KeyID {
		d.t.Errorf("key hints: in our bundle %s and %s, in the report %s; want one", ours.hint(), ours.Envelope.Signatures[0].KeyID, r.Signer.KeyHint)
	}
	if want := d.keyHint(key); theirs.hint() != want {
		d.t.Errorf("cosign's key hint %s, want the SHA-256 of the key, %s", theirs.hint(), want)
	}
}

// cosign reads no plain private key, but imports one.
func TestCosignImportsOurPlainKeys(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.declare("agent-mcp")
			d.makeKey("plain", a.name, "--no-password")
			d.usePassword()
			d.cosign("import-key-pair", "--key", "plain.key", "--output-key-prefix", "imported").ok()
			if !bytes.Equal(d.read("plain.pub"), d.read("imported.pub")) {
				t.Errorf("public keys differ:\n%s%s", d.read("plain.pub"), d.read("imported.pub"))
			}
			d.sign("imported")
			d.verified("plain.pub", "imported.sigstore.json")
		})
	}
}

// cosign v3.1.3 makes an Ed25519ph signature with an Ed25519 key (cosign.GetDefaultLoadOptions), and
// verifies Ed25519 (signature.LoadVerifier without options): attest-blob refuses to write what it has signed
// where it was given a trusted root, and verify-blob-attestation refuses it where it was not. runattest
// signs and verifies Ed25519, which is what cosign verifies.
func TestCosignPrehashesEd25519(t *testing.T) {
	d := newDesk(t)
	d.usePassword()
	d.declare("agent-mcp")
	d.makeKey("runattest", "ed25519")
	d.sign("runattest")
	d.statement("runattest.sigstore.json", "statement.json")

	d.cosignAttests("runattest.key", "statement.json", "theirs.sigstore.json", d.withoutServices()).refused(badSignature)
	d.cosignAttests("runattest.key", "statement.json", "theirs.sigstore.json", d.withoutServicesOrRoot()).ok()
	d.cosignVerifies("runattest.pub", "theirs.sigstore.json", "canonical.json").refused(badSignature)
	d.notVerified("runattest.pub", "theirs.sigstore.json", "signature")

	key, ok := d.publicKey("runattest.pub").(ed25519.PublicKey)
	if !ok {
		t.Fatal("not an Ed25519 key")
	}
	theirs, ours := d.readBundle("theirs.sigstore.json"), d.readBundle("runattest.sigstore.json")
	digest := sha512.Sum512(theirs.Envelope.preAuthentication())
	prehashed := &ed25519.Options{Hash: crypto.SHA512}
	if err := ed25519.VerifyWithOptions(key, digest[:], theirs.Envelope.Signatures[0].Sig, prehashed); err != nil {
		t.Errorf("cosign's signature is not an Ed25519ph signature: %v", err)
	}
	if !ed25519.Verify(key, ours.Envelope.preAuthentication(), ours.Envelope.Signatures[0].Sig) {
		t.Error("our signature is not an Ed25519 signature")
	}
}
