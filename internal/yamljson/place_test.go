package yamljson

import (
	"bytes"
	"testing"
)

// TestLocateJSON: every value of the JSON text has the place of the one in YAML that it stands for, and a name that of its value.
func TestLocateJSON(t *testing.T) {
	doc, problems := Read([]byte("a: 1\nb:\n- x\n- {c: ~, d: 'y'}\na: 22\n"), "text", Limits{Bytes: 1 << 10, Entries: 100, Depth: 10, Problems: 5, Pointers: 100})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for text, want := range map[string][2]int{
		`{"a"`: {1, 1}, `1`: {1, 4}, `[`: {3, 1}, `"x"`: {3, 3}, `null`: {4, 7}, `"d"`: {4, 13}, `"y"`: {4, 13}, `"a":22`: {5, 4}, `22`: {5, 4},
	} {
		if line, column := doc.LocateJSON(bytes.Index(doc.JSON, []byte(text))); line != want[0] || column != want[1] {
			t.Errorf("%s: %d:%d, want %d:%d", text, line, column, want[0], want[1])
		}
	}
}
