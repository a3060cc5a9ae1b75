package idtoken

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestGiven(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	for _, text := range []string{"secret", "a.b.c", "secret/with.two.dots", file, dir, ""} {
		if err := os.WriteFile(file, []byte("not.a.jwt\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Given(text, "sigstore", time.Now())
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "jwt") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
