package lineage

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
)

// Ancestor is a verified run from which another descends.
type Ancestor struct {
	ID         identity.ID
	Kind       identity.Kind
	Parents    []identity.ID
	Signers    []evidence.SignerIdentity // who signed its verified bundles, each once
	DeclaredBy time.Time                 // the earliest trusted time, as Node.DeclaredBy has it; zero without
}

// IncompleteError says that the ancestry of a run has gaps, so that nothing can be said of all of it.
type IncompleteError struct {
	Run   identity.ID
	Gaps  []Gap // the first hundred
	Count int   // of all
}

// Gap is a run that is missing, unverified, rejected or declared before its parent by trusted time.
type Gap struct {
	ID     identity.ID
	Reason string
}

func (e *IncompleteError) Error() string {
	text := fmt.Sprintf("the ancestry of %s is incomplete", e.Run)
	if len(e.Gaps) > 0 {
		text += fmt.Sprintf(": %s: %s", e.Gaps[0].ID, e.Gaps[0].Reason)
	}
	if e.Count > 1 {
		text += fmt.Sprintf(" (and %d more)", e.Count-1)
	}
	return text
}

func (e *IncompleteError) add(id identity.ID, reason string) {
	if e.Count++; len(e.Gaps) < limits.Problems {
		e.Gaps = append(e.Gaps, Gap{id, reason})
	}
}

// Ancestors are all the runs from which a verified run descends, each once and without itself:
// what a policy that demands something of every ancestor goes through. It gives all of them or
// none: where one is missing, unverified, rejected or declared before its parent by trusted time the error is
// an *IncompleteError, because a demand on the others would be met in vain. The run need not be
// in the lineage itself; its parents are taken from its verified declaration.
func (g *Graph) Ancestors(run *attest.Verified) (iter.Seq[Ancestor], error) {
	if g == nil || g.verifier == nil {
		return nil, errors.New("ancestors: no graph: it is nil or a zero value")
	}
	if run == nil || run.ID().IsZero() {
		return nil, errors.New("ancestors: the run is not verified")
	}
	gaps := &IncompleteError{Run: run.ID()}
	var parents []Node
	for _, id := range run.Declaration().Parents() {
		n, ok := g.Node(id)
		if !ok {
			gaps.add(id, "missing: no bundle of this run")
			continue
		}
		parents = append(parents, n)
	}
	for n := range g.Gaps(parents...) {
		gaps.add(n.ID(), n.Gap())
	}
	if gaps.Count == 0 {
		g.checkOrder(run, parents, gaps)
	}
	if gaps.Count > 0 {
		return nil, gaps
	}
	return func(yield func(Ancestor) bool) {
		for n := range g.Ancestry(parents...) {
			if !yield(n.ancestor()) {
				return
			}
		}
	}, nil
}

// checkOrder refuses a run that was certainly seen before its parents; the lineage may have an earlier time of it.
func (g *Graph) checkOrder(run *attest.Verified, parents []Node, gaps *IncompleteError) {
	seen := sightOf(run.Times()...)
	if n, ok := g.Node(run.ID()); ok {
		seen = seen.or(n.node().sight)
	}
	var indexes []int32
	for _, p := range parents {
		indexes = append(indexes, p.i)
	}
	if p := g.latest(indexes); p >= 0 && seen.before(g.nodes[p].sight) {
		gaps.add(run.ID(), Node{g, p}.laterThan(seen))
	}
}

func (n Node) ancestor() Ancestor {
	a := Ancestor{ID: n.ID(), Kind: n.Kind(), Signers: n.Signers()}
	for p := range n.Parents() {
		a.Parents = append(a.Parents, p.ID())
	}
	a.DeclaredBy, _ = n.DeclaredBy()
	return a
}
