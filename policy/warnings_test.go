package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/sigstore"
)

// TestOutdated: a start within a time of what can be dated no more.
func TestOutdated(t *testing.T) {
	ci := pemOf(t, newSigner(t))
	end := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	root := func(until time.Time) string {
		top := pkitest.Root("a.example")
		return "trustedRoot: " + rootText(t, sigstore.RootSpec{TimestampAuthorities: []sigstore.AuthoritySpec{
			{URL: "https://a.example", Chain: pkitest.PEM(top.Issue("a.example stamps", pkitest.Stamper), top), End: until},
		}}) + "\n"
	}
	signers := func(notAfter string) string {
		return fmt.Sprintf("signers: {keys: [{name: ci, %skey: %s}]}\n", notAfter, ci)
	}
	const within = "time: {evidence: timestamp, startWithin: 1h}\n"
	for name, c := range map[string]struct {
		text string
		now  time.Time
		want bool
	}{
		"the authority has ended": {root(end) + within + signers(""), end.Add(2 * time.Hour), true},
		"it ended within an hour": {root(end) + within + signers(""), end.Add(30 * time.Minute), false},
		"the key has ended":       {root(time.Time{}) + within + signers("notAfter: 2026-06-01T00:00:00Z, "), end.Add(2 * time.Hour), true},
		"both go on":              {root(time.Time{}) + within + signers(""), end, false},
		"an old run may start":    {root(end) + "time: {evidence: timestamp}\n" + signers(""), end.Add(2 * time.Hour), false},
	} {
		p, err := Parse([]byte("schema: "+Schema+"\n"+c.text), options)
		if err != nil {
			t.Fatal(name, err)
		}
		found := p.Warnings(c.now)
		if (len(found) > 0) != c.want {
			t.Errorf("%s: %v", name, found)
		}
		if c.want && (found[0].Severity != identity.Warning || !strings.Contains(found[0].Message, "no run can start any more at 2026-06-01T02:00:00Z: no signature of the last 1h")) {
			t.Errorf("%s: %v", name, found)
		}
	}
	root1 := root(time.Time{})
	for expr, want := range map[string]string{
		`!time.verified`:         "no run meets the rule",
		`time.verified == false`: "no run meets the rule",
		`!has(time.earliest)`:    "no run meets the rule",
		`time.verified`:          "",
		`time.timestamps.exists(x, x.kind == "timestamp" && x.authority == "a" && x.authority == "b")`: "x.authority is never two things at once",
	} {
		_, err := Parse([]byte("schema: "+Schema+"\n"+root1+within+signers("")+"rules:\n  - name: a\n    expr: |\n      "+expr+"\n"), options)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: want %q, got %v", expr, want, err)
		}
	}
}

// TestSuspects: a word in another script that reads as a Latin one may be right.
func TestSuspects(t *testing.T) {
	head := header(t, newSigner(t))
	key := pemOf(t, newSigner(t))
	for text, want := range map[string]string{
		head + "rules:\n  - name: a\n    expr: |\n      declaration.model.name != \"аррӏе\"\n":          "[line 9, column 34: /rules/0/expr: a word has only letters that look like Latin ones",
		head + "rules:\n  - name: a\n    expr: |\n      declaration.model.name != \"модель\"\n":         "[]",
		head + "rules:\n  - name: a\n    expr: |\n      declaration.model.name != \"\\u0430\\u0441\"\n": "[]",
		head + "approvals: {required: 1, approvers: [{name: Сара, keys: [{key: " + key + "}]}]}\n":      "[line 6, column 45: /approvals/approvers/0/name: a word has only letters",
		head + "approvals: {required: 1, approvers: [{name: Олег, keys: [{key: " + key + "}]}]}\n":      "[]",
	} {
		p, err := Parse([]byte(text), options)
		if err != nil {
			t.Errorf("%v\n%s", err, text)
			continue
		}
		if got := fmt.Sprint(p.Warnings(time.Now())); !strings.HasPrefix(got, want) {
			t.Errorf("want %s\n got %s", want, got)
		}
	}
}
