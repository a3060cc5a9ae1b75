package settree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"
)

// The leaves of Certificate Transparency's published vectors, and the root of the first n of them.
var ctLeaves = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}

var ctRoots = []string{
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

func ctLeaf(t *testing.T, i int) Hash {
	t.Helper()
	data, err := hex.DecodeString(ctLeaves[i])
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(append([]byte{rfc6962.RFC6962LeafHashPrefix}, data...))
}

func TestPublishedRoots(t *testing.T) {
	for n := 1; n <= len(ctRoots); n++ {
		b := NewBuilder(Hash{})
		for i := range n {
			if err := b.AddLeaf(ctLeaf(t, i)); err != nil {
				t.Fatal(err)
			}
		}
		root, err := b.Root()
		if err != nil || hex.EncodeToString(root[:]) != ctRoots[n-1] {
			t.Errorf("root of %d leaves is %x, %v, want %s", n, root, err, ctRoots[n-1])
		}
	}
}

// leaves adds n leaves to a builder.
func leaves(t *testing.T, b *Builder, n uint64) []Hash {
	t.Helper()
	var sums []Hash
	for i := range n {
		sum, err := b.Add(fmt.Appendf(nil, "statement %d", i))
		if err != nil {
			t.Fatal(err)
		}
		if sum != Leaf(b.Salt(i), fmt.Appendf(nil, "statement %d", i)) {
			t.Fatalf("leaf %d: Add and Leaf disagree", i)
		}
		sums = append(sums, sum)
	}
	return sums
}

// Every path of every small tree verifies, both ways of making one agree, and no other index, size, length, leaf or hash does.
func TestPaths(t *testing.T) {
	checked := 0
	for size := uint64(1); size <= 20; size++ {
		full := NewBuilder(Hash{1})
		sums := leaves(t, full, size)
		root, err := full.Root()
		if err != nil {
			t.Fatal(err)
		}
		for index := range size {
			one := NewBuilder(Hash{1})
			collected, err := one.Collect(index, size)
			if err != nil {
				t.Fatal(err)
			}
			leaves(t, one, size)
			path, err := collected()
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range []int{1, 2, 4, 16, 1024} {
				other, err := pathBy(newWindows(width), sums, index)
				if err != nil || fmt.Sprint(path) != fmt.Sprint(other) {
					t.Fatalf("%d of %d, windows of %d: %x, %x, %v", index, size, width, path, other, err)
				}
			}
			if n := pathLength(index, size); n != len(path) {
				t.Errorf("%d of %d: pathLength %d, and it has %d", index, size, n, len(path))
			}
			if err := CheckPath(root, size, index, sums[index], path); err != nil {
				t.Fatal(err)
			}
			refused := func(what string, root Hash, size, index uint64, sum Hash, path []Hash) {
				checked++
				if CheckPath(root, size, index, sum, path) == nil {
					t.Errorf("%d of %d verifies with %s", index, size, what)
				}
			}
			for i := range size + 2 {
				if i != index {
					refused("another index", root, size, i, sums[index], path)
				}
			}
			refused("one hash more", root, size, index, sums[index], append(path[:len(path):len(path)], root))
			refused("another root", Hash{}, size, index, sums[index], path)
			refused("another leaf", root, size, index, root2(sums[index]), path)
			for i := range path {
				refused("one hash less", root, size, index, sums[index], append(path[:i:i], path[i+1:]...))
			}
		}
	}
	if checked < 1000 {
		t.Fatalf("%d were checked", checked)
	}
}

func root2(sum Hash) Hash { sum[31] ^= 1; return sum }

// pathBy is the path of a leaf by windows of the leaves.
func pathBy(w *Windows, leaves []Hash, index uint64) ([]Hash, error) {
	for _, sum := range leaves {
		if err := w.Add(sum); err != nil {
			return nil, err
		}
	}
	if err := w.End(); err != nil {
		return nil, err
	}
	number := index / uint64(w.width)
	first := number * uint64(w.width)
	path, err := w.Window(number, leaves[first:min(first+uint64(w.width), uint64(len(leaves)))])
	if err != nil {
		return nil, err
	}
	return path(int(index - first))
}

// Leaves that are not all those of a window, in their order, give no path.
func TestOtherWindow(t *testing.T) {
	w := newWindows(4)
	sums := leaves(t, NewBuilder(Hash{1}), 10)
	if _, err := pathBy(w, sums, 9); err != nil {
		t.Fatal(err)
	}
	for name, given := range map[string][]Hash{
		"none": nil, "too few": sums[:3], "too many": sums[:5], "of another window": sums[4:8], "in another order": {sums[1], sums[0], sums[2], sums[3]},
	} {
		if _, err := w.Window(0, given); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Window(3, sums[8:]); !errors.Is(err, ErrOther) {
		t.Errorf("a window that is not there: %v", err)
	}
}

// A leaf whose content is the two hashes below an inner node is not that node.
func TestSecondPreimage(t *testing.T) {
	b := NewBuilder(Hash{2})
	sums := leaves(t, b, 8)
	root, _ := b.Root()
	path, _ := pathBy(NewWindows(), sums, 0)
	if err := CheckPath(root, 8, 0, sums[0], path); err != nil {
		t.Fatal(err)
	}
	node := Leaf(sums[0], sums[1][:])
	for size := uint64(1); size <= 8; size++ {
		if CheckPath(root, size, 0, node, path[1:]) == nil {
			t.Errorf("an inner node passes for a leaf of a tree of %d", size)
		}
	}
}

func TestEmpty(t *testing.T) {
	if root, err := NewBuilder(Hash{}).Root(); err == nil {
		t.Errorf("an empty tree has the root %x", root)
	}
	if CheckPath(Hash{}, 0, 0, Hash{}, nil) == nil {
		t.Error("an empty tree has a leaf")
	}
}
