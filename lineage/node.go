package lineage

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/zero"
)

// Node is a run in a graph. It is a small value, comparable within one graph.
type Node struct {
	g *Graph
	i int32
}

// node is that of a missing run for the zero Node.
func (n Node) node() *node {
	if n.g == nil {
		return &node{state: Missing, first: -1, latestParent: -1, sight: unseen}
	}
	return &n.g.nodes[n.i]
}

// ID is the run's identity.
func (n Node) ID() identity.ID { return n.node().id }

// State says whether the run is verified.
func (n Node) State() State { return n.node().state }

// Known says that the identity recomputes from a declaration, so that Kind and Parents are the
// run's, whether or not a trusted signer has signed it.
func (n Node) Known() bool { return n.node().known }

// Kind is the sort of run, "" unless it is Known.
func (n Node) Kind() identity.Kind {
	if !n.Known() {
		return ""
	}
	return n.g.kinds.values[n.node().kind]
}

// Parents are the runs that this one descends from, in the declaration's order; none unless it is Known.
func (n Node) Parents() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.g == nil {
			return
		}
		for _, p := range n.g.parentsOf(n.i) {
			if !yield(Node{n.g, p}) {
				return
			}
		}
	}
}

// DeclaredBy is the earliest trusted time of a verified bundle, with the accuracy of its timestamp added: the run was
// declared by then.
func (n Node) DeclaredBy() (t time.Time, ok bool) {
	if !n.node().sight.known() {
		return t, false
	}
	return microseconds(n.node().sight.latest), true
}

// EarlierThan is the parent before which the run was declared by trusted time: the latest that the run's earliest time may
// be is before the earliest that the parent's may be. It is an ancestor further up where parents have no trusted time, or one
// that is less accurate; the latest, if there are several. Where the accuracy of the times leaves the order open, it is false.
func (n Node) EarlierThan() (Node, bool) {
	p := n.node().latestParent
	if p < 0 {
		return Node{}, false
	}
	return Node{n.g, p}, n.node().sight.before(n.g.nodes[p].sight)
}

// Bundle is a bundle of a run. Signer and Time are set only if it is verified.
type Bundle struct {
	Name     string
	Verified bool
	Signer   evidence.SignerIdentity
	Time     evidence.TrustedTime // the earliest, as DeclaredBy has it; zero without trusted time
	Failed   []evidence.Check     // why not
}

// Bundles are the bundles of the run, in the order of the input.
func (n Node) Bundles() iter.Seq[Bundle] {
	return func(yield func(Bundle) bool) {
		for i := n.node().first; i >= 0; i = n.g.bundles[i].next {
			if !yield(n.g.bundle(&n.g.bundles[i])) {
				return
			}
		}
	}
}

func (g *Graph) bundle(b *bundle) Bundle {
	made := Bundle{Name: b.name, Verified: b.failed == nil, Failed: slices.Clone(b.failed)}
	if b.signer >= 0 {
		made.Signer = g.signers.values[b.signer]
	}
	if b.witness >= 0 {
		w := g.witnesses.values[b.witness]
		made.Time = evidence.TrustedTime{Kind: w.kind, Authority: w.authority, Time: microseconds(b.time)}
	}
	return made
}

// Signers are who signed the verified bundles, each once.
func (n Node) Signers() []evidence.SignerIdentity {
	var all []evidence.SignerIdentity
	seen := map[int32]bool{} // keyless, each signature has another certificate
	for i := n.node().first; i >= 0; i = n.g.bundles[i].next {
		if by := n.g.bundles[i].signer; by >= 0 && !seen[by] {
			seen[by], all = true, append(all, n.g.signers.values[by])
		}
	}
	return all
}

// Rejected says who has rejected the run and why, where Options.Rejected knows; otherwise it is "".
func (n Node) Rejected() string { return zero.IfNil(n.g).rejected[n.i] }

// Gap says why the run leaves a gap in the ancestry that it is in: missing, unverified, rejected, or
// declared before its parent by trusted time. It is "" if it leaves none.
func (n Node) Gap() string {
	var why []string
	switch n.State() {
	case Missing:
		why = append(why, "missing: no bundle of this run")
	case Unverified:
		why = append(why, n.whyUnverified())
	}
	if by := n.Rejected(); by != "" {
		why = append(why, "rejected by "+by)
	}
	if parent, earlier := n.EarlierThan(); earlier {
		why = append(why, parent.laterThan(n.node().sight))
	}
	return strings.Join(why, "; ")
}

// laterThan says that a run of which this is an ancestor was seen before it.
func (n Node) laterThan(child sight) string {
	return fmt.Sprintf("declared before its parent by trusted time: seen by %s, %s not until %s",
		visible.Time(microseconds(child.latest)), n.ID(), visible.Time(microseconds(n.node().sight.earliest)))
}

// whyUnverified is the first failed check of the first bundle.
func (n Node) whyUnverified() string {
	text, more := "not verified", 0
	for b := range n.Bundles() {
		if more++; more == 1 {
			text = fmt.Sprintf("not verified: %s: %s (%s)", b.Failed[0].Name, b.Failed[0].Reason, b.Name)
		}
	}
	if more > 1 {
		text += fmt.Sprintf(" and %d more bundles", more-1)
	}
	return text
}
