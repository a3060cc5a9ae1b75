package lineage

import (
	"errors"
	"fmt"
	"io"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// ErrTooLarge says that there are more bundles or parents than a graph holds.
var ErrTooLarge = errors.New("lineage too large")

// State says what is known about a run.
type State uint8

// The states.
const (
	Missing    State = iota // no bundle of it
	Unverified              // bundles of it, none of which is verified
	Verified                // at least one bundle of it is verified
)

// String is missing, unverified or verified.
func (s State) String() string {
	switch s {
	case Verified:
		return "verified"
	case Unverified:
		return "unverified"
	}
	return "missing"
}

// MarshalText writes the state as String does.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Graph is the lineage of runs as it was verified. Build makes it; it is immutable and safe for
// concurrent use.
type Graph struct {
	verifier *attest.Verifier
	index    map[identity.ID]int32
	nodes    []node
	edges    []int32 // the parents of each node, one node's after another's
	bundles  []bundle
	roots    []int32
	rejected map[int32]string // the approver and the reason

	kinds     table[identity.Kind]
	signers   table[evidence.SignerIdentity]
	witnesses table[witness]

	counts    Counts
	malformed []Malformed
}

// node is a run. Everything is an index, so that a hundred thousand of them are small.
type node struct {
	id           identity.ID
	sight        sight  // the first of its verified bundles
	parents      uint32 // where they begin in edges
	parentCount  uint32
	first, last  int32 // bundles of it: a list through bundle.next, none if first is -1
	latestParent int32 // the ancestor before whose sight this run must not have been seen; -1 without
	kind         uint8
	state        State
	known        bool // the identity recomputes from a declaration: kind and parents are facts
	named        bool // as a parent
}

// bundle is what is left of a bundle.
type bundle struct {
	name    string
	failed  []evidence.Check // why not; nil if it is verified
	time    int64            // the latest that its first sight may be, in Unix microseconds
	signer  int32
	witness int32
	next    int32
}

// witness is who vouches for a time.
type witness struct{ kind, authority string }

// table numbers the few different values that many runs have.
type table[T comparable] struct {
	values []T
	number map[T]int32
}

func (t *table[T]) add(v T) int32 {
	n, ok := t.number[v]
	if !ok {
		if t.number == nil {
			t.number = map[T]int32{}
		}
		n = int32(len(t.values))
		t.values, t.number[v] = append(t.values, v), n
	}
	return n
}

// Counts are how many of what there are in a lineage.
type Counts struct {
	Verified   int `json:"verified"` // runs, as Unverified, Missing, Earlier and Rejected
	Unverified int `json:"unverified"`
	Missing    int `json:"missing"`
	Earlier    int `json:"earlier"`  // declared before a parent by trusted time
	Rejected   int `json:"rejected"` // by approvers that the caller trusts
	Malformed  int `json:"malformed"`
	Other      int `json:"other"` // bundles with statements of other types: approvals, links
}

// Malformed is a bundle that cannot be read, or whose statement names no run.
type Malformed struct {
	Name string
	Err  error
}

// Counts count all that there is, whether or not a root descends from it.
func (g *Graph) Counts() Counts { return zero.IfNil(g).counts }

// Malformed are the first hundred malformed bundles; Counts has the number of all.
func (g *Graph) Malformed() []Malformed { return append([]Malformed(nil), zero.IfNil(g).malformed...) }

// VerifiedBy says whether it was this verifier that verified the lineage.
func (g *Graph) VerifiedBy(v *attest.Verifier) bool { return v != nil && zero.IfNil(g).verifier == v }

// Len is the number of runs, the missing ones included.
func (g *Graph) Len() int { return len(zero.IfNil(g).nodes) }

// Node is the run of that identity, if it is in the lineage, if only as a missing parent.
func (g *Graph) Node(id identity.ID) (Node, bool) {
	g = zero.IfNil(g)
	i, ok := g.index[id]
	return Node{g, i}, ok
}

// Roots are the runs asked for in Options.Roots, or else those that no other descends from.
func (g *Graph) Roots() []Node {
	g = zero.IfNil(g)
	roots := make([]Node, len(g.roots))
	for i, n := range g.roots {
		roots[i] = Node{g, n}
	}
	return roots
}

// at is the node of a run, made where there is none yet.
func (g *Graph) at(id identity.ID) int32 {
	i, ok := g.index[id]
	if !ok {
		i = int32(len(g.nodes))
		g.nodes = append(g.nodes, node{id: id, sight: unseen, first: -1, last: -1, latestParent: -1})
		g.index[id] = i
	}
	return i
}

// add takes in what was found out about a bundle.
func (g *Graph) add(f finding) error {
	switch {
	case f.other:
		g.counts.Other++
		return nil
	case f.malformed != nil:
		g.counts.Malformed++
		if len(g.malformed) < limits.Problems {
			g.malformed = append(g.malformed, Malformed{f.name, f.malformed})
		}
		return nil
	}
	i := g.at(f.id)
	if f.known && !g.nodes[i].known {
		if err := g.addParents(i, f); err != nil {
			return err
		}
	}
	if f.bare {
		return nil
	}
	b := bundle{name: f.name, failed: f.failed, time: noTime, signer: -1, witness: -1, next: -1}
	n := &g.nodes[i]
	n.state = max(n.state, Unverified)
	if f.failed == nil {
		n.state = Verified
		b.signer = g.signers.add(f.signer)
		if f.sight.known() {
			b.time, b.witness = f.sight.latest, g.witnesses.add(witness{f.witness.Kind, f.witness.Authority})
			n.sight = n.sight.or(f.sight)
		}
	}
	if at := int32(len(g.bundles)); n.first < 0 {
		n.first, n.last = at, at
	} else {
		g.bundles[n.last].next, n.last = at, at
	}
	g.bundles = append(g.bundles, b)
	return nil
}

// addParents takes the parents from a declaration of which the run's identity is the hash.
func (g *Graph) addParents(i int32, f finding) error {
	if len(g.edges)+len(f.parents) > limits.LineageParents {
		return fmt.Errorf("%w: its runs name more than %d parents", ErrTooLarge, limits.LineageParents)
	}
	n := &g.nodes[i]
	n.known, n.kind = true, uint8(g.kinds.add(f.kind))
	n.parents, n.parentCount = uint32(len(g.edges)), uint32(len(f.parents))
	for _, id := range f.parents {
		p := g.at(id) // may move the nodes
		g.nodes[p].named = true
		g.edges = append(g.edges, p)
	}
	return nil
}

// parentsOf are the indexes of a node's parents.
func (g *Graph) parentsOf(i int32) []int32 {
	n := &g.nodes[i]
	return g.edges[n.parents : n.parents+n.parentCount]
}

// canWrite refuses a graph that Build has not made, and a nil writer.
func (g *Graph) canWrite(w io.Writer) error {
	switch {
	case g == nil || g.verifier == nil:
		return errors.New("no graph: it is nil or a zero value")
	case w == nil:
		return errors.New("no writer to write the graph to")
	}
	return nil
}
