package verdicts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
)

// desk signs runs by their names, and trusts what it signs.
type desk struct {
	t     *testing.T
	by    signer.Signer
	trust *attest.Verifier
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	t.Chdir(t.TempDir())
	d := &desk{t: t}
	pair, err := signer.Generate(signer.Ed25519, nil)
	d.must(err)
	d.by, err = signer.Parse(pair.Private, nil)
	d.must(err)
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: pair.Key})
	d.must(err)
	d.trust, err = attest.NewVerifier(trust)
	d.must(err)
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func declaration(name string) string {
	return fmt.Sprintf(`{"schema":%q,"kind":"other","model":{"name":%q},"prompt":{},"parameters":{},"context":[],"constraints":{}}`, identity.Schema, name)
}

func (d *desk) statement(name string) *attest.Statement {
	d.t.Helper()
	declared, err := identity.Parse([]byte(declaration(name)))
	d.must(err)
	s, err := attest.New(declared, attest.StatementOptions{})
	d.must(err)
	return s
}

func (d *desk) bundle(name string) []byte {
	d.t.Helper()
	b, err := attest.Sign(d.t.Context(), d.statement(name), d.by, attest.SignOptions{})
	d.must(err)
	text, err := b.Marshal()
	d.must(err)
	return append(text, '\n')
}

func (d *desk) set(names ...string) []byte {
	d.t.Helper()
	var set bytes.Buffer
	runs := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for _, name := range names {
				if !yield(d.statement(name), nil) {
					return
				}
			}
		}
	}
	_, err := runset.Write(d.t.Context(), &set, runs, runset.WriteOptions{Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, d.by, attest.SignOptions{})
	}})
	d.must(err)
	return set.Bytes()
}

func (d *desk) write(name string, parts ...[]byte) {
	d.t.Helper()
	d.must(os.WriteFile(name, slices.Concat(parts...), 0o600))
}

func (d *desk) given(names ...string) *files.Declarations {
	d.t.Helper()
	var lines []string
	for _, name := range names {
		lines = append(lines, declaration(name))
	}
	given, err := files.ReadDeclarations([]string{"-"}, strings.NewReader(strings.Join(lines, "\n")+"\n"))
	d.must(err)
	return given
}

// visits writes down what a Visitor is told. It stops after the names in stop.
type visits struct {
	v    *verdicts.Verifier
	stop string
	all  []string
}

func (s *visits) add(name string, verified bool, err error) bool {
	s.all = append(s.all, fmt.Sprint(name, " ", verified, " ", err))
	return name != s.stop
}

func (s *visits) Bundle(name string, r attest.Report, err error) bool {
	return s.add(name, r.Verified, err)
}

func (s *visits) Set(name string, set io.ReadSeeker) bool {
	r, err := s.v.Set(context.Background(), set, func(i uint64, run attest.Report) { s.add(fmt.Sprint(name, "#", i), run.Verified, nil) }, nil)
	return s.add(name, err == nil && r.Verified, err)
}

func (s *visits) Journal(dir string) bool    { return s.add("journal "+dir, false, nil) }
func (s *visits) Reference(text string) bool { return s.add("reference "+text, false, nil) }

// TestAll: verdicts come in the order of the names, a set between others, and not after a Visitor stops.
func TestAll(t *testing.T) {
	d := newDesk(t)
	other := newDesk(t)
	d.write("many.jsonl", d.bundle("a"), other.bundle("b"), d.bundle("c"))
	d.write("s.runset.jsonl", d.set("x", "y"))
	d.write("last.json", d.bundle("z"))
	names := []string{"many.jsonl", "s.runset.jsonl", "oci://localhost/a", "none.json", "last.json"}
	want := []string{
		"many.jsonl:1 true <nil>", "many.jsonl:2 false <nil>", "many.jsonl:3 true <nil>", "s.runset.jsonl#0 true <nil>", "s.runset.jsonl#1 true <nil>",
		"s.runset.jsonl true <nil>", "reference oci://localhost/a false <nil>", "none.json false none.json: no such file or directory", "last.json true <nil>",
	}
	v := &verdicts.Verifier{Trust: d.trust}
	for _, stop := range []string{"", "many.jsonl:2", "s.runset.jsonl"} {
		s := &visits{v: v, stop: stop}
		d.must(v.All(t.Context(), s, names...))
		wanted := want
		if i := slices.IndexFunc(want, func(w string) bool { return strings.HasPrefix(w, stop+" ") }); i >= 0 {
			wanted = want[:i+1]
		}
		if !slices.Equal(s.all, wanted) {
			t.Errorf("stop %q: %q, want %q", stop, s.all, wanted)
		}
	}
	if err := new(verdicts.Verifier).All(t.Context(), &visits{}, "last.json"); err == nil {
		t.Error("a verifier without trust gives verdicts")
	}
}

// TestGiven: a declaration that is given is the one of the run, or of a run of the set, or there is no verdict.
func TestGiven(t *testing.T) {
	d := newDesk(t)
	set := d.set("a", "b")
	for _, c := range []struct {
		given  []string
		bundle string // why there is no verdict about a bundle of a
		set    error
	}{
		{nil, "<nil>", nil}, {[]string{"a", "z"}, "<nil>", nil}, {[]string{"y", "z"}, "is about none of the 2 declarations that are given", verdicts.ErrNoneGiven},
	} {
		v := &verdicts.Verifier{Trust: d.trust}
		if c.given != nil {
			v.Given = d.given(c.given...)
		}
		r, err := v.Text(t.Context(), d.bundle("a"))
		if fmt.Sprint(err) != c.bundle || r.Verified != (err == nil) {
			t.Errorf("%q: %v, want %s", c.given, err, c.bundle)
		}
		if _, err := v.Set(t.Context(), bytes.NewReader(set), nil, nil); !errors.Is(err, c.set) {
			t.Errorf("%q: set: %v, want %v", c.given, err, c.set)
		}
	}
}

// TestGivenOne: one declaration that is given is held against every bundle, whatever else is expected of it.
func TestGivenOne(t *testing.T) {
	d := newDesk(t)
	d.write("a.json", d.bundle("a"))
	a, err := files.ParseBundle(d.bundle("a"))
	d.must(err)
	for _, given := range []string{"a", "z"} {
		v := &verdicts.Verifier{Trust: d.trust, Given: d.given(given)}
		about := given == "a"
		if r, err := v.Text(t.Context(), d.bundle("a")); err != nil || r.Verified != about {
			t.Errorf("text, %s: %v, %v", given, r.Verified, err)
		}
		if r, err := v.Bundle(t.Context(), a, attest.Expect{}); err != nil || r.Verified != about {
			t.Errorf("bundle, %s: %v, %v", given, r.Verified, err)
		}
		expected := d.given("a").Only()
		if r, err := v.Bundle(t.Context(), a, attest.Expect{Declaration: expected}); (err == nil) != about || r.Verified != about {
			t.Errorf("bundle with a declaration expected, %s: %v, %v", given, r.Verified, err)
		}
		s := &visits{v: v}
		d.must(v.All(t.Context(), s, "a.json"))
		if want := fmt.Sprintf("a.json %v <nil>", about); !slices.Equal(s.all, []string{want}) {
			t.Errorf("all, %s: %q, want %q", given, s.all, want)
		}
	}
}

// TestGivenAttached: a declaration that is given is held against what is attached to an artifact.
func TestGivenAttached(t *testing.T) {
	d := newDesk(t)
	d.must(registry.CreateLayout("layout"))
	ref, err := registry.ParseReference("oci-layout://layout")
	d.must(err)
	target, err := registry.Open(ref, registry.Options{})
	d.must(err)
	run, _, err := target.PushRun(t.Context(), d.given("a").Only(), d.bundle("a"))
	d.must(err)
	for _, given := range []string{"a", "z"} {
		v := &verdicts.Verifier{Trust: d.trust, Given: d.given(given)}
		told := 0
		s, err := v.Attached(t.Context(), target, run, func(name string, c registry.Checked) {
			if told++; c.Report.Verified != (given == "a") || c.Err != nil || name != "oci-layout://layout@"+c.Referrer || c.Referrer == "" {
				t.Errorf("%s: %s: %v, %v", given, name, c.Report.Verified, c.Err)
			}
		})
		d.must(err)
		if s.Total() != 1 || told != 1 || s.Passed(false) != (given == "a") {
			t.Errorf("%s: %+v, and %d were told, want 1", given, s, told)
		}
	}
}

// TestGivenNowhereElse: a declaration beside Given, and a Given without one, give no verdicts.
func TestGivenNowhereElse(t *testing.T) {
	d := newDesk(t)
	d.write("a.json", d.bundle("a"))
	none, err := files.NewDeclarations()
	d.must(err)
	for name, v := range map[string]*verdicts.Verifier{
		"in Expect": {Trust: d.trust, Expect: attest.Expect{Declaration: d.given("a").Only()}},
		"in both":   {Trust: d.trust, Expect: attest.Expect{Declaration: d.given("a").Only()}, Given: d.given("a")},
		"none":      {Trust: d.trust, Given: none},
	} {
		if _, err := v.Text(t.Context(), d.bundle("a")); err == nil {
			t.Errorf("%s: a verdict about a bundle", name)
		}
		if _, err := v.Set(t.Context(), bytes.NewReader(d.set("a", "b")), nil, nil); err == nil {
			t.Errorf("%s: a verdict about a set", name)
		}
		if err := v.All(t.Context(), &visits{v: v}, "a.json"); err == nil {
			t.Errorf("%s: verdicts about names", name)
		}
		if _, err := v.Attached(t.Context(), nil, nil, nil); err == nil || !strings.Contains(err.Error(), "Given") {
			t.Errorf("%s: attached: %v", name, err)
		}
	}
}

// TestOneRun: what is expected of one run is expected of no set and no journal.
func TestOneRun(t *testing.T) {
	d := newDesk(t)
	set := d.set("a")
	id := d.statement("a").ID()
	for _, want := range []attest.Expect{{Identity: &id}, {Artifacts: []attest.Subject{{Name: "f"}}}} {
		v := &verdicts.Verifier{Trust: d.trust, Expect: want}
		if _, err := v.Set(t.Context(), bytes.NewReader(set), nil, nil); !errors.As(err, new(*verdicts.OneRunError)) {
			t.Errorf("set: %v", err)
		}
		if _, err := v.Journal(t.Context(), ".", journal.VerifyOptions{}); !errors.As(err, new(*verdicts.OneRunError)) {
			t.Errorf("journal: %v", err)
		}
	}
}
