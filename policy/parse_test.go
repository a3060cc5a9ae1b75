package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/sigstore"
)

// TestRefused: what is wrong with a policy is said with its line and column.
func TestRefused(t *testing.T) {
	by := newSigner(t)
	head := header(t, by) // five lines
	second := newSigner(t)
	for name, c := range map[string]struct{ text, want string }{
		"version":               {"schema: https://github.com/runattest/runattest/policy/v2\nsigners: {}\n", "line 1, column 9: /schema: want one of"},
		"no trusted signer":     {"schema: " + Schema + "\nsigners: {}\n", "line 2, column 10: /signers: the policy has no trusted signer (required)"},
		"no signers":            {"schema: " + Schema + "\n", "signers is missing"},
		"unknown member":        {head + "rule: []\n", "line 6, column 7: /rule: unknown member"},
		"case variant":          {head + "Rules: []\n", "/Rules: unknown member"},
		"null":                  {head + "time: null\n", "/time: null is refused"},
		"duplicate":             {head + "kinds: [agent]\nkinds: [agent]\n", "line 7, column 8: /kinds"},
		"alias":                 {head + "kinds: &a [agent]\n", "anchors are refused"},
		"two documents":         {head + "---\na: b\n", "several YAML documents"},
		"kind":                  {head + "kinds: [agent, agents]\n", "line 6, column 16: /kinds/1: want one of"},
		"kind twice":            {head + "kinds: [agent, agent]\n", "stands in the list already"},
		"empty window":          {strings.Replace(head, "name: ci,", "name: ci, notBefore: 2026-02-01T00:00:00Z, notAfter: 2026-01-01T00:00:00Z,", 1), "the key is valid until 2026-01-01T00:00:00Z, which is not after it begins"},
		"window without root":   {strings.Replace(head, "name: ci,", "name: ci, notAfter: 2026-01-01T00:00:00Z,", 1), "no timestamp authority is named to prove the time"},
		"no such day":           {strings.Replace(head, "name: ci,", "name: ci, notAfter: 2026-02-30T00:00:00Z,", 1), `want a time as 2026-01-31T12:00:00Z`},
		"evidence without root": {head + "time: {evidence: timestamp}\n", "line 6, column 18: /time/evidence: 1 timestamp required"},
		"start without time":    {head + "time: {evidence: none, startWithin: 24h}\n", "startWithin without evidence of time"},
		"duration":              {head + "time: {evidence: timestamp, startWithin: 1.5h}\n", "want a number and a unit"},
		"duration of centuries": {head + "time: {evidence: timestamp, startWithin: 213504d}\n", "/time/startWithin: want at most 106751d"},
		"key twice":             {head + "    - {name: ci, key: " + pemOf(t, second) + "}\n", `two keys are named "ci"`},
		"private key":           {head + "    - {name: x, key: \"-----BEGIN PRIVATE KEY-----\\nAA==\\n-----END PRIVATE KEY-----\\n\"}\n", "this is a private key"},
		"key elsewhere":         {head + "    - {name: x, key: ../x.pub}\n", "given without its folder"},
		"certificate":           {head + "  certificates: [{identity: a@b}]\n", "want exactly one of issuer and issuerRegexp"},
		"certificate twice":     {head + "  certificates: [{identity: a@b, identityRegexp: a, issuer: 'https://i'}]\n", "want exactly one of identity and identityRegexp"},
		"certificate regexp":    {head + "  certificates: [{identityRegexp: \"a(\", issuer: 'https://i'}]\n", "line 6, column 35: /signers/certificates/0/identityRegexp: error parsing regexp"},
		"certificate of none":   {head + "  certificates: [{identityRegexp: a^b, issuer: 'https://i'}]\n", "/signers/certificates/0/identityRegexp: the regular expression matches no text"},
		"certificate of empty":  {head + "  certificates: [{identityRegexp: '()', issuer: 'https://i'}]\n", "/signers/certificates/0/identityRegexp: the regular expression matches no text, or the empty one alone"},
		"issuer of none":        {head + "  certificates: [{identity: a@b, issuerRegexp: $a}]\n", "/signers/certificates/0/issuerRegexp: the regular expression matches no text"},
		"certificate of blank":  {head + "  certificates: [{identityRegexp: ' ', issuer: 'https://i'}]\n", "/signers/certificates/0/identityRegexp: a blank"},
		"certificate to blank":  {head + "  certificates: [{identityRegexp: 'a@b ', issuer: 'https://i'}]\n", "/signers/certificates/0/identityRegexp: a blank"},
		"URI without scheme":    {head + "  certificates: [{identity: github.com/acme/app/.github/workflows/x.yml@refs/heads/main, issuer: 'https://i'}]\n", "/signers/certificates/0/identity: an identity that is a URI has a scheme"},
		"issuer without scheme": {head + "  certificates: [{identity: a@b, issuer: idp.example}]\n", "/signers/certificates/0/issuer: the issuer of an identity is a URL"},
		"certificate no root":   {head + "  certificates: [{identity: a@b, issuer: 'https://i'}]\n", "no trusted root says who issues certificates"},
		"approvals unmet":       {head + "approvals: {required: 2, approvers: [{name: a, keys: [{key: " + pemOf(t, second) + "}]}]}\n", "line 6, column 23: /approvals/required: 2 approvals required, of 1 approver: which cannot be met"},
		"roles unmet":           {head + "approvals: {required: 1, roles: {r: 1}, approvers: [{name: a, keys: [{key: " + pemOf(t, second) + "}]}]}\n", `1 of role "r" required, of 0 approvers`},
		"approver twice":        {head + "approvals: {required: 1, approvers: [{name: a, keys: [{key: " + pemOf(t, second) + "}]}, {name: a, keys: [{key: " + pemOf(t, newSigner(t)) + "}]}]}\n", `two approvers are named "a"`},
		"one key of two":        {head + "approvals: {required: 1, approvers: [{name: a, keys: [{key: " + pemOf(t, second) + "}]}, {name: b, keys: [{key: " + pemOf(t, second) + "}]}]}\n", "one person would count as two"},
		"approver without keys": {head + "approvals: {required: 1, approvers: [{name: a}]}\n", "without either, no signature can be this approver's"},
		"rule name":             {head + "rules: [{name: A b, expr: \"true\"}]\n", "want 1 to 64 lower-case letters"},
		"rule name taken":       {head + "rules: [{name: approvals, expr: \"true\"}]\n", `the name "approvals" is taken`},
		"rule twice":            {head + "rules: [{name: a, expr: \"true\"}, {name: a, expr: \"true\"}]\n", `line 6, column 41: /rules/1/name: the name "a" is taken`},
		"bool":                  {head + "rules: [{name: a, expr: true}]\n", "is of type boolean, want string"},
		// expressions: plain, quoted, in blocks; the column is that of the mistake
		"variable":       {head + "rules:\n  - name: a\n    expr: declared.kind == 'x'\n", "line 8, column 11: /rules/0/expr: undeclared reference to 'declared'"},
		"member":         {head + "rules:\n  - name: a\n    expr: declaration.modle.name == 'x'\n", "line 8, column 22: /rules/0/expr: undefined field 'modle'"},
		"member quoted":  {head + "rules:\n  - name: a\n    expr: \"'\\\"' == declaration.modle.name\"\n", "line 8, column 31: /rules/0/expr: undefined field 'modle'"},
		"member single":  {head + "rules:\n  - name: a\n    expr: '''x'' == declaration.modle.name'\n", "line 8, column 32: /rules/0/expr: undefined field 'modle'"},
		"member block":   {head + "rules:\n  - name: a\n    expr: |\n      true &&\n        declaration.context.all(c, c.nome == '')\n", "line 10, column 37: /rules/0/expr: undefined field 'nome'"},
		"member folded":  {head + "rules:\n  - name: a\n    expr: >-\n      true\n      && run.knd == ''\n", "line 10, column 13: /rules/0/expr: undefined field 'knd'"},
		"type":           {head + "rules:\n  - name: a\n    expr: declaration.kind == 3\n", "line 8, column 28: /rules/0/expr: found no matching overload for '_==_'"},
		"not bool":       {head + "rules:\n  - name: a\n    expr: declaration.kind\n", "the expression is of type string, want bool"},
		"syntax":         {head + "rules:\n  - name: a\n    expr: declaration.kind ==\n", "line 8, column 30: /rules/0/expr: Syntax error"},
		"regex":          {head + "rules:\n  - name: a\n    expr: declaration.kind.matches('(')\n", "/rules/0/expr: error parsing regexp"},
		"message":        {head + "rules:\n  - name: a\n    expr: 'false'\n    message: 'budget {{declaration.x}}'\n", "line 9, column 35: /rules/0/message: undefined field 'x'"},
		"message braces": {head + "rules:\n  - name: a\n    expr: 'false'\n    message: 'budget {{now'\n", "/rules/0/message: {{ without }}"},
		"huge":           {head + "rules:\n  - name: a\n    expr: " + strings.Repeat("true && ", 3000) + "true\n", "/rules/0/expr"},
		"deep":           {head + "rules:\n  - name: a\n    expr: " + strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000) + "\n", "/rules/0/expr"},
		"depth":          {"schema: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "invalid policy"},
		"empty":          {"", "it is an empty file and no policy"},
		"json":           {`{"schema":"` + Schema + `",` + "\n" + `"signers":{},"rules":[{"name":"a","expr":"declaration.\u006dodle == 1"}]}`, `line 2, column 54: /rules/0/expr: undefined field 'modle'`},
		"json trailing":  {`{"schema":"` + Schema + `","signers":{}} {}`, "invalid policy"},
	} {
		found := (&InvalidError{Noun: "policy", Problems: problems(t, c.text, options)}).Error()
		for _, p := range problems(t, c.text, options) {
			found += "\n" + p.String()
		}
		if !strings.Contains(found, c.want) {
			t.Errorf("%s: want %s\n got %s", name, c.want, found)
		}
	}
}

func TestFiles(t *testing.T) {
	by := newSigner(t)
	dir := t.TempDir()
	pem, err := by.PublicKey().PEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys", "ci.pub"), pem, 0o600); err != nil {
		t.Fatal(err)
	}
	text := "schema: " + Schema + "\nsigners: {keys: [{name: ci, key: keys/ci.pub}]}\n"
	p, err := Parse([]byte(text), Options{TrustedRoots: sigstore.Authorities, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if f := p.Files(); len(f) != 1 || f[0].Path != "keys/ci.pub" {
		t.Errorf("files %v", f)
	}
	for _, path := range []string{"../keys/ci.pub", filepath.Join(dir, "keys", "ci.pub"), "keys", "missing", "."} {
		if p := problems(t, strings.Replace(text, "keys/ci.pub", path, 1), Options{TrustedRoots: sigstore.Authorities, Dir: dir}); p[0].Pointer != "/signers/keys/0/key" {
			t.Errorf("%s: %v", path, p)
		}
	}
}

// TestSchemaAgrees holds the JSON Schema and Parse to one answer about members.
func TestSchemaAgrees(t *testing.T) {
	c := jsonschema.NewCompiler()
	root, err := jsonschema.UnmarshalJSON(strings.NewReader(string(JSONSchema())))
	if err == nil {
		err = c.AddResource("policy.json", root)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	one, two := pemOf(t, newSigner(t)), pemOf(t, newSigner(t))
	good := `{"schema":"` + Schema + `","name":"n","description":"d","signers":{"keys":[{"name":"a","key":` + one + `}]},` +
		`"time":{"evidence":"none"},"kinds":["agent"],"approvals":{"required":1,"evidence":"none","roles":{"r":1},"approvers":[{"name":"p","role":"r","keys":[{"key":` + two + `}]}]},` +
		`"rules":[{"name":"x","expr":"true","message":"m","severity":"warn"}]}`
	agree := func(text string, want bool) {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		bySchema := schema.Validate(v)
		_, byParse := Parse([]byte(text), options)
		if (bySchema == nil) != (byParse == nil) || (byParse == nil) != want {
			t.Errorf("%.200s\nschema: %v\nparse: %v", text, bySchema, byParse)
		}
	}
	agree(good, true)
	form, err := canonical.Transform([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(form, &doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	// each value replaced by each of these, each member removed and each object given another member
	mutate(doc, func() {
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		n++
		bySchema := schema.Validate(v)
		_, byParse := Parse(text, options)
		if bySchema != nil && byParse == nil {
			t.Errorf("only the schema refuses it: %s\n%v", text, bySchema)
		}
		if bySchema == nil && byParse != nil && !beyondSchema(byParse) {
			t.Errorf("only Parse refuses it: %s\n%v", text, byParse)
		}
	})
	if n < 300 {
		t.Fatalf("only %d mutations", n)
	}
}

// beyondSchema tells the problems that JSON Schema has no words for.
func beyondSchema(err error) bool {
	for _, text := range []string{"(cel)", "trusted root", "PEM", "folder", "which cannot be met", "want a time as", "no timestamp authority is named", "undeclared", "want bool", "required"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func mutate(v any, check func()) {
	strange := []any{nil, true, 0.0, 2.0, 1.5, "", "zzz", "none", []any{}, []any{"agent"}, map[string]any{}, map[string]any{"zzz": 1.0}}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			old := v[name]
			for _, s := range strange {
				v[name] = s
				check()
			}
			delete(v, name)
			check()
			v[name] = old
			mutate(old, check)
		}
		v["zzz"] = "x"
		check()
		delete(v, "zzz")
	case []any:
		for i, old := range v {
			for _, s := range strange {
				v[i] = s
				check()
			}
			v[i] = old
			mutate(old, check)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../examples/policies/*/*.yaml")
	if err != nil || len(files) < 24 {
		f.Fatal("no policies to begin with", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"schema":"` + Schema + `","signers":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data, options)
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v, %v", p, err)
		}
		if err == nil && p.Verifier() == nil {
			t.Fatal("a policy that verifies nothing")
		}
		var again *Policy
		if again, _ = Parse(slices.Clone(data), options); (again == nil) != (p == nil) {
			t.Fatal("read twice, it is another")
		}
		if err != nil && strings.ContainsAny(fmt.Sprint(err), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
	})
}

// TestManyProblems: after a hundred problems, the places of more are not searched for.
func TestManyProblems(t *testing.T) {
	text := func(wrong int) string {
		var b strings.Builder
		b.WriteString(`{"schema":"` + Schema + `","signers":{}`)
		for i := range 9000 {
			if i < wrong {
				fmt.Fprintf(&b, `,"member%d":"%s"`, i, strings.Repeat("x", 90))
			} else {
				b.WriteString(strings.Repeat(" ", 108))
			}
		}
		return b.String() + "}"
	}
	took := func(text string) time.Duration {
		start := time.Now()
		if n := len(problems(t, text, options)); n != limits.Problems {
			t.Errorf("%d problems, want %d", n, limits.Problems)
		}
		return time.Since(start)
	}
	few, many := took(text(limits.Problems)), took(text(9000))
	for range 4 { // the least of several: a loaded machine is slow now and then
		few, many = min(few, took(text(limits.Problems))), min(many, took(text(9000)))
	}
	if many > 100*few {
		t.Errorf("9000 problems take %v, %d of as much text %v", many, limits.Problems, few)
	}
}
