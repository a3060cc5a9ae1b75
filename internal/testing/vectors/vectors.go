// Package vectors reads the test vectors of testdata/vectors, whose format
// testdata/README.md documents: header lines, a blank line, and the input byte for byte.
package vectors

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Vector is one file: its headers by name, and the input.
type Vector struct {
	Name   string // the file's path below testdata/vectors
	Header map[string]string
	Body   []byte
}

// Load reads every vector below the folders, given relative to testdata/vectors. Finding
// none fails the test.
func Load(t testing.TB, folders ...string) []Vector {
	t.Helper()
	var all []Vector
	for _, folder := range folders {
		found := 0
		root := filepath.Join(Root(t), "vectors")
		paths, err := filepath.Glob(filepath.Join(root, folder, "*.vec"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, parse(t, filepath.ToSlash(name), data))
			found++
		}
		if found == 0 {
			t.Fatalf("no vectors in %s", folder)
		}
	}
	return all
}

// Root is the testdata folder, found from the test's working folder upwards.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata")
		}
	}
	t.Fatal("no go.mod above the test's folder")
	return ""
}

func parse(t testing.TB, name string, data []byte) Vector {
	t.Helper()
	head, body, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		t.Fatalf("%s: no blank line behind the header", name)
	}
	v := Vector{Name: name, Header: map[string]string{}, Body: body}
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("%s: header line %q: want key: value", name, line)
		}
		v.Header[key] = strings.TrimPrefix(value, " ")
	}
	if v.Header["expect"] == "" {
		t.Fatalf("%s: no expect: header", name)
	}
	return v
}

// IsYAML tells whether the input is YAML.
func (v Vector) IsYAML() bool { return v.Header["format"] == "yaml" }

// IsValid tells whether the input is to be accepted.
func (v Vector) IsValid() bool { return v.Header["expect"] == "ok" }
