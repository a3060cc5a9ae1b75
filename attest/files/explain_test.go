package files_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/signer"
)

func TestExplain(t *testing.T) {
	damaged := errors.New("damaged")
	for _, c := range []struct{ data, wanted, want string }{
		{run, "a policy", "it is a declaration"},
		{run, "a declaration", "damaged"},
		{"x", "a policy", "damaged"},
	} {
		if err := files.Explain(damaged, []byte(c.data), c.wanted); err.Error() != c.want {
			t.Errorf("%s for %s: %v, want %s", c.data, c.wanted, err, c.want)
		}
	}
	if err := files.Explain(nil, []byte(run), "a policy"); err != nil {
		t.Error(err)
	}
	for data, want := range map[string]string{
		"\xff\xfe{\x00}\x00": "convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW",
		"\x1f\x8b\x08":       "unpack it: gzip -dc < FILE > NEW",
		"%PDF-1":             "", // nothing makes text of it
		run:                  "",
	} {
		other, ok := errors.AsType[*files.OtherKindError](files.Explain(damaged, []byte(data), "a policy"))
		if !ok || other.Mending() != want {
			t.Errorf("%q: %v, %t", data, other, ok)
		}
	}
}

// TestExplainKey: of a file that is not a key it says what it is, and of a damaged key what its parser says.
func TestExplainKey(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(string(pair.Public), "MC", "MD", 1)
	for name, c := range map[string]struct {
		text, want string
		isKey      bool
	}{
		"declaration": {run, ": is a declaration, want a key in PEM", false},
		"text":        {"key", "not PEM: want -----BEGIN PUBLIC KEY-----", false},
		"damaged":     {damaged, "", true},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, parsed := signer.ParsePublicKey([]byte(c.text))
		err := files.ExplainKey(parsed, path)
		if parsed == nil || !errors.Is(err, parsed) || errors.As(err, new(*files.NotKeyError)) == c.isKey || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v of %v", name, err, parsed)
		}
	}
	missing := errors.New("there is none")
	if err := files.ExplainKey(missing, filepath.Join(t.TempDir(), "none")); err != missing {
		t.Error(err)
	}
}

// TestExplainJSON: a mistake has its place and what to do, and a key is not quoted.
func TestExplainJSON(t *testing.T) {
	for _, c := range []struct {
		text, want string
		yaml, hint bool
	}{
		{"{\n \"a\": 1,\n}", "line 2, column 8: ", false, true},
		{"a: 1\nb: 2\n", "line 1, column 1: not valid JSON: this looks like YAML", true, false},
		{"-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "is a private key, want JSON", false, false},
	} {
		_, refused := canonical.Transform([]byte(c.text))
		err := files.ExplainJSON(refused, []byte(c.text))
		wrong, ok := errors.AsType[*files.JSONError](err)
		if refused == nil || !strings.HasPrefix(err.Error(), c.want) || ok != (c.yaml || c.hint) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
		if ok && (wrong.YAML != c.yaml || (wrong.Hint != "") != c.hint || !errors.Is(err, refused)) {
			t.Errorf("%q: %+v", c.text, wrong)
		}
	}
	if other := errors.New("no room"); files.ExplainJSON(other, nil) != other {
		t.Error("an error of another kind is explained")
	}
}

func TestWithoutBundles(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"policy.yaml": "schema: x\n", "policy.yaml.sigstore.json": string(bundleOf(t))} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	others, bundles := files.WithoutBundles("policy.yaml", "policy.yaml.sigstore.json", "-", "missing")
	if !slices.Equal(others, []string{"policy.yaml", "-", "missing"}) || !slices.Equal(bundles, []string{"policy.yaml.sigstore.json"}) {
		t.Errorf("%q, %q", others, bundles)
	}
	if others, bundles := files.WithoutBundles("policy.yaml.sigstore.json"); len(others) != 1 || bundles != nil {
		t.Errorf("alone: %q, %q", others, bundles)
	}
}
