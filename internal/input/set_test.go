package input

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run set is known by the media type of its first line's object, however JSON spells it, and by nothing within.
func TestIsRunSet(t *testing.T) {
	for text, want := range map[string]bool{
		`{"mediaType":"application/vnd.runattest.run-set.v1+json"}` + "\n":                                                                                    true,
		`{"bundle":{},"mediaType":"application/vnd.runattest.run-set.v1+json"`:                                                                                true, // cut off
		` {"bundle":{"a":[1,{}]},"mediaType" : "application\/vnd.runattest.run-set.v1\u002Bjson"}`:                                                            true,
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"signatures":[{"keyid":"application/vnd.runattest.run-set.v1+json"}]}}`: false,
		`{"dsseEnvelope":{"mediaType":"application/vnd.runattest.run-set.v1+json"}}`:                                                                          false,
		`{"keyid":"\"mediaType\":\"application/vnd.runattest.run-set.v1+json\""}`:                                                                             false,
		`{"MediaType":"application/vnd.runattest.run-set.v1+json"}`:                                                                                           false,
		`{"mediaType":["application/vnd.runattest.run-set.v1+json"]}`:                                                                                         false,
		`["application/vnd.runattest.run-set.v1+json"]`:                                                                                                       false,
		"{}\n" + `{"mediaType":"application/vnd.runattest.run-set.v1+json"}`:                                                                                  false,
		"": false,
	} {
		if got := isRunSet([]byte(text)); got != want {
			t.Errorf("%v for %s", got, text)
		}
	}
}

// What can be read once alone is read again from a temporary file, which is removed.
func TestSpoolAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(file, []byte(`{"in":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	paths := []string{file, Stdin, Stdin, "not-there"}
	spooled, remove, err := SpoolAll(paths, strings.NewReader("{\"in\":1}\n{\"in\":2}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		files := NewSpooledFiles(paths, nil, spooled)
		var read []string
		var last error
		for _, path := range paths {
			for text, err := range files.In(path) {
				if last = err; err == nil {
					read = append(read, strings.TrimSpace(string(text.Data)))
				}
			}
		}
		if got := strings.Join(read, " "); got != `{"in":"file"} {"in":1} {"in":2} {"in":1} {"in":2}` || !errors.Is(last, os.ErrNotExist) {
			t.Errorf("%s, %v", got, last)
		}
	}
	name := spooled[Stdin].Name()
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", name, err)
	}
}
