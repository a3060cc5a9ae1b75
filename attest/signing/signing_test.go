package signing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

// session signs with a key, and fails for the run of this name.
type session struct {
	by   signer.Signer
	fail string
}

func (s session) Open(context.Context) error { return nil }
func (s session) Witnessed() bool            { return false }
func (s session) Sign(ctx context.Context, statement attest.Signable) (*attest.Bundle, error) {
	if s.fail != "" && strings.Contains(string(statement.Bytes()), s.fail) {
		return nil, errors.New("refused")
	}
	return attest.Sign(ctx, statement, s.by, attest.SignOptions{})
}

func newSession(t testing.TB, fail string) session {
	t.Helper()
	by := keytest.New(t, signer.Ed25519)
	return session{by, fail}
}

func run(name string) signing.Source {
	return signing.Source{Name: name, Lines: true, Declare: func() (signing.Declared, error) {
		d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"other","model":{"name":%q},"prompt":{},"parameters":{},"context":[],"constraints":{}}`, identity.Schema, name))
		return signing.Declared{Declaration: d}, err
	}}
}

func runs(names ...string) iter.Seq[signing.Source] {
	var all []signing.Source
	for _, name := range names {
		s := run(name)
		if name == "bad" {
			s.Declare = func() (signing.Declared, error) { return signing.Declared{}, errors.New("not a declaration") }
		}
		all = append(all, s)
	}
	return slices.Values(all)
}

// TestFiles: a file is written whole, in order, or not at all, and what is wrong with it does not keep the others out.
func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	var noted []string
	b := &signing.Batch{Session: newSession(t, "refused"), Note: func(name string, err error) { noted = append(noted, name+": "+err.Error()) }}
	defer b.Close()
	jobs, err := b.Plan(
		signing.File{Target: "a.json", Several: "a.jsonl", Sources: runs("a1", "a2", "a3")},
		signing.File{Target: "b.jsonl", Sources: runs("b1", "bad", "b2")},
		signing.File{Target: "c.jsonl", Sources: runs("c1", "refused", "c2")},
		signing.File{Target: "d.json", Sources: runs("d1", "d2")},
		signing.File{Target: "e.jsonl", Sources: runs("e1")},
		signing.File{Target: "f.jsonl", Sources: runs("f1")},
	)
	if err != nil {
		t.Fatal(err)
	}
	jobs = b.Check(jobs, func(target string) error {
		if target == "f.jsonl" {
			return errors.New("forbidden")
		}
		return nil
	})
	if err := b.Sign(t.Context(), jobs...); err != nil {
		t.Fatal(err)
	}
	want := []string{"bad: not a declaration", "d.json: 2 bundles are JSON Lines, and a .json file is one document", "f.jsonl: forbidden", "refused: refused"}
	if !slices.Equal(noted, want) {
		t.Errorf("noted %q, want %q", noted, want)
	}
	if found, _ := filepath.Glob("*"); !slices.Equal(found, []string{"a.jsonl", "e.jsonl"}) {
		t.Errorf("files %q", found)
	}
	text, err := os.ReadFile("a.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range bytes.Lines(text) {
		bundle, err := attest.ParseBundle(line)
		if err != nil {
			t.Fatal(err)
		}
		s, err := bundle.UnverifiedStatement()
		if err != nil {
			t.Fatal(err)
		}
		d, err := identity.Parse(s.Declaration)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, d.Model().Name)
	}
	if !slices.Equal(names, []string{"a1", "a2", "a3"}) {
		t.Errorf("runs %q", names)
	}
}

// TestSet: a run set is signed once, and not at all where one declaration cannot be; each declaration is told of once.
func TestSet(t *testing.T) {
	var noted, prepared []string
	b := &signing.Batch{
		Session:  newSession(t, ""),
		Note:     func(name string, err error) { noted = append(noted, name+": "+err.Error()) },
		Prepared: func(p signing.Prepared) { prepared = append(prepared, p.Name) },
	}
	defer b.Close()
	write := func(names ...string) (text []byte, size uint64, err error) {
		var w bytes.Buffer
		head, err := b.WriteSet(t.Context(), &w, func() iter.Seq[signing.Source] { return runs(names...) }, map[string]string{"sweep": "1"})
		return w.Bytes(), head.Size, err
	}
	text, size, err := write("a", "b", "c")
	if err != nil || size != 3 {
		t.Fatalf("%d runs, %v", size, err)
	}
	if !slices.Equal(prepared, []string{"a", "b", "c"}) || noted != nil {
		t.Errorf("prepared %q, noted %q", prepared, noted)
	}
	set, err := runset.Open(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	head, err := set.UnverifiedHead()
	if err != nil || head.Size != 3 || head.Annotations["sweep"] != "1" {
		t.Errorf("%+v, %v", head, err)
	}
	if text, _, err := write("a", "bad", "c", "bad"); !errors.Is(err, signing.ErrNotAll) || len(text) > 0 {
		t.Errorf("%d bytes, %v, want none and ErrNotAll", len(text), err)
	}
	if want := []string{"bad: not a declaration", "bad: not a declaration"}; !slices.Equal(noted, want) {
		t.Errorf("noted %q, want %q", noted, want)
	}
	if _, _, err := write(); err == nil {
		t.Error("a set without runs")
	}
	prepared = nil
	if _, err := b.WriteSet(t.Context(), nil, func() iter.Seq[signing.Source] { return runs("a") }, nil); err == nil || prepared != nil {
		t.Errorf("to nil: %v, and %q were read", err, prepared)
	}
}

// TestAlias refuses a file that another name leads to.
func TestAlias(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.WriteFile("a", nil, 0o600), os.Link("a", "b")); err != nil {
		t.Skip(err) // no such links here
	}
	noted := ""
	b := &signing.Batch{Session: newSession(t, ""), Note: func(name string, err error) { noted = name + ": " + err.Error() }}
	defer b.Close()
	jobs, err := b.Plan(signing.File{Target: "a", Sources: runs("a1")}, signing.File{Target: "b", Sources: runs("b1")})
	if err != nil {
		t.Fatal(err)
	}
	jobs = b.Check(jobs, func(string) error { return nil })
	if want := "b: the bundle would overwrite that of a1, to which a leads too"; len(jobs) != 1 || noted != want {
		t.Errorf("%d jobs, %q, want %q", len(jobs), noted, want)
	}
}

// TestTwice: two files do not go to one place, however it is named.
func TestTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, files := range map[string][2]signing.File{
		"one name":     {{Target: "a", Sources: runs("a1")}, {Target: "a", Sources: runs("a2")}},
		"one is bad":   {{Target: "a", Sources: runs("a1")}, {Target: "a", Sources: runs("bad")}},
		"two names":    {{Target: "a", Sources: runs("a1")}, {Target: "./a", Sources: runs("a2")}},
		"several runs": {{Target: "a.json", Several: "a.jsonl", Sources: runs("a1", "a2")}, {Target: "a.jsonl", Sources: runs("a3")}},
	} {
		b := &signing.Batch{Session: newSession(t, ""), Note: func(string, error) {}}
		defer b.Close()
		if jobs, err := b.Plan(files[0], files[1]); !errors.As(err, new(*signing.TwiceError)) || jobs != nil {
			t.Errorf("%s: %d jobs, %v", name, len(jobs), err)
		}
	}
	b := &signing.Batch{Session: newSession(t, ""), Note: func(name string, err error) { t.Error(name, err) }}
	b.Write = func(_ *signing.Job, content func(io.Writer) error) error { return content(io.Discard) }
	defer b.Close()
	jobs, err := b.Plan(signing.File{Target: "-", Sources: runs("a1")}, signing.File{Target: "-", Sources: runs("a2")}, signing.File{Target: "a", Sources: runs("a3")})
	if err != nil || len(jobs) != 3 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	if err := b.Sign(t.Context(), jobs...); err != nil {
		t.Error(err)
	}
	jobs[0].Target, jobs[1].Target = "b", "b"
	if err := b.Sign(t.Context(), jobs...); !errors.As(err, new(*signing.TwiceError)) {
		t.Errorf("targets that were changed: %v", err)
	}
}

// TestCheckNothing: without what forbids files, all may be written.
func TestCheckNothing(t *testing.T) {
	b := &signing.Batch{Session: newSession(t, ""), Note: func(name string, err error) { t.Error(name, err) }}
	defer b.Close()
	jobs, err := b.Plan(signing.File{Target: "a", Sources: runs("a1")}, signing.File{Target: "b", Sources: runs("b1")})
	if err != nil {
		t.Fatal(err)
	}
	if good := b.Check(jobs, nil); !slices.Equal(good, jobs) {
		t.Errorf("%d of %d jobs may be written", len(good), len(jobs))
	}
}

// TestLines: each line has an answer, which tells an error of its declaration from another.
func TestLines(t *testing.T) {
	b := &signing.Batch{Session: newSession(t, "refused"), Note: func(string, error) {}}
	defer b.Close()
	source := func(n int, line []byte) signing.Source {
		for s := range runs(strings.TrimSpace(string(line))) {
			return s
		}
		panic("no source")
	}
	in := "a\nbad\n\nrefused\n" + strings.Repeat("x", 100) + "\nz"
	var got []string
	for a, err := range b.Lines(t.Context(), strings.NewReader(in), 50, source) {
		got = append(got, fmt.Sprint(a.Line, a.Bundle != nil, a.Prepared.Err, a.Err, err))
	}
	want := []string{
		"1 true <nil> <nil> <nil>", "2 false not a declaration <nil> <nil>", "3 false <nil> is empty, want JSON <nil>",
		"4 false <nil> refused <nil>", "5 false <nil> larger than 50 bytes <nil>", "6 true <nil> <nil> <nil>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	broken := io.MultiReader(strings.NewReader("a\n"), errorReader{})
	answers, failed := 0, ""
	for _, err := range b.Lines(t.Context(), broken, 50, source) {
		if answers++; err != nil {
			failed = err.Error()
		}
	}
	if answers != 2 || failed != "standard input: broken" {
		t.Errorf("%d answers, %q", answers, failed)
	}
}

// TestLinesProblems: what is wrong with a declaration is on the line of the stream.
func TestLinesProblems(t *testing.T) {
	b := &signing.Batch{Session: newSession(t, ""), Note: func(string, error) {}}
	defer b.Close()
	source := func(_ int, line []byte) signing.Source {
		_, err := identity.Parse(line)
		return signing.Source{Err: err}
	}
	for a := range b.Lines(t.Context(), strings.NewReader("{}\n{\"a\":}\n"), 50, source) {
		invalid, ok := errors.AsType[*identity.InvalidError](a.Prepared.Err)
		if !ok {
			t.Fatalf("line %d: %v", a.Line, a.Prepared.Err)
		}
		for _, p := range invalid.Problems {
			if p.Line > 0 && p.Line != a.Line || a.Line == 2 && p.Line != 2 {
				t.Errorf("line %d: %+v", a.Line, p)
			}
		}
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestStatements: after a declaration that is bad nothing is given but an error, and all that is bad is told.
func TestStatements(t *testing.T) {
	noted := 0
	b := &signing.Batch{Session: newSession(t, ""), Note: func(string, error) { noted++ }}
	given := 0
	var failed error
	for s, err := range b.Statements(runs("a", "bad", "b", "bad")) {
		if failed = err; s != nil {
			given++
		}
	}
	if given != 1 || noted != 2 || !errors.Is(failed, signing.ErrNotAll) {
		t.Errorf("%d statements, %d noted, %v", given, noted, failed)
	}
}

// lineByLine gives a line at a time, and counts how often it is asked.
type lineByLine struct {
	lines []string
	reads atomic.Int64
}

func (r *lineByLine) Read(p []byte) (int, error) {
	n := int(r.reads.Add(1))
	if n > len(r.lines) {
		return 0, io.EOF
	}
	return copy(p, r.lines[n-1]), nil
}

// meeting is a session that calls meet before it signs.
type meeting struct {
	session
	meet func()
}

func (m meeting) Sign(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
	m.meet()
	return m.session.Sign(ctx, s)
}

// TestLinesLone: a line that comes alone is signed before the next is read; with a remote key, the next is read meanwhile.
func TestLinesLone(t *testing.T) {
	for _, remote := range []bool{false, true} {
		in := &lineByLine{lines: []string{"a\n", "b\n", "c\n"}}
		signed := int64(0) // by one goroutine at a time, if it is not remote
		b := &signing.Batch{Workers: 2, Remote: remote, Note: func(string, error) {}}
		b.Session = meeting{newSession(t, ""), func() {
			if remote {
				for end := time.Now().Add(20 * time.Second); in.reads.Load() == 1; time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Error("the second line is not read while the first is signed")
						return
					}
				}
				return
			}
			signed++
			time.Sleep(20 * time.Millisecond) // for another goroutine to read
			if reads := in.reads.Load(); reads != signed {
				t.Errorf("%d lines are read while line %d is signed", reads, signed)
			}
		}}
		n := 0
		for a, err := range b.Lines(t.Context(), in, 50, func(_ int, line []byte) signing.Source { return run(string(line)) }) {
			if n++; err != nil || a.Err != nil || a.Prepared.Err != nil || a.Line != n {
				t.Fatalf("%d: %v, %v, %v", a.Line, err, a.Err, a.Prepared.Err)
			}
		}
		if n != 3 {
			t.Errorf("%d answers, want 3", n)
		}
	}
}
