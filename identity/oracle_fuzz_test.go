package identity

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/testing/vectors"
)

// FuzzValidate compares validate with what it was, and a declaration inside another text with what Parse makes of it.
func FuzzValidate(f *testing.F) {
	for _, v := range vectors.Load(f, "identity/valid", "identity/invalid") {
		f.Add(v.Body)
	}
	files, err := filepath.Glob(filepath.Join(vectors.Root(f), "declarations", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatal("no declarations to begin with", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := canonical.Options{ExactNumbers: true, MaxDepth: 70}.Append(nil, append(append([]byte(`{"b":[`), data...), `,1],"a":0}`...))
		if err != nil {
			return
		}
		root, err := jsontree.Parse(form)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range root.Get("b").Elements() {
			if got, want := validate(v), oldValidate(v); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\n%v\nwant\n%v", v.Raw(), got, want)
			}
			got := FromTree(v)
			want, err := Parse(v.Raw())
			if (got != nil) != (err == nil) {
				t.Fatalf("FromTree gives %v, Parse %v", got, err)
			}
			if err == nil && (got.ID() != want.ID() || !bytes.Equal(got.Canonical(), want.Canonical()) || !reflect.DeepEqual(got.Run(), want.Run())) {
				t.Fatalf("FromTree gives %+v, Parse %+v", got.Run(), want.Run())
			}
		}
	})
}

// TestFromTreeLimits refuses what Parse refuses for its size alone.
func TestFromTreeLimits(t *testing.T) {
	const before, after = `{"constraints":{},"context":[],"kind":"other","model":{"name":"m"},"parameters":`, `,"prompt":{},"schema":"` + Schema + `"}`
	many := func(n int) string { return `{"x":[` + string(bytes.Repeat([]byte("1,"), n-1)) + "1]}" }
	deep := func(n int) string {
		return `{"x":` + string(bytes.Repeat([]byte("["), n)) + string(bytes.Repeat([]byte("]"), n)) + "}"
	}
	long := func(n int) string { return `{"x":"` + string(bytes.Repeat([]byte("x"), n)) + `"}` }
	for name, c := range map[string]struct {
		parameters string
		good       bool
	}{
		"most values": {many(100_000 - 9), true}, "more values": {many(100_000 - 8), false},
		"deepest": {deep(62), true}, "deeper": {deep(63), false},
		"longest": {long(16<<20 - len(before) - len(after) - 8), true}, "longer": {long(16<<20 - len(before) - len(after) - 7), false},
	} {
		root, err := jsontree.Parse([]byte("[" + before + c.parameters + after + "]"))
		if err != nil {
			t.Fatal(name, err)
		}
		for _, v := range root.Elements() {
			if _, err := Parse(v.Raw()); (err == nil) != c.good {
				t.Errorf("%s: Parse: %v", name, err)
			}
			if d := FromTree(v); (d != nil) != c.good {
				t.Errorf("%s: FromTree: %v", name, d != nil)
			}
		}
	}
}
