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
		{pattern, Exactly(issuer), "AL\u0130@acme.example", issuer, false, true},
		{Exactly("Ali@acme.example"), Exactly(issuer), "AL\u0130@acme.example", issuer, false, true},
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

// TestMayMatchExpressions: nor does it turn on the case in which an expression has them.
func TestMayMatchExpressions(t *testing.T) {
	for expr, want := range map[string]bool{
		`Ada\.Lovelace@x`: true, `(Ada\.Lovelace|Bob)@x`: true, `[A-Z][a-z]+\.[A-Z][a-z]+@x`: true, `(?-i)Ada\.Lovelace@x`: true,
		`(?-i:[A-Z])da\.[L]ovelace@x`: true, `[^a]da\.[^A-K]ovelace@x`: true, `(?i)ADA\.LOVELACE@X`: true, `.*@X`: true,
		`Ada\.LovelaceX@x`: false, `Eve.*`: false, `[^aA]da.*`: false,
	} {
		i := CertificateIdentity{matching(t, expr), Exactly("https://x.example")}
		for _, name := range []string{"ada.lovelace@x", "Ada.Lovelace@X", "ADA.LOVELACE@x"} {
			if got := i.MayMatch(name, "https://x.example/"); got != want {
				t.Errorf("%s, %s: %v, want %v", expr, name, got, want)
			}
		}
		if i.MayMatch("", "https://x.example") || i.MayMatch("ada.lovelace@x", "") {
			t.Errorf("%s: nothing is a name", expr)
		}
	}
}
