package lineage

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

var (
	runA  = parseID("aa")
	runB  = parseID("bb")
	model = attest.Subject{Name: "model.bin", SHA256: [32]byte{1}}
	data  = attest.Subject{Name: "data.csv", SHA256: [32]byte{2}}
)

func parseID(pair string) identity.ID {
	id, err := identity.ParseID("airun:1:sha256:" + strings.Repeat(pair, 32))
	if err != nil {
		panic(err)
	}
	return id
}

func trusting(t testing.TB, by signer.Signer) *attest.Verifier {
	t.Helper()
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "alice", Key: by.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t testing.TB, by signer.Signer, s attest.Signable) *attest.Bundle {
	t.Helper()
	b, err := attest.Sign(ctx, s, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newLink() Link {
	return Link{Run: runA, Relation: Produced, Artifacts: []attest.Subject{model, data}, Annotations: map[string]string{"ticket": "ML-1"}}
}

func newClaim(t testing.TB, l Link) *attest.Claim {
	t.Helper()
	c, err := NewLink(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStatement(t *testing.T) {
	want := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","predicate":{"annotations":{"ticket":"ML-1"},"identity":"%s","relation":"produced"},`+
		`"predicateType":"https://github.com/runattest/runattest/run-link/v1","subject":[{"digest":{"sha256":"01%s"},"name":"model.bin"},{"digest":{"sha256":"02%s"},"name":"data.csv"}]}`,
		runA, strings.Repeat("00", 31), strings.Repeat("00", 31))
	if got := string(newClaim(t, newLink()).Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	by := newSigner(t, signer.Ed25519)
	b := sign(t, by, newClaim(t, newLink()))
	declared, bundle := newRun(t, by)
	run, err := trusting(t, by).Verify(ctx, bundle, attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	ofRun := newLink()
	ofRun.Run = declared
	link := sign(t, by, newClaim(t, ofRun))
	other := attest.Subject{Name: "model.bin", SHA256: [32]byte{3}}
	for name, c := range map[string]struct {
		bundle *attest.Bundle
		want   ExpectLink
		failed string // the checks that fail
	}{
		"nothing expected":           {b, ExpectLink{}, ""},
		"all of it":                  {b, ExpectLink{Run: &runA, Relation: Produced, Artifacts: []attest.Subject{model, data}}, ""},
		"by digest, not by name":     {b, ExpectLink{Artifacts: []attest.Subject{{Name: "renamed", SHA256: model.SHA256}}}, ""},
		"a verified run":             {link, ExpectLink{Verified: run}, ""},
		"another run":                {b, ExpectLink{Run: &runB}, "run"},
		"another verified run":       {b, ExpectLink{Verified: run}, "run"},
		"the zero run":               {b, ExpectLink{Run: &identity.ID{}}, "run"},
		"a run that is unverified":   {b, ExpectLink{Verified: &attest.Verified{}}, "run"},
		"another relation":           {b, ExpectLink{Relation: Consumed}, "relation"},
		"another artifact":           {b, ExpectLink{Artifacts: []attest.Subject{model, other}}, "artifact"},
		"nothing as expected":        {b, ExpectLink{Run: &runB, Relation: Container, Artifacts: []attest.Subject{other}}, "relation artifact run"},
		"a run is not a link":        {bundle, ExpectLink{}, "statement"},
		"another signer":             {sign(t, newSigner(t, signer.Ed25519), newClaim(t, newLink())), ExpectLink{}, "signature signer"},
		"another signer, all asked":  {sign(t, newSigner(t, signer.Ed25519), newClaim(t, newLink())), ExpectLink{Run: &runB, Relation: Consumed}, "signature signer"},
		"a claim of another type":    {sign(t, by, otherClaim(t)), ExpectLink{}, "statement"},
		"another type, as a subtype": {sign(t, by, otherClaim(t)), ExpectLink{Relation: Produced}, "statement"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := VerifyLink(ctx, trusting(t, by), c.bundle, c.want)
			var no *attest.VerificationError
			if errors.As(err, &no) {
				if got := failed(no.Report); got != c.failed || v != nil || len(no.Report.Checks) != 7 {
					t.Errorf("%q failed of %d checks, want %q of 7", got, len(no.Report.Checks), c.failed)
				}
				return
			}
			if err != nil || c.failed != "" {
				t.Fatalf("got %v, %v; want %q to fail", v, err, c.failed)
			}
			if v.Signer().Name != "alice" || len(v.Checks()) != 7 || v.Link().Relation != Produced || len(v.Link().Artifacts) != 2 {
				t.Errorf("%+v", v)
			}
		})
	}
}

func newRun(t testing.TB, by signer.Signer) (identity.ID, *attest.Bundle) {
	t.Helper()
	d, err := identity.Parse([]byte(`{"schema":"` + identity.Schema + `","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d.ID(), sign(t, by, s)
}

func otherClaim(t testing.TB) *attest.Claim {
	t.Helper()
	c, err := attest.NewClaim(LinkType+"1", []attest.Subject{model}, map[string]string{"identity": runA.String(), "relation": "produced"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func failed(r attest.Report) string {
	var names []string
	for _, c := range r.Failed() {
		names = append(names, string(c.Name))
	}
	return strings.Join(names, " ")
}

// TestNewRefuses: what a verifier would refuse is not made.
func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*Link){
		"no run":                  func(l *Link) { l.Run = identity.ID{} },
		"no relation":             func(l *Link) { l.Relation = "" },
		"unknown relation":        func(l *Link) { l.Relation = "Produced" },
		"no artifact":             func(l *Link) { l.Artifacts = nil },
		"artifact twice":          func(l *Link) { l.Artifacts = []attest.Subject{model, model} },
		"artifact without a name": func(l *Link) { l.Artifacts[0].Name = "" },
		"artifact is a run":       func(l *Link) { l.Artifacts[0] = attest.Subject{Name: runA.String(), SHA256: runA.Digest()} },
		"name is not UTF-8":       func(l *Link) { l.Artifacts[0].Name = "\xff" },
		"zero digest":             func(l *Link) { l.Artifacts[0].SHA256 = [32]byte{} },
		"annotation of no name":   func(l *Link) { l.Annotations = map[string]string{"": "x"} },
		"annotation is not UTF-8": func(l *Link) { l.Annotations = map[string]string{"x": "\xff"} },
		"too many artifacts":      func(l *Link) { l.Artifacts = many() },
	} {
		l := newLink()
		change(&l)
		if c, err := NewLink(l); err == nil {
			t.Errorf("%s: %s", name, c.Bytes())
		}
	}
}

func many() []attest.Subject {
	var all []attest.Subject
	for n := range 1001 {
		all = append(all, attest.Subject{Name: fmt.Sprint(n), SHA256: [32]byte{1}})
	}
	return all
}

// claimOf has a predicate that New would not write.
func claimOf(t testing.TB, subjects []attest.Subject, predicate string) *attest.Claim {
	t.Helper()
	c, err := attest.NewClaim(LinkType, subjects, rawJSON(predicate))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func TestHostilePredicates(t *testing.T) {
	by := newSigner(t, signer.Ed25519)
	id := runA.String()
	good := `{"identity":"` + id + `","relation":"produced"}`
	for name, c := range map[string]struct {
		subjects  []attest.Subject
		predicate string
		ok        bool
	}{
		"good":                     {[]attest.Subject{model}, good, true},
		"empty":                    {[]attest.Subject{model}, `{}`, false},
		"no identity":              {[]attest.Subject{model}, `{"relation":"produced"}`, false},
		"no relation":              {[]attest.Subject{model}, `{"identity":"` + id + `"}`, false},
		"unknown member":           {[]attest.Subject{model}, strings.Replace(good, "{", `{"verified":true,`, 1), false},
		"other case":               {[]attest.Subject{model}, strings.Replace(good, "{", `{"Relation":"consumed",`, 1), false},
		"upper-case hex":           {[]attest.Subject{model}, strings.Replace(good, "aaaa", "AAAA", 1), false},
		"bare hex":                 {[]attest.Subject{model}, strings.Replace(good, "airun:1:sha256:", "", 1), false},
		"relation is a list":       {[]attest.Subject{model}, strings.Replace(good, `"produced"`, `["produced"]`, 1), false},
		"relation with a space":    {[]attest.Subject{model}, strings.Replace(good, `produced`, `produced `, 1), false},
		"identity is null":         {[]attest.Subject{model}, `{"identity":null,"relation":"produced"}`, false},
		"annotations empty":        {[]attest.Subject{model}, strings.Replace(good, "{", `{"annotations":{},`, 1), false},
		"annotations null":         {[]attest.Subject{model}, strings.Replace(good, "{", `{"annotations":null,`, 1), false},
		"annotation of a number":   {[]attest.Subject{model}, strings.Replace(good, "{", `{"annotations":{"a":1},`, 1), false},
		"annotation without name":  {[]attest.Subject{model}, strings.Replace(good, "{", `{"annotations":{"":"a"},`, 1), false},
		"subject is a run":         {[]attest.Subject{{Name: id, SHA256: runA.Digest()}}, good, false},
		"subject without a name":   {[]attest.Subject{{SHA256: [32]byte{1}}}, good, false},
		"subject of a zero digest": {[]attest.Subject{{Name: "x"}}, good, false},
	} {
		v, err := VerifyLink(ctx, trusting(t, by), sign(t, by, claimOf(t, c.subjects, c.predicate)), ExpectLink{})
		var no *attest.VerificationError
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", name, err)
		case !c.ok && (!errors.As(err, &no) || failed(no.Report) != "statement"):
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
}

func TestUnverifiedRun(t *testing.T) {
	by := newSigner(t, signer.Ed25519)
	id, b := newRun(t, by)
	if got, err := UnverifiedRun(b); err != nil || got != id {
		t.Errorf("got %v, %v; want %v", got, err, id)
	}
	if got, err := UnverifiedRun(sign(t, by, newClaim(t, newLink()))); err == nil {
		t.Errorf("a link declares %v", got)
	}
	payload := string(b.UnverifiedPayload())
	changed := forge(t, strings.Replace(payload, `"kind":"other"`, `"kind":"batch"`, 1))
	if got, err := UnverifiedRun(changed); err == nil {
		t.Errorf("a changed declaration has the identity %v", got)
	}
	subject := forge(t, strings.Replace(payload, `"name":"`+id.String(), `"name":"x`, 1))
	if got, err := UnverifiedRun(subject); err == nil {
		t.Errorf("another subject has the identity %v", got)
	}
}

// forge is a bundle with an invalid signature.
func forge(t testing.TB, payload string) *attest.Bundle {
	t.Helper()
	b, err := attest.ParseBundle(fmt.Appendf(nil, `{"payload":"%s","payloadType":"%s","signatures":[{"sig":"YQ=="}]}`, base64Of(payload), attest.PayloadType))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseRelation(t *testing.T) {
	for _, r := range Relations() {
		if got, err := ParseRelation(string(r)); err != nil || got != r {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	if r, err := ParseRelation("trained"); err == nil {
		t.Errorf("parsed %s", r)
	}
	if diff := cmp.Diff([]Relation{"produced", "consumed", "container"}, Relations()); diff != "" {
		t.Error(diff)
	}
}
