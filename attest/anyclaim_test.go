package attest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/signer"
)

const slsa = "https://slsa.dev/provenance/v1"

// TestForeignStatement: a statement of another predicate type is read as in-toto defines it.
func TestForeignStatement(t *testing.T) {
	const sum = "72625b619220ccafd482e920dafe42be137dbf05940529d29cdf39c5863366f5"
	one := []UnverifiedSubject{{"img", map[string]string{"sha256": sum}}}
	for name, c := range map[string]struct {
		text      string
		subjects  []UnverifiedSubject
		predicate string
	}{
		"plain":            {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}}],"predicate":{"a":1}}`, one, `{"a":1}`},
		"no name":          {`{"_type":"T","predicateType":"P","subject":[{"digest":{"sha256":"S"}}],"predicate":{}}`, []UnverifiedSubject{{"", one[0].Digest}}, `{}`},
		"null name":        {`{"_type":"T","predicateType":"P","subject":[{"name":null,"digest":{"sha256":"S"}}],"predicate":{}}`, []UnverifiedSubject{{"", one[0].Digest}}, `{}`},
		"two digests":      {`{"_type":"T","predicateType":"P","subject":[{"digest":{"sha256":"S","gitCommit":"abc"}}]}`, []UnverifiedSubject{{"", map[string]string{"sha256": sum, "gitCommit": "abc"}}}, ``},
		"no sha256":        {`{"_type":"T","predicateType":"P","subject":[{"digest":{"sha512":"ab"}}]}`, []UnverifiedSubject{{"", map[string]string{"sha512": "ab"}}}, ``},
		"no predicate":     {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}}]}`, one, ``},
		"null predicate":   {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}}],"predicate":null}`, one, ``},
		"resource members": {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"},"uri":"u","content":"YQ==","downloadLocation":"d","mediaType":"m","annotations":{"x":1}}]}`, one, ``},
		"unknown member":   {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"},"x":1}],"y":2}`, one, ``},
		"same name twice":  {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}},{"name":"img","digest":{"sha256":"S"}}]}`, []UnverifiedSubject{one[0], one[0]}, ``},
		"any number":       {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}}],"predicate":{"n":9007199254740993}}`, one, `{"n":9007199254740993}`},
		"null in it":       {`{"_type":"T","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}}],"predicate":{"n":null}}`, one, `{"n":null}`},
		"v0.1":             {`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"P","subject":[{"name":"img","digest":{"sha256":"S"}}]}`, one, ``},
	} {
		text := strings.NewReplacer(`"T"`, `"`+StatementType+`"`, `"P"`, `"`+slsa+`"`, `"S"`, `"`+sum+`"`).Replace(c.text)
		b := resigned(t, newSigner(t, signer.Ed25519), PayloadType, text)
		claim, err := b.UnverifiedClaim()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.subjects, claim.Subjects); diff != "" || string(claim.Predicate) != c.predicate || claim.PredicateType != slsa {
			t.Errorf("%s: %s predicate %s of type %s", name, diff, claim.Predicate, claim.PredicateType)
		}
		if subjects, err := b.UnverifiedSubjects(); err != nil || !cmp.Equal(subjects, c.subjects) {
			t.Errorf("%s: %v, %v", name, subjects, err)
		}
	}
	for name, text := range map[string]string{
		"empty":                `{}`,
		"an array":             `[]`,
		"another type":         `{"_type":"link","predicateType":"P","subject":[{"digest":{"sha256":"S"}}]}`,
		"no predicate type":    `{"_type":"T","subject":[{"digest":{"sha256":"S"}}]}`,
		"empty predicate type": `{"_type":"T","predicateType":"","subject":[{"digest":{"sha256":"S"}}]}`,
		"no subject":           `{"_type":"T","predicateType":"P","subject":[]}`,
		"no digest":            `{"_type":"T","predicateType":"P","subject":[{"name":"img"}]}`,
		"empty digests":        `{"_type":"T","predicateType":"P","subject":[{"digest":{}}]}`,
		"empty digest":         `{"_type":"T","predicateType":"P","subject":[{"digest":{"sha256":""}}]}`,
		"digest a number":      `{"_type":"T","predicateType":"P","subject":[{"digest":{"sha256":1}}]}`,
		"subject null":         `{"_type":"T","predicateType":"P","subject":[null]}`,
		"name a number":        `{"_type":"T","predicateType":"P","subject":[{"name":1,"digest":{"sha256":"S"}}]}`,
		"predicate a string":   `{"_type":"T","predicateType":"P","subject":[{"digest":{"sha256":"S"}}],"predicate":"x"}`,
		"duplicate":            `{"_type":"T","predicateType":"P","predicateType":"P","subject":[{"digest":{"sha256":"S"}}]}`,
		"trailing":             `{"_type":"T","predicateType":"P","subject":[{"digest":{"sha256":"S"}}]}{}`,
	} {
		text = strings.NewReplacer(`"T"`, `"`+StatementType+`"`, `"P"`, `"`+slsa+`"`, `"S"`, `"`+sum+`"`).Replace(text)
		if claim, err := resigned(t, newSigner(t, signer.Ed25519), PayloadType, text).UnverifiedClaim(); err == nil {
			t.Errorf("%s: %+v", name, claim)
		}
	}
}

// TestOwnTypesAreClosed: what in-toto leaves open is refused under our own predicate types, wherever a
// statement is read; and no foreign statement is verified, as a run or as a claim.
func TestOwnTypesAreClosed(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	verifier := trusting(t, key)
	good := string(newStatement(t, StatementOptions{}).Bytes())
	id := parse(t, declarationText).ID()
	name := `,"name":"` + id.String() + `"`
	for what, edit := range map[string]func(string) string{
		"no name":      func(s string) string { return strings.Replace(s, name, "", 1) },
		"null name":    func(s string) string { return strings.Replace(s, name, `,"name":null`, 1) },
		"two digests":  func(s string) string { return strings.Replace(s, `"digest":{`, `"digest":{"sha512":"ab",`, 1) },
		"more":         func(s string) string { return strings.Replace(s, `"subject":[{`, `"subject":[{"uri":"u",`, 1) },
		"member":       func(s string) string { return strings.Replace(s, `{"_type"`, `{"x":1,"_type"`, 1) },
		"v0.1":         func(s string) string { return strings.Replace(s, "Statement/v1", "Statement/v0.1", 1) },
		"no predicate": func(s string) string { return strings.Replace(s, `"predicate":`, `"x":`, 1) },
		"inexact": func(s string) string {
			return strings.Replace(s, `"temperature":0.7`, `"temperature":0.1000000000000000055`, 1)
		},
	} {
		edited := edit(good)
		if edited == good {
			t.Fatalf("%s: nothing edited", what)
		}
		b := resigned(t, key, PayloadType, edited)
		if v, err := verifier.Verify(ctx, b, Expect{}); err == nil {
			t.Errorf("%s: verified: %+v", what, v)
		}
		if v, err := verifier.VerifyClaim(ctx, b, PredicateType); err == nil {
			t.Errorf("%s: verified as a claim: %+v", what, v)
		}
		for _, own := range []string{PredicateType, ownTypes + "run-approval/v1", ownTypes + "run-link/v1", ownTypes + "policy-release/v1"} {
			b := resigned(t, key, PayloadType, strings.Replace(edited, PredicateType, own, 1))
			if s, err := b.UnverifiedSubjects(); err == nil {
				t.Errorf("%s: subjects of %s are %v", what, own, s)
			}
			if c, err := b.UnverifiedClaim(); err == nil {
				t.Errorf("%s: claim of %s is %+v", what, own, c)
			}
		}
		foreign := resigned(t, key, PayloadType, strings.Replace(edited, PredicateType, slsa, 1))
		if v, err := verifier.Verify(ctx, foreign, Expect{}); err == nil {
			t.Errorf("%s: a foreign statement is verified: %+v", what, v)
		}
		if v, err := verifier.VerifyClaim(ctx, foreign, slsa); err == nil {
			t.Errorf("%s: a foreign statement is verified as a claim: %+v", what, v)
		}
	}
}

// FuzzReadAnyClaim: what is read strictly is read as any claim too, with the same subjects.
func FuzzReadAnyClaim(f *testing.F) {
	f.Add(newStatement(f, StatementOptions{Subjects: []Subject{{"a", [32]byte{1}}}}).Bytes())
	f.Add([]byte(`{"_type":"` + StatementType + `","predicateType":"` + slsa + `","subject":[{"digest":{"sha512":"ab","gitCommit":"c"}}],"predicate":{"n":1e3}}`))
	f.Add([]byte(`{"_type":"` + oldStatementType + `","predicateType":"p","subject":[{"name":null,"digest":{"a":"b"},"uri":"u"}],"predicate":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := &Bundle{payload: data}
		claim, err := readAnyClaim(data)
		strict, strictErr := readClaim(data, b.UnverifiedPredicateType())
		if err != nil {
			if strictErr == nil && b.UnverifiedPredicateType() != "" {
				t.Fatalf("read strictly, and not otherwise: %v", err)
			}
			return
		}
		if len(claim.subjects) == 0 {
			t.Fatal("no subject")
		}
		if strictErr != nil {
			return
		}
		for i, s := range strict.subjects {
			if got := claim.subjects[i].String(); got != s.String() && s.Name != "" {
				t.Fatalf("subject %q, want %q", got, s)
			}
		}
	})
}
