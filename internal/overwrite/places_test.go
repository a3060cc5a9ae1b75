package overwrite

import (
	"os"
	"testing"
)

func TestPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("d/deep", 0o700); err != nil {
		t.Fatal(err)
	}
	link(t, "d", "l")
	link(t, "d/deep", "deep")
	var p Places
	for _, c := range [][2]string{
		{"a", ""}, {"b", ""}, {"d/a", ""}, {"none/a", ""}, {"-", ""}, {"-", ""}, {"", ""}, {"", ""}, {"l/b", ""},
		{"a", "a"}, {"./d/../b", "b"}, {"l/a", "d/a"}, {"d/b", "l/b"}, {"none/./a", "none/a"},
		{"deep/../a", "d/a"}, {"deep/../c", ""}, {"c", ""}, {"d/c", "deep/../c"},
	} {
		if before := p.Add(c[0]); before != c[1] {
			t.Errorf("%q: added before as %q, want %q", c[0], before, c[1])
		}
	}
}
