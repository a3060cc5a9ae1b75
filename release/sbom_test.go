package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
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
		info, err := buildinfo.Read(bytes.NewReader(files[target.program()]))
		if err != nil {
			t.Fatal(err)
		}
		sum, err := hex.DecodeString(c.Hashes[0].Content)
		if err != nil || "h1:"+base64.StdEncoding.EncodeToString(sum) != info.Main.Sum {
			t.Errorf("%s: hash %x, want that of the module, %s", target, sum, info.Main.Sum)
		}
		if bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
			t.Errorf("%s: serial number %q or time %q is there: a second build differs", target, bom.SerialNumber, bom.Metadata.Timestamp)
		}
		if len(bom.Components) != 1 || bom.Components[0].Name != "std" {
			t.Errorf("%s: components %v, want std", target, bom.Components)
		}
	}
}
