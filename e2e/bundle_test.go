package e2e

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// bundle is what these tests read of a Sigstore bundle. encoding/json decodes the base64.
type bundle struct {
	MediaType            string `json:"mediaType"`
	VerificationMaterial struct {
		PublicKey struct {
			Hint string `json:"hint"`
		} `json:"publicKey"`
	} `json:"verificationMaterial"`
	Envelope envelope `json:"dsseEnvelope"`
}

type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"`
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	Sig   []byte `json:"sig"`
	KeyID string `json:"keyid"`
}

func (d *desk) readBundle(name string) *bundle {
	d.t.Helper()
	b := new(bundle)
	if err := json.Unmarshal(d.read(name), b); err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	if len(b.Envelope.Signatures) != 1 {
		d.t.Fatalf("%s: %d signatures, want 1", name, len(b.Envelope.Signatures))
	}
	return b
}

func (d *desk) writeJSON(name string, value any) {
	d.t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(name, data)
}

func (b *bundle) hint() string { return b.VerificationMaterial.PublicKey.Hint }

// preAuthentication is what DSSE signs: https://github.com/secure-systems-lab/dsse, protocol.md.
func (e *envelope) preAuthentication() []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(e.PayloadType), e.PayloadType, len(e.Payload), e.Payload)
}

// declaration returns the declaration's bytes as they stand in the payload. The payload is in
// RFC 8785 form, and so is each value within it: these are the bytes whose SHA-256 is the identity.
func (d *desk) declaration(b *bundle) (declared []byte, identity string) {
	d.t.Helper()
	var statement struct {
		Predicate struct {
			Identity    string          `json:"identity"`
			Declaration json.RawMessage `json:"declaration"`
		} `json:"predicate"`
	}
	if err := json.Unmarshal(b.Envelope.Payload, &statement); err != nil {
		d.t.Fatal(err)
	}
	return statement.Predicate.Declaration, statement.Predicate.Identity
}

func identityOf(canonical []byte) string {
	return fmt.Sprintf("airun:1:sha256:%x", sha256.Sum256(canonical))
}

func (d *desk) publicKey(name string) crypto.PublicKey {
	d.t.Helper()
	key, err := x509.ParsePKIXPublicKey(d.publicKeyDER(name))
	if err != nil {
		d.t.Fatalf("%s: %v", name, err)
	}
	return key
}

func (d *desk) publicKeyDER(name string) []byte {
	d.t.Helper()
	block, _ := pem.Decode(d.read(name))
	if block == nil {
		d.t.Fatalf("%s: not PEM", name)
	}
	return block.Bytes
}

// keyHint is how Sigstore clients name a key.
func (d *desk) keyHint(name string) string {
	d.t.Helper()
	sum := sha256.Sum256(d.publicKeyDER(name))
	return base64.StdEncoding.EncodeToString(sum[:])
}
