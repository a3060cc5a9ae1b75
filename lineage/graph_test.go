package lineage

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

func TestStates(t *testing.T) {
	f := newLineage(t, "alice")
	stranger := newSigner(t, signer.Ed25519)
	_, missing := f.declare(100)
	grandparent := f.run(1, []identity.ID{missing})
	middle, middleID := f.declare(2, grandparent)
	f.add("stranger's", f.sign(stranger, statement(middleID, middle)))
	f.add("garbage", []byte("{"))
	child := f.run(3, []identity.ID{middleID, grandparent})
	declaration, _ := f.declare(3, middleID, grandparent)
	f.add("stranger's copy", f.sign(stranger, statement(child, declaration)))
	f.add("a claim", f.sign(f.by, strings.Replace(statement(child, declaration), attest.PredicateType, "https://example.com/x", 1)))
	f.add("no statement", f.sign(f.by, `{}`))

	g := f.build(Options{})
	want := Counts{Verified: 2, Unverified: 1, Missing: 1, Malformed: 2, Other: 1}
	if diff := cmp.Diff(want, g.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	var names []string
	for _, m := range g.Malformed() {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"garbage", "no statement"}, names); diff != "" {
		t.Errorf("malformed (-want +got):\n%s", diff)
	}
	for id, state := range map[identity.ID]State{missing: Missing, grandparent: Verified, middleID: Unverified, child: Verified} {
		if got := f.node(g, id).State(); got != state {
			t.Errorf("%s is %s, want %s", id, got, state)
		}
	}
	if got := g.Roots(); len(got) != 1 || got[0].ID() != child {
		t.Errorf("roots %v, want the child alone", got)
	}
	if diff := cmp.Diff([]identity.ID{middleID, grandparent}, ids(f.node(g, child).Parents()), cmp.Comparer(equal)); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	// the identity of the stranger's run recomputes, and so its parents are its parents
	if diff := cmp.Diff([]identity.ID{grandparent}, ids(f.node(g, middleID).Parents()), cmp.Comparer(equal)); diff != "" {
		t.Errorf("parents of a stranger's run (-want +got):\n%s", diff)
	}
	bundles := slices.Collect(f.node(g, child).Bundles())
	if len(bundles) != 2 || !bundles[0].Verified || bundles[0].Signer.Name != "alice" || bundles[1].Verified || bundles[1].Name != "stranger's copy" || bundles[1].Failed[0].Name != evidence.CheckSignature {
		t.Errorf("bundles %v", bundles)
	}
	if gaps := ids(g.Gaps(g.Roots()...)); len(gaps) != 2 || g.Complete(g.Roots()...) {
		t.Errorf("gaps %v, want the stranger's and the missing one", gaps)
	}
}

func equal(a, b identity.ID) bool { return a == b }

// TestRejected: a rejected run is verified and a gap; a rejection of a run that is not there makes none.
func TestRejected(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil)
	_, missing := f.declare(2)
	child := f.run(3, []identity.ID{parent, missing})
	_, elsewhere := f.declare(4)
	var asked []identity.ID
	g := f.build(Options{Rejected: func(_ context.Context, runs []identity.ID) (map[identity.ID]string, error) {
		asked = runs
		return map[identity.ID]string{parent: "bob: not ours", missing: "bob: lost", elsewhere: "bob: no"}, nil
	}})
	if !slices.Contains(asked, parent) || !slices.Contains(asked, child) || len(asked) != 2 {
		t.Errorf("asked about %v", asked)
	}
	if c := g.Counts(); g.Len() != 3 || c.Verified != 2 || c.Missing != 1 || c.Rejected != 2 {
		t.Errorf("%+v", c)
	}
	n := f.node(g, parent)
	if n.State() != Verified || n.Rejected() != "bob: not ours" || n.Gap() != "rejected by bob: not ours" || n.class() != "rejected" {
		t.Errorf("%s, %q, %q, %s", n.State(), n.Rejected(), n.Gap(), n.class())
	}
	if gap := f.node(g, missing).Gap(); gap != "missing: no bundle of this run; rejected by bob: lost" {
		t.Error(gap)
	}
	tree := text(t, func(w io.Writer) error { return g.WriteText(w, g.Roots()...) })
	if g.Complete(f.node(g, parent)) || f.node(g, child).Gap() != "" ||
		!strings.Contains(tree, "verified: key alice  REJECTED by bob: not ours\n") || !strings.Contains(tree, "MISSING: no bundle of this run; rejected by bob: lost\n") {
		t.Errorf("complete without a gap:\n%s", tree)
	}
	if object := text(t, func(w io.Writer) error { return g.WriteJSON(w, n) }); !strings.Contains(object, `"rejected":2`) || !strings.Contains(object, `"rejected":"bob: not ours"`) {
		t.Error(object)
	}
	failed := errors.New("no answer")
	if _, err := Build(ctx, f.verifier, slices.Values(f.inputs), Options{Rejected: func(context.Context, []identity.ID) (map[identity.ID]string, error) { return nil, failed }}); !errors.Is(err, failed) {
		t.Errorf("a rejection may be missing, and the error is %v", err)
	}
}

// TestForgedParents: parents in a bundle whose identity does not recompute are not
// followed, by any signer.
func TestForgedParents(t *testing.T) {
	for name, trusted := range map[string]bool{"by a stranger": false, "by a trusted signer": true} {
		t.Run(name, func(t *testing.T) {
			f := newLineage(t, "alice")
			by := f.by
			if !trusted {
				by = newSigner(t, signer.Ed25519)
			}
			_, a := f.declare(1)
			_, b := f.declare(2)
			forgedA, _ := f.declare(1, b)
			forgedB, _ := f.declare(2, a)
			f.add("a", f.sign(by, statement(a, forgedA))) // a cycle, as claimed
			f.add("b", f.sign(by, statement(b, forgedB)))
			g := f.build(Options{})
			if g.Len() != 2 || len(g.Roots()) != 2 || len(g.edges) != 0 {
				t.Fatalf("%d runs, %d roots, %d edges; want 2, 2 and none", g.Len(), len(g.Roots()), len(g.edges))
			}
			for _, n := range g.Roots() {
				if n.State() != Unverified || n.Known() || n.Kind() != "" || !strings.Contains(n.Gap(), "not verified: ") {
					t.Errorf("%s: %s, known %v, %q", n.ID(), n.State(), n.Known(), n.Gap())
				}
			}
		})
	}
}

// TestForgedBesideGood: a forged bundle takes nothing from a run that is verified.
func TestForgedBesideGood(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil)
	declaration, id := f.declare(2, parent)
	forged, _ := f.declare(2)
	f.add("forged", f.sign(f.by, statement(id, forged)))
	f.add("good", f.sign(f.by, statement(id, declaration)))
	g := f.build(Options{Roots: []identity.ID{id}})
	if n := f.node(g, id); n.State() != Verified || !g.Complete(g.Roots()...) || g.Len() != 2 {
		t.Errorf("%s, %s", n.State(), n.Gap())
	}
}

// TestCycleByHand: no hash can make one; the walks end all the same.
func TestCycleByHand(t *testing.T) {
	f := newLineage(t, "alice")
	g := &Graph{index: map[identity.ID]int32{}}
	var all []identity.ID
	for n := range 3 {
		_, id := f.declare(n)
		all = append(all, id)
	}
	for n, id := range all {
		if err := g.add(finding{id: id, known: true, parents: []identity.ID{all[(n+1)%3], id}}); err != nil {
			t.Fatal(err)
		}
	}
	g.finish(false)
	if roots := g.Roots(); len(roots) != 0 || g.Complete(roots...) {
		t.Errorf("%d roots in a cycle, complete %v", len(roots), g.Complete(roots...))
	}
	if n := len(ids(g.Ancestry(f.node(g, all[0])))); n != 3 {
		t.Errorf("%d runs on the walk, want 3", n)
	}
}

func TestRoots(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil)
	f.run(2, []identity.ID{parent})
	_, unknown := f.declare(3)
	g := f.build(Options{Roots: []identity.ID{parent, unknown}})
	roots := g.Roots()
	if len(roots) != 2 || roots[0].State() != Verified || roots[1].State() != Missing || g.Complete(roots...) || !g.Complete(roots[0]) {
		t.Errorf("roots %v", roots)
	}
	if g, err := Build(ctx, f.verifier, slices.Values(f.inputs), Options{Roots: []identity.ID{{}}}); err == nil {
		t.Errorf("the zero ID is a root of %v", g)
	}
	if g.Complete() {
		t.Error("nothing is complete")
	}
}

func TestDetached(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil)
	declaration, id := f.declare(2, parent)
	d, err := identity.Parse([]byte(declaration))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{Detached: &attest.DeclarationRef{}})
	if err != nil {
		t.Fatal(err)
	}
	f.add("detached", f.sign(f.by, string(s.Bytes())))
	other, _ := f.declare(3)
	wrong, err := identity.Parse([]byte(other))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		find  func(identity.ID) *identity.Declaration
		state State
	}{
		"not looked for":      {nil, Unverified},
		"not found":           {func(identity.ID) *identity.Declaration { return nil }, Unverified},
		"another declaration": {func(identity.ID) *identity.Declaration { return wrong }, Unverified},
		"found":               {func(identity.ID) *identity.Declaration { return d }, Verified},
	} {
		g := f.build(Options{Declaration: c.find})
		n := f.node(g, id)
		if n.State() != c.state || n.Known() != (c.state == Verified) || g.Len() != 2 {
			t.Errorf("%s: %s, known %v, %d runs", name, n.State(), n.Known(), g.Len())
		}
	}
}

// TestDeclarationAlone: a run without a bundle is missing, and its parents are known; a declaration beside
// a bundle is for that run alone.
func TestDeclarationAlone(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil)
	declare := func(n int, parents ...identity.ID) *identity.Declaration {
		text, _ := f.declare(n, parents...)
		d, err := identity.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	bare := declare(2, parent)
	f.inputs = append(f.inputs, Input{Name: "bare", Declaration: bare})
	g := f.build(Options{})
	n := f.node(g, bare.ID())
	if n.State() != Missing || !n.Known() || n.Kind() != identity.Agent || len(slices.Collect(n.Bundles())) != 0 || len(g.Roots()) != 1 || g.Complete(g.Roots()...) {
		t.Errorf("%s, known %v, %v", n.State(), n.Known(), g.Roots())
	}
	if !strings.Contains(text(t, func(w io.Writer) error { return g.WriteText(w, g.Roots()...) }), "  agent  MISSING: no bundle of this run\n") {
		t.Error("not shown as missing")
	}
	s, err := attest.New(bare, attest.StatementOptions{Detached: &attest.DeclarationRef{}})
	if err != nil {
		t.Fatal(err)
	}
	data := f.sign(f.by, string(s.Bytes()))
	for _, c := range []struct {
		given *identity.Declaration
		want  State
	}{{bare, Verified}, {declare(3), Unverified}, {nil, Unverified}} {
		f.inputs = append(f.inputs[:1:1], Input{"detached", data, c.given})
		if n := f.node(f.build(Options{}), bare.ID()); n.State() != c.want {
			t.Errorf("%v: %s, want %s", c.given, n.State(), c.want)
		}
	}
}

// TestSameWhateverIsFirst: the graph does not depend on which worker is first.
func TestSameWhateverIsFirst(t *testing.T) {
	f := newLineage(t, "alice")
	last := f.run(0, nil)
	for n := 1; n < 50; n++ {
		last = f.run(n, []identity.ID{last})
		f.add("again", f.inputs[n/2].Data)
	}
	render := func() string {
		g := f.build(Options{})
		return text(t, func(w io.Writer) error { return g.WriteJSON(w, g.Roots()...) })
	}
	want := render()
	for _, n := range []int{1, 2, 8} {
		old := runtime.GOMAXPROCS(n)
		if diff := cmp.Diff(want, render()); diff != "" {
			t.Errorf("with %d processors (-want +got):\n%s", n, diff)
		}
		runtime.GOMAXPROCS(old)
	}
}

func TestCaps(t *testing.T) {
	if testing.Short() {
		t.Skip("a million bundles")
	}
	f := newLineage(t, "alice")
	endless := func(yield func(Input) bool) {
		for yield(Input{Name: "x", Data: []byte("{}")}) {
		}
	}
	if _, err := Build(ctx, f.verifier, endless, Options{}); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "1000000 bundles") {
		t.Errorf("endless input: %v", err)
	}
	_, a := f.declare(1)
	_, b := f.declare(2)
	g := &Graph{index: map[identity.ID]int32{}, edges: make([]int32, limits.LineageParents)}
	if err := g.add(finding{id: a, known: true}); err != nil {
		t.Errorf("without parents: %v", err)
	}
	if err := g.add(finding{id: b, known: true, parents: []identity.ID{a}}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more parents than a graph holds: %v", err)
	}
}

func TestBuildStops(t *testing.T) {
	f := newLineage(t, "alice")
	f.run(1, nil)
	stopped, stop := context.WithCancel(ctx)
	count := 0
	var endless iter.Seq[Input] = func(yield func(Input) bool) {
		for yield(f.inputs[0]) {
			if count++; count == 100 {
				stop()
			}
		}
	}
	if g, err := Build(stopped, f.verifier, endless, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", g, err)
	}
	if g, err := Build(ctx, nil, endless, Options{}); !errors.Is(err, attest.ErrNoTrust) {
		t.Errorf("without a verifier: %v, %v", g, err)
	}
}

// TestHeavy: bundles above the size that is looked at one at a time.
func TestHeavy(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil)
	for n := range 5 {
		pad := `"m` + strings.Repeat("x", limits.LineageHeavy) + `"`
		declaration, _ := f.declare(n+2, parent)
		d, err := identity.Parse([]byte(strings.Replace(declaration, `"m"`, pad, 1)))
		if err != nil {
			t.Fatal(err)
		}
		f.add("heavy", f.sign(f.by, statement(d.ID(), string(d.Canonical()))))
		bare := Input{Name: "bare", Declaration: d}
		if bare.size() <= limits.LineageHeavy {
			t.Errorf("a declaration of %d bytes is not heavy", bare.size())
		}
		f.inputs = append(f.inputs, bare)
	}
	if g := f.build(Options{}); g.Counts().Verified != 6 || len(g.Roots()) != 5 {
		t.Errorf("%v", g.Counts())
	}
}

// TestReasonsAreShort: a hostile bundle does not decide how much a graph holds.
func TestReasonsAreShort(t *testing.T) {
	f := newLineage(t, "alice")
	declaration, id := f.declare(1)
	long := strings.Repeat("\u202e", 100_000)
	f.add("a", f.sign(f.by, strings.Replace(statement(id, declaration), `"name":"`+id.String(), `"name":"`+long, 1)))
	f.add("b", f.sign(f.by, strings.Replace(statement(id, declaration), `"identity":"`, `"identity":"`+long, 1)))
	g := f.build(Options{})
	if n := len(f.node(g, id).Gap()); n < 20 || n > 2*limits.LineageReason {
		t.Errorf("a reason of %d bytes", n)
	}
	if m := g.Malformed(); len(m) != 1 || len(m[0].Err.Error()) > 2*limits.LineageReason {
		t.Errorf("malformed %d", len(m))
	}
}
