package authority

import "testing"

// TestMayMatch: who may have signed is told whatever the case of a name is, and the slash behind an issuer.
func TestMayMatch(t *testing.T) {
	pattern, err := Matching(`[a-z]+@acme[.]example`)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://acme.example"
	for _, c := range []struct {
		names, issuers Matcher
		name, issuer   string
		match, may     bool
	}{
		{Exactly("ada@acme.example"), Exactly(issuer), "ada@acme.example", issuer, true, true},
		{Exactly("ada@acme.example"), Exactly(issuer), "Ada@Acme.Example", issuer, false, true},
		{Exactly("Ada@acme.example"), Exactly(issuer), "ADA@acme.example", issuer, false, true},
		{pattern, Exactly(issuer), "Ada@acme.example", issuer, false, true},
		{Exactly("ada@acme.example"), Exactly(issuer), "ada@acme.example", issuer + "/", false, true},
		{Exactly("ada@acme.example"), Exactly(issuer + "/"), "ada@acme.example", issuer, false, true},
		{Exactly("ada@acme.example"), Exactly(issuer), "bob@acme.example", issuer, false, false},
		{Exactly("ada@acme.example"), Exactly(issuer), "ada@acme.example", issuer + "//", false, false},
		{Exactly("ada@acme.example"), Exactly("/"), "ada@acme.example", "", false, false},
		{Matcher{}, Matcher{}, "", "", false, false},
	} {
		i := CertificateIdentity{c.names, c.issuers}
		if i.Match(c.name, c.issuer) != c.match || i.MayMatch(c.name, c.issuer) != c.may {
			t.Errorf("%v: %q of %q: %v, may %v", i, c.name, c.issuer, i.Match(c.name, c.issuer), i.MayMatch(c.name, c.issuer))
		}
	}
}
