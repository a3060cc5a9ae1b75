package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
)

// TestSBOM: each archive has the bill of materials of the program in it, and of no other.
func TestSBOM(t *testing.T) {
	want := expect(t)
	for _, target := range built {
		files, err := unpack(target, target.folder(want.release), made.files[target.archive(want.release)])
		if err != nil {
			t.Fatal(err)
		}
		var bom struct {
			BOMFormat, SerialNumber string
			Metadata                struct {
				Timestamp string
				Component struct {
					Name, Version string
					Hashes        []struct{ Alg, Content string }
				}
			}
			Components []struct{ Name string }
		}
		if err := json.Unmarshal(files["sbom.cdx.json"], &bom); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		c := bom.Metadata.Component
		if bom.BOMFormat != "CycloneDX" || c.Name != modulePath || c.Version != "v0.1.0" || len(c.Hashes) != 1 {
			t.Errorf("%s: %+v", target, bom)
			continue
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(files[target.program()])); c.Hashes[0].Content != sum {
			t.Errorf("%s: hash %s, want %s", target, c.Hashes[0].Content, sum)
		}
		if bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
			t.Errorf("%s: serial number %q or time %q is there: a second build differs", target, bom.SerialNumber, bom.Metadata.Timestamp)
		}
		if len(bom.Components) != 1 || bom.Components[0].Name != "std" {
			t.Errorf("%s: components %v, want std", target, bom.Components)
		}
	}
}
