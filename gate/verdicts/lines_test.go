package verdicts_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/internal/limits"
)

// TestLines: each line has an answer, whatever is in it, and none is read before that.
func TestLines(t *testing.T) {
	d := newDesk(t)
	d.write("many.jsonl", d.bundle("a"), d.bundle("c"))
	d.write("s.runset.jsonl", d.set("x"))
	d.write("empty.jsonl", []byte("\n"))
	d.must(os.Mkdir("folder", 0o700))
	const notLine = "want a bundle, or the name of a file as a JSON string"
	cases := []struct {
		line string
		want []string // each begins so
	}{
		{strings.TrimSpace(string(d.bundle("b"))), []string{"standard input:1 true <nil>"}},
		{`"many.jsonl"`, []string{"many.jsonl:1 true <nil>", "many.jsonl:2 true <nil>"}},
		{`"s.runset.jsonl"`, []string{"s.runset.jsonl#0 true <nil>", "s.runset.jsonl true <nil>"}},
		{` "oci://localhost/a" `, []string{"reference oci://localhost/a false <nil>"}},
		{`"none.json"`, []string{"none.json false none.json: no such file"}},
		{`"empty.jsonl"`, []string{"empty.jsonl false "}},
		{`"folder"`, []string{"folder false "}},
		{"", []string{"standard input:8 false is empty, " + notLine}},
		{`""`, []string{"standard input:9 false " + notLine}},
		{`"-"`, []string{"standard input:10 false " + notLine}},
		{`"\ud800"`, []string{"standard input:11 false " + notLine}},
		{`"many.jsonl" "many.jsonl"`, []string{"standard input:12 false " + notLine}},
		{"{}", []string{"standard input:13 false "}},
		{strings.Repeat("x", limits.Bundle+1), []string{"standard input:14 false larger than "}},
		{`"` + os.DevNull + `"`, []string{os.DevNull + " false is a pipe, a device or a socket"}},
	}
	var text strings.Builder
	for _, c := range cases {
		text.WriteString(c.line + "\n")
	}
	v := &verdicts.Verifier{Trust: d.trust, Stdin: strings.NewReader(text.String())}
	s := &visits{v: v}
	lines := 0
	for n, err := range v.Lines(t.Context(), s) {
		d.must(err)
		if lines++; n != lines {
			t.Fatalf("line %d after %d", n, lines-1)
		}
		if same := slices.EqualFunc(s.all, cases[n-1].want, strings.HasPrefix); !same {
			t.Errorf("line %d: %.300q, want %q", n, s.all, cases[n-1].want)
		}
		s.all = nil
	}
	if lines != len(cases) {
		t.Errorf("%d lines, want %d", lines, len(cases))
	}
}

// TestLinesOneByOne: a line is answered before the next is written, and the sequence ends where the visitor stops, the caller
// does, the input fails or the context has ended.
func TestLinesOneByOne(t *testing.T) {
	d := newDesk(t)
	d.write("a.json", d.bundle("a"))
	name, err := json.Marshal("a.json")
	d.must(err)
	r, w := io.Pipe()
	write := func() { go func() { _, _ = w.Write(append(name, '\n')) }() }
	write()
	v := &verdicts.Verifier{Trust: d.trust, Stdin: r}
	lines := 0
	for _, err := range v.Lines(t.Context(), &visits{v: v}) {
		d.must(err)
		if lines++; lines == 3 {
			break
		}
		write()
	}

	broken := errors.New("broken")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	one := func() io.Reader { return strings.NewReader("\"a.json\"\n\"a.json\"\n") }
	for what, c := range map[string]struct {
		ctx     context.Context
		in      io.Reader
		visitor verdicts.Visitor
		lines   int
		err     error // nil for none, errAny for any
	}{
		"all":        {t.Context(), one(), &visits{v: v}, 2, nil},
		"stopped":    {t.Context(), one(), &visits{v: v, stop: "a.json"}, 1, nil},
		"broken":     {t.Context(), io.MultiReader(one(), iotest.ErrReader(broken)), &visits{v: v}, 2, broken},
		"ended":      {ended, one(), &visits{v: v}, 0, context.Canceled},
		"no visitor": {t.Context(), one(), nil, 0, errAny},
		"no input":   {t.Context(), nil, &visits{v: v}, 0, errAny},
	} {
		v := &verdicts.Verifier{Trust: d.trust, Stdin: c.in}
		lines, failed := 0, error(nil)
		for _, err := range v.Lines(c.ctx, c.visitor) {
			if failed != nil {
				t.Errorf("%s: goes on after %v", what, failed)
			}
			if failed = err; err == nil {
				lines++
			}
		}
		if lines != c.lines || (failed == nil) != (c.err == nil) || c.err != nil && c.err != errAny && !errors.Is(failed, c.err) {
			t.Errorf("%s: %d lines, %v, want %d, %v", what, lines, failed, c.lines, c.err)
		}
	}
	for _, err := range new(verdicts.Verifier).Lines(t.Context(), &visits{}) {
		if err == nil {
			t.Error("a verifier without trust answers")
		}
	}
}

var errAny = errors.New("any")
