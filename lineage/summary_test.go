package lineage

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
)

// TestSummary: the first gap is named and the others counted; a run that is rejected is not verified for AllVerified.
func TestSummary(t *testing.T) {
	f := newLineage(t, "ci")
	_, missing := f.declare(1)
	_, other := f.declare(2)
	parent := f.run(3, nil)
	child := f.run(4, []identity.ID{parent, missing, other})
	g := f.build(Options{})
	lines := g.Summary(g.Roots()...)
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "4 runs: 2 verified, 0 unverified, 2 missing; ") || !strings.HasPrefix(lines[1], "incomplete: airun:1:sha256:") ||
		lines[2] != "and 1 more gaps in the ancestry" {
		t.Errorf("%q", lines)
	}
	if lines := g.Summary(f.node(g, parent)); len(lines) != 1 {
		t.Errorf("of a run without gaps: %q", lines)
	}
	if !g.AllVerified(f.node(g, child), f.node(g, parent)) || g.AllVerified(f.node(g, parent), f.node(g, missing)) || g.AllVerified() || g.AllVerified(Node{}) {
		t.Error("a run that is missing is verified, or one that is not missing is not")
	}
	rejected := f.build(Options{Rejected: func(context.Context, []identity.ID) (map[identity.ID]string, error) {
		return map[identity.ID]string{child: "by \x1b[2Jalice"}, nil
	}})
	if rejected.AllVerified(rejected.Roots()...) || rejected.AllVerified(f.node(g, parent)) {
		t.Error("a run that is rejected, or of another graph, is verified")
	}
	lines = rejected.Summary(rejected.Roots()...)
	if !slices.Contains(lines, "1 rejected by approvers of the policy") || strings.Contains(strings.Join(lines, ""), "\x1b") {
		t.Errorf("%q", lines)
	}
}

func TestLinkString(t *testing.T) {
	f := newLineage(t, "ci")
	run := f.run(1, nil)
	l := Link{Run: run, Relation: Container, Artifacts: []attest.Subject{{Name: "image"}}}
	if want := "a claim by its signer: " + run.String() + " took place in image"; l.String() != want {
		t.Errorf("%s, want %s", l, want)
	}
	l.Relation, l.Artifacts = Produced, append(l.Artifacts, attest.Subject{Name: "log"})
	if want := "a claim by its signer: " + run.String() + " produced 2 artifacts"; l.String() != want {
		t.Errorf("%s, want %s", l, want)
	}
}
