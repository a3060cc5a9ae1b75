package upload

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/limits"
)

// What waits is given in its order and in parts, whatever was dropped in between; most of it is in a file, of which nothing is left.
func TestWaiting(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var w Waiting
	if !w.Empty() {
		t.Error("nothing waits, and it is not empty")
	}
	data := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, limits.SpillMemory/10) }
	var want []string
	for i := range 30 {
		name := fmt.Sprint(i)
		if err := w.Add(files.Blob{Name: name, Data: data(i)}); err != nil {
			t.Fatal(err)
		}
		switch i % 5 {
		case 1, 2: // with the one before
			w.Keep()
			if i%5 == 1 {
				want = append(want, fmt.Sprint(i-1))
			}
			want = append(want, name)
		case 4: // with the one before
			w.Drop()
		}
	}
	var got []string
	parts := 0
	for part, err := range w.parts(4 * (limits.SpillMemory/10 + limits.PushedEach)) {
		if err != nil || len(part) == 0 || len(part) > 4 {
			t.Fatalf("%d in a part, %v", len(part), err)
		}
		parts++
		for _, blob := range part {
			got = append(got, blob.Name)
			if len(blob.Data) == 0 || !bytes.Equal(blob.Data, data(int(blob.Data[0]))) || blob.Name != fmt.Sprint(blob.Data[0]) {
				t.Errorf("%s: other bytes", blob.Name)
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || parts != 5 || w.Empty() || len(w.kept) != 6 {
		t.Errorf("%v in %d parts, want %v", got, parts, want)
	}
	if err := w.Close(); err != nil || !w.Empty() {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestWaitingTorn: one bundle that cannot be written takes none of the others of its file along.
func TestWaitingTorn(t *testing.T) {
	dir := t.TempDir()
	var w Waiting
	add := func(name string, size int, ok bool) {
		t.Helper()
		if err := w.Add(files.Blob{Name: name, Data: bytes.Repeat([]byte(name), size)}); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("TMPDIR", filepath.Join(dir, "gone"))
	add("a", 10, true)
	add("b", limits.SpillMemory, false)
	add("c", 10, false) // memory is full
	t.Setenv("TMPDIR", dir)
	add("d", 10, true)
	w.Keep()
	add("e", 10, true)
	w.Keep()
	add("f", 10, true)
	w.Drop()
	var got []string
	for part, err := range w.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		for _, blob := range part {
			got = append(got, blob.Name+string(blob.Data))
		}
	}
	if want := []string{"aaaaaaaaaaa", "ddddddddddd", "eeeeeeeeeee"}; !slices.Equal(got, want) {
		t.Errorf("%q wait, want %q", got, want)
	}
	if err := w.Close(); err != nil || !w.Empty() {
		t.Error(err)
	}
}
