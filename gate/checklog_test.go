package gate

import (
	"path/filepath"
	"testing"

	"github.com/runattest/runattest/registry"
)

// TestCheckLogLayout: a decision log in an OCI layout is refused however the layout is named.
func TestCheckLogLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs")
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log.jsonl")
	for _, input := range []string{dir, "oci-layout://" + dir, "oci-layout://" + dir + ":tag"} {
		if err := CheckLog(log, input); err == nil {
			t.Errorf("%s is in %s", log, input)
		}
	}
	if err := CheckLog(log, "oci://registry.example/runs"); err != nil {
		t.Error(err)
	}
}
