package lineage

import (
	"iter"
	"slices"

	"github.com/runattest/runattest/internal/zero"
)

// Step is one mention of a run on a walk towards the ancestors.
type Step struct {
	Node  Node
	Depth int  // 0 for a root
	Last  bool // of its siblings
	Again bool // the run was mentioned before; its parents are not walked again
}

// frame is a run whose parents are being walked.
type frame struct {
	node int32
	next uint32 // of its parents
}

// Walk goes from runs to their ancestors, each run before its parents, which follow it in the
// declaration's order. It takes memory in proportion to the graph, and the stack of no goroutine.
func (g *Graph) Walk(from ...Node) iter.Seq[Step] {
	g = zero.IfNil(g)
	return func(yield func(Step) bool) {
		seen := make([]bool, len(g.nodes))
		var path []frame
		for r, root := range from {
			if root.g != g {
				continue
			}
			if !yield(Step{root, 0, r == len(from)-1, seen[root.i]}) {
				return
			}
			if seen[root.i] {
				continue
			}
			seen[root.i] = true
			path = append(path[:0], frame{node: root.i})
			for len(path) > 0 {
				top := &path[len(path)-1]
				parents := g.parentsOf(top.node)
				if int(top.next) == len(parents) {
					path = path[:len(path)-1]
					continue
				}
				p := parents[top.next]
				top.next++
				if !yield(Step{Node{g, p}, len(path), int(top.next) == len(parents), seen[p]}) {
					return
				}
				if !seen[p] {
					seen[p] = true
					path = append(path, frame{node: p})
				}
			}
		}
	}
}

// Ancestry is every run from which these descend, and they themselves, each once.
func (g *Graph) Ancestry(of ...Node) iter.Seq[Node] {
	g = zero.IfNil(g)
	return func(yield func(Node) bool) {
		for step := range g.Walk(of...) {
			if !step.Again && !yield(step.Node) {
				return
			}
		}
	}
}

// Gaps are the runs in the ancestry that are missing, unverified, rejected or declared before their parents by trusted time.
func (g *Graph) Gaps(of ...Node) iter.Seq[Node] {
	g = zero.IfNil(g)
	return func(yield func(Node) bool) {
		for n := range g.Ancestry(of...) {
			if n.hasGap() && !yield(n) {
				return
			}
		}
	}
}

// AllVerified says that these are runs, each verified and not rejected by an approver. It says nothing of their ancestry, as
// Complete does.
func (g *Graph) AllVerified(of ...Node) bool {
	g = zero.IfNil(g)
	for _, n := range of {
		if n.g != g || n.State() != Verified || n.Rejected() != "" {
			return false
		}
	}
	return len(of) > 0
}

func (n Node) hasGap() bool {
	_, earlier := n.EarlierThan()
	return n.State() != Verified || earlier || n.Rejected() != ""
}

// Complete says that these are runs, and that there is no gap in their ancestry.
func (g *Graph) Complete(of ...Node) bool {
	g = zero.IfNil(g)
	if slices.ContainsFunc(of, func(n Node) bool { return n.g != g }) {
		return false
	}
	for range g.Gaps(of...) {
		return false
	}
	return len(of) > 0
}

// orderTimes finds for each run the ancestor before which it must not have been seen, parents first.
func (g *Graph) orderTimes() {
	entered := make([]bool, len(g.nodes))
	var path []frame
	for i := range g.nodes {
		if entered[i] {
			continue
		}
		entered[i] = true
		path = append(path[:0], frame{node: int32(i)})
		for len(path) > 0 {
			top := &path[len(path)-1]
			if parents := g.parentsOf(top.node); int(top.next) < len(parents) {
				p := parents[top.next]
				top.next++
				if !entered[p] {
					entered[p] = true
					path = append(path, frame{node: p})
				}
				continue
			}
			g.nodes[top.node].latestParent = g.latest(g.parentsOf(top.node))
			path = path[:len(path)-1]
		}
	}
}

// latest is which of the parents was seen last, by the earliest that its time may be; -1 if none has a trusted time. The
// ancestor that bounds a parent stands for it where it is the later one: the parent has no time, or an inaccurate one
// that begins earlier. It does not where the parent is flagged: what comes after the parent is not flagged for it again.
func (g *Graph) latest(parents []int32) int32 {
	best, begins := int32(-1), func(i int32) int64 { return microseconds(g.nodes[i].sight.earliest).Unix() }
	for _, p := range parents {
		n := &g.nodes[p]
		if above := n.latestParent; !n.sight.known() {
			p = above
		} else if above >= 0 && begins(above) > begins(p) && !n.sight.before(g.nodes[above].sight) {
			p = above
		}
		if p >= 0 && (best < 0 || begins(p) > begins(best)) {
			best = p
		}
	}
	return best
}
