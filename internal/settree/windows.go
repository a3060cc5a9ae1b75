package settree

import (
	"errors"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"

	"github.com/runattest/runattest/internal/limits"
)

// Windows cut a tree into subtrees of limits.ProofWindow leaves, the last of which may have fewer, and keep two hashes of
// each. The path of a leaf is that in its window, and then that of the window: RFC 9162 splits a tree at powers of two, so
// that each window is a subtree.
type Windows struct {
	width int    // leaves in a window, a power of two
	open  []Hash // leaves of the window that is not full
	top   *nodes // of the tree whose leaves are the windows
}

// NewWindows are those of an empty tree.
func NewWindows() *Windows { return newWindows(limits.ProofWindow) }

func newWindows(width int) *Windows { return &Windows{width: width, top: newNodes()} }

// Add adds a leaf by its hash.
func (w *Windows) Add(sum Hash) error {
	if w.open = append(w.open, sum); len(w.open) < w.width {
		return nil
	}
	return w.End()
}

// End closes the last window. Nothing is to be added afterwards.
func (w *Windows) End() error {
	if len(w.open) == 0 {
		return nil
	}
	window, err := nodesOf(w.open)
	if err != nil {
		return err
	}
	w.open = w.open[:0]
	return w.top.add(window.root())
}

// ErrOther says that leaves are not those of a window.
var ErrOther = errors.New("not the leaves of the window")

// Window gives the paths of the leaves of a window, all of which the caller has read again; others are ErrOther.
func (w *Windows) Window(number uint64, leaves []Hash) (path func(i int) ([]Hash, error), err error) {
	if number >= w.top.size() || len(leaves) == 0 || len(leaves) > w.width {
		return nil, ErrOther
	}
	window, err := nodesOf(leaves)
	if err != nil {
		return nil, err
	}
	if window.root() != w.top.levels[0][number] {
		return nil, ErrOther
	}
	above, err := w.top.path(number)
	if err != nil {
		return nil, err
	}
	return func(i int) ([]Hash, error) {
		within, err := window.path(uint64(i))
		return append(within, above...), err
	}, nil
}

// nodes are all nodes of a tree, two hashes a leaf.
type nodes struct {
	levels [][]Hash
	tree   *compact.Range
}

func newNodes() *nodes { return &nodes{levels: [][]Hash{nil}, tree: factory.NewEmptyRange(0)} }

func nodesOf(leaves []Hash) (*nodes, error) {
	n := newNodes()
	for _, sum := range leaves {
		if err := n.add(sum); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *nodes) add(sum Hash) error {
	return n.tree.Append(sum[:], func(id compact.NodeID, sum []byte) { // each level from the left
		for uint(len(n.levels)) <= id.Level {
			n.levels = append(n.levels, nil)
		}
		n.levels[id.Level] = append(n.levels[id.Level], Hash(sum))
	})
}

func (n *nodes) size() uint64 { return n.tree.End() }

// root is the tree hash; that of no leaf is zero.
func (n *nodes) root() (root Hash) {
	if sum, err := n.tree.GetRootHash(nil); err == nil && len(sum) == len(root) {
		root = Hash(sum)
	}
	return root
}

// path is that of the leaf at index, RFC 9162, section 2.1.3.1.
func (n *nodes) path(index uint64) ([]Hash, error) {
	wanted, err := proof.Inclusion(index, n.size())
	if err != nil {
		return nil, err
	}
	return pathOf(wanted, func(id compact.NodeID) []byte {
		if id.Level >= uint(len(n.levels)) || id.Index >= uint64(len(n.levels[id.Level])) {
			return nil
		}
		return n.levels[id.Level][id.Index][:]
	})
}
