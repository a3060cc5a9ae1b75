package jsonlines_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/internal/jsonlines"
)

// TestReader reads lines of every kind, the buffer's size and the limit's neighbours among them, whole and a byte at a time.
func TestReader(t *testing.T) {
	const limit = 70_000
	const long = "(long)"
	at := strings.Repeat("a", limit)
	lines := []string{"{}", "", at, long, "\r", long, long, "after"}
	text := "{}\n\r\n" + at + "\r\n" + at + "a\n\r\r\n" + at + at + "\n" + strings.Repeat("b", 64<<10) + at + "\nafter"
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
		"break at the end": io.MultiReader(strings.NewReader(text), strings.NewReader("\n")),
	} {
		reader := jsonlines.NewReader(r, limit)
		var got []string
		for {
			line, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if errors.Is(err, jsonlines.ErrLong) {
				line, err = []byte(long), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(line))
		}
		if diff := cmp.Diff(lines, got); diff != "" {
			t.Errorf("%s (-want +got):\n%.2000s", name, diff)
		}
	}
	broken := errors.New("broken")
	if _, err := jsonlines.NewReader(iotest.ErrReader(broken), limit).Next(); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
