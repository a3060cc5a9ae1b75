package attest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	intoto "github.com/in-toto/attestation/go/v1"
	bundlepb "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

const declarationText = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference",` +
	`"model":{"name":"llama","version":"3.1"},"prompt":{"text":"hello"},"parameters":{"temperature":0.7,"seed":9007199254740991},"context":[],"constraints":{}}`

var ctx = context.Background()

func parse(t testing.TB, text string) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newSigner(t testing.TB, a signer.Algorithm) signer.Signer {
	t.Helper()
	return keytest.New(t, a)
}

func trusting(t testing.TB, signers ...signer.Signer) *Verifier {
	t.Helper()
	var keys []TrustedKey
	for i, s := range signers {
		keys = append(keys, TrustedKey{Name: fmt.Sprintf("key %d", i), Key: s.PublicKey()})
	}
	trust, err := TrustKeys(keys...)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newStatement(t testing.TB, o StatementOptions) *Statement {
	t.Helper()
	s, err := New(parse(t, declarationText), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signed(t testing.TB, s *Statement, by signer.Signer, f Format) *Bundle {
	t.Helper()
	b, err := Sign(ctx, s, by, SignOptions{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// resigned is a bundle over any payload, signed by a key that is trusted: what a malicious
// or careless signer could make.
func resigned(t testing.TB, by signer.Signer, payloadType, payload string) *Bundle {
	t.Helper()
	b := &Bundle{format: SigstoreBundle, mediaType: BundleMediaType, payloadType: payloadType, payload: []byte(payload)}
	b.material.keyHint = by.PublicKey().Hint()
	sig, err := by.Sign(ctx, evidence.Envelope{PayloadType: payloadType, Payload: []byte(payload)}.Message())
	if err != nil {
		t.Fatal(err)
	}
	b.signatures = []signature{{bytes: sig}}
	return reread(t, b)
}

// reread writes b and reads it, as a recipient does.
func reread(t testing.TB, b *Bundle) *Bundle {
	t.Helper()
	text, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func verdicts(checks []evidence.Check) string {
	var b strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&b, "%s=%s ", c.Name, c.Verdict)
	}
	return strings.TrimSpace(b.String())
}

const allGood = "signature=pass signer=pass time=not-checked statement=pass identity=pass declaration=pass subject=not-checked policy=not-checked"

func TestSignVerify(t *testing.T) {
	for _, a := range signer.Algorithms() {
		for _, format := range []Format{SigstoreBundle, DSSE} {
			t.Run(string(a)+"/"+string(format), func(t *testing.T) {
				key := newSigner(t, a)
				b := reread(t, signed(t, newStatement(t, StatementOptions{}), key, format))
				if b.Format() != format {
					t.Errorf("format %s", b.Format())
				}
				v, err := trusting(t, key).Verify(ctx, b, Expect{})
				if err != nil {
					t.Fatal(err)
				}
				if got := verdicts(v.Report().Checks); got != allGood {
					t.Errorf("checks %s", got)
				}
				want := parse(t, declarationText)
				if v.ID() != want.ID() || !bytes.Equal(v.Declaration().Canonical(), want.Canonical()) {
					t.Errorf("verified %s", v.ID())
				}
				if s := v.Signer(); s.Name != "key 0" || s.Algorithm != string(a) || s.KeyHint != key.PublicKey().Hint() {
					t.Errorf("signer %+v", s)
				}
			})
		}
	}
}

func TestSubjectsAndAnnotations(t *testing.T) {
	subject, err := ParseSubject("ghcr.io/acme/trainer@sha256:" + strings.Repeat("ab", 32))
	if err != nil {
		t.Fatal(err)
	}
	key := newSigner(t, signer.Ed25519)
	o := StatementOptions{Subjects: []Subject{subject}, Annotations: map[string]string{"ticket": "ML-1", "empty": ""}}
	b := signed(t, newStatement(t, o), key, SigstoreBundle)
	v, err := trusting(t, key).Verify(ctx, reread(t, b), Expect{Artifacts: []Subject{{Name: "another name", SHA256: subject.SHA256}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.Subjects, v.Subjects()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(o.Annotations, v.Annotations()); diff != "" {
		t.Error(diff)
	}
	plain := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle)
	again, err := trusting(t, key).Verify(ctx, plain, Expect{})
	if err != nil || again.ID() != v.ID() {
		t.Errorf("subjects or annotations entered the identity: %v, %v", again, err)
	}
}

// TestDeterministic signs twice: with Ed25519 the bundles are the same bytes.
func TestDeterministic(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	one, err1 := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle).Marshal()
	two, err2 := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle).Marshal()
	if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
		t.Errorf("%s\n%s", one, two)
	}
}

func TestDetached(t *testing.T) {
	d := parse(t, declarationText)
	other := parse(t, strings.Replace(declarationText, "hello", "goodbye", 1))
	key := newSigner(t, signer.ECDSAP256)
	b := reread(t, signed(t, newStatement(t, StatementOptions{Detached: &DeclarationRef{URI: "https://example.com/d.json"}}), key, SigstoreBundle))
	if bytes.Contains(b.payload, []byte("hello")) {
		t.Error("the declaration is in the bundle")
	}
	verifier := trusting(t, key)
	if v, err := verifier.Verify(ctx, b, Expect{Declaration: d}); err != nil || v.Declaration() != d {
		t.Errorf("with its declaration: %v", err)
	}
	for name, c := range map[string]struct {
		want   Expect
		verdic string
	}{
		"without declaration":       {Expect{}, "identity=fail declaration=not-checked"},
		"identity, no declaration":  {Expect{Identity: idOf(d)}, "identity=fail declaration=not-checked"},
		"another run's declaration": {Expect{Declaration: other}, "identity=fail declaration=pass"},
	} {
		_, err := verifier.Verify(ctx, b, c.want)
		var no *VerificationError
		if !errors.As(err, &no) || !strings.Contains(verdicts(no.Report.Checks), c.verdic) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDetachedSize holds declarationRef's size to the declaration that is given.
func TestDetachedSize(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	text := string(newStatement(t, StatementOptions{Detached: &DeclarationRef{}}).Bytes())
	d := parse(t, declarationText)
	changed := strings.Replace(text, fmt.Sprintf(`"size":%d`, d.Size()), fmt.Sprintf(`"size":%d`, d.Size()+1), 1)
	if changed == text {
		t.Fatal("no size in the statement")
	}
	_, err := trusting(t, key).Verify(ctx, resigned(t, key, PayloadType, changed), Expect{Declaration: d})
	var no *VerificationError
	if !errors.As(err, &no) || !strings.Contains(verdicts(no.Report.Checks), "statement=pass identity=fail declaration=pass") {
		t.Errorf("got %v", err)
	}
}

// TestLargest signs and verifies the largest declaration that there can be: the caps of
// payload and bundle leave room for it.
func TestLargest(t *testing.T) {
	const limit = 16 << 20
	text := strings.Replace(declarationText, "hello", strings.Repeat("x", limit-len(declarationText)+len("hello")), 1)
	d := parse(t, text)
	s, err := New(d, StatementOptions{Annotations: map[string]string{"note": strings.Repeat("y", 100_000)}})
	if err != nil {
		t.Fatal(err)
	}
	key := newSigner(t, signer.Ed25519)
	v, err := trusting(t, key).Verify(ctx, reread(t, signed(t, s, key, SigstoreBundle)), Expect{})
	if err != nil || v.ID() != d.ID() {
		t.Errorf("got %v", err)
	}
}

// TestTampering is the table of what an attacker, or a careless signer, can change, and
// the checks that must say no.
func TestTampering(t *testing.T) {
	key, stranger := newSigner(t, signer.ECDSAP256), newSigner(t, signer.ECDSAP256)
	d := parse(t, declarationText)
	other := parse(t, strings.Replace(declarationText, "hello", "goodbye", 1))
	statement := string(newStatement(t, StatementOptions{}).Bytes())
	good := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle)
	replace := func(old, new string) *Bundle {
		t.Helper()
		changed := strings.Replace(statement, old, new, 1)
		if changed == statement {
			t.Fatalf("%q is not in the statement", old)
		}
		return resigned(t, key, PayloadType, changed)
	}
	change := func(f func(*Bundle)) *Bundle {
		c := *good
		c.payload, c.signatures = slices.Clone(good.payload), []signature{{bytes: slices.Clone(good.signatures[0].bytes)}}
		f(&c)
		return reread(t, &c)
	}
	subjectDigest := `"sha256":"` + d.ID().Hex()
	const rest = " declaration=pass subject=not-checked policy=not-checked"
	const unread = "statement=fail identity=not-checked declaration=not-checked"
	for name, c := range map[string]struct {
		b    *Bundle
		want Expect
		fail string // part of the verdicts
	}{
		"payload byte flipped": {change(func(b *Bundle) { b.payload[len(b.payload)-20] ^= 1 }), Expect{}, "signature=fail signer=not-checked"},
		"signature byte flipped": {change(func(b *Bundle) { b.signatures[0].bytes[40] ^= 1 }), Expect{},
			"signature=fail signer=not-checked time=not-checked statement=pass identity=pass"},
		"other key": {signed(t, newStatement(t, StatementOptions{}), stranger, SigstoreBundle), Expect{}, "signature=fail signer=fail"},
		"other key, our hint": {change(func(b *Bundle) {
			*b = *resigned(t, stranger, PayloadType, statement)
			b.material = material{keyHint: key.PublicKey().Hint()}
		}), Expect{}, "signature=fail signer=not-checked"},
		"no hint and other key":    {change(func(b *Bundle) { *b = *resigned(t, stranger, PayloadType, statement); b.material = material{} }), Expect{}, "signature=fail signer=fail"},
		"subject digest":           {replace(subjectDigest, `"sha256":"`+other.ID().Hex()), Expect{}, "statement=pass identity=fail" + rest},
		"subject name":             {replace(`"name":"`+d.ID().String(), `"name":"`+other.ID().String()), Expect{}, "statement=pass identity=fail" + rest},
		"predicate identity":       {replace(`"identity":"`+d.ID().String(), `"identity":"`+other.ID().String()), Expect{}, "statement=pass identity=fail" + rest},
		"declaration":              {replace("hello", "goodbye"), Expect{}, "statement=pass identity=fail" + rest},
		"all three identities":     {resigned(t, key, PayloadType, strings.ReplaceAll(statement, d.ID().Hex(), other.ID().Hex())), Expect{}, "statement=pass identity=fail" + rest},
		"invalid declaration":      {replace(`"kind":"inference"`, `"kind":"dream"`), Expect{}, "identity=fail declaration=fail"},
		"inexact number":           {replace(`9007199254740991`, `9007199254740993`), Expect{}, unread},
		"duplicate member":         {replace(`"predicateType":`, `"predicateType":"x","predicateType":`), Expect{}, unread},
		"duplicate by escape":      {replace(`"identity":`, `"identit\u0079":"x","identity":`), Expect{}, unread},
		"duplicate in the run":     {replace(`"kind":`, `"kind":"agent","kind":`), Expect{}, unread},
		"case-variant member":      {replace(`"identity":`, `"Identity":"x","identity":`), Expect{}, unread},
		"case variant instead":     {replace(`"predicate":`, `"Predicate":`), Expect{}, unread},
		"unknown predicate member": {replace(`"identity":`, `"approved":true,"identity":`), Expect{}, unread},
		"unknown statement member": {replace(`"subject":`, `"note":"x","subject":`), Expect{}, unread},
		"unknown subject member":   {replace(`"name":"airun`, `"annotations":{},"name":"airun`), Expect{}, unread},
		"second digest":            {replace(subjectDigest, `"md5":"00",`+subjectDigest), Expect{}, unread},
		"no subject":               {resigned(t, key, PayloadType, statement[:strings.Index(statement, `"subject":`)]+`"subject":[]}`), Expect{}, unread},
		"second run as subject":    {replace(`"subject":[`, `"subject":[{"digest":{"sha256":"`+other.ID().Hex()+`"},"name":"`+other.ID().String()+`"},`), Expect{}, unread},
		"declaration and ref":      {replace(`"identity":`, `"declarationRef":{"size":1,"mediaType":"`+identity.MediaType+`"},"identity":`), Expect{}, unread},
		"no declaration at all":    {resigned(t, key, PayloadType, `{"_type":"`+StatementType+`","predicateType":"`+PredicateType+`","predicate":{"identity":"`+d.ID().String()+`"},"subject":[{"digest":{"sha256":"`+d.ID().Hex()+`"},"name":"`+d.ID().String()+`"}]}`), Expect{}, unread},
		"zero identity":            {resigned(t, key, PayloadType, strings.ReplaceAll(statement, d.ID().Hex(), strings.Repeat("0", 64))), Expect{}, unread},
		"trailing data":            {resigned(t, key, PayloadType, statement+"{}"), Expect{}, unread},
		"empty payload":            {resigned(t, key, PayloadType, ""), Expect{}, unread},
		"array":                    {resigned(t, key, PayloadType, "["+statement+"]"), Expect{}, unread},
		"extra signature":          {change(func(b *Bundle) { b.signatures = append(b.signatures, b.signatures[0]) }), Expect{}, "signature=fail signer=not-checked"},
		"no signature":             {change(func(b *Bundle) { b.signatures = nil }), Expect{}, "signature=fail signer=not-checked"},
		"wrong payloadType":        {resigned(t, key, "application/json", statement), Expect{}, unread},
		"payloadType changed":      {change(func(b *Bundle) { b.payloadType = "text/plain" }), Expect{}, "signature=fail"},
		"wrong predicate type":     {replace(PredicateType, "https://slsa.dev/provenance/v1"), Expect{}, unread},
		"v0.1 statement":           {replace(StatementType, "https://in-toto.io/Statement/v0.1"), Expect{}, unread},
		"another run expected":     {good, Expect{Identity: idOf(other)}, "identity=fail" + rest},
		"zero identity expected":   {good, Expect{Identity: new(identity.ID)}, "identity=fail" + rest},
		"the run as an artifact":   {good, Expect{Artifacts: []Subject{{Name: "x", SHA256: d.ID().Digest()}}}, "subject=fail"},
		"another declaration":      {good, Expect{Declaration: other}, "identity=fail" + rest},
		"another artifact":         {good, Expect{Artifacts: []Subject{{Name: "x", SHA256: other.ID().Digest()}}}, "subject=fail"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := trusting(t, key).Verify(ctx, c.b, c.want)
			var no *VerificationError
			if v != nil || !errors.As(err, &no) || no.Report.Verified {
				t.Fatalf("verified: %v, %v", v, err)
			}
			if got := verdicts(no.Report.Checks); !strings.Contains(got, c.fail) {
				t.Errorf("checks %s, want %s\n%v", got, c.fail, err)
			}
			if no.Report.Signer != nil || !no.Report.Identity.IsZero() || no.Report.Annotations != nil {
				t.Errorf("a refused report believes something: %+v", no.Report)
			}
			if len(no.Report.Checks) != 8 {
				t.Errorf("%d checks, want all eight", len(no.Report.Checks))
			}
		})
	}
}

// TestSeveralKeys tries each trusted key, whatever the bundle names.
func TestSeveralKeys(t *testing.T) {
	a, b, c := newSigner(t, signer.ECDSAP256), newSigner(t, signer.Ed25519), newSigner(t, signer.RSA2048)
	bundle := signed(t, newStatement(t, StatementOptions{}), b, SigstoreBundle)
	if v, err := trusting(t, a, b, c).Verify(ctx, bundle, Expect{}); err != nil || v.Signer().Name != "key 1" {
		t.Errorf("got %v, %v", v, err)
	}
	if _, err := trusting(t, a, c).Verify(ctx, bundle, Expect{}); err == nil {
		t.Error("verified without the signer's key")
	}
	bundle.material.keyHint = "an internal name"
	if v, err := trusting(t, a, b, c).Verify(ctx, bundle, Expect{}); err != nil || v.Signer().Name != "key 1" {
		t.Errorf("a hint that names no key decided: %v", err)
	}
	bundle.material.keyHint = a.PublicKey().Hint()
	if v, err := trusting(t, a, b, c).Verify(ctx, bundle, Expect{}); err != nil || v.Signer().Name != "key 1" {
		t.Errorf("a hint that names another key decided: %v", err)
	}
}

func TestNobodyToTrust(t *testing.T) {
	if _, err := TrustKeys(); !errors.Is(err, ErrNoTrust) {
		t.Errorf("no keys: %v", err)
	}
	if _, err := TrustKeys(TrustedKey{Name: "x"}); !errors.Is(err, ErrNoTrust) {
		t.Errorf("a key that is none: %v", err)
	}
	if _, err := NewVerifier(nil); !errors.Is(err, ErrNoTrust) {
		t.Errorf("no trust: %v", err)
	}
}

// TestTrustIsTheVerifiersOwn: the caller's slices do not change what a verifier trusts.
func TestTrustIsTheVerifiersOwn(t *testing.T) {
	good, evil := newSigner(t, signer.Ed25519), newSigner(t, signer.Ed25519)
	keys := []TrustedKey{{Name: "good", Key: good.PublicKey()}}
	trust, err := TrustKeys(keys...)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	keys[0].Key = evil.PublicKey()
	if _, err := verifier.Verify(ctx, signed(t, newStatement(t, StatementOptions{}), evil, DSSE), Expect{}); err == nil {
		t.Error("a key is trusted that was put into the caller's slice afterwards")
	}
	var zero Verifier
	if _, err := zero.Verify(ctx, signed(t, newStatement(t, StatementOptions{}), good, DSSE), Expect{}); !errors.Is(err, ErrNoTrust) {
		t.Errorf("the zero Verifier: %v", err)
	}
}

// TestVerifiedIsImmutable changes whatever a Verified hands out.
func TestVerifiedIsImmutable(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	o := StatementOptions{Subjects: []Subject{{"a", [32]byte{1}}}, Annotations: map[string]string{"ticket": "ML-1"}}
	v, err := trusting(t, key).Verify(ctx, signed(t, newStatement(t, o), key, SigstoreBundle), Expect{})
	if err != nil {
		t.Fatal(err)
	}
	r := v.Report()
	r.Annotations["ticket"], r.Signer.Name, r.Checks[2].Verdict, r.Subjects[0].Name = "forged", "mallory", evidence.Pass, "b"
	v.Annotations()["ticket"] = "forged"
	v.Subjects()[0].Name = "b"
	clear(v.Statement())
	clear(v.Declaration().Canonical())
	if v.Annotations()["ticket"] != "ML-1" || v.Signer().Name != "key 0" || v.Subjects()[0].Name != "a" ||
		v.Report().Checks[2].Verdict != evidence.NotChecked || v.Statement()[0] != '{' || v.Declaration().Canonical()[0] != '{' {
		t.Errorf("changed from outside: %+v", v.Report())
	}
	var zero Verified
	if !zero.ID().IsZero() || zero.Declaration() != nil || zero.Signer() != (evidence.SignerIdentity{}) || zero.Report().Verified {
		t.Error("the zero Verified says something")
	}
}

// lyingTrust passes every signature and names no signer.
type lyingTrust struct{}

func (lyingTrust) CheckEnvelope(context.Context, evidence.Envelope) evidence.Result {
	return evidence.Result{Signature: evidence.Passed(evidence.CheckSignature, ""), Signer: evidence.Passed(evidence.CheckSigner, ""), Time: evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "")}
}

func TestNobodySigned(t *testing.T) {
	verifier, err := NewVerifier(lyingTrust{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verifier.Verify(ctx, signed(t, newStatement(t, StatementOptions{}), newSigner(t, signer.Ed25519), DSSE), Expect{}); err == nil {
		t.Errorf("verified without a signer: %v", v.Signer())
	}
}

// TestCertificateIsNotAKey refuses a bundle that names a certificate, though the key is trusted.
func TestCertificateIsNotAKey(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	b := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle)
	b.material = material{certificates: [][]byte{[]byte("a")}}
	var no *VerificationError
	if _, err := trusting(t, key).Verify(ctx, reread(t, b), Expect{}); !errors.As(err, &no) || !strings.HasPrefix(verdicts(no.Report.Checks), "signature=fail signer=fail") {
		t.Errorf("got %v", err)
	}
}

func TestSubjectJSON(t *testing.T) {
	want := Subject{"a", [32]byte{1}}
	text, err := want.MarshalJSON()
	var got Subject
	if err != nil || got.UnmarshalJSON(text) != nil || got != want {
		t.Errorf("%s is read as %v, %v", text, got, err)
	}
	if err := got.UnmarshalJSON([]byte(`{"name":"a"}`)); err == nil {
		t.Error("a subject without a digest")
	}
	for _, name := range []string{"\xff", "a\xc3", "a\xed\xa0\x80", "\n\xff"} {
		if text, err := (Subject{name, [32]byte{1}}).MarshalJSON(); text != nil || err == nil {
			t.Errorf("%+q is written as %s, %v", name, text, err)
		}
	}
}

func idOf(d *identity.Declaration) *identity.ID {
	id := d.ID()
	return &id
}

// TestDecide tests the function that makes the final verdict: it is negative if any check is missing, failed or
// unknown.
func TestDecide(t *testing.T) {
	good := []evidence.Check{evidence.Passed(evidence.CheckSignature, ""), evidence.Passed(evidence.CheckSigner, ""), evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, ""), evidence.Passed(evidence.CheckStatement, ""), evidence.Passed(evidence.CheckIdentity, ""), evidence.Passed(evidence.CheckDeclaration, "")}
	if !decide(good, required...) {
		t.Fatal("good checks are refused")
	}
	if decide(good) {
		t.Error("positive without required checks")
	}
	if decide(nil, required...) {
		t.Error("positive without checks")
	}
	for i, c := range good {
		for _, verdict := range []evidence.Verdict{evidence.Fail, "", "PASS", "unknown"} {
			changed := slices.Clone(good)
			changed[i].Verdict = verdict
			if decide(changed, required...) {
				t.Errorf("positive with %s=%q", c.Name, verdict)
			}
		}
		if c.Verdict == evidence.Pass && decide(slices.Delete(slices.Clone(good), i, i+1), required...) {
			t.Errorf("positive without %s", c.Name)
		}
	}
}

// TestEveryByteFlip changes each byte of the decoded payload and signature, and each
// character of the file, in every way that matters: nothing but what was signed verifies.
func TestEveryByteFlip(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	verifier := trusting(t, key)
	good := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle)
	for i := range good.payload {
		c := *good
		c.payload = slices.Clone(good.payload)
		c.payload[i] ^= 1 << (i % 8)
		if _, err := verifier.Verify(ctx, &c, Expect{}); err == nil {
			t.Fatalf("payload byte %d flipped: verified", i)
		}
	}
	for i := range good.signatures[0].bytes {
		for bit := range 8 {
			c := *good
			c.signatures = []signature{{bytes: slices.Clone(good.signatures[0].bytes)}}
			c.signatures[0].bytes[i] ^= 1 << bit
			if _, err := verifier.Verify(ctx, &c, Expect{}); err == nil {
				t.Fatalf("signature bit %d.%d flipped: verified", i, bit)
			}
		}
	}
}

// TestEveryFileByteFlip changes the file itself. A change may leave what was signed as it
// was only in the key hint, which is nobody's promise.
func TestEveryFileByteFlip(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	verifier := trusting(t, key)
	for _, format := range []Format{SigstoreBundle, DSSE} {
		text, err := signed(t, newStatement(t, StatementOptions{}), key, format).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		hint := []byte(key.PublicKey().Hint())
		for i := range text {
			if bytes.Contains(text[max(0, i-len(hint)+1):min(len(text), i+len(hint))], hint) {
				continue
			}
			for bit := range 8 {
				c := slices.Clone(text)
				c[i] ^= 1 << bit
				if b, err := ParseBundle(c); err == nil {
					if _, err := verifier.Verify(ctx, b, Expect{}); err == nil {
						t.Fatalf("%s: %q at %d to %q: verified", format, text[i], i, c[i])
					}
				}
			}
			if _, err := ParseBundle(text[:i]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%s: cut at %d: %v", format, i, err)
			}
		}
	}
}

func TestMalformedBundles(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	text, err := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	edit := func(old, new string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the bundle", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	envelope := good[strings.Index(good, `{"payload"`) : strings.Index(good, `]}`)+2]
	payload := envelope[len(`{"payload":"`):strings.Index(envelope, `","payloadType"`)]
	for name, c := range map[string]string{
		"empty":                "",
		"brackets":             strings.Repeat("[", 1<<20),
		"null":                 "null",
		"empty object":         "{}",
		"binary":               "\x00\x01\x02",
		"duplicate envelope":   edit(`"dsseEnvelope":`, `"dsseEnvelope":{},"dsseEnvelope":`),
		"case variant":         edit(`"dsseEnvelope":`, `"DsseEnvelope":`),
		"snake case":           edit(`"dsseEnvelope":`, `"dsse_envelope":`),
		"unknown member":       edit(`"mediaType":`, `"x":1,"mediaType":`),
		"unknown in envelope":  edit(`"payloadType":`, `"x":1,"payloadType":`),
		"old media type":       edit("bundle.v0.3+json", "bundle.v0.2+json"),
		"no material":          edit(`"publicKey"`, `"publicKeys"`),
		"empty certificate":    edit(`"publicKey":{"hint":"`+key.PublicKey().Hint()+`"}`, `"certificate":{"rawBytes":""}`),
		"unknown media type":   edit("bundle.v0.3+json", "bundle.v0.4+json"),
		"empty chain":          edit(`"publicKey":{"hint":"`+key.PublicKey().Hint()+`"}`, `"x509CertificateChain":{"certificates":[]}`),
		"chain too long":       edit(`"publicKey":{"hint":"`+key.PublicKey().Hint()+`"}`, `"x509CertificateChain":{"certificates":[`+strings.Repeat(`{"rawBytes":"YQ=="},`, 16)+`{"rawBytes":"YQ=="}]}`),
		"no chain":             edit(`"publicKey":{"hint":"`+key.PublicKey().Hint()+`"}`, `"x509CertificateChain":{}`),
		"timestamp lenient":    edit(`"publicKey"`, `"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"YR=="}]},"publicKey"`),
		"too many timestamps":  edit(`"publicKey"`, `"timestampVerificationData":{"rfc3161Timestamps":[`+strings.Repeat(`{"signedTimestamp":"YQ=="},`, 32)+`{"signedTimestamp":"YQ=="}]},"publicKey"`),
		"too many log entries": edit(`"tlogEntries":[]`, `"tlogEntries":[`+strings.Repeat(`{},`, 32)+`{}]`),
		"log entry a string":   edit(`"tlogEntries":[]`, `"tlogEntries":["x"]`),
		"two materials":        edit(`"publicKey"`, `"certificate":{},"publicKey"`),
		"message signature":    edit(`"dsseEnvelope":`, `"messageSignature":{},"dsseEnvelope":`),
		"trailing data":        good + "{}",
		"hint a number":        edit(`"hint":"`+key.PublicKey().Hint()+`"`, `"hint":5`),
		"publicKey a string":   edit(`"publicKey":{"hint":"`+key.PublicKey().Hint()+`"}`, `"publicKey":"x"`),
		"entries an object":    edit(`"tlogEntries":[]`, `"tlogEntries":{}`),
		"entries a string":     edit(`"tlogEntries":[]`, `"tlogEntries":"x"`),
		"times an array":       edit(`"publicKey"`, `"timestampVerificationData":[1],"publicKey"`),
		"timestamps a string":  edit(`"publicKey"`, `"timestampVerificationData":{"rfc3161Timestamps":"x"},"publicKey"`),
		"times with more":      edit(`"publicKey"`, `"timestampVerificationData":{"x":1},"publicKey"`),
		"certificate a string": edit(`"publicKey":{"hint":"`+key.PublicKey().Hint()+`"}`, `"certificate":"garbage"`),
		"inexact number":       edit(`"tlogEntries":[]`, `"tlogEntries":[{"logIndex":9007199254740993}]`),
		"keyid an object":      edit(`"keyid":"`+key.PublicKey().Hint()+`"`, `"keyid":{"a":1}`),
		"base64 garbage":       strings.Replace(good, payload, "!!!", 1),
		"base64 line break":    strings.Replace(good, payload, payload[:4]+`\n`+payload[4:], 1),
		"base64 mixed":         strings.Replace(good, payload, "-/-_", 1),
		"base64 URL unpadded":  strings.Replace(good, payload, "_w", 1),
		"base64 URL stray":     strings.Replace(good, payload, "_-==", 1),
		"base64 URL break":     strings.Replace(good, payload, `_w\n==`, 1),
		"base64 no padding":    strings.Replace(good, payload, "YQ", 1),
		"base64 stray bits":    strings.Replace(good, payload, "YR==", 1),
		"payload a number":     strings.Replace(good, `"`+payload+`"`, "1", 1),
		"empty signature":      strings.Replace(good, good[strings.Index(good, `"sig":"`):strings.Index(good, `"}]`)], `"sig":"`, 1),
		"signature an object":  strings.Replace(good, good[strings.Index(good, `[{"keyid"`):strings.Index(good, `}]`)+2], `{"sig":"YQ=="}`, 1),
		"a million signatures": `{"payload":"","payloadType":"x","signatures":[` + strings.Repeat(`{"sig":"YQ=="},`, 1_000_000) + `{"sig":"YQ=="}]}`,
		"larger than the cap":  `{"payload":"` + strings.Repeat("A", 24<<20) + `","payloadType":"x","signatures":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if b, err := ParseBundle([]byte(c)); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %+v, %v", b, err)
			}
		})
	}
}

// TestOtherImplementations holds what we write against Sigstore's and in-toto's own types.
func TestOtherImplementations(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	b := signed(t, newStatement(t, StatementOptions{Annotations: map[string]string{"a": "<b>"}}), key, SigstoreBundle)
	text, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var pb bundlepb.Bundle
	if err := protojson.Unmarshal(text, &pb); err != nil {
		t.Fatal(err)
	}
	envelope := pb.GetDsseEnvelope()
	if pb.GetMediaType() != BundleMediaType || pb.GetVerificationMaterial().GetPublicKey().GetHint() != key.PublicKey().Hint() ||
		!bytes.Equal(envelope.GetPayload(), b.payload) || len(envelope.GetSignatures()) != 1 || !bytes.Equal(envelope.GetSignatures()[0].GetSig(), b.signatures[0].bytes) {
		t.Errorf("Sigstore reads another bundle: %v", &pb)
	}
	back, err := protojson.Marshal(&pb)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseBundle(back)
	if err != nil || !bytes.Equal(again.payload, b.payload) || again.keyHint() != b.keyHint() {
		t.Errorf("what Sigstore writes is read as %+v, %v", again, err)
	}
	var statement intoto.Statement
	if err := protojson.Unmarshal(b.payload, &statement); err != nil {
		t.Fatal(err)
	}
	if err := statement.Validate(); err != nil || statement.GetPredicateType() != PredicateType {
		t.Errorf("in-toto: %v", err)
	}
}

func TestParseSubject(t *testing.T) {
	good := "name@with@sha256:" + strings.Repeat("0f", 32)
	s, err := ParseSubject(good)
	if err != nil || s.String() != good || s.Name != "name@with" {
		t.Errorf("got %v, %v", s, err)
	}
	for _, bad := range []string{"", "x", "x@sha256:", "@sha256:" + strings.Repeat("0f", 32), "x@sha256:" + strings.Repeat("0F", 32),
		"x@sha512:" + strings.Repeat("0f", 64), "x@sha256:" + strings.Repeat("0f", 31), "x@sha256:" + strings.Repeat("zz", 32),
		"airun:1:sha256:x@sha256:" + strings.Repeat("0f", 32), "x@sha256:" + strings.Repeat("00", 32)} {
		if s, err := ParseSubject(bad); err == nil {
			t.Errorf("%q gives %v", bad, s)
		}
	}
}

func TestNewRefusesWhatVerifyWould(t *testing.T) {
	d := parse(t, declarationText)
	same := Subject{"a", d.ID().Digest()}
	for name, o := range map[string]StatementOptions{
		"subject without a name": {Subjects: []Subject{{SHA256: d.ID().Digest()}}},
		"subject without digest": {Subjects: []Subject{{Name: "a"}}},
		"subject named as a run": {Subjects: []Subject{runSubject(d.ID())}},
		"subject twice":          {Subjects: []Subject{same, same}},
		"subject not UTF-8":      {Subjects: []Subject{{"\xff", same.SHA256}}},
		"annotation not UTF-8":   {Annotations: map[string]string{"a": "\xff"}},
		"reference not UTF-8":    {Detached: &DeclarationRef{URI: "\xff"}},
		"too many subjects":      {Subjects: manySubjects(1_000)},
		"too many annotations":   {Annotations: manyAnnotations(1_001)},
		"annotation, no name":    {Annotations: map[string]string{"": "x"}},
	} {
		if s, err := New(d, o); err == nil {
			t.Errorf("%s: %s", name, s.Bytes())
		}
	}
}

func manySubjects(n int) (subjects []Subject) {
	for i := range n {
		subjects = append(subjects, Subject{fmt.Sprint(i), [32]byte{1}})
	}
	return subjects
}

func manyAnnotations(n int) map[string]string {
	annotations := map[string]string{}
	for i := range n {
		annotations[fmt.Sprint(i)] = ""
	}
	return annotations
}

func TestSignChecksItself(t *testing.T) {
	liar := liar{newSigner(t, signer.Ed25519), newSigner(t, signer.Ed25519).PublicKey()}
	if b, err := Sign(ctx, newStatement(t, StatementOptions{}), liar, SignOptions{}); !errors.Is(err, signer.ErrSignature) {
		t.Errorf("got %v, %v", b, err)
	}
}

// liar signs with another key than the one that it shows.
type liar struct {
	signer.Signer
	key *signer.PublicKey
}

func (l liar) PublicKey() *signer.PublicKey { return l.key }

func TestVerifyCancelled(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	key := newSigner(t, signer.Ed25519)
	if _, err := trusting(t, key).Verify(cancelled, signed(t, newStatement(t, StatementOptions{}), key, DSSE), Expect{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
