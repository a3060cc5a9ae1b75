// Package language checks the words of code, messages and documents against a list, and the width of Markdown
// prose. make lint runs it.
package language

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../../.."

// unclean counts the findings that each file or folder may still have. The numbers only get smaller, and a text
// that is not listed has none.
var unclean = map[string]int{}

// exempt lists texts that come from elsewhere, pages that are generated from checked texts, data whose digests
// are pinned, and the rules themselves.
var exempt = []string{
	".git", "LICENSE", "bin", "demo", "docs/cli", "docs/man", "e2e/bin", "e2e/clients/js/package-lock.json", "internal/testing/language",
	"testdata/artifacts", "testdata/clients",
	"testdata/declarations/chat-llama-3.1-8b.json", "testdata/declarations/chat-llama-3.1-8b.yaml",
	"testdata/declarations/vllm-sampling.json", "testdata/declarations/vllm-sampling.yaml",
}

// A finding is a line number, and what is wrong with the line.
type finding struct {
	line    int
	problem string
}

func TestLanguage(t *testing.T) {
	found, texts := map[string][]string{}, 0
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case slices.Contains(exempt, name) && entry.IsDir():
			return fs.SkipDir
		case slices.Contains(exempt, name) || !entry.Type().IsRegular() || strings.HasSuffix(name, ".sum"):
			return nil
		}
		data, err := os.ReadFile(path.Join(root, name))
		if err != nil || bytes.IndexByte(data, 0) >= 0 {
			return err
		}
		texts++
		all := findWords(string(data))
		if path.Ext(name) == ".md" {
			all = append(all, findWide(string(data))...)
		}
		key := uncleanKey(name)
		for _, f := range all {
			found[key] = append(found[key], fmt.Sprintf("%s:%d: %s", name, f.line, f.problem))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if texts < 500 {
		t.Fatalf("%d texts were checked, want all of the module", texts)
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if n := len(found[key]); n > unclean[key] {
			t.Errorf("%s: %d findings, want at most %d:\n%s", key, n, unclean[key], strings.Join(found[key], "\n"))
		}
	}
	for key, n := range unclean {
		if left := len(found[key]); left < n {
			t.Logf("%q: %d findings, fewer than the %d that are allowed: lower the number", key, left, n)
		}
	}
}

// uncleanKey returns the key of unclean that counts a file's findings: the file, or else the nearest folder.
func uncleanKey(name string) string {
	for key := name; key != "."; key = path.Dir(key) {
		if _, ok := unclean[key]; ok {
			return key
		}
	}
	return name
}

func TestFindWords(t *testing.T) {
	for text, want := range map[string][]string{
		"The key is not valid.":                nil,
		"Whoever signs.":                       {"whoever"},
		"for whom, and nobody":                 {"whom", "nobody"},
		"a digest is no name":                  {"is no"},
		"there is no key":                      nil,
		"it is no longer so":                   nil,
		"noteAnybody is a name of its own":     nil,
		"the verdict is: no":                   nil,
		"// what cannot be read is\n// no yes": {"is no", "no yes"},
		"has a service certify a key":          {"certify a"},
	} {
		var got []string
		for _, f := range findWords(text) {
			got = append(got, strings.SplitN(f.problem, ": ", 2)[0])
		}
		for i, w := range want {
			want[i] = fmt.Sprintf("%q", w)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestFindWide(t *testing.T) {
	wide := strings.Repeat("w ", columns)
	for text, want := range map[string]int{
		strings.Repeat("é", columns):            0,
		wide:                                    1,
		"- a\n  " + wide:                        1,
		"- a\n    " + wide:                      1,
		"a\n\n    " + wide + "\n    " + wide:    0,
		"| " + wide:                             0,
		"[a]: " + wide:                          0,
		"```\n" + wide + "\n```\n" + wide:       1,
		"a\n\n    " + wide + "\n\n" + wide + "": 1,
	} {
		if got := findWide(text); len(got) != want {
			t.Errorf("%q: %v, want %d findings", text, got, want)
		}
	}
}
