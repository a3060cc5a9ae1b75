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
	for _, c := range components {
		for _, target := range c.of(built) {
			files, err := unpack(target, c.folder(target, want.release), made.files[c.archive(target, want.release)])
			if err != nil {
				t.Fatal(err)
			}
			for _, program := range c.programs {
				checkSBOM(t, c, files[c.sbom(program)], files[target.file(program)])
			}
		}
	}
}

func checkSBOM(t *testing.T, c *component, sbom, program []byte) {
	t.Helper()
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
	if err := json.Unmarshal(sbom, &bom); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	about := bom.Metadata.Component
	if bom.BOMFormat != "CycloneDX" || about.Name != c.module || about.Version != "v0.1.0" || len(about.Hashes) != 1 {
		t.Fatalf("%s: %+v", c.name, bom)
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := hex.DecodeString(about.Hashes[0].Content)
	if err != nil || "h1:"+base64.StdEncoding.EncodeToString(sum) != info.Main.Sum {
		t.Errorf("%s: hash %x, want that of the module, %s", c.name, sum, info.Main.Sum)
	}
	if bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
		t.Errorf("%s: serial number %q or time %q is there: a second build differs", c.name, bom.SerialNumber, bom.Metadata.Timestamp)
	}
	if len(bom.Components) != 1 || bom.Components[0].Name != "std" {
		t.Errorf("%s: components %v, want std", c.name, bom.Components)
	}
}
