package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

// TestCheckProposals: what would deny every proposal has its place in the policy's text, and misuse is another error.
func TestCheckProposals(t *testing.T) {
	by, stranger := newSigner(t).PublicKey(), newSigner(t).PublicKey()
	text, err := by.PEM()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.yaml")
	for name, data := range map[string]string{
		"ci.pub": string(text),
		"policy.yaml": "schema: " + Schema + "\nsigners: {keys: [{name: ci, key: ci.pub}]}\nkinds: [training, agent]\n" +
			"rules: [{name: trained, expr: 'declaration.kind != \"agent\"'}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Load(path, Options{BeforeSigning: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CheckProposals(by, identity.Training); err != nil {
		t.Error(err)
	}
	if err := p.CheckProposals(by, identity.Agent, identity.Training, identity.Other); err != nil {
		t.Error(err)
	}
	for pointer, err := range map[string]error{
		"/signers":      p.CheckProposals(stranger, identity.Training),
		"/kinds":        p.CheckProposals(by, identity.Inference, identity.Other),
		"/rules/0/expr": p.CheckProposals(by, identity.Agent),
	} {
		invalid, ok := errors.AsType[*InvalidError](err)
		if !ok || invalid.Path != path || len(invalid.Problems) != 1 || invalid.Problems[0].Pointer != pointer || invalid.Problems[0].Line < 2 ||
			!strings.HasPrefix(err.Error(), "invalid policy for these runs: line ") || invalid.Hint() == "" {
			t.Errorf("%s: %+v", pointer, err)
		}
	}
	late, err := Load(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{p.CheckProposals(nil, identity.Training), p.CheckProposals(by), (&Policy{}).CheckProposals(by, identity.Training)} {
		if err == nil || errors.As(err, new(*InvalidError)) {
			t.Error(err)
		}
	}
	if err := late.CheckProposals(by, identity.Training); !errors.Is(err, ErrAfterSigning) {
		t.Error(err)
	}
}
