package sigstore

import (
	"strings"
	"testing"
)

func TestCheckStatement(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	valid := `{"_type":"https://in-toto.io/Statement/v1","predicate":{"big":1e+300,"n":0.1},"predicateType":"https://acme.example/p","subject":[{"digest":{"sha256":"` + digest + `"},"name":"a"}]}`
	if err := checkStatement([]byte(valid)); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string][2]string{
		"type":             {"Statement/v1", "Statement/v9"},
		"no predicate":     {`"predicate":{"big":1e+300,"n":0.1},`, ""},
		"predicate's kind": {`{"big":1e+300,"n":0.1}`, `"text"`},
		"predicate type":   {"https://acme.example/p", ""},
		"no subject":       {`{"digest":{"sha256":"` + digest + `"},"name":"a"}`, ""},
		"no digest":        {`"sha256":"` + digest + `"`, ""},
		"short digest":     {digest, "abab"},
		"no hex":           {digest, strings.Repeat("xy", 32)},
		"unknown member":   {`"name":"a"`, `"title":"a"`},
		"cut":              {`"name":"a"}]}`, ""},
	} {
		text := strings.Replace(valid, edit[0], edit[1], 1)
		if text == valid {
			t.Fatalf("%s: nothing was edited", name)
		}
		if err := checkStatement([]byte(text)); err == nil {
			t.Errorf("%s: in-toto's library takes %s", name, text)
		}
	}
	if err := checkStatement(nil); err == nil {
		t.Error("no statement is taken")
	}
}

// BenchmarkCheckStatement is what in-toto's library adds to a signature.
func BenchmarkCheckStatement(b *testing.B) {
	for name, size := range map[string]int{"1KiB": 1 << 10, "1MiB": 1 << 20, "16MiB": 16 << 20} {
		text := []byte(`{"_type":"https://in-toto.io/Statement/v1","predicate":{"list":[` + strings.Repeat(`{"role":"user","content":"hello"},`, size/34) + `0]},"predicateType":"https://acme.example/p","subject":[{"digest":{"sha256":"` + strings.Repeat("ab", 32) + `"},"name":"a"}]}`)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := checkStatement(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
