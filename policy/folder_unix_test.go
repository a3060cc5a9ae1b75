//go:build unix

package policy

import (
	"os"
	"testing"
)

// TestFolderOfLink: the files of a policy that is named with .. behind a link are beside the policy, and not beside the link.
func TestFolderOfLink(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "schema: " + Schema + "\nsigners: {keys: [{name: ci, key: ci.pub}]}\n"
	data, err := newSigner(t).PublicKey().PEM()
	if err == nil {
		err = os.MkdirAll("a/deep", 0o700)
	}
	if err == nil {
		err = os.Symlink("a/deep", "link")
	}
	if err == nil {
		err = os.WriteFile("a/policy.yaml", []byte(text), 0o600)
	}
	if err == nil {
		err = os.WriteFile("a/ci.pub", data, 0o600)
	}
	if err == nil {
		err = os.WriteFile("ci.pub", []byte("another's"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Load("link/../policy.yaml", options); err != nil || len(p.signers.keys) != 1 {
		t.Errorf("%v", err)
	}
}
