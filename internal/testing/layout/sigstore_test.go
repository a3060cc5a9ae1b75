package layout

import (
	"strings"
	"testing"
)

// TestSigstoreGo keeps sigstore-go in package sigstore: it is most of the
// program's size, and attest meets it through an interface. Tests may take its authorities.
func TestSigstoreGo(t *testing.T) {
	const format = `{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}`
	pairs := goList(t, "-f", format, module+"...")
	found := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		by, path := pairs[i], pairs[i+1]
		if !strings.HasPrefix(path, "github.com/sigstore/sigstore-go/") {
			continue
		}
		if found++; by != module+"sigstore" {
			t.Errorf("%s imports %s; only sigstore may", by, path)
		}
	}
	if found == 0 {
		t.Error("nothing imports sigstore-go: this test looks for the wrong thing")
	}
}
