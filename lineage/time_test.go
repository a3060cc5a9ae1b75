package lineage

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
)

func at(seconds float64) time.Time {
	return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// TestTimeOrder has lineages in a line, the eldest first, each with its trusted times.
func TestTimeOrder(t *testing.T) {
	type times = []time.Time
	for name, c := range map[string]struct {
		line    []times
		earlier []int // who is flagged
		than    int   // before which run the last of them is
	}{
		"in order":                        {[]times{{at(1)}, {at(2)}, {at(3)}}, nil, 0},
		"no time at all":                  {[]times{nil, nil, nil}, nil, 0},
		"child without time":              {[]times{{at(5)}, nil}, nil, 0},
		"parent without time":             {[]times{nil, {at(5)}}, nil, 0},
		"child before its parent":         {[]times{{at(5)}, {at(4)}}, []int{1}, 0},
		"at one second":                   {[]times{{at(5.9)}, {at(5.1)}}, nil, 0},
		"parent's earliest counts":        {[]times{{at(9), at(3)}, {at(4)}}, nil, 0},
		"child's earliest counts":         {[]times{{at(5)}, {at(9), at(4)}}, []int{1}, 0},
		"over one without time":           {[]times{{at(5)}, nil, nil, {at(4)}}, []int{3}, 0},
		"the parent, not the grandparent": {[]times{{at(9)}, {at(4)}, {at(5)}}, []int{1}, 0},
		"two of three":                    {[]times{{at(9)}, {at(8)}, {at(7)}}, []int{1, 2}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newLineage(t, "alice")
			var line []identity.ID
			for n, times := range c.line {
				var parents []identity.ID
				if n > 0 {
					parents = line[n-1:]
				}
				line = append(line, f.run(n, parents, times...))
			}
			slices.Reverse(f.inputs) // children come first
			g := f.build(Options{})
			var flagged []int
			for n, id := range line {
				if than, earlier := f.node(g, id).EarlierThan(); earlier {
					flagged = append(flagged, n)
					if n == c.earlier[len(c.earlier)-1] && than.ID() != line[c.than] {
						t.Errorf("run %d is earlier than %s, want run %d", n, than.ID(), c.than)
					}
				}
			}
			if !slices.Equal(flagged, c.earlier) || g.Counts().Earlier != len(flagged) {
				t.Errorf("flagged %v (%d), want %v", flagged, g.Counts().Earlier, c.earlier)
			}
			if complete := g.Complete(g.Roots()...); complete != (len(flagged) == 0) {
				t.Errorf("complete %v with %v flagged", complete, flagged)
			}
		})
	}
}

func TestSecondBundleIsEarlier(t *testing.T) {
	f := newLineage(t, "alice")
	parent := f.run(1, nil, at(9))
	child := f.run(2, []identity.ID{parent}, at(5))
	declaration, _ := f.declare(1)
	payload := strings.Replace(statement(parent, declaration), `"identity"`, `"annotations":{"again":"yes"},"identity"`, 1)
	f.clock.times[payload] = []time.Time{at(3)}
	f.add("timestamped before", f.sign(f.by, payload))
	g := f.build(Options{})
	if n, earlier := f.node(g, child).EarlierThan(); earlier {
		t.Errorf("flagged, as earlier than %s", n.ID())
	}
	if by, ok := f.node(g, parent).DeclaredBy(); !ok || !by.Equal(at(3)) {
		t.Errorf("the parent is declared by %v, want the earliest time of its bundles", by)
	}
}

// verified is a run of the lineage as Verify gives it.
func (f *lineage) verified(n int, parents []identity.ID, times ...time.Time) *attest.Verified {
	f.t.Helper()
	f.run(n, parents, times...)
	data := f.inputs[len(f.inputs)-1].Data
	f.inputs = f.inputs[:len(f.inputs)-1]
	b, err := attest.ParseBundle(data)
	if err != nil {
		f.t.Fatal(err)
	}
	v, err := f.verifier.Verify(ctx, b, attest.Expect{})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// TestAncestors: all of them or none.
func TestAncestors(t *testing.T) {
	f := newLineage(t, "alice")
	eldest := f.run(1, nil, at(1))
	left, right := f.run(2, []identity.ID{eldest}), f.run(3, []identity.ID{eldest}, at(3))
	_, missing := f.declare(100)
	broken := f.run(4, []identity.ID{missing})
	_, unheard := f.declare(101)
	g := f.build(Options{})
	all, err := g.Ancestors(f.verified(5, []identity.ID{left, right}, at(4)))
	if err != nil {
		t.Fatal(err)
	}
	var got []identity.ID
	for a := range all {
		got = append(got, a.ID)
		if a.Kind != identity.Agent || len(a.Signers) != 1 || a.Signers[0].Name != "alice" || (a.ID == eldest) == (len(a.Parents) == 1) {
			t.Errorf("%+v", a)
		}
	}
	if want := []identity.ID{left, eldest, right}; !slices.Equal(got, want) {
		t.Errorf("ancestors %v, want %v", got, want)
	}
	if all, err := g.Ancestors(f.verified(6, nil)); err != nil || slices.Collect(all) != nil {
		t.Errorf("a run without parents: %v", err)
	}
	for name, c := range map[string]struct {
		run *attest.Verified
		gap identity.ID
	}{
		"a missing grandparent":  {f.verified(7, []identity.ID{left, broken}), missing},
		"a parent not in it":     {f.verified(8, []identity.ID{left, unheard}), unheard},
		"declared before parent": {f.verified(9, []identity.ID{left, right}, at(2)), f.verified(9, []identity.ID{left, right}).ID()},
	} {
		all, err := g.Ancestors(c.run)
		var no *IncompleteError
		if all != nil || !errors.As(err, &no) || no.Count != 1 || no.Gaps[0].ID != c.gap {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, run := range map[string]*attest.Verified{"none": nil, "zero": {}} {
		if all, err := g.Ancestors(run); err == nil || all != nil {
			t.Errorf("%s is verified", name)
		}
	}
	if !g.VerifiedBy(f.verifier) || g.VerifiedBy(nil) || g.VerifiedBy(newLineage(t, "bob").verifier) {
		t.Error("the graph does not know its verifier")
	}
}

// TestAccuracy: a run is declared by the latest that its timestamp may be, and is before its parent only if the accuracy of
// both times leaves no other order.
func TestAccuracy(t *testing.T) {
	const rough = 3 // the accuracy, in seconds, of the times that have one: those of 5 s and 20 s
	for name, c := range map[string]struct {
		line    []float64 // the times of runs in a line, the eldest first; 0 for none
		earlier bool      // the last is proved earlier
		than    int
	}{
		"within the parent's accuracy":     {[]float64{5, 3}, false, 0},
		"at its begin":                     {[]float64{5, 2}, false, 0},
		"before it":                        {[]float64{5, 1}, true, 0},
		"within the child's accuracy":      {[]float64{7, 5}, false, 0},
		"at its end":                       {[]float64{8, 5}, false, 0},
		"after it":                         {[]float64{9, 5}, true, 0},
		"after the parent's accuracy":      {[]float64{5, 9}, false, 0},
		"a rough parent, under an exact":   {[]float64{7, 5, 6}, true, 0}, // whenever the parent was
		"a rough parent, over no time":     {[]float64{7, 5, 0, 6}, true, 0},
		"a rough parent, under an earlier": {[]float64{1, 5, 1}, true, 1},
		"a rough parent that is flagged":   {[]float64{9, 5, 6}, false, 0}, // it is flagged, and its child not again
		"two rough ones":                   {[]float64{20, 5}, true, 0},
		"two rough ones, in order":         {[]float64{5, 20}, false, 0},
	} {
		f := newLineage(t, "alice")
		f.clock.accuracy = map[time.Time]time.Duration{at(5): rough * time.Second, at(20): rough * time.Second}
		var line []identity.ID
		var last []time.Time
		for n, seen := range c.line {
			last = nil
			if seen > 0 {
				last = []time.Time{at(seen)}
			}
			line = append(line, f.run(n, line[max(0, n-1):], last...))
		}
		g := f.build(Options{})
		youngest := len(line) - 1
		than, earlier := f.node(g, line[youngest]).EarlierThan()
		if earlier != c.earlier || earlier && than.ID() != line[c.than] {
			t.Errorf("%s: earlier is %v, than %s", name, earlier, than.ID())
		}
		_, err := g.Ancestors(f.verified(100, line[youngest-1:youngest], last...))
		flagged := g.Counts().Earlier > 0
		if earlier && err == nil || !flagged && err != nil {
			t.Errorf("%s: ancestors: %v", name, err)
		}
	}
}

// TestDeclaredBy: a run is declared by the latest that its first timestamp may be, and not a fraction of a second before.
func TestDeclaredBy(t *testing.T) {
	f := newLineage(t, "alice")
	f.clock.accuracy = map[time.Time]time.Duration{at(5): 3500 * time.Millisecond}
	run := f.run(1, nil, at(9), at(5))
	if by, ok := f.node(f.build(Options{}), run).DeclaredBy(); !ok || !by.Equal(at(8.5)) {
		t.Errorf("declared by %v, want 3.5 s after the time", by)
	}
	if s := sightOf(evidence.TrustedTime{Time: at(1).Add(time.Nanosecond)}); microseconds(s.latest).Before(at(1).Add(time.Nanosecond)) {
		t.Errorf("declared by %v, before it was seen", microseconds(s.latest))
	}
}
