package jsonlines_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsonlines"
)

func read(r io.Reader) []string {
	var got []string
	for item, err := range jsonlines.Read(r, "f", 40) {
		if err != nil {
			got = append(got, "error: "+err.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%d %s", item.Line, item.Data))
	}
	return got
}

func TestRead(t *testing.T) {
	long := `{"x":"` + strings.Repeat("y", 60) + `"}`
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"one line":             {`{"a":1}`, []string{`0 {"a":1}`}},
		"one line, newline":    {"{\"a\":1}\n", []string{"0 {\"a\":1}\n"}},
		"one, over lines":      {"{\n\"a\":1\n}\n", []string{"0 {\n\"a\":1\n}\n"}},
		"two lines":            {"{}\n{\"b\":2}\n", []string{"1 {}\n", "2 {\"b\":2}\n"}},
		"no last newline":      {"{}\n{\"b\":2}", []string{"1 {}\n", "2 {\"b\":2}"}},
		"blank lines":          {"{}\n\n \n{}\n", []string{"1 {}\n", "4 {}\n"}},
		"CRLF":                 {"{}\r\n{}\r\n", []string{"1 {}\r\n", "2 {}\r\n"}},
		"bad second line":      {"{}\n{]\n{}\n", []string{"1 {}\n", "2 {]\n", "3 {}\n"}},
		"duplicates are data":  {"{\"a\":1,\"a\":2}\n{}\n", []string{"1 {\"a\":1,\"a\":2}\n", "2 {}\n"}},
		"no object":            {"[1]\n[2]\n", []string{"0 [1]\n[2]\n"}},
		"empty":                {"", []string{"error: f: is empty"}},
		"too long":             {long, []string{"error: f: larger than 40 bytes"}},
		"too long later":       {"{}\n" + long + "\n{}\n", []string{"1 {}\n", "error: f:2: larger than 40 bytes"}},
		"too long, over lines": {"{\n" + strings.Repeat("\n", 60), []string{"error: f: larger than 40 bytes"}},
	} {
		for how, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in))} {
			if diff := cmp.Diff(c.want, read(r)); diff != "" {
				t.Errorf("%s, %s: %s", name, how, diff)
			}
		}
	}
}

// TestLines reads JSON Lines that are known to be that, whatever the first line is.
func TestLines(t *testing.T) {
	for in, want := range map[string][]string{
		"{]\n{}\n": {"1 {]\n", "2 {}\n"}, "{}": {"1 {}"}, "\n{}\n": {"2 {}\n"}, "": {"error: f: is empty"}, "\n \n": {"error: f: is empty"},
	} {
		var got []string
		for item, err := range jsonlines.Lines(strings.NewReader(in), "f", 40) {
			if err != nil {
				got = append(got, "error: "+err.Error())
				continue
			}
			got = append(got, fmt.Sprintf("%d %s", item.Line, item.Data))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestReadStopsAtAnError(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("{}\n{}\n"), iotest.ErrReader(errors.New("torn")))
	want := []string{"1 {}\n", "2 {}\n", "error: f:3: torn"}
	if diff := cmp.Diff(want, read(broken)); diff != "" {
		t.Error(diff)
	}
}

// endless is a stream of brackets without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	return len(p), nil
}

func TestEndlessInput(t *testing.T) {
	for _, err := range jsonlines.Read(endless{}, "f", 1<<20) {
		if !errors.Is(err, boundedfile.ErrInput) {
			t.Errorf("got %v", err)
		}
	}
}
