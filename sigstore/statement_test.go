package sigstore

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/runattest/runattest/internal/jsontree"
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

// TestPlainStatement: what is read without in-toto's library is what the library reads, and so are the statements of runs. Each
// byte of one is changed, left out and repeated: where the two differ, the library alone reads.
func TestPlainStatement(t *testing.T) {
	text := newStatement(t).Bytes()
	for _, c := range []string{
		`{"_type":"t","predicate":{},"predicateType":"p","subject":[{"digest":{"sha256":"aé","x":"y"},"name":"n"},{"digest":{"a":"b"},"name":"m"}]}`,
		string(text),
	} {
		if !checkPlain(t, []byte(c)) {
			t.Errorf("is not plain: %s", c)
		}
		start := strings.Index(c, `"predicateType"`) // the predicate is for neither
		for i := range c {
			if i > len(`{"_type":"https://in-toto.io/Statement/v1","predicate":{}`) && i < start {
				continue
			}
			checkPlain(t, []byte(c[:i]+c[i+1:]))
			for _, b := range []string{"\"", "\\", "{", "}", "[", "]", ",", ":", "x", "\x00", "\n", "\xff", "\\u0061", "null", c[i : i+1]} {
				checkPlain(t, []byte(c[:i]+b+c[i+1:]))
				checkPlain(t, []byte(c[:i]+b+c[i:]))
			}
		}
	}
	for _, edit := range [][2]string{
		{`"_type"`, `"type":"t","_type"`}, {`"_type"`, `"_type":"t","_type"`}, {`"predicateType"`, `"predicate_type"`}, {`"predicateType"`, `"predicateType":"p","predicateType"`},
		{`"predicate"`, `"predicate":{},"predicate"`}, {`"subject"`, `"subject":[],"subject"`}, {`},"name"`, `},"uri":"u","name"`}, {`},"name"`, `},"name":"m","name"`},
		{`"digest"`, `"digest":{},"digest"`}, {`"sha256"`, `"sha256":"a","sha256"`}, {`"sha256"`, `"sha256":"","sha256"`},
	} {
		edited := strings.Replace(string(text), edit[0], edit[1], 1)
		if checkPlain(t, []byte(edited)) {
			t.Errorf("is plain: %s", edited)
		}
	}
}

// TestCheckStatementAllocations bounds what the check of a run's statement allocates. Reading it with in-toto's library takes 55.
func TestCheckStatementAllocations(t *testing.T) {
	const most = 20
	text := newStatement(t).Bytes()
	got := testing.AllocsPerRun(100, func() {
		if err := checkStatement(text); err != nil {
			t.Fatal(err)
		}
	})
	if got > most {
		t.Errorf("%v allocations, want at most %d", got, most)
	}
}

// checkPlain says whether text is read without in-toto's library, and compares what is with what the library reads.
func checkPlain(t *testing.T, text []byte) bool {
	t.Helper()
	root, err := jsontree.Parse(text)
	if err != nil || !canBeRead(root) {
		return false
	}
	plain := plainStatement(root)
	if plain == nil {
		return false
	}
	if whole, err := readStatement(root); err != nil || !proto.Equal(plain, whole) {
		t.Errorf("%s: got %v; in-toto's library reads %v, %v", text, plain, whole, err)
	}
	return true
}

// canBeRead says whether each escape in a text is valid: package canonical writes no other, and reading it panics.
func canBeRead(root jsontree.Value) bool {
	return json.Valid(root.Raw()) || !bytes.Contains(root.Raw(), []byte(`\`))
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
