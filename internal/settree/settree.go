// Package settree computes the Merkle tree of a run set: the tree hash of RFC 9162, section 2.1.1, with SHA-256, over
// salted Statements. docs/spec/predicate-run-set-v1.md defines it.
package settree

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strconv"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/runattest/runattest/internal/limits"
)

// Name is what a head calls this kind of tree.
const Name = "rfc9162-sha256"

// Hash is the hash of a leaf or a node, a seed, or a salt.
type Hash = [sha256.Size]byte

// HeadBytes are the RFC 8785 bytes of a head, the artifact that a run set's Statement is about.
func HeadBytes(root Hash, size uint64) []byte {
	return fmt.Appendf(nil, `{"root":"%x","size":%d,"tree":"%s"}`, root, size, Name)
}

// Leaf is the hash of a leaf: a salt, and the RFC 8785 bytes of a Statement.
func Leaf(salt Hash, statement []byte) Hash {
	h := sha256.New()
	return leaf(h, salt[:], statement, nil)
}

var leafPrefix = []byte{rfc6962.RFC6962LeafHashPrefix}

// leaf is the hash of a leaf, by way of memory for it.
func leaf(h hash.Hash, salt, statement, memory []byte) Hash {
	h.Reset()
	h.Write(leafPrefix)
	h.Write(salt)
	h.Write(statement)
	return Hash(h.Sum(memory[:0]))
}

// Builder adds leaves to a tree, one after the other. It holds one hash for each level.
type Builder struct {
	mac, hash hash.Hash
	nodes     *compact.Range
	visit     compact.VisitFn
	salt, sum [sha256.Size]byte // memory for what a hash gives
	index     [8]byte           // memory for what it is of
}

var factory = compact.RangeFactory{Hash: hashChildren}

// hashChildren is rfc6962.DefaultHasher.HashChildren with one allocation.
func hashChildren(left, right []byte) []byte {
	node := make([]byte, 0, 1+2*sha256.Size)
	sum := sha256.Sum256(append(append(append(node, rfc6962.RFC6962NodeHashPrefix), left...), right...))
	return sum[:]
}

// NewBuilder makes an empty tree whose salts come of seed.
func NewBuilder(seed Hash) *Builder {
	return &Builder{mac: hmac.New(sha256.New, seed[:]), hash: sha256.New(), nodes: factory.NewEmptyRange(0)}
}

// Size is how many leaves there are.
func (b *Builder) Size() uint64 { return b.nodes.End() }

// Salt is the salt of a leaf: HMAC-SHA-256 of its index in eight bytes, big-endian, under the seed.
func (b *Builder) Salt(index uint64) Hash {
	b.mac.Reset()
	binary.BigEndian.PutUint64(b.index[:], index)
	b.mac.Write(b.index[:])
	return Hash(b.mac.Sum(b.salt[:0]))
}

// Leaf is the hash of the leaf at index, of a Statement in RFC 8785 form. It adds nothing.
func (b *Builder) Leaf(index uint64, statement []byte) Hash {
	b.salt = b.Salt(index)
	return leaf(b.hash, b.salt[:], statement, b.sum[:])
}

// Add adds the leaf of a Statement, given in RFC 8785 form, and returns its hash.
func (b *Builder) Add(statement []byte) (Hash, error) {
	if b.Size() == limits.SetRuns {
		return Hash{}, fmt.Errorf("more than %d runs", uint64(limits.SetRuns))
	}
	sum := b.Leaf(b.Size(), statement)
	return sum, b.AddLeaf(sum)
}

// AddLeaf adds a leaf by its hash.
func (b *Builder) AddLeaf(sum Hash) error { return b.nodes.Append(sum[:], b.visit) }

// Root is the tree hash; an empty tree is an error.
func (b *Builder) Root() (Hash, error) {
	if b.Size() == 0 {
		return Hash{}, errors.New("a tree without leaves")
	}
	root, err := b.nodes.GetRootHash(nil)
	if err != nil {
		return Hash{}, err
	}
	return Hash(root), nil
}

// Collect has the builder keep what a proof of the leaf at index in a tree of size leaves consists of, and returns what
// gives the path once all leaves were added. It is to be called on an empty tree.
func (b *Builder) Collect(index, size uint64) (path func() ([]Hash, error), err error) {
	nodes, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, err
	}
	found := make(map[compact.NodeID][]byte, len(nodes.IDs))
	for _, id := range nodes.IDs {
		found[id] = nil
	}
	b.visit = func(id compact.NodeID, sum []byte) {
		if _, wanted := found[id]; wanted {
			found[id] = sum
		}
	}
	return func() ([]Hash, error) { return pathOf(nodes, func(id compact.NodeID) []byte { return found[id] }) }, nil
}

func pathOf(nodes proof.Nodes, hashOf func(compact.NodeID) []byte) ([]Hash, error) {
	sums := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		if sums[i] = hashOf(id); sums[i] == nil {
			return nil, fmt.Errorf("the tree has no node at level %d, index %d", id.Level, id.Index)
		}
	}
	sums, err := nodes.Rehash(sums, factory.Hash)
	if err != nil {
		return nil, err
	}
	path := make([]Hash, len(sums))
	for i, sum := range sums {
		path[i] = Hash(sum)
	}
	return path, nil
}

// CheckPath checks that a leaf is at index in the tree of that root and size: RFC 9162, section 2.1.3.2.
func CheckPath(root Hash, size, index uint64, sum Hash, path []Hash) error {
	if index >= size {
		return fmt.Errorf("the index is %d, and the set has %s", index, Runs(size))
	}
	sums := make([][]byte, len(path))
	for i := range path {
		sums[i] = path[i][:]
	}
	got, err := proof.RootFromInclusionProof(rfc6962.DefaultHasher, index, size, sum[:], sums)
	if err != nil {
		return fmt.Errorf("the path has %d hashes, and that of run %d of %d has %d", len(path), index, size, pathLength(index, size))
	}
	if Hash(got) != root {
		return fmt.Errorf("the path leads to the root %x, and %x is signed", got, root)
	}
	return nil
}

// pathLength is how long the path of a leaf is in a tree that has it.
func pathLength(index, size uint64) int {
	n := 0
	for last := size - 1; last > 0; index, last = index>>1, last>>1 {
		if index^1 <= last {
			n++
		}
	}
	return n
}

// Runs says how many runs there are.
func Runs(n uint64) string {
	if n == 1 {
		return "1 run"
	}
	return strconv.FormatUint(n, 10) + " runs"
}
