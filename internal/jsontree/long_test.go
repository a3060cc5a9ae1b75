package jsontree_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/jsontree"
)

// TestLongStrings reads strings around the length from which delimiters are looked for in large steps.
func TestLongStrings(t *testing.T) {
	for _, piece := range []string{"", `"`, `\`, `\"`, `\\`, "\n", `"\`, "é"} {
		for n := range 200 {
			want := strings.Repeat("x", n) + piece + strings.Repeat("y", n%67) + piece + piece
			quoted, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			text := `{"a":` + string(quoted) + `,"b":1}`
			root, err := jsontree.Parse([]byte(text))
			if err != nil || root.Get("a").Text() != want || root.Get("b").Kind() != jsontree.Number {
				t.Fatalf("%s: %v", text, err)
			}
			for _, cut := range []string{text[:len(text)-8], text[:len(text)-9]} {
				if _, err := jsontree.Parse([]byte(cut)); err == nil {
					t.Fatalf("%s is read", cut)
				}
			}
		}
	}
}
