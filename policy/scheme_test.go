package policy

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// TestOtherScheme: what an approver has signed in a scheme that is not accepted approves nothing, and is not
// passed over as a stranger's: it may be a rejection.
func TestOtherScheme(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := signer.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	text, err := public.PEM()
	if err != nil {
		t.Fatal(err)
	}
	ci, alice := newSigner(t), newSigner(t)
	indented := strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n            ")
	var many strings.Builder
	for i := range 2 * limits.SchemeKeys { // before bob
		fmt.Fprintf(&many, "    - {name: a%d, keys: [{key: %s}]}\n", i, pemOf(t, newSigner(t)))
	}
	p := policyOf(t, ci, "approvals:\n  required: 1\n  approvers:\n"+
		"    - {name: alice, keys: [{key: "+pemOf(t, alice)+"}]}\n"+many.String()+
		"    - name: bob\n      keys:\n        - key: |\n            "+indented+"\n")
	id := parse(t, declarationText).ID()
	say := func(decision Verdict, predicateType string) Approval {
		claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: decision, Reason: "a reason"})
		if err != nil {
			t.Fatal(err)
		}
		e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: []byte(strings.Replace(string(claim.Bytes()), ApprovalType, predicateType, 1))}
		sum := sha256.Sum256(e.Message()) // as sigstore-js does with every curve
		signature, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(map[string]any{"payloadType": e.PayloadType, "payload": e.Payload, "signatures": []map[string]any{{"sig": signature}}})
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.ParseBundle(text)
		if err != nil {
			t.Fatal(err)
		}
		return Approval{"bob", b}
	}
	yes := signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, alice)
	for name, c := range map[string]struct {
		given   []Approval
		allowed bool
	}{
		"a rejection":       {[]Approval{yes, say(Rejected, ApprovalType)}, false},
		"an approval":       {[]Approval{say(Approved, ApprovalType)}, false},
		"something else":    {[]Approval{yes, say(Rejected, "https://example.com/review/v1")}, true},
		"without rejection": {[]Approval{yes}, true},
	} {
		d := decide(t, p, declarationText, ci, c.given...)
		if d.Allowed != c.allowed {
			t.Errorf("%s: %s", name, told(d))
		}
		for _, a := range d.Approvals {
			if a.Source == "bob" && (a.Counted || !strings.Contains(a.Why, "but as ECDSA P-384 with SHA-256")) {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if !c.allowed && !strings.Contains(told(d), "what bob has signed about the run cannot be read, and may be a rejection: by key") {
			t.Errorf("%s: %s", name, told(d))
		}
	}
}

// byHand is a policy under which alice and bob approve what ci signs, with what bob's key signs by hand.
type byHand struct {
	*Policy
	ci        signer.Signer
	bob       *signer.PublicKey
	key       *ecdsa.PrivateKey // bob's
	yes       Approval          // by alice
	rejection *attest.Claim     // not signed yet
	id        identity.ID
}

func newByHand(t *testing.T) byHand {
	t.Helper()
	ci, alice := newSigner(t), newSigner(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := signer.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	text, err := bob.PEM()
	if err != nil {
		t.Fatal(err)
	}
	p := policyOf(t, ci, "approvals:\n  required: 1\n  approvers:\n"+
		"    - {name: alice, keys: [{key: "+pemOf(t, alice)+"}]}\n    - name: bob\n      keys:\n        - key: |\n            "+
		strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n            ")+"\n")
	id := parse(t, declarationText).ID()
	claim, err := NewApproval(ApprovalStatement{Identity: id, Decision: Rejected, Reason: "a reason"})
	if err != nil {
		t.Fatal(err)
	}
	return byHand{p, ci, bob, private, signApproval(t, ApprovalStatement{Identity: id, Decision: Approved, Reason: "ok"}, alice), claim, id}
}

// signed is an envelope with a signature of bob's key over a message, bytes behind it, and a keyid.
func (h byHand) signed(t *testing.T, payload, message []byte, behind, keyid string) Approval {
	t.Helper()
	return h.hashed(t, crypto.SHA256, payload, message, behind, keyid)
}

// hashed is signed with any hash.
func (h byHand) hashed(t *testing.T, with crypto.Hash, payload, message []byte, behind, keyid string) Approval {
	t.Helper()
	w := with.New()
	w.Write(message)
	signature, err := ecdsa.SignASN1(rand.Reader, h.key, w.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"payloadType": attest.PayloadType, "payload": payload,
		"signatures": []map[string]any{{"sig": append(signature, behind...), "keyid": keyid}}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.ParseBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	return Approval{"bob", b}
}

// TestNotOverPAE: what an approver has signed over something else than DSSE's PAE approves nothing either, with whatever hash, and may be
// a rejection where the envelope says whose it is.
func TestNotOverPAE(t *testing.T) {
	h := newByHand(t)
	e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: h.rejection.Bytes()}
	tried := 0
	for what, message := range e.Mistaken() {
		tried++
		for hint, allowed := range map[string]bool{h.bob.Hint(): false, "": true} {
			for _, with := range []crypto.Hash{crypto.SHA256, crypto.SHA1, crypto.SHA384, crypto.SHA512} {
				d := decide(t, h.Policy, declarationText, h.ci, h.yes, h.hashed(t, with, e.Payload, message, "", hint))
				if d.Allowed != allowed || !allowed && !strings.Contains(told(d), "what bob has signed about the run cannot be read, and may be a rejection: by key") {
					t.Errorf("over %s with %s, by key %q: %s", what, with, hint, told(d))
				}
			}
		}
	}
	if tried == 0 {
		t.Error("nothing was tried")
	}
}

// TestSpelledOtherwise: what an approver has signed in another spelling of the predicate type, encoded twice, or with a signature that has
// bytes behind it approves nothing, and may be a rejection.
func TestSpelledOtherwise(t *testing.T) {
	h := newByHand(t)
	plain := string(h.rejection.Bytes())
	typed := func(t string) string { return strings.Replace(plain, ApprovalType, t, 1) }
	digest := strings.TrimPrefix(h.id.String(), "airun:1:sha256:")
	for name, c := range map[string]struct {
		payload, behind string
		allowed         bool
	}{
		"as it is":                 {plain, "", false},
		"an underscore":            {typed("https://github.com/runattest/runattest/run_approval/v1"), "", false},
		"a percent sign":           {typed("https://github.com/runattest/runattest/run%2Dapproval/v1"), "", false},
		"two slashes":              {typed("https://github.com/runattest/runattest//run-approval/v1"), "", false},
		"a short type":             {typed("RunApproval"), "", false},
		"a sign alone":             {typed("/"), "", false},
		"another type":             {typed("https://example.com/review/v1"), "", true},
		"two types":                {typed("https://slsa.dev/provenance/v1\",\"PredicateType\":\"" + ApprovalType), "", false},
		"hex":                      {hex.EncodeToString([]byte(plain)), "", false},
		"hex with lines":           {"0x" + hex.EncodeToString([]byte(plain))[:60] + "\r\n" + hex.EncodeToString([]byte(plain))[60:] + "\r\n", "", false},
		"base64":                   {base64.StdEncoding.EncodeToString([]byte(plain)), "", false},
		"base64 of URLs in quotes": {`"` + base64.RawURLEncoding.EncodeToString([]byte(plain)) + `"`, "", false},
		"base64 with lines":        {base64.StdEncoding.EncodeToString([]byte(plain))[:76] + "\n" + base64.StdEncoding.EncodeToString([]byte(plain))[76:] + "\n", "", false},
		"the digest alone":         {digest, "", false},
		"another text":             {base64.StdEncoding.EncodeToString([]byte("a text")), "", true},
		"a buffer":                 {plain, "\x00", false},
		"a long buffer":            {plain, strings.Repeat("\x00", 56), false},
		"a dry run":                {typed("https://acme.example/dry-run/approval/v1"), "", true},
	} {
		e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: []byte(c.payload)}
		no := h.signed(t, e.Payload, e.Message(), c.behind, "")
		if d := decide(t, h.Policy, declarationText, h.ci, h.yes, no); d.Allowed != c.allowed {
			t.Errorf("%s: %s", name, told(d))
		}
		if d := decide(t, h.Policy, declarationText, h.ci, no); d.Allowed {
			t.Errorf("%s alone: %s", name, told(d))
		}
	}
}
