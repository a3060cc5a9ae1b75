package identity_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
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
		`{"name": "x", "channels": ["a"], "dependencies": ["python"]}`:                                                   "a conda environment",
		`{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {}, "dsseEnvelope": {}}`: "a Sigstore bundle",
		`{"payloadType": "x", "payload": "", "signatures": []}`:                                                          "a DSSE envelope",
		`{"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x", "predicate": {}}`:             "an in-toto statement",
		`{"schema": "https://github.com/runattest/runattest/policy/v1", "signers": {}, "rules": []}`:                     "a policy",
		`{"schema": "https://github.com/runattest/runattest/policy-cases/v1", "cases": []}`:                              "it looks like cases of a policy",
		`{"schema": "https://github.com/runattest/runattest/gateway/v1", "upstreams": []}`:                               "it looks like a gateway configuration",
		`{"schema": "https://github.com/runattest/runattest/run-set/v1", "runs": 2}`:                                     "it looks like a run set",
		`{"policy": "p.yaml", "cases": []}`:                                                                              "it looks like cases of a policy",
		`{"schemaVersion": 2, "mediaType": "x", "config": {}, "layers": []}`:                                             "an OCI image manifest",
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {}}`:                                                            "a Kubernetes object",
		`{"hello": 1, "world": [null]}`:                                                                                  "another kind of file, with the members hello, world",
		`{}`:                                                                                                             "an empty object",
		`{"schema": "https://github.com/runattest/runattest/declaration/v2", "kind": "other", "novel": 1}`:               "it is one of version v2, want v1",
		`{"schema": "https://example.com/other", "a": 1}`:                                                                "another kind of file",
	} {
		problems := identity.Lint([]byte(text))
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Message, "not a declaration: ") || !strings.Contains(problems[0].Message, want) ||
			!strings.Contains(problems[0].Hint, schema) || problems[0].Line != 1 || !problems[0].IsForeign() {
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

		utf(16, true, "\ufeff"+minimal): "text in UTF-16 (syntax); convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW", utf(16, false, minimal): "text in UTF-16 (syntax); convert it: iconv -f UTF-16LE -t",
		utf(16, true, minimal): "convert it: iconv -f UTF-16BE -t", utf(32, false, "\ufeff"+minimal): "text in UTF-32 (syntax); convert it: iconv -f UTF-32 -t",
		utf(32, true, "\ufeff"+minimal): "convert it: iconv -f UTF-32 -t", utf(32, false, minimal): "text in UTF-32 (syntax); convert it: iconv -f UTF-32LE -t", utf(32, true, minimal): "iconv -f UTF-32BE -t",
		"\x00": "not text: NUL bytes alone (syntax); what was in it is lost", "\x00\x00\x00\x00\x00": "not text: NUL bytes alone", " \n\x00\n": "not text: NUL bytes alone",
		"\x1f\x8b\x08\x00abc": "not text: a gzip file (syntax); unpack it: gzip -dc < FILE > NEW", "PK\x03\x04abc": "a ZIP file", "\x28\xb5\x2f\xfdabc": "a Zstandard file", "\x89PNG\r\n\x1a\n": "a PNG image (syntax); a declaration names such a file by its digest",
		"GGUF\x03\x00\x00\x00": "a GGUF model", "@\x00\x00\x00\x00\x00\x00\x00{}": "not text: a file with NUL bytes in it", minimal + "\x00": `NUL bytes follow the text (trailing); remove them: tr -d '\000' < FILE > NEW`, minimal + "\n\x00\x00": "NUL bytes follow",
		minimal + ";": "';' follows the value (trailing); remove it", minimal + ",\n": "',' follows the value (trailing); remove it", minimal + "}": "'}' follows the value", minimal + "\ufeff": "U+FEFF follows the value (trailing); remove it", minimal + "\u00a0": "U+00A0 follows",
		minimal + ",\n" + minimal: "a comma between two values (trailing); one value a file; several go in a .jsonl file, one a line, with no commas", minimal + "\n" + minimal + "\n": "something follows the declaration (trailing); one declaration a file; several go in a .jsonl file",
		"[" + minimal + "," + minimal + "]": "it is a list of objects, want one object (type); write the declarations as JSON in a .jsonl file", strconv.Quote(minimal): "it is a string that holds an object, want the object (type); take the object out",
		"```json\n" + minimal + "\n```\n": "a Markdown fence (syntax); remove the lines that begin with ```", "Here it is:\n\n~~~\n" + minimal + "\n~~~\n": "a Markdown fence (syntax); remove the lines that begin with ~~~", minimal + "\n```\n": "a Markdown fence (trailing)",
		"const x = " + minimal + ";": "text before the value (syntax); remove what stands before {", "(" + minimal + ")": "remove what stands before {", ")]}',\n" + minimal: "remove what stands before {", "b'" + minimal + "'": "remove what stands before {",
		"schema = \"x\"\nkind = \"other\"\n": "this looks like TOML, or a file of variables (syntax); write it as JSON or YAML", "<!DOCTYPE html>": "a web page (syntax); download the file itself", "<<<<<<< HEAD\n" + minimal: "a conflict that a merge left (syntax); resolve it", "eyJzY2hlbWEi": "text that is not a value (syntax); a JSON text is",
		strings.Replace(minimal, `"m"`, "\"caf\xe9\"", 1):       "invalid UTF-8, byte 0xE9 (utf8); save the file as UTF-8; if it is in Windows-1252: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW",
		strings.Replace(minimal, `"kind"`, "\ufeff\"kind\"", 1): "U+FEFF between two values, which is not white space in JSON (syntax); write a blank, or nothing",
		strings.Replace(minimal, `"m"`, "\"a\n```\n\"", 1):      `a raw control character, U+000A (syntax); write \n in a string`,
	} {
		_, err := identity.Parse([]byte(text))
		invalid, ok := err.(*identity.InvalidError)
		if !ok || !strings.Contains(invalid.Problems[0].String()+"; "+invalid.Hint(), want) {
			t.Errorf("%.60q: got %v, %q\nwant %s", text, err, invalid.Hint(), want)
		}
	}
	for text, want := range map[string]string{
		"a: \"\\uD83D\\uDE00\"": `(yaml-syntax); write the character itself, or its code in eight digits, "\U0001F600": YAML has no pairs of surrogates`,
		"a: | x\n  y":           "(yaml-syntax); text after | or > begins on the next line", "a: > x": "text after | or > begins", "```": "a Markdown fence (yaml-syntax); remove the lines that begin with ```", "a: b\n```\n": "a Markdown fence",
		"a: b\x00": "NUL bytes follow the text (utf8); remove them", "{}": "(yaml-syntax)", "a: caf\xe9": "line 2, column 7: invalid UTF-8, byte 0xE9 (utf8); save the file as UTF-8; if it is in Windows-1252", "a:\rb": "a carriage return without a line feed, which ends a line for some YAML readers and not for others (yaml-break); remove it; in text, write",
		"\ufeffa: b": "(bom); remove it; in text, write it as an escape", "---\n": "several YAML documents (yaml-documents); one declaration a file; remove a line --- behind it", "a：b": "(yaml-syntax); a key has a colon and a blank behind it",
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

// TestForms: whole files of another form, which begin so, or end so, as YAML.
func TestForms(t *testing.T) {
	for text, want := range map[string]string{
		utf(16, true, "\ufeff"+yamlMinimal): "text in UTF-16 (utf8); convert it: iconv -f UTF-16 -t", utf(32, false, yamlMinimal): "text in UTF-32 (utf8); convert it: iconv -f UTF-32LE -t", "\x1f\x8b\x08\x00abc": "a gzip file (utf8); unpack it",
		"```yaml\n" + yamlMinimal + "```\n": "a Markdown fence (yaml-syntax); remove the lines", "<<<<<<< HEAD\n" + yamlMinimal: "a conflict that a merge left (yaml-syntax)", minimal + ",": "(yaml-syntax); remove what follows the value", minimal + "\n" + minimal: "(yaml-syntax); remove what follows the value; several values go in a .jsonl file",
		strings.ReplaceAll(yamlMinimal, "\n", "\r"): `lines end with a carriage return alone, which some YAML readers do not take for an end (yaml-break); convert it: tr '\r' '\n' < FILE > NEW`,
	} {
		_, err := identity.ParseYAML([]byte(text))
		invalid, ok := err.(*identity.InvalidError)
		if !ok || !strings.Contains(invalid.Problems[0].String()+"; "+invalid.Hint(), want) {
			t.Errorf("%.60q: got %v\nwant %s", text, err, want)
		}
	}
}

// utf is text in UTF-16 or UTF-32.
func utf(bits int, bigEndian bool, text string) string {
	var order binary.AppendByteOrder = binary.LittleEndian
	if bigEndian {
		order = binary.BigEndian
	}
	var b []byte
	for _, r := range text {
		if bits == 16 {
			b = order.AppendUint16(b, uint16(r))
		} else {
			b = order.AppendUint32(b, uint32(r))
		}
	}
	return string(b)
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

// TestTwicePlaces: in JSON and in YAML, what is wrong with the first of two members of one name has the first one's place, and
// that they are two the second one's.
func TestTwicePlaces(t *testing.T) {
	json := `{"schema": "https://github.com/runattest/runattest/declaration/v1",
"kind": "other",
"model": {"name": ""},
"model": {"name": "m"},
"parameters": {"a": {"b": 1.0000000000000001},
  "b": null,
  "a": {"b": 2},
  "c": 1e999,
  "a": 3},
"prompt": {}, "context": [], "constraints": {}}`
	want := []string{
		"3 value /model/name", "4 duplicate /model", "5 inexact /parameters/a/b", "6 null /parameters/b", "7 duplicate /parameters/a",
		"8 range /parameters/c", "9 duplicate /parameters/a",
	}
	if got := errorCodes(identity.Lint([]byte(json))); !slices.Equal(got, want) {
		t.Errorf("JSON:\n got %q\nwant %q", got, want)
	}
	yaml := "# a line, for it to be no JSON\n" + strings.Replace(json, "{", "{ # and another\n", 1)
	for i := range want {
		line, rest, _ := strings.Cut(want[i], " ")
		n, _ := strconv.Atoi(line)
		want[i] = fmt.Sprintf("%d %s", n+2, rest)
	}
	if got := errorCodes(identity.LintYAML([]byte(yaml))); !slices.Equal(got, want) {
		t.Errorf("YAML:\n got %q\nwant %q", got, want)
	}
}

func errorCodes(problems []identity.Problem) []string {
	return codes(slices.DeleteFunc(problems, func(p identity.Problem) bool { return p.Severity != identity.Error }))
}

// TestNoURI: of a resource without a URI no warning says what its URI may do.
func TestNoURI(t *testing.T) {
	for resource, want := range map[string]int{`{"role": "tool", "name": "n"}`: 0, `{"role": "tool", "name": "n", "uri": "https://a.example/b"}`: 1} {
		got := 0
		for _, p := range identity.Lint([]byte(`{"schema": "https://github.com/runattest/runattest/declaration/v1", "context": [` + resource + `]}`)) {
			if strings.Contains(p.Message, "only a URI") {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d warnings, want %d", resource, got, want)
		}
	}
}
