package identity_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
)

const minimal = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference",` +
	`"model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`

func with(member string) []byte {
	return []byte(strings.TrimSuffix(minimal, "}") + "," + member + "}")
}

func mustParse(t testing.TB, data []byte) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestIDIsSHA256OfCanonicalForm(t *testing.T) {
	d := mustParse(t, []byte(minimal))
	sum := sha256.Sum256(d.Canonical())
	if got, want := d.ID().String(), "airun:1:sha256:"+hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseIDInvertsString(t *testing.T) {
	id := mustParse(t, []byte(minimal)).ID()
	again, err := identity.ParseID(id.String())
	if err != nil || again != id {
		t.Errorf("got %v, %v", again, err)
	}
	text, err := id.MarshalText()
	var unmarshalled identity.ID
	if err != nil || unmarshalled.UnmarshalText(text) != nil || unmarshalled != id {
		t.Errorf("text %s gives %v", text, unmarshalled)
	}
}

func TestParseIDRefuses(t *testing.T) {
	good := mustParse(t, []byte(minimal)).ID().String()
	for _, s := range []string{
		"", "airun:1:sha256:", good[:len(good)-1], good + "0", strings.ToUpper(good), " " + good, good + "\n",
		strings.Replace(good, "airun:1", "airun:2", 1), strings.TrimPrefix(good, "airun:1:"),
		"airun:1:sha256:" + strings.Repeat("g", 64), "airun:1:sha256:" + strings.Repeat("A", 64),
		"airun:1:sha256:" + strings.Repeat("0", 64), // the zero ID means that there is none
	} {
		if id, err := identity.ParseID(s); !errors.Is(err, identity.ErrNoID) || !id.IsZero() {
			t.Errorf("%q: got %v, %v", s, id, err)
		}
	}
}

func TestAccessors(t *testing.T) {
	parent := mustParse(t, []byte(minimal)).ID()
	d := mustParse(t, with(fmt.Sprintf(`"parents":[%q]`, parent)))
	if got := d.Parents(); len(got) != 1 || got[0] != parent {
		t.Errorf("parents %v", got)
	}
	if d.Kind() != identity.Inference || d.Model().Name != "m" || len(d.Context()) != 0 {
		t.Errorf("kind %s, model %+v, context %v", d.Kind(), d.Model(), d.Context())
	}
	if d.Size() != int64(len(d.Canonical())) {
		t.Errorf("size %d", d.Size())
	}
	hexDigits := strings.Repeat("ab", 32)
	d = mustParse(t, []byte(strings.Replace(minimal, `"context":[]`,
		`"context":[{"role":"dataset","name":"d","size":7,"digest":{"sha256":"`+hexDigits+`"}},{"role":"tool","name":"t","content":{"x":1.0}}]`, 1)))
	r := d.Context()
	if len(r) != 2 || r[0].Size == nil || *r[0].Size != 7 || hex.EncodeToString(r[0].Digests.SHA256[:]) != hexDigits || r[0].Content != nil ||
		r[1].Size != nil || string(r[1].Content) != `{"x":1}` {
		t.Errorf("context %+v", r)
	}
}

// TestCanonicalIsACopy holds a declaration immutable.
func TestCanonicalIsACopy(t *testing.T) {
	data := []byte(minimal)
	d := mustParse(t, data)
	clear(data)
	clear(d.Canonical())
	if again := mustParse(t, d.Canonical()); again.ID() != d.ID() {
		t.Error("the declaration changed")
	}
}

func TestComputeOfInvalidDeclaration(t *testing.T) {
	const invalid = `{"b":1,"a":2}`
	if _, err := identity.Parse([]byte(invalid)); err == nil {
		t.Fatal("it is valid")
	}
	id, err := identity.Compute([]byte(invalid))
	sum := sha256.Sum256([]byte(`{"a":2,"b":1}`))
	if err != nil || id.Digest() != sum {
		t.Errorf("got %v, %v", id, err)
	}
}

func TestLimits(t *testing.T) {
	nest := func(depth int) []byte { // depth counts the declaration's own object and parameters
		return []byte(strings.Replace(minimal, `"parameters":{}`, `"parameters":{"x":`+strings.Repeat("[", depth-2)+strings.Repeat("]", depth-2)+`}`, 1))
	}
	long := func(n int) []byte {
		return []byte(strings.Replace(minimal, `"prompt":{}`, `"prompt":{"text":"`+strings.Repeat("x", n)+`"}`, 1))
	}
	many := func(n int) []byte {
		return []byte(strings.Replace(minimal, `"parameters":{}`, `"parameters":{"x":[`+strings.Repeat("0,", n-1)+`0]}`, 1))
	}
	own := 7 + 1 + 1 // members of the minimal declaration, the model's name, parameters.x
	for _, c := range []struct {
		name string
		data []byte
		code identity.Code // "" is valid
	}{
		{"depth 64", nest(64), ""},
		{"depth 65", nest(65), "depth"},
		{"16 MiB", long(16<<20 - len(minimal) - len(`"text":""`)), ""},
		{"a byte more than 16 MiB", long(16<<20 - len(minimal) - len(`"text":""`) + 1), identity.CodeSize},
		{"canonical form of more than 16 MiB", []byte(strings.Replace(string(long(16<<20-len(minimal)-len(`"text":""`)-len(`"x":[1e20,1e20]`))), `"parameters":{}`, `"parameters":{"x":[1e20,1e20]}`, 1)), identity.CodeSize},
		{"100,000 values", many(100_000 - own), ""},
		{"100,001 values", many(100_001 - own), "count"},
	} {
		_, err := identity.Parse(c.data)
		var invalid *identity.InvalidError
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.code != "" && (!errors.As(err, &invalid) || invalid.Problems[0].Code != c.code):
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

// TestHostileYAML holds the cost of YAML to the JSON that it stands for: nothing expands,
// nothing recurses without end.
func TestHostileYAML(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, c := range map[string]struct {
		data string
		code identity.Code
	}{
		"billion laughs":    {bomb, "yaml-anchor"},
		"flow brackets":     {strings.Repeat("[", 1<<20), "yaml-syntax"},
		"block dashes":      {strings.Repeat("- ", 1<<19), "yaml-syntax"},
		"question marks":    {strings.Repeat("? ", 1<<19), "yaml-syntax"},
		"a million commas":  {"[" + strings.Repeat("a,", 1<<20-2) + "]", "count"},
		"too large":         {strings.Repeat("#", 2<<20+1), identity.CodeSize},
		"long hex":          {"a: 0x" + strings.Repeat("f", 1<<20), "range"},
		"long octal":        {"a: 0o" + strings.Repeat("7", 1<<20), "range"},
		"self-reference":    {"&a [*a]", "yaml-anchor"},
		"empty":             {"", "yaml-syntax"},
		"only comments":     {"# nothing\n", "yaml-syntax"},
		"binary":            {"\x00\x01\x02\xff", "utf8"},
		"UTF-16":            {"\xff\xfea\x00:\x00", "utf8"},
		"verbatim tag":      {"a: !<tag:yaml.org,2002:int> 1", "yaml-tag"},
		"non-specific tag":  {"a: ! 1", "yaml-tag"},
		"tag on a key":      {"!!str a: 1", "yaml-tag"},
		"anchor on a key":   {"&a a: 1", "yaml-anchor"},
		"unknown alias":     {"a: *b", "yaml-alias"},
		"late directive":    {"a: 1\n...\n%YAML 1.1\n---\nb: 1\n", "yaml-documents"},
		"directive":         {"# first\n%YAML 1.1\n---\na: 1\n", "yaml-directive"},
		"next line":         {"a: \"b\u0085c\"", "yaml-break"},
		"line separator":    {"a: b\u2028c", "yaml-break"},
		"CR alone":          {"a: 1\rb: 2", "yaml-break"},
		"CR at the end":     {"a: 1\r\nb: 2\r", "yaml-break"},
		"CR before LS":      {"a: 1\r\nb: \u2028\r", "yaml-break"},
		"question mark":     {"a: [?]", "yaml-syntax"},
		"BOM inside":        {"a: \ufeffb", "bom"},
		"garbage behind it": {"a: 1\n--- [", "yaml-syntax"},
	} {
		_, err := identity.ParseYAML([]byte(c.data))
		if isMapping := strings.HasPrefix(c.data, "a:") || strings.HasPrefix(c.data, "!!str a:") || strings.HasPrefix(c.data, "&a a:"); isMapping && !strings.Contains(c.data, "---") {
			_, err = identity.ParseYAML([]byte(strings.Replace(yamlMinimal, "parameters: {}\n", "", 1) + "parameters:\n  " + c.data)) // what is wrong with a declaration
		}
		var invalid *identity.InvalidError
		if !errors.As(err, &invalid) || invalid.Problems[0].Code != c.code {
			t.Errorf("%s: got %.200v, want %s", name, err, c.code)
		}
	}
}

func TestYAMLCoreSchema(t *testing.T) {
	for literal, want := range map[string]string{
		"yes": `"yes"`, "no": `"no"`, "on": `"on"`, "off": `"off"`, "y": `"y"`,
		"true": "true", "True": "true", "TRUE": "true", "tRUE": `"tRUE"`, "False": "false",
		"0o7": "7", "0O7": `"0O7"`, "0o8": `"0o8"`, "0x1F": "31", "0x1f": "31", "-0x1": `"-0x1"`,
		"007": "7", "+1": "1", "-1": "-1", "-0": "0", "1_000": `"1_000"`, "0b1": `"0b1"`,
		".5": "0.5", "5.": "5", "+.5": "0.5", "-.5e1": "-5", "1e3": "1000", "1E+3": "1000", "1e": `"1e"`, ".": `"."`, "1.2.3": `"1.2.3"`,
		"2020-01-01": `"2020-01-01"`, "12:30:45": `"12:30:45"`, "190:20:30": `"190:20:30"`,
		"'1'": `"1"`, `"1"`: `"1"`, `"null"`: `"null"`, "nULL": `"nULL"`, "=": `"="`,
	} {
		doc := strings.Replace(yamlMinimal, "parameters: {}", "parameters:\n  x: "+literal, 1)
		d, err := identity.ParseYAML([]byte(doc))
		if err != nil {
			t.Errorf("%s: %v", literal, err)
			continue
		}
		if want := `"parameters":{"x":` + want + `}`; !strings.Contains(string(d.Canonical()), want) {
			t.Errorf("%s gives %s, want %s", literal, d.Canonical(), want)
		}
	}
}

const yamlMinimal = `schema: https://github.com/runattest/runattest/declaration/v1
kind: inference
model: {name: m}
prompt: {}
parameters: {}
context: []
constraints: {}
`

// TestProblemsAreAllListed wants every error at once, each with its place.
func TestProblemsAreAllListed(t *testing.T) {
	_, err := identity.Parse([]byte("{\n  \"kind\": \"x\",\n  \"model\": {\"name\": \"\"},\n  \"Prompt\": {}\n}"))
	var invalid *identity.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range invalid.Problems {
		got[p.Pointer] = fmt.Sprintf("%s %d:%d", p.Code, p.Line, p.Column)
	}
	for pointer, want := range map[string]string{
		"/schema": "required 1:1", "/prompt": "required 1:1", "/kind": "value 2:11", "/model/name": "value 3:21", "/Prompt": "unknown 4:13",
	} {
		if got[pointer] != want {
			t.Errorf("%s: %q, want %q", pointer, got[pointer], want)
		}
	}
}

// TestHostilePointer keeps a member's name from writing to a terminal through an error.
func TestHostilePointer(t *testing.T) {
	_, err := identity.Parse(with(`"\u001b[2J\u202e":1`))
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e") {
		t.Errorf("got %q", err)
	}
}

// TestLongPointers: a report of many problems below one long name does not repeat it without end.
func TestLongPointers(t *testing.T) {
	name := strings.Repeat("a", limits.ProblemPointers)
	for _, element := range []string{"null", `"\u202e"`} {
		elements := strings.TrimSuffix(strings.Repeat(element+",", 50_000), ",")
		text := `{"schema":"` + identity.Schema + `","kind":"other","model":{"name":"m","version":"1"},"prompt":{},"parameters":{"` +
			name + `":[` + elements + `]},"context":[],"constraints":{}}`
		if problems := identity.Lint([]byte(text)); len(problems) != 1 || problems[0].Pointer != "/parameters/"+name+"/0" {
			t.Errorf("%s: %d problems", element, len(problems))
		}
	}
	start := time.Now() // a name is not looked at once for each element below it
	identity.Lint([]byte(`{"kind":"other","` + name + `":["` + strings.Repeat(`a","`, 50_000) + `a"]}`))
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
	text := strings.Replace(yamlMinimal, "parameters: {}", "parameters:\n  ? "+name+"\n  :\n"+strings.Repeat("  - &anchor x\n", 1_000), 1)
	if _, err := identity.ParseYAML([]byte(text)); !strings.Contains(err.Error(), "YAML anchors are refused") || strings.Contains(err.Error(), "more)") {
		t.Errorf("anchors: got %.200s", err)
	}
}
