package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/policy"
)

const head = "schema: https://github.com/runattest/runattest/gateway/v1\n"

// configs are configurations, and what is wrong with each; "" is nothing. Those with a ! are invalid beyond what the schema says.
var configs = map[string]string{
	head + "upstreams: [{url: 'https://api.openai.com'}]":                             "",
	`{"schema": "` + Schema + `", "upstreams": [{"url": "http://127.0.0.1:8000/x"}]}`: "",
	head + "upstreams: [{url: 'https://a.example', prefix: /a, provider: vllm, identity: true}, {url: 'https://b.example', prefix: /b}]\n" +
		"hosts: ['gw:1']\nparents: none\nheaders: closed\ncontent: embed\nlogDenied: true\nwindow: 1.5s\nwindowMax: 500\nlimits: {body: 10, decoded: 20, memory: 30, connections: 1}": "",

	"upstreams: [{url: 'https://api.openai.com'}]":            "schema is missing",
	"schema: x\nupstreams: [{url: 'https://api.openai.com'}]": `schema: "x"`,
	head:                                                                                "upstreams: 0",
	head + "upstreams: []":                                                              "upstreams: 0",
	head + "upstreams: {}":                                                              "line 2: upstreams: is of type object",
	head + "upstreams: [{}]":                                                            "upstreams/0/url",
	head + "upstreams: [{url: x}]":                                                      "upstreams/0/url",
	head + "upstreams: [{url: 'ftp://a'}]":                                              "upstreams/0/url",
	head + "upstreams: [{url: 'https://a', x: 1}]":                                      "upstreams/0/x: is not a member",
	head + "Upstreams: [{url: 'https://a'}]":                                            "Upstreams: is not a member",
	head + "upstreams: [{url: 'https://a'}]\nx: 1":                                      "line 3: x: is not a member",
	head + "upstreams: [{url: 'https://a'}]\nlisten: 1":                                 "listen: is of type number",
	head + "upstreams: [{url: 'https://a'}]\nparents: all":                              "parents",
	head + "upstreams: [{url: 'https://a'}]\nheaders: x":                                "headers",
	head + "upstreams: [{url: 'https://a'}]\ncontent: seal":                             "content",
	head + "upstreams: [{url: 'https://a'}]\nlimits: {body: 1.5}":                       "want a whole number",
	head + "upstreams: [{url: 'https://a'}]\nlimits: {body: -1}":                        "want a whole number",
	head + "upstreams: [{url: 'https://a'}]\nlimits: {decoded: 67108865}":               "limits/decoded",
	head + "upstreams: [{url: 'https://a'}]\nlogDenied: 'true'":                         "logDenied: is of type string",
	head + "upstreams: [{url: 'https://a'}]\nclients: [{name: ''}]":                     "clients/0",
	head + "upstreams: [{url: 'https://a'}]\nclients: [{name: a, tokenSHA256: x}]":      "tokenSHA256",
	head + "upstreams: [{url: 'https://a'}]\nhosts: ['']":                               "hosts/0",
	head + "upstreams: [{url: 'https://a'}]\nlisten: null":                              "line 3: listen: null is refused",
	head + "upstreams: [{url: 'https://a'}]\nwindow:":                                   "window: null is refused, which a name without a value is in YAML; leave it out",
	head + "upstreams: [{url: 'https://a'}]\nheaders: ''":                               "line 3: headers: is empty",
	head + "upstreams: [{url: 'https://a'}]\nwitness: ''":                               "line 3: witness: is empty",
	head + "upstreams: [{url: 'https://a', provider: ''}]":                              "provider: is empty",
	head + "upstreams: [{url: 'https://a'}]\npolicy: ''":                                "policy: is empty",
	head + "upstreams: [{url: 'https://a'}]\nlisten: :8787":                             "",
	head + "!upstreams: [{url: 'https://a'}]\nlimits: {body: 0777777}":                  "line 3: limits/body: 0777777 is the number 777777 here",
	head + "!upstreams: [{url: 'https://a', provider: off}]":                            "line 2: upstreams/0/provider: off is text here, as in YAML 1.2, and a boolean for other readers; quote it: \"off\"",
	head + "!upstreams: [{url: 'https://a', provider: 2026-01-01}]":                     "and a date for other readers",
	head + "upstreams: [{url: 'https://a'}]\nwindow: 1":                                 "window: is of type number",
	head + "upstreams: [{url: 'https://a'}]\nwindowMax: 100001":                         "windowMax: 100001",
	head + "!upstreams: [{url: 'https://a'}]\nwindow: 1 s":                              "window: \"1 s\"",
	head + "!upstreams: [{url: 'https://a'}]\nwindow: 0s":                               "window: \"0s\"",
	head + "!upstreams: [{url: 'https://a'}]\nwindow: -1s":                              "window: \"-1s\"",
	head + "!upstreams: [{url: 'https://a'}]\nwindow: 24.9ms":                           "window: \"24.9ms\", want a duration from 25ms to 1m0s, such as 1s",
	head + "!upstreams: [{url: 'https://a'}]\nwindow: 61s":                              "window: \"61s\", want a duration from 25ms to 1m0s, such as 1s",
	head + "!upstreams: [{url: 'https://a'}]\nwindow: 1000h":                            "window: \"1000h\"",
	head + "upstreams: [{url: 'https://a'}]\nwindow: 25ms":                              "",
	head + "upstreams: [{url: 'https://a'}]\nwindow: 1m":                                "",
	head + "upstreams: [{url: 'https://a', responseHeaderTimeout: 10m}]":                "",
	head + "upstreams: [{url: 'https://a', responseHeaderTimeout: 10}]":                 "upstreams/0/responseHeaderTimeout: is of type number",
	head + "!upstreams: [{url: 'https://a', responseHeaderTimeout: 25h}]":               "responseHeaderTimeout: \"25h\", want a duration from 1s to 24h0m0s, such as 10m",
	head + "!upstreams: [{url: 'https://a', responseHeaderTimeout: 999ms}]":             "responseHeaderTimeout: \"999ms\", want a duration from 1s",
	head + "!upstreams: [{url: 'https://a', responseHeaderTimeout: never}]":             "responseHeaderTimeout: \"never\"",
	head + "upstreams: [{url: 'https://a'}]\njournal: j\nwitness: w":                    "",
	head + "!upstreams: [{url: 'https://a'}]\njournal: j\nwitness: ./j":                 "witness: ./j is in the journal j",
	head + "!upstreams: [{url: 'https://a'}]\njournal: j\nwitness: j/w":                 "witness: j/w is in the journal j",
	head + "!upstreams: [{url: 'https://a/v1'}]":                                        "ends in /v1",
	head + "!upstreams: [{url: 'https://a/v1/'}]":                                       "url",
	head + "!upstreams: [{url: 'https://u:p@a'}]":                                       "url",
	head + "!upstreams: [{url: 'https://a?x'}]":                                         "url",
	head + "!upstreams: [{url: 'https://a/../b'}]":                                      "url",
	head + "!upstreams: [{url: 'https://a', prefix: x}]":                                "prefix",
	head + "!upstreams: [{url: 'https://a', prefix: /x/}]":                              "prefix",
	head + "!upstreams: [{url: 'https://a', prefix: '/%78'}]":                           "prefix",
	head + "!upstreams: [{url: 'https://a'}, {url: 'https://b'}]":                       "is there twice",
	head + "!upstreams: [{url: 'https://a'}]\nlimits: {body: 100, memory: 10}":          "limits/memory",
	head + "!upstreams: [{url: 'https://a'}]\nclients: [{name: a}]":                     "want tokenSHA256 or certificate",
	head + "!upstreams: [{url: 'https://a'}]\nclients: [{name: local, certificate: x}]": "clients/0: name",
	head + "!upstreams: [{url: 'https://a'}]\nclients: []":                              "clients: names no client",
	head + "!upstreams: [{url: 'https://a/v1/chat/completions'}]":                       "url: ends in /chat/completions",
	head + "!upstreams: [{url: 'https://a', provider: 'azure:Res'}]":                    `provider: "azure:Res", want azure: and the name`,
	head + "!upstreams: [{url: 'https://a', provider: 'azure:'}]":                       `provider: "azure:", want azure: and the name`,
	head + "!upstreams: [{url: 'https://a'}]\nclients: [{name: a, certificate: x}]":     "needs tls/clientCA",
	head + "!upstreams: [{url: 'https://a'}]\nclients: [{name: a, tokenSHA256: '" + strings.Repeat("ab", 32) + "'}, {name: b, tokenSHA256: '" + strings.Repeat("AB", 32) + "'}]": "clients/1: tokenSHA256: another",
	head + "!upstreams: [{url: 'https://a'}]\ntls: {certificate: c, key: k, clientCA: a}\nclients: [{name: a, certificate: x}, {name: b, certificate: x}]":                       "clients/1: certificate: another",
	head + "!upstreams: [{url: 'https://a'}]\ntls: {certificate: c, key: k, clientCA: a}\nclients: [{name: a, certificate: ' '}]":                                                "clients/0: certificate: is blank",
	head + "!upstreams: [{url: 'https://a'}]\ntls: {certificate: c, key: k, clientCA: a}":                                                                                        "tls/clientCA: no client has a certificate",
	head + "!upstreams: [{url: 'https://a'}]\ntls: {certificate: c, key: k, clientCA: a}\nclients: [{name: a, tokenSHA256: '" + strings.Repeat("ab", 32) + "'}]":                 "tls/clientCA: no client has a certificate",
	head + "!upstreams: [{url: 'https://a'}]\ntls: {certificate: x}":                                                                                                             "tls",
	head + "!upstreams: [{url: 'https://a'}]\npolicy: p\ninsecureForwardUndeclared: true":                                                                                        "insecureForwardUndeclared",
	head + "!upstreams: [{url: 'https://a'}]\nhosts: ['*.example']":                                                                                                              "hosts/0",
}

// TestConfig: a configuration is closed, and its schema says the same as ParseConfig.
func TestConfig(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource(Schema, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(Schema)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range configs {
		beyond := strings.Contains(text, "!")
		text = strings.Replace(text, "!", "", 1)
		_, err := ParseConfig([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\n\tis %v, want %q", text, err, want)
		}
		yaml, problems := yamljson.Read([]byte(text), "configuration", configYAML)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(yaml.JSON))
		if err != nil {
			t.Fatal(err)
		}
		if valid := schema.Validate(value) == nil; valid != (want == "" || beyond) {
			t.Errorf("%s\n\tis valid for the schema: %v", text, valid)
		}
	}
	var v struct {
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(JSONSchema(), &v); err != nil {
		t.Fatal(err)
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		if name := f.Tag.Get("json"); v.Properties[name] == nil {
			t.Errorf("the schema has no %s", name)
		}
	}
	for _, twice := range []string{head + "upstreams: [{url: 'https://a'}]\nlisten: a\nlisten: b", head + "a: &x 1", "\x00", ""} {
		if _, err := ParseConfig([]byte(twice)); err == nil {
			t.Errorf("%q was taken", twice)
		}
	}
}

// TestAllFaults: a configuration's error has all that is wrong, by line, and nothing twice.
func TestAllFaults(t *testing.T) {
	_, err := ParseConfig([]byte(head + "logDenied: no\nwindow: 2h\nlimits: {body: 1_000}\nfoo: 1\nhosts:\nupstreams:\n  - {url: x, prefix: 7}\n  - {url: 'https://b'}\n" +
		"clients: [{name: a}, {name: b, tokenSHA256: x}]\n"))
	if err == nil {
		t.Fatal("taken")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	var got []string
	for line := range strings.SplitSeq(strings.ReplaceAll(err.Error(), "; line ", "\nline "), "\n") {
		got = append(got, strings.Join(strings.SplitN(strings.TrimSpace(line), ": ", 3)[:2], ": "))
	}
	want := "line 2: logDenied, line 3: window, line 4: limits/body, line 5: foo, line 6: hosts, line 8: upstreams/0/prefix, line 8: upstreams/0/url, line 10: clients/0, line 10: clients/1"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("%s\nwant %s\n%v", text, want, err)
	}
	for text, want := range map[string]string{
		"\n\ufeff" + head:          `line 2: in column 1: a byte order mark inside the text, which some YAML readers skip; remove it; in text, write it as an escape in double quotes: "\ufeff"`,
		head + "a:\n\u00a0 b: 1\n": "line 3: in column 1: U+00A0 looks like a blank, and is text for YAML; write a blank, U+0020, in its place; text that is meant to have it is put in quotes",
		"\ufeff" + head:            "line 1: begins with a byte order mark; save the file as UTF-8 without a BOM",
		"\xff\xfes\x00c\x00":       "text in UTF-16; convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestNames: names that are not what people read in them are refused.
func TestNames(t *testing.T) {
	token := strings.Repeat("0a", 32)
	for text, want := range map[string]string{
		`clients: [{name: "ada ", tokenSHA256: TOKEN}]`:                                           "clients/0: name: a blank at the end is easily overlooked",
		`clients: [{name: "a\u200bda", tokenSHA256: TOKEN}]`:                                      "clients/0: name: U+200B",
		`clients: [{name: "ad\u0430", tokenSHA256: TOKEN}]`:                                       "clients/0: name: ",
		`clients: [{name: ada, tokenSHA256: TOKEN}, {name: "\u0430d\u0430", tokenSHA256: OTHER}]`: "clients/1: name: ",
		`clients: [{name: bill, tokenSHA256: TOKEN}, {name: biIl, tokenSHA256: OTHER}]`:           `clients/1: name: "biIl" looks like "bill"`,
		`clients: [{name: ada, tokenSHA256: TOKEN}, {name: "a-da", tokenSHA256: OTHER}]`:          "",
		`clients: [{name: "\u30a2\u30c0", tokenSHA256: TOKEN}]`:                                   "",
		`clients: [{name: ada, certificate: "ada@acme.example "}]`:                                "clients/0: certificate: a blank at the end",
	} {
		text = head + "upstreams: [{url: 'https://a'}]\n" + strings.NewReplacer("TOKEN", token, "OTHER", strings.Repeat("0b", 32)).Replace(text) + "\n"
		if _, err := ParseConfig([]byte(text)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseConfig([]byte(head + `upstreams: [{url: 'https://a', provider: "open\u0430i"}]`)); err == nil || !strings.Contains(err.Error(), "provider: ") {
		t.Errorf("a provider: %v", err)
	}
}

// TestLoadConfig: paths in a file start from its folder, and references do not.
func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	text := head + "upstreams: [{url: 'https://a'}]\nkey: env://KEY\njournal: j\npolicy: /p.yaml\ntls: {certificate: c, key: k}"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(path)
	dir := filepath.Dir(path)
	if err != nil || c.Key != "env://KEY" || c.Journal != filepath.Join(dir, "j") || c.Policy != "/p.yaml" || c.TLS.Key != filepath.Join(dir, "k") {
		t.Errorf("%+v %v", c, err)
	}
}

// TestWitnessApart: a witness is not in the journal by another name: by an absolute path, a link, or a path from the folder of the
// configuration.
func TestWitnessApart(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, folder := range []string{"j", "conf", "conf/w"} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "j", "w": "j", "conf/into": "../j"} { // w is not conf/w
		if err := os.Symlink(to, link); err != nil {
			t.Skip(err)
		}
	}
	config := func(journal, witness string) []byte {
		return []byte(head + "upstreams: [{url: 'https://a'}]\njournal: " + journal + "\nwitness: " + witness)
	}
	for _, c := range []struct {
		journal, witness string
		apart            bool
	}{
		{"j", dir + "/j/w", false},
		{dir + "/j", "j", false},
		{"j", "link", false},
		{"j", "link/w/x", false},
		{"link", "j", false},
		{"none", dir + "/none/w", false},
		{"link/none", "j/none", false},
		{"j/none", "link", true},
		{"j", "jw", true},
		{dir + "/j", "conf", true},
	} {
		_, err := ParseConfig(config(c.journal, c.witness))
		if c.apart && err != nil || !c.apart && (err == nil || !strings.Contains(err.Error(), "is in the journal "+c.journal)) {
			t.Errorf("%s in %s: %v", c.witness, c.journal, err)
		}
	}
	path := filepath.Join("conf", "gateway.yaml")
	for witness, apart := range map[string]bool{"w": true, "into": false} {
		if err := os.WriteFile(path, config("../j", witness), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConfig(path); (err == nil) != apart {
			t.Errorf("%s of the configuration's folder: %v", witness, err)
		}
	}
}

// TestDocumented: the configuration in docs/gateway.md is valid.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(rest, "```")
	if _, err := ParseConfig([]byte(text)); err != nil || !found {
		t.Error(err)
	}
}

// TestPolicyNotGiven: a configuration that names a policy makes no gateway without it.
func TestPolicyNotGiven(t *testing.T) {
	c := Config{Upstreams: []Upstream{{URL: "https://api.openai.com"}}, Policy: "policy.yaml"}
	o := Options{Config: c, Signer: newKey(t), Journal: &memory{}}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "policy.yaml") {
		t.Errorf("without the policy: %v", err)
	}
	o.Policy = newPolicy(t, o.Signer, "true", "")
	if _, err := New(o); err != nil {
		t.Errorf("with the policy: %v", err)
	}
}

// TestOtherKind: a text of another kind is called that, and what is meant as a configuration keeps its faults.
func TestOtherKind(t *testing.T) {
	for text, want := range map[string]string{
		"-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n": "a private key",
		"schema: " + policy.Schema + "\nsigners: []\n":                   "a policy",
		"schema: " + policy.Schema + "\nupstreams: []\n":                 "",
		head:                   "",
		"listen: a\n":          "",
		"l\x00i\x00s\x00t\x00": "", // the error says how to convert it
		"-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("\n", limits.GatewayConfig): "", // too large, and that alone
	} {
		_, err := ParseConfig([]byte(text))
		other, _ := errors.AsType[*NotConfigError](err)
		if got := zero.IfNil(other); err == nil || got.Kind != want || want != "" && got.Err == nil {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

// TestForeign: a text with the members of another program's files is called what it looks like, and has no list of faults.
func TestForeign(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: v1\nkind: Pod\nmetadata: {}\n": "not a gateway configuration: it looks like a Kubernetes object (apiVersion, kind)",
		`{"model": "gpt-4o", "messages": []}`:       "not a gateway configuration: it looks like a request to a model API (model, messages)",
		"listen: a\n":                               "not a gateway configuration: it looks like another kind of file, with the members listen",
	} {
		_, err := ParseConfig([]byte(text))
		if other, ok := errors.AsType[*NotConfigError](err); !ok || err.Error() != want || other.Err == nil {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"schema: runattest/gateway/v1\n", "upstreams: []\n"} {
		if _, err := ParseConfig([]byte(text)); err == nil || errors.As(err, new(*NotConfigError)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestInWindows: calls are signed together where that is asked for, or where a signature asks a service.
func TestInWindows(t *testing.T) {
	for _, c := range []struct {
		of         Config
		remote, in bool
		wrong      string
	}{
		{Config{}, false, false, ""},
		{Config{}, true, true, ""},
		{Config{Window: "25ms"}, false, true, ""},
		{Config{Window: "1s", WindowMax: 10}, false, true, ""},
		{Config{WindowMax: 10}, true, true, ""},
		{Config{WindowMax: 10}, false, false, "windowMax goes with window"},
		{Config{Window: "soon"}, true, false, "want a duration"},
		{Config{Window: "0s"}, false, false, "want a duration"},
	} {
		in, err := c.of.InWindows(c.remote)
		if in != c.in || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%+v, remote %v: %v, %v", c.of, c.remote, in, err)
		}
	}
}

// TestWindowNotGiven: a configuration that has a window makes no gateway that signs each call.
func TestWindowNotGiven(t *testing.T) {
	for _, c := range []Config{{Window: "1s"}, {WindowMax: 10}} {
		c.Upstreams = []Upstream{{URL: "https://api.openai.com"}}
		if _, err := New(Options{Config: c, Signer: newKey(t), Journal: &memory{}}); err == nil || !strings.Contains(err.Error(), "window") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
