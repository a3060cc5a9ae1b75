package policy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// limitChecks sets how many signature checks a decision makes in vain.
func limitChecks(t *testing.T, most int) {
	before := signatureChecks
	t.Cleanup(func() { signatureChecks = before })
	signatureChecks = most
}

// junk is an approval whose payload is that of a, with n signatures of so many bytes that are by no key.
func junk(t *testing.T, source string, a Approval, n, size int) Approval {
	t.Helper()
	var signatures []map[string]any
	for i := range n {
		text := fmt.Appendf(nil, "%*d", size, i+1)
		signatures = append(signatures, map[string]any{"sig": text})
	}
	text, err := json.Marshal(map[string]any{"payloadType": attest.PayloadType, "payload": a.Bundle.UnverifiedPayload(), "signatures": signatures})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.ParseBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	return Approval{source, b}
}

// TestSignatureChecks: finding out who has signed costs a bounded number of signature checks, past which the answer is no, and
// approvals that name their key cost none in vain: one check must be left to begin with.
func TestSignatureChecks(t *testing.T) {
	ci, alice, bob := newSigner(t), newSigner(t), newSigner(t)
	p := policyOf(t, ci, "approvals:\n  required: 1\n  approvers:\n"+
		"    - {name: alice, keys: [{key: "+pemOf(t, alice)+"}]}\n    - {name: bob, keys: [{key: "+pemOf(t, bob)+"}]}\n")
	id := parse(t, declarationText).ID()
	yes := signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, alice)
	no := signApproval(t, ApprovalStatement{Identity: id, Decision: Rejected, Reason: "not ok"}, bob)
	strange := junk(t, "strange", no, 16, 64)
	const most = 16 * 2 * 10 // each signature, each key, in each of Ed25519's schemes
	var often []Approval
	for range 100 {
		often = append(often, strange)
	}
	for _, c := range []struct {
		name  string
		most  int
		given []Approval
		want  string // in the decision
	}{
		{"an approval", 1, []Approval{yes}, "allowed"},
		{"a rejection", 1, []Approval{yes, no}, "approvals: rejected by bob"},
		{"signatures of a length that no key makes", 1, []Approval{yes, junk(t, "long", no, 16, 256)}, "allowed"},
		{"all are tried", most, []Approval{yes, strange}, "allowed"},
		{"one too many", most - 1, []Approval{yes, strange}, "approvals: finding out who has signed the approvals takes too many signature checks, more than 319, " +
			"and a rejection might be missed: 1 of 2 approvals were read, and strange alone took 319; give only approvals of this run and of its ancestors, each with one signature"},
		{"the same is not tried again", most + 1, append(often, yes), "allowed"},
		{"a rejection behind them", most - 1, []Approval{yes, strange, no}, "approvals: finding out"},
		{"a rejection in front of them", most - 1, []Approval{yes, no, strange}, "approvals: finding out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limitChecks(t, c.most)
			d := decide(t, p, declarationText, ci, c.given...)
			if got := told(d); !strings.HasPrefix(got, c.want) || d.Allowed != (c.want == "allowed") {
				t.Errorf("got %s, want %s", got, c.want)
			}
			rejected, err := p.Rejections(ctx, Given{Approvals: c.given, Now: now})
			if late := strings.Contains(c.want, "finding out"); late != errors.Is(err, ErrSignatureChecks) || late && rejected != nil {
				t.Errorf("rejections: %v, %v", rejected, err)
			}
		})
	}
}

// TestNamedSignatureChecks: a signature that is not by the approver whose key the envelope names costs a bounded number of checks, and
// past the bound the run is denied.
func TestNamedSignatureChecks(t *testing.T) {
	h := newByHand(t)
	stranger := newByHand(t)
	e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: h.rejection.Bytes()}
	strange := stranger.signed(t, e.Payload, e.Message(), "", h.bob.Hint())
	const most = 1 + 7 + 7*(1+7) // the message in the key's scheme and in others, and so the seven forms in place of it
	for n, want := range map[int]string{most: "allowed", most - 1: "approvals: finding out who has signed"} {
		limitChecks(t, n)
		d := decide(t, h.Policy, declarationText, h.ci, h.yes, strange, strange)
		if got := told(d); !strings.HasPrefix(got, want) || d.Allowed != (want == "allowed") {
			t.Errorf("%d checks: got %s, want %s", n, got, want)
		}
	}
}

// twice stamps two times.
type twice struct{ clock }

func (c twice) Witness(ctx context.Context, e evidence.Envelope) (m evidence.Material, err error) {
	for range 2 {
		one, err := c.clock.Witness(ctx, e)
		if err != nil {
			return m, err
		}
		m.Timestamps = append(m.Timestamps, one.Timestamps...)
	}
	return m, nil
}

// TestUnlistedEvidence: evidence of services that the trusted root does not list is looked at once for an approval, so that as many
// honest approvals with two pieces of it as are read at all are under the bound.
func TestUnlistedEvidence(t *testing.T) {
	ci, alice, ours, strange := newSigner(t), newSigner(t), newClock(t), newClock(t)
	const each = 2 * 2 // checks: pieces of evidence, at what one counts as
	if most := limits.SignatureChecks / each; most < limits.Approvals {
		t.Errorf("%d approvals with two pieces of evidence are under the bound, want %d", most, limits.Approvals)
	}
	for _, window := range []string{"", "notBefore: 2020-01-01T00:00:00Z, "} {
		p := policyOf(t, ci, ours.root(t)+"approvals:\n  required: 1\n  approvers:\n    - {name: alice, keys: [{"+window+"key: "+pemOf(t, alice)+"}]}\n")
		claim, err := NewApproval(ApprovalStatement{Identity: parse(t, declarationText).ID(), Decision: Approved, Reason: "ok"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.Sign(ctx, claim, alice, attest.SignOptions{Witness: twice{strange}})
		if err != nil {
			t.Fatal(err)
		}
		for most, want := range map[int]bool{each - 1: true, each: false} {
			limitChecks(t, most)
			_, err := p.Rejections(ctx, Given{Approvals: []Approval{{"yes", b}}, Now: now})
			if errors.Is(err, ErrSignatureChecks) != want {
				t.Errorf("%q, %d checks: %v", window, most, err)
			}
		}
	}
}

// TestStrangersCertificates: a certificate that a stranger has made costs its share of the work, also where its key has signed.
func TestStrangersCertificates(t *testing.T) {
	c, by := newClock(t), newSigner(t)
	p := policyOf(t, by, c.certificates(t)+"approvals:\n  required: 0\n  approvers:\n"+
		"    - {name: ada, certificates: [{identity: ada@acme.example, issuer: https://acme.example}]}\n")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := signer.New(key)
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte(`{"_type":"x"}`)
	var signatures []map[string]any
	for range 3 { // each another
		s, err := private.Sign(ctx, fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(attest.PayloadType), attest.PayloadType, len(payload), payload))
		if err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, map[string]any{"sig": s})
	}
	text, err := json.Marshal(map[string]any{
		"mediaType":            attest.BundleMediaType,
		"verificationMaterial": map[string]any{"certificate": map[string]any{"rawBytes": raw}},
		"dsseEnvelope":         map[string]any{"payloadType": attest.PayloadType, "payload": payload, "signatures": signatures},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.ParseBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	work := signer.NewWork(1000)
	if o := p.approvals.verify(ctx, Approval{"strange", b}, work); o.err == nil || work.Done() < 3*16 || work.Exhausted() {
		t.Errorf("%v after work of %d checks, want no after at least %d", o.err, work.Done(), 3*16)
	}
	limitChecks(t, 40)
	d := decide(t, p, declarationText, by, Approval{"strange", b})
	if got := told(d); d.Allowed || !strings.HasPrefix(got, "approvals: finding out who has signed") {
		t.Errorf("got %s", got)
	}
}
