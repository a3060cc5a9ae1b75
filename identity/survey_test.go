package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

func codes(problems []identity.Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, fmt.Sprintf("%d %s %s", p.Line, p.Code, p.Pointer))
	}
	return all
}

// TestOneRound: lint lists everything that is wrong with a text, and what is doubtful, in the order of its lines.
func TestOneRound(t *testing.T) {
	json := `{
  "schema": "https://github.com/runattest/runattest/declaration/v1",
  "prompt": {"text": "a\u202eb"},
  "parameters": {"seed": 9007199254740993,
    "topP": NaN, // as it is
    "temperature": 0.10000000000000001, "stop": null,
    "maxTokens": 1e999},
  "model": {"name": "m", "version": "latest", },
  "kind": "inference", "kind": "other",
  "Context": [], "context": []
} trailing`
	want := []string{
		"1 required /constraints", "3 bidi /prompt/text", "4 inexact /parameters/seed", "5 syntax /parameters/topP", "5 syntax /parameters",
		"6 inexact /parameters/temperature", "6 null /parameters/stop", "7 range /parameters/maxTokens", "8 volatile /model/version", "8 syntax /model",
		"9 duplicate /kind", "10 unknown /Context", "11 trailing ",
	}
	if got := codes(identity.Lint([]byte(json))); !slices.Equal(got, want) {
		t.Errorf("JSON:\n got %q\nwant %q", got, want)
	}
	yaml := `schema: https://github.com/runattest/runattest/declaration/v1
prompt: {text: "a\u202eb"}
parameters:
  seed: 9007199254740993
  temperature: 0.10000000000000001
  stop:
  topP: .nan
  topK: &k 1
  logprobs: off
  1: x
model: {name: m, version: latest}
kind: inference
Context: []
context: !tag []
`
	want = []string{
		"1 required /constraints", "2 bidi /prompt/text", "4 open-default /parameters", "4 inexact /parameters/seed", "5 inexact /parameters/temperature", "6 null /parameters/stop",
		"7 range /parameters/topP", "8 yaml-anchor /parameters/topK", "9 yaml-version /parameters/logprobs", "10 yaml-key /parameters",
		"11 volatile /model/version", "13 unknown /Context", "14 yaml-tag /context",
	}
	if got := codes(identity.LintYAML([]byte(yaml))); !slices.Equal(got, want) {
		t.Errorf("YAML:\n got %q\nwant %q", got, want)
	}
}

// TestForeign: a file of another kind has one problem, which says what it is.
func TestForeign(t *testing.T) {
	const schema = `"schema": "https://github.com/runattest/runattest/declaration/v1"`
	for text, want := range map[string]string{
		`{"model": "gpt-4o", "messages": [{"role": "user", "content": null}], "temperature": 0.10000000000000001}`:       "a request to a model API (model, messages)",
		`{"model": "claude", "max_tokens": 1, "system": "x", "messages": []}`:                                            "a request to a model API (model, messages)",
		`{"contents": [], "generationConfig": {}}`:                                                                       "a request to a model API",
		`{"name": "x", "version": "1.0.0", "dependencies": {}}`:                                                          "a package.json",
		`{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}, "dsseEnvelope": {}}`: "a Sigstore bundle",
		`{"payloadType": "x", "payload": "", "signatures": []}`:                                                          "a DSSE envelope",
		`{"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x", "predicate": {}}`:             "an in-toto statement",
		`{"schema": "https://github.com/runattest/runattest/policy/v1", "signers": {}, "rules": []}`:                     "a policy",
		`{"schemaVersion": 2, "mediaType": "x", "config": {}, "layers": []}`:                                             "an OCI image manifest",
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {}}`:                                                            "a Kubernetes object",
		`{"hello": 1, "world": [null]}`:                                                                                  "another kind of file, with the members hello, world",
		`{}`:                                                                                                             "an empty object",
		`{"schema": "https://github.com/runattest/runattest/declaration/v2", "kind": "other", "novel": 1}`:               "it is one of version v2, want v1",
		`{"schema": "https://example.com/other", "a": 1}`:                                                                "another kind of file",
	} {
		problems := identity.Lint([]byte(text))
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Message, "not a declaration: ") || !strings.Contains(problems[0].Message, want) ||
			!strings.Contains(problems[0].Hint, schema) || problems[0].Line != 1 {
			t.Errorf("%s: got %+v", text, problems)
		}
		if _, err := identity.Parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "not a declaration: ") {
			t.Errorf("%s: %v", text, err)
		}
		if problems := identity.LintYAML([]byte(text)); len(problems) != 1 || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s as YAML: got %+v", text, problems)
		}
	}
	axolotl := "base_model: NousResearch/Llama-3.2-1B\ndatasets:\n  - &d {path: x}\n  - *d\nwandb_project:\nlearning_rate: 2e-4\nbf16: auto\n"
	if problems := identity.LintYAML([]byte(axolotl)); len(problems) != 1 || !strings.Contains(problems[0].Message, "looks like an axolotl configuration (base_model, datasets)") {
		t.Errorf("axolotl: %+v", problems)
	}
	for _, text := range []string{ // meant as declarations
		`{` + schema + `}`, `{"kind": "inference", "modle": {}}`, `{"kind": "x", "model": {"name": "m"}}`, `{"schema": "runattest/declaration/v1"}`,
		`{"model": "m", "prompt": {}, "parameters": {}}`, `{"messages": [], ` + schema + `}`,
	} {
		if problems := identity.Lint([]byte(text)); len(problems) < 2 {
			t.Errorf("%s: got %+v", text, problems)
		}
	}
}

// TestSayWhatToDo: what people and other programs write, and what to do about it.
func TestSayWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"kind: other\nmodel: {name: m}\n": "not valid JSON: this is YAML (syntax); give the file a name that ends in .yaml",
		"# declared\nkind: other\n":       "not valid JSON: this is YAML (syntax); give the file a name that ends in .yaml",
		"\xef\xbb\xbf" + minimal:          "begins with a byte order mark (bom); save the file as UTF-8 without a BOM",
		"\xff\xfe{\x00}\x00":              "text in UTF-16 (syntax); convert it: iconv -f UTF-16 -t UTF-8 FILE",
		string(with(`"x":None`)):          "not valid JSON: None (syntax); leave the member out: null is refused, too",
		strings.Replace(minimal, `"parameters":{}`, `"parameters":{"x":[Infinity]}`, 1):           `/parameters/x/0: not valid JSON: Infinity is not a number in JSON (syntax); write "Infinity"`,
		strings.Replace(minimal, `"parameters":{}`, `"parameters":{"lr":0.10000000000000001}`, 1): "(inexact); write 0.1, which is",
		strings.Replace(minimal, `"m"`, `'m'`, 1):                                                 "not valid JSON: text in single quotes (syntax); write it in double quotes",
		minimal + minimal: "something follows the declaration (trailing); one declaration a file",
	} {
		_, err := identity.Parse([]byte(text))
		invalid, ok := err.(*identity.InvalidError)
		if !ok || !strings.Contains(invalid.Problems[0].String()+"; "+invalid.Hint(), want) {
			t.Errorf("%.60q: got %v, %q\nwant %s", text, err, invalid.Hint(), want)
		}
	}
	for text, want := range map[string]string{
		"include: *.py":              "YAML aliases are refused (yaml-alias); write the value out; text that begins with * is quoted",
		"a: &b c":                    "YAML anchors are refused (yaml-anchor); write the value out where it is used; text that begins with & is quoted",
		"a: !x":                      "YAML tags are refused (yaml-tag); quote a value to make it a string; text that begins with ! is quoted",
		"a: @b":                      "(yaml-syntax); quote text that begins with @",
		"a: `b`":                     "(yaml-syntax); quote text that begins with @",
		"a: \"b":                     "(yaml-syntax); is the file complete?",
		"a: \"\\q\"":                 "(yaml-syntax); write \\\\ for a backslash",
		"a:\n  b: c\n d: e":          "(yaml-syntax); check how far",
		"a: b: c":                    `(yaml-syntax); quote text that has ": " in it`,
		"a:\n\t- b":                  "(yaml-syntax); quote text that begins with @, ` or %; indent with blanks and no tabs",
		strings.Repeat("#", 2<<20+1): "want at most 2097152 (size); write it as JSON, which may have 16777216 bytes",
		"parameters: {lr: 0.10000000000000001, s: 1}": "(inexact); write 0.1, which is",
	} {
		_, err := identity.ParseYAML([]byte("kind: other\n" + text))
		invalid, ok := err.(*identity.InvalidError)
		if !ok || !slices.ContainsFunc(invalid.Problems, func(p identity.Problem) bool { return strings.Contains(p.String()+"; "+p.Hint, want) }) {
			t.Errorf("%.60q: got %v, %+v\nwant %s", text, err, invalid, want)
		}
	}
}

// TestJSONAsYAML: JSON is YAML, with the escapes that JSON has.
func TestJSONAsYAML(t *testing.T) {
	text := strings.Replace(minimal, `"prompt":{}`, `"prompt":{"text":"\ud83d\ude00\/`+"\u007f"+`"}`, 1)
	d, err := identity.ParseYAML([]byte("\n" + text + "\n"))
	if err != nil || d.ID() != mustParse(t, []byte(text)).ID() {
		t.Errorf("got %v", err)
	}
	for _, p := range identity.LintYAML([]byte(text)) {
		if p.Severity == identity.Error {
			t.Error(p)
		}
	}
	if _, err := identity.ParseYAML([]byte(strings.Replace(text, "ude00", "ude00\u2028", 1))); err == nil {
		t.Error("a line separator, which ends a line for some readers of YAML, is accepted")
	}
	if _, err := identity.ParseYAML([]byte(strings.Replace(text, `\ude00`, ``, 1))); err == nil {
		t.Error("half a surrogate pair is accepted")
	}
}
