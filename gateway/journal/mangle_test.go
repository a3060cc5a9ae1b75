package journal

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMangled changes bytes all over a closed journal's lines, declarations and id, and cuts the files there: none
// of it verifies.
func TestMangled(t *testing.T) {
	verifier := vectorVerifier(t)
	dir := vectorsByName(t)["same.json"].write(t)
	refuse := func(what string, at int) {
		t.Helper()
		r, err := Verify(ctx, verifier, dir, VerifyOptions{})
		if err == nil && r.Verified {
			t.Errorf("%s at byte %d is verified", what, at)
		}
	}
	for name, step := range map[string]int{idName: 5, linesName(1): 41, declarationsName(1): 3} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := Verify(ctx, verifier, dir, VerifyOptions{}); err != nil || !r.Verified {
			t.Fatalf("%+v, %v", r, err)
		}
		for i := 0; i < len(good); i += step {
			if name == idName && (i == 0 || i >= len(good)-2) {
				continue // white space may be there
			}
			bad := append([]byte(nil), good...)
			bad[i] ^= 1
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			refuse(name+": a bit flipped", i)
			if err := os.WriteFile(path, good[:i], 0o600); err != nil {
				t.Fatal(err)
			}
			refuse(name+": cut", i)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
