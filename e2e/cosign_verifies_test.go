package e2e

import (
	"bytes"
	"strings"
	"testing"
)

// The words with which cosign says no.
const (
	badSignature = "accepted signatures do not match threshold"
	otherDigest  = "provided artifact digests do not match digests in statement"
	otherType    = "invalid predicate type"
)

func TestCosignVerifiesOurBundles(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a.name+"/plain", func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.declare("chat-llama-3.1-8b")
			d.makeKey("runattest", a.name, "--no-password")
			checkCosignVerifies(d, a)
		})
		t.Run(a.name+"/encrypted", func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.usePassword()
			d.declare("chat-llama-3.1-8b")
			d.makeKey("runattest", a.name)
			if !bytes.HasPrefix(d.read("runattest.key"), []byte("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----")) {
				t.Error("the private key is not encrypted")
			}
			checkCosignVerifies(d, a)
		})
	}
}

func checkCosignVerifies(d *desk, a algorithm) {
	d.t.Helper()
	d.sign("runattest")
	d.cosignVerifies("runattest.pub", "runattest.sigstore.json", "canonical.json", a.digestFlags()...).ok()
	d.cosignVerifies("runattest.pub", "runattest.sigstore.json", "run.json", a.digestFlags()...).refused(otherDigest)
	b := d.readBundle("runattest.sigstore.json")
	if hint := b.hint(); hint != b.Envelope.Signatures[0].KeyID || !strings.HasPrefix(hint, "SHA256:") {
		d.t.Errorf("hint %s, keyid %s, want the key's fingerprint in both", hint, b.Envelope.Signatures[0].KeyID)
	}
	r := d.verified("runattest.pub", "runattest.sigstore.json")
	if r.Signer.Algorithm != a.name || r.Identity != identityOf(d.read("canonical.json")) {
		d.t.Errorf("algorithm %s, identity %s; want %s, %s",
			r.Signer.Algorithm, r.Identity, a.name, identityOf(d.read("canonical.json")))
	}
}

// cosign v3.1.3 signs with a P-384 or P-521 key as Sigstore's algorithm registry says, with SHA-384
// or SHA-512 (signature.LoadDefaultSignerVerifier), but verifies with SHA-256 whatever the --key is
// (VerifyBlobAttestationCommand.Exec). So its plain command refuses its own bundles as it
// refuses ours, and accepts both when it is told the hash. What we sign is what cosign signs.
func TestCosignHasToBeToldLongerHashes(t *testing.T) {
	for _, a := range algorithms {
		if a.digest == "" {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.usePassword()
			d.declare("chat-llama-3.1-8b")
			d.makeKey("runattest", a.name)
			d.sign("runattest")
			d.statement("runattest.sigstore.json", "statement.json")
			d.cosignAttests("runattest.key", "statement.json", "cosign.sigstore.json", d.withoutServices()).ok()
			for _, bundle := range []string{"runattest.sigstore.json", "cosign.sigstore.json"} {
				d.cosignVerifies("runattest.pub", bundle, "canonical.json").refused(badSignature)
				d.cosignVerifies("runattest.pub", bundle, "canonical.json", a.digestFlags()...).ok()
				d.verified("runattest.pub", bundle)
			}
		})
	}
}

func TestCosignVerifiesEveryShape(t *testing.T) {
	d := newDesk(t)
	d.declare("chat-llama-3.1-8b")
	d.write("model.bin", []byte("weights"))
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	shapes := []struct {
		name  string
		flags []string
		blobs []string
	}{
		{"embedded", nil, []string{"canonical.json"}},
		{"detached", []string{"--detached"}, []string{"canonical.json"}},
		{"annotated", []string{"--annotation", "ticket=ML-1234"}, []string{"canonical.json"}},
		{"with an artifact", []string{"--artifact", "model.bin"}, []string{"canonical.json", "model.bin"}},
	}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			d := d.in(t)
			d.sign("runattest", s.flags...)
			for _, blob := range s.blobs {
				d.cosignVerifies("runattest.pub", "runattest.sigstore.json", blob).ok()
			}
		})
	}
	t.Run("bare envelope", func(t *testing.T) {
		d := d.in(t)
		d.sign("runattest", "--bundle-format", "dsse")
		d.cosign("verify-blob-attestation", "--key", "runattest.pub", "--signature", "runattest.sigstore.json",
			"--type", predicateType, "--insecure-ignore-tlog=true", "canonical.json").ok()
	})
}

func TestCosignRefusesToo(t *testing.T) {
	d := newDesk(t)
	d.declare("agent-mcp")
	d.write("other.json", d.read("canonical.json"))
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.makeKey("other", "ecdsa-p256", "--no-password")
	d.sign("runattest")

	changed := d.readBundle("runattest.sigstore.json")
	payload := bytes.Replace(changed.Envelope.Payload, []byte(`"kind":"inference"`), []byte(`"kind":"batch"`), 1)
	if bytes.Equal(payload, changed.Envelope.Payload) {
		t.Fatal("nothing was changed in the payload")
	}
	changed.Envelope.Payload = payload
	d.writeJSON("payload.sigstore.json", changed)

	changed = d.readBundle("runattest.sigstore.json")
	sig := changed.Envelope.Signatures[0].Sig
	sig[len(sig)-1] ^= 1
	d.writeJSON("signature.sigstore.json", changed)

	d.writeJSON("copy.sigstore.json", d.readBundle("runattest.sigstore.json"))

	const bundle, key, blob = "runattest.sigstore.json", "runattest.pub", "canonical.json"
	rows := []struct {
		name                    string
		predicateType           string
		key, bundle, blob, want string
	}{
		{"nothing wrong", predicateType, key, bundle, blob, ""},
		{"nothing wrong, written again", predicateType, key, "copy.sigstore.json", blob, ""},
		{"another run's canonical file", predicateType, key, bundle, "other.json", otherDigest},
		{"declaration that is not canonical", predicateType, key, bundle, "run.json", otherDigest},
		{"payload changed", predicateType, key, "payload.sigstore.json", blob, badSignature},
		{"signature changed", predicateType, key, "signature.sigstore.json", blob, badSignature},
		{"another key", predicateType, "other.pub", bundle, blob, badSignature},
		{"another predicate type", predicateType + "1", key, bundle, blob, otherType},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			o := d.in(t).cosignVerifiesAs(r.predicateType, r.key, r.bundle, r.blob)
			if r.want == "" {
				o.ok()
			} else {
				o.refused(r.want)
			}
		})
	}
	d.verified(key, "copy.sigstore.json")
	d.notVerified(key, "payload.sigstore.json", "signature", "identity")
	d.notVerified(key, "signature.sigstore.json", "signature")
}
