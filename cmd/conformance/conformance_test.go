package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

const (
	github  = "https://token.actions.githubusercontent.com"
	release = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"

	sigstoreJS1 = "sha512:76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751"
	sigstoreJS2 = "sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c"
	provenance0 = "sha512:bbfd372fc9beeb777fe35d05bb10c0c70a9733d366a75fed7dd18866c7391de3ee7e88ba74dd47abf3e15c845e547fcf0e5c3da80854c751554224d3a6d4e55f"

	bundles    = "pkg/testing/data/bundles/"
	publicGood = "pkg/testing/data/trusted-roots/public-good.json"
	scaffold   = "pkg/testing/data/trusted-roots/scaffolding.json"
)

// library is the folder of sigstore-go, which ships bundles that the public services signed.
func library(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(dir))
}

// call is one run of the client.
type call struct {
	bundle, root string // in the library's folder, unless absolute
	identity     string
	issuer       string
	key          string
	artifact     string
}

func (c call) run(t *testing.T, dir string) error {
	t.Helper()
	path := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, filepath.FromSlash(name))
	}
	args := []string{"verify-bundle", "--bundle", path(c.bundle)}
	if c.identity != "" {
		args = append(args, "--certificate-identity", c.identity)
	}
	if c.issuer != "" {
		args = append(args, "--certificate-oidc-issuer", c.issuer)
	}
	if c.key != "" {
		args = append(args, "--key", path(c.key))
	}
	args = append(args, "--trusted-root", path(c.root), c.artifact)
	return run(t.Context(), args)
}

// good are bundles of the public services, over three years old, each with who signed what.
var good = map[string]call{
	"provenance of sigstore 1.3.0": {"examples/bundle-provenance.json", publicGood, release, github, "", sigstoreJS1},
	"provenance of sigstore 2.0.0": {bundles + "sigstore.js@2.0.0-provenance.sigstore.json", publicGood, release, github, "", sigstoreJS2},
	"signed by a person":           {bundles + "dsse.sigstore.json", publicGood, "brian@dehamer.com", "https://github.com/login/oauth", "", provenance0},
	"signed with npm's key":        {"examples/bundle-publish.json", publicGood, "", "", "examples/publish_key.pub", sigstoreJS1},
}

func TestPublicBundles(t *testing.T) {
	dir := library(t)
	for name, c := range good {
		if err := c.run(t, dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRefused asks for something else than what a bundle proves.
func TestRefused(t *testing.T) {
	dir := library(t)
	other := writeKey(t)
	with := func(edit func(*call)) call {
		c := good["provenance of sigstore 2.0.0"]
		edit(&c)
		return c
	}
	npm := good["signed with npm's key"]
	for name, c := range map[string]struct {
		call
		says string
	}{
		"identity":                             {with(func(c *call) { c.identity = "https://github.com/sigstore/sigstore-js" }), "signer: the certificate is for"},
		"issuer":                               {with(func(c *call) { c.issuer = "https://accounts.google.com" }), "signer: the identity was checked with the issuer"},
		"artifact":                             {with(func(c *call) { c.artifact = sigstoreJS1 }), "is none of the 1 subjects"},
		"artifact's algorithm":                 {with(func(c *call) { c.artifact = "sha256:" + strings.Repeat("0", 64) }), "is none of the 1 subjects"},
		"short digest":                         {with(func(c *call) { c.artifact = c.artifact[:90] }), "no such file"},
		"upper-case digest":                    {with(func(c *call) { c.artifact = "sha512:" + strings.ToUpper(c.artifact[7:]) }), "no such file"},
		"missing file":                         {with(func(c *call) { c.artifact = "missing" }), "no such file"},
		"trusted root":                         {with(func(c *call) { c.root = scaffold }), "signer: the certificate is by no authority"},
		"key for certificate":                  {with(func(c *call) { c.identity, c.issuer, c.key = "", "", npm.key }), "signature: is by a certificate"},
		"certificate for key":                  {call{npm.bundle, npm.root, release, github, "", npm.artifact}, "signature: is by a key"},
		"another key":                          {call{npm.bundle, npm.root, "", "", other, npm.artifact}, "signature: does not verify"},
		"two signatures":                       {with(func(c *call) { c.bundle = bundles + "dsse-2sigs.sigstore.json" }), "the envelope has 2 signatures"},
		"signature of a file":                  {with(func(c *call) { c.bundle = bundles + "othername.sigstore.json" }), "holds the signature of a file, want a DSSE envelope"},
		"... by a key":                         {call{bundles + "public-key-validity.sigstore.json", publicGood, "", "", npm.key, sigstoreJS1}, "holds the signature of a file"},
		"no bundle":                            {with(func(c *call) { c.bundle = publicGood }), "malformed bundle"},
		"no trusted root":                      {with(func(c *call) { c.root = c.bundle }), "trusted root"},
		"managed-key-and-client-identity_fail": {with(func(c *call) { c.key = npm.key }), "want either --key"},
		"identity alone":                       {with(func(c *call) { c.issuer = "" }), "want either --key"},
		"no identity":                          {with(func(c *call) { c.identity, c.issuer = "", "" }), "want either --key"},
	} {
		if err := c.run(t, dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.says)
		}
	}
}

func writeKey(t *testing.T) string {
	t.Helper()
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "other.pub")
	if err := os.WriteFile(path, pair.Public, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// object is JSON to be tampered with.
type object map[string]any

func (o object) at(path ...any) object {
	var v any = map[string]any(o)
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.(map[string]any)[step]
		case int:
			v = v.([]any)[step]
		}
	}
	return v.(map[string]any)
}

// flip changes one bit of the byte at an offset in what a member holds in base64; -1 is the last byte.
func (o object) flip(t *testing.T, member string, at int) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(o[member].(string))
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 1
	o[member] = base64.StdEncoding.EncodeToString(data)
}

func readObject(t *testing.T, path string) object {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o object) write(t *testing.T, name string) string {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
