package sigstore

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
)

// unsigned is an envelope with a certificate of alice's, and the key that is to sign it.
func (w world) unsigned() (evidence.Envelope, *ecdsa.PrivateKey) {
	w.t.Helper()
	leaf, private, err := w.GenerateLeafCert(alice, issuer)
	if err != nil {
		w.t.Fatal(err)
	}
	return evidence.Envelope{
		MediaType: attest.BundleMediaType, PayloadType: attest.PayloadType, Payload: statement(w.t), Certificates: [][]byte{leaf.Raw},
	}, private.(*ecdsa.PrivateKey)
}

// TestCertificateBarePayload: a signature by a certificate's key over the payload alone fails, and the reason says so.
func TestCertificateBarePayload(t *testing.T) {
	w := newWorld(t)
	e, key := w.unsigned()
	sum := sha256.Sum256(e.Payload)
	var err error
	if e.Signature, err = ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
		t.Fatal(err)
	}
	o := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}).CheckEnvelope(context.Background(), e)
	const says = "by the certificate's key, but over the payload alone; want it over DSSE's PAE of payload type and payload"
	if o.By != nil || o.OtherScheme != nil || o.Signature.Verdict != evidence.Fail || o.Signature.Reason != says || o.Signer.Verdict == evidence.Pass {
		t.Errorf("%+v", o)
	}
	o = trusting(t, TrustOptions{Root: rootOf(t, func(p *rootParts) { p.ctlogs = p.tlogs }, w), Identities: trustsAlice, UnsafeAnyTime: true}).CheckEnvelope(context.Background(), e)
	if o.By != nil || o.OtherScheme == nil || o.OtherScheme.Name != alice {
		t.Errorf("at any time: %+v, by %+v", o, o.OtherScheme)
	}
}

// TestCertificateTwoMistakes: a signature by a certificate's key over the payload alone and in another scheme fails, and the reason says
// both.
func TestCertificateTwoMistakes(t *testing.T) {
	w := newWorld(t)
	e, key := w.unsigned()
	sum := sha512.Sum512(e.Payload)
	var err error
	if e.Signature, err = ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
		t.Fatal(err)
	}
	o := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}).CheckEnvelope(context.Background(), e)
	const says = "by the certificate's key, but as ECDSA P-256 with SHA-512 in ASN.1 DER and over the payload alone; want ECDSA P-256 with SHA-256"
	if o.By != nil || o.OtherScheme != nil || o.Signature.Verdict != evidence.Fail || !strings.HasPrefix(o.Signature.Reason, says) || o.Signer.Verdict == evidence.Pass {
		t.Errorf("%+v", o)
	}
	o = trusting(t, TrustOptions{Root: rootOf(t, func(p *rootParts) { p.ctlogs = p.tlogs }, w), Identities: trustsAlice, UnsafeAnyTime: true}).CheckEnvelope(context.Background(), e)
	if o.By != nil || o.OtherScheme == nil || o.OtherScheme.Name != alice {
		t.Errorf("at any time: %+v, by %+v", o, o.OtherScheme)
	}
}

// TestCertificateOtherScheme: a signature by a certificate's key in another scheme fails, and the reason names the
// scheme; schemes are tried only for a signer who could be trusted.
func TestCertificateOtherScheme(t *testing.T) {
	w := newWorld(t)
	e, key := w.unsigned()
	sum := sha256.Sum256(e.Message())
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	e.Signature = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	for name, c := range map[string]struct {
		identities []CertificateIdentity
		code       evidence.Code
	}{
		"trusted":  {trustsAlice, evidence.CodeSignatureScheme},
		"stranger": {[]CertificateIdentity{{SubjectAlternativeName: Exactly("bob@example.com"), Issuer: Exactly(issuer)}}, evidence.CodeSignature},
	} {
		o := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: c.identities}).CheckEnvelope(context.Background(), e)
		if o.By != nil || o.Signature.Verdict != evidence.Fail || o.Signature.Code != c.code || o.Signer.Verdict == evidence.Pass {
			t.Errorf("%s: %+v", name, o)
		}
		o = trusting(t, TrustOptions{Root: rootOf(t, func(p *rootParts) { p.ctlogs = p.tlogs }, w), Identities: c.identities, UnsafeAnyTime: true}).CheckEnvelope(context.Background(), e)
		if trusted := name == "trusted"; o.By != nil || trusted != (o.OtherScheme != nil) || trusted && o.OtherScheme.Name != alice {
			t.Errorf("%s, at any time: %+v, by %+v", name, o, o.OtherScheme)
		}
	}
}
