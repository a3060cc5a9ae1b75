package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

// TestUnattainable: a demand that no run and no approver can meet is refused, and one that can be met is not.
func TestUnattainable(t *testing.T) {
	ci, alice, bob, carol, c := pemOf(t, newSigner(t)), pemOf(t, newSigner(t)), pemOf(t, newSigner(t)), pemOf(t, newSigner(t)), newClock(t)
	root, certificates := c.root(t), c.certificates(t)
	key := func(name, pem string) string { return "{name: " + name + ", keys: [{key: " + pem + "}]}" }
	cert := func(name string, entries ...string) string {
		return "{name: " + name + ", certificates: [" + strings.Join(entries, ", ") + "]}"
	}
	const (
		exact  = "{identity: ada@acme.example, issuer: https://acme.example}"
		domain = `{identityRegexp: ".*@acme[.]example", issuer: https://acme.example}`
		anyone = `{identityRegexp: ".*", issuerRegexp: ".*"}`
	)
	policy := func(signers, approvals string) string {
		return "signers: {" + signers + "}\napprovals: {" + approvals + "}\n"
	}
	keys := func(pems ...string) string {
		var all []string
		for i, pem := range pems {
			all = append(all, fmt.Sprintf("{name: k%d, key: %s}", i, pem))
		}
		return "keys: [" + strings.Join(all, ", ") + "]"
	}
	year := time.Now().UTC().Year()
	ended := fmt.Sprintf("notAfter: %d-01-01T00:00:00Z, ", year-1)
	soon := time.Now().Add(time.Minute)
	later := policy("keys: [{name: k0, notAfter: "+stamp(soon)+", key: "+ci+"}]",
		"required: 1, approvers: [{name: bob, keys: [{notBefore: "+stamp(soon.Add(time.Minute))+", key: "+bob+"}]}]")
	logs := func(logs ...sigstore.LogSpec) string {
		return "trustedRoot: " + rootText(t, sigstore.RootSpec{TransparencyLogs: logs}) + "\n"
	}
	log := func(algorithm signer.Algorithm, origin string, until time.Time) sigstore.LogSpec {
		return sigstore.LogSpec{URL: "https://log.example", Origin: origin, PublicKey: publicKey(t, algorithm), Start: time.Unix(0, 0), End: until}
	}
	rekor1, rekor2 := logs(log(signer.ECDSAP256, "", time.Time{})), logs(log(signer.Ed25519, "log.example", time.Time{}))
	ago := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	retired, retired1 := logs(log(signer.Ed25519, "log.example", ago)), logs(log(signer.ECDSAP256, "", ago))
	clockOf := func(name string, until time.Time) sigstore.AuthoritySpec {
		top := pkitest.Root(name)
		return sigstore.AuthoritySpec{URL: "https://" + name, Chain: pkitest.PEM(top.Issue(name+" stamps", pkitest.Stamper), top), End: until}
	}
	twoClocks := "trustedRoot: " + rootText(t, sigstore.RootSpec{TimestampAuthorities: []sigstore.AuthoritySpec{
		clockOf("a.example", time.Time{}), clockOf("b.example", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)),
	}}) + "\n"
	rules := func(expr string) string { return fmt.Sprintf("rules: [{name: r, expr: %q}]\n", expr) }
	rule := func(expr string) string { return "signers: {" + keys(ci) + "}\n" + rules(expr) }
	for name, tt := range map[string]struct{ text, want string }{
		"the signer alone": {policy(keys(ci), "required: 1, approvers: ["+key("alice", ci)+"]"),
			"/approvals/required: 1 approval required, of 0 at most of a run signed by key k0: alice would approve what they signed"},
		"two of the signer and bob": {policy(keys(ci), "required: 2, approvers: ["+key("alice", ci)+", "+key("bob", bob)+"]"),
			"2 approvals required, of 1 at most of a run signed by key k0"},
		"one of the signer and bob":   {policy(keys(ci), "required: 1, approvers: ["+key("alice", ci)+", "+key("bob", bob)+"]"), ""},
		"all of two who sign":         {policy(keys(ci, bob), "required: 2, approvers: ["+key("alice", ci)+", "+key("bob", bob)+"]"), "2 approvals required, of 1 at most"},
		"all of two, and a third":     {policy(keys(ci, bob, alice), "required: 2, approvers: ["+key("alice", ci)+", "+key("bob", bob)+"]"), ""},
		"another key of the signer's": {policy(keys(ci), "required: 1, approvers: [{name: alice, keys: [{key: "+ci+"}, {key: "+alice+"}]}]"), "alice would approve what they signed"},
		"every signer is an approver": {policy(keys(ci, alice), "required: 1, approvers: [{name: alice, keys: [{key: "+ci+"}, {key: "+alice+"}]}]"), "1 approval required, of 0 at most"},
		"none required":               {policy(keys(ci), "required: 0, approvers: ["+key("alice", ci)+"]"), ""},
		"the role of the signer": {policy(keys(ci), "required: 0, roles: {legal: 1}, approvers: [{name: alice, role: legal, keys: [{key: "+ci+"}]}, "+key("bob", bob)+"]"),
			`/approvals/roles: 1 of role "legal" required, of 0 at most of a run signed by key k0: alice would approve what they signed`},
		"the role of another": {policy(keys(ci), "required: 1, roles: {legal: 1}, approvers: [{name: alice, role: legal, keys: [{key: "+ci+"}]}, {name: bob, role: legal, keys: [{key: "+bob+"}]}]"), ""},
		"a role for each signer": {policy(keys(ci, bob), "required: 0, roles: {a: 1, b: 1}, approvers: [{name: alice, role: a, keys: [{key: "+ci+"}]}, {name: bob, role: b, keys: [{key: "+bob+"}]}]"),
			"at most of a run signed by"},
		// certificate identities
		"the same identity": {certificates + policy("certificates: ["+exact+"]", "required: 1, approvers: ["+cert("ada", exact)+"]"), "of 0 at most of a run signed by a certificate for ada@acme.example"},
		"it in other case":  {certificates + policy("certificates: ["+exact+"]", "required: 1, approvers: ["+cert("ada", "{identity: Ada@acme.example, issuer: https://acme.example/}")+"]"), "ada would approve what they signed"},
		"the same alternatives": {certificates + policy(`certificates: [{identityRegexp: "(ada|bob)@acme[.]example", issuer: https://acme.example}]`,
			"required: 1, approvers: ["+cert("two", `{identityRegexp: "(Bob|Ada)@acme[.]example", issuer: https://acme.example}`)+"]"), "two would approve what they signed"},
		"one alternative more": {certificates + policy(`certificates: [{identityRegexp: "(ada|bob|eve)@acme[.]example", issuer: https://acme.example}]`,
			"required: 1, approvers: ["+cert("two", `{identityRegexp: "(ada|bob)@acme[.]example", issuer: https://acme.example}`)+"]"), ""},
		"names that are few, one each": {certificates + policy(`certificates: [{identityRegexp: "(ada|bob)@acme[.]example", issuer: https://acme.example}]`,
			"required: 2, approvers: ["+cert("ada", exact)+", "+cert("bob", "{identity: bob@acme.example, issuer: https://acme.example}")+"]"), "2 approvals required, of 1 at most"},
		"issuers in any case": {certificates + policy(`certificates: [{identity: ada@acme.example, issuerRegexp: "(?i)https://ACME[.]example"}]`,
			"required: 1, approvers: ["+cert("ada", "{identity: ada@acme.example, issuer: HTTPS://ACME.EXAMPLE}")+"]"), ""},
		"an identity in a pattern":  {certificates + policy("certificates: ["+exact+"]", "required: 1, approvers: ["+cert("board", domain)+"]"), "board would approve what they signed"},
		"the same pattern":          {certificates + policy("certificates: ["+domain+"]", "required: 1, approvers: ["+cert("board", domain)+"]"), "board would approve what they signed"},
		"a pattern in everything":   {certificates + policy("certificates: ["+domain+"]", "required: 1, approvers: ["+cert("board", anyone)+"]"), "board would approve what they signed"},
		"a pattern of one identity": {certificates + policy(`certificates: [{identityRegexp: "ada@acme[.]example", issuer: https://acme.example}]`, "required: 1, approvers: ["+cert("ada", exact)+"]"), "ada would approve what they signed"},
		"a pattern and an identity": {certificates + policy("certificates: ["+domain+"]", "required: 1, approvers: ["+cert("ada", exact)+"]"), ""},
		"another issuer":            {certificates + policy("certificates: ["+exact+"]", "required: 1, approvers: ["+cert("ada", "{identity: ada@acme.example, issuer: https://elsewhere.example}")+"]"), ""},
		"a key and a certificate":   {certificates + policy("certificates: ["+exact+"]", "required: 1, approvers: ["+key("alice", alice)+"]"), ""},
		"an ambiguous identity":     {certificates + policy(keys(ci), "required: 1, approvers: ["+cert("ada", exact)+", "+cert("ida", exact)+"]"), "what ada signs may be by ida, too"},
		"two, one of them is both":  {certificates + policy(keys(ci), "required: 2, approvers: ["+cert("ada", exact)+", "+cert("board", domain)+"]"), "2 approvals required, of 1 at most"},
		"one, one of them is both":  {certificates + policy(keys(ci), "required: 1, approvers: ["+cert("ada", exact)+", "+cert("board", domain)+"]"), ""},
		"ambiguous, with a key":     {certificates + policy(keys(ci), "required: 2, approvers: [{name: ada, keys: [{key: "+alice+"}], certificates: ["+exact+"]}, "+cert("board", domain)+"]"), ""},
		// evidence
		"no clock for a window":        {"trustedRoot: " + noClocks + "\n" + strings.Replace(policy(keys(ci), "required: 0, approvers: ["+key("bob", bob)+"]"), "key: ", ended+"key: ", 1), "/signers: no signature can meet the policy: key k0 needs a trusted time, and the trusted root names no timestamp authority"},
		"a signer of another time":     {root + strings.Replace(policy(keys(ci), "required: 0, approvers: ["+key("bob", bob)+"]"), "key: ", ended+"key: ", 1), "key k0 is valid at no time at which a timestamp authority or log of the trusted root is"},
		"one signer of another time":   {root + strings.Replace(policy(keys(ci, alice), "required: 1, approvers: ["+key("bob", bob)+"]"), "key: ", ended+"key: ", 1), ""},
		"the other signer approves":    {root + strings.Replace(policy(keys(ci, bob), "required: 1, approvers: ["+key("bob", bob)+"]"), "key: ", ended+"key: ", 1), "bob would approve what they signed"},
		"an approver of another time":  {root + policy(keys(ci), "required: 1, approvers: [{name: bob, keys: [{"+ended+"key: "+bob+"}]}]"), "by bob: key bob is valid at no time"},
		"an approver of both times":    {root + policy(keys(ci), "required: 1, approvers: [{name: bob, keys: [{"+ended+"key: "+bob+"}, {key: "+carol+"}]}]"), ""},
		"of another time, none needed": {root + policy(keys(ci), "required: 0, approvers: [{name: bob, keys: [{"+ended+"key: "+bob+"}]}]"), ""},
		"begins after every start":     {root + "time: {evidence: timestamp, startWithin: 1s}\n" + later, "the key of bob begins after every start of such a run"},
		// nothing that dates
		"no clock for a start":             {rekor2 + "time: {evidence: log, startWithin: 1h}\nsigners: {" + keys(ci) + "}\n", "/signers: no signature can meet the policy: key k0 needs a trusted time, and the trusted root names no timestamp authority, and its logs sign no time (as Rekor v2)"},
		"no clock, and no start":           {rekor2 + "time: {evidence: log}\nsigners: {" + keys(ci) + "}\n", ""},
		"Rekor v2 for a window":            {rekor2 + "signers: {" + strings.Replace(keys(ci), "key: ", ended+"key: ", 1) + "}\n", "key k0 needs a trusted time"},
		"Rekor v1 for a start":             {rekor1 + "time: {evidence: log, startWithin: 1h}\nsigners: {" + keys(ci) + "}\n", ""},
		"Rekor v1 for a window":            {rekor1 + "signers: {" + strings.Replace(keys(ci), "key: ", "notBefore: 2020-01-01T00:00:00Z, key: ", 1) + "}\n", ""},
		"an approver by Rekor v2":          {rekor2 + policy(keys(ci), "required: 1, approvers: [{name: bob, keys: [{"+ended+"key: "+bob+"}]}]"), "by bob: key bob needs a trusted time"},
		"a retired log, and no clock":      {retired + "time: {evidence: log}\nsigners: {" + keys(ci) + "}\n", "key k0 needs 1 log entries, and the trusted root names no authority that proves that a retired log had seen it in time"},
		"a log of another time":            {retired1 + "time: {evidence: log}\nsigners: {" + strings.Replace(keys(ci), "key: ", "notBefore: 2026-01-01T00:00:00Z, key: ", 1) + "}\n", "key k0 is valid at no time"},
		"one of two authorities' time":     {twoClocks + "time: {evidence: timestamp, count: 2}\nsigners: {" + strings.Replace(keys(ci), "key: ", "notBefore: 2026-07-01T00:00:00Z, key: ", 1) + "}\n", "key k0 is not valid when 2 timestamp authorities or logs of the trusted root are"},
		"the time of both":                 {twoClocks + "time: {evidence: timestamp, count: 2}\nsigners: {" + strings.Replace(keys(ci), "key: ", "notBefore: 2026-03-01T00:00:00Z, key: ", 1) + "}\n", ""},
		"times of both, of an endless key": {twoClocks + "time: {evidence: timestamp, count: 2}\nsigners: {" + keys(ci) + "}\n", ""},
		// rules about what there never is
		"approvals without approvers":   {rule("approvals.exists(a, a.role == 'legal')"), "/rules/0/expr: reads approvals, and the policy names no approvers"},
		"hidden approvals":              {rule("true || [1].exists(a, .approvals.size() > a)"), "reads approvals, and"},
		"rejections without approvers":  {rule("!approvals.exists(a, a.decision == 'rejected')"), "reads approvals, and"},
		"approved, without approvers":   {rule("ancestors.all(a, a.kind != 'training' || a.approved)"), "reads approved of an ancestor"},
		"has approved":                  {rule("ancestors.all(a, has(a.approved))"), "reads approved of an ancestor"},
		"perhaps approved":              {rule("ancestors.all(a, a.?approved.orValue(true))"), "reads approved of an ancestor"},
		"perhaps the first is approved": {rule("ancestors[?0].?approved.orValue(true)"), "reads approved of an ancestor"},
		"rejected ancestors":            {rule("!ancestors.exists(x, x.approvals.exists(y, y.decision == 'rejected'))"), "reads approvals of an ancestor"},
		"with approvers":                {policy(keys(ci), "required: 0, approvers: ["+key("bob", bob)+"]") + rules("approvals.size() > 0 && ancestors.all(a, a.approved)"), ""},
		"another's approved":            {rule("declaration.parameters.approved && declaration.constraints.approvals == 2"), ""},
		"their name alone":              {rule("annotations.approvals == 'approvals'"), ""},
		"time without a root":           {rule("time.verified"), "reads time, and there never is a trusted time: the policy has no trustedRoot"},
		"time without a clock":          {rekor2 + rule("time.?earliest.orValue(now) <= now"), "reads time, and there never is a trusted time: the trusted root names no timestamp authority"},
		"time of an ancestor":           {rule("ancestors.all(a, has(a.declaredBy))"), "reads declaredBy of an ancestor"},
		"time of an approval":           {policy(keys(ci), "required: 0, approvers: ["+key("bob", bob)+"]") + rules("approvals.all(a, a.time < now)"), "reads time of an approval"},
		"time of another thing":         {rule("declaration.parameters.time.verified || now > timestamp('2026-01-01T00:00:00Z')"), ""},
		"time with a clock":             {root + rule("time.verified && ancestors.all(a, a.declaredBy < now)"), ""},
		"time with Rekor v1":            {rekor1 + rule("time.verified"), ""},
		"begins before the last start":  {root + "time: {evidence: timestamp, startWithin: 1h}\n" + later, ""},
	} {
		p, err := Parse([]byte("schema: "+Schema+"\n"+tt.text), options)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && err == nil:
			t.Errorf("%s: accepted: %v", name, p.signers.keys)
		case tt.want != "" && !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s:\n got %v\nwant %s", name, err, tt.want)
		}
	}
}

// TestUnattainableHints: the hint is about what keeps the approvers from approving.
func TestUnattainableHints(t *testing.T) {
	ci, bob, carol, root := pemOf(t, newSigner(t)), pemOf(t, newSigner(t)), pemOf(t, newSigner(t)), newClock(t).root(t)
	past := fmt.Sprintf("notAfter: %d-01-01T00:00:00Z, ", time.Now().UTC().Year()-1)
	approver := func(name, window, key string) string {
		return "{name: " + name + ", keys: [{" + window + "key: " + key + "}]}"
	}
	for name, c := range map[string]struct {
		required  int
		approvers []string
		hint      string
	}{
		"the signer":            {1, []string{approver("alice", "", ci)}, hintApprovers},
		"a window that is past": {1, []string{approver("bob", past, bob)}, hintWindows},
		"both":                  {2, []string{approver("alice", "", ci), approver("bob", past, bob), approver("carol", past, carol)}, hintApprovers + "; " + hintWindows},
	} {
		text := fmt.Sprintf("schema: %s\n%ssigners: {keys: [{name: k, key: %s}]}\napprovals: {required: %d, approvers: [%s]}\n",
			Schema, root, ci, c.required, strings.Join(c.approvers, ", "))
		_, err := Parse([]byte(text), options)
		var no *InvalidError
		if !errors.As(err, &no) || no.Problems[0].Hint != c.hint {
			t.Errorf("%s: got %+v, want the hint %s", name, err, c.hint)
		}
	}
}

func rootText(t *testing.T, spec sigstore.RootSpec) string {
	t.Helper()
	root, err := sigstore.CreateTrustedRoot(spec)
	if err != nil {
		t.Fatal(err)
	}
	text, err := root.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\n", " ")
}

func publicKey(t *testing.T, algorithm signer.Algorithm) []byte {
	t.Helper()
	pair, err := signer.Generate(algorithm, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Public
}

// noClocks is a trusted root that vouches for nothing.
const noClocks = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`
