package capture

import (
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// A nullList finds the members that a declaration says were null along the way of an opener. A step costs the logarithm of the list,
// and all members together the length of the list.
type nullList struct {
	pointers []string // sorted
	ways     []way    // one for each step of the trail
}

// A way is which pointers lead below a value. Its own pointer has size bytes.
type way struct{ from, to, size int }

var pointerName = strings.NewReplacer("~1", "/", "~0", "~")

func newNullList(v jsontree.Value) nullList {
	var l nullList
	for _, p := range v.Elements() {
		if text := p.Text(); strings.HasPrefix(text, "/") {
			l.pointers = append(l.pointers, text)
		}
	}
	slices.Sort(l.pointers)
	return l
}

func (l *nullList) here() way {
	if len(l.ways) == 0 {
		return way{0, len(l.pointers), 0}
	}
	return l.ways[len(l.ways)-1]
}

// enter follows a step, of which token is what pointers have.
func (l *nullList) enter(token func() string) {
	w := l.here()
	if w.from == w.to {
		l.ways = append(l.ways, way{})
		return
	}
	step := "/" + token() + "/"
	below := l.pointers[w.from:w.to]
	from := sort.Search(len(below), func(i int) bool { return below[i][w.size:] >= step })
	n := sort.Search(len(below)-from, func(i int) bool { return !strings.HasPrefix(below[from+i][w.size:], step) })
	l.ways = append(l.ways, way{w.from + from, w.from + from + n, w.size + len(step) - 1})
}

func (l *nullList) leave() { l.ways = l.ways[:len(l.ways)-1] }

// members are the names of the members that were null in the object at hand.
func (l *nullList) members() iter.Seq[string] {
	return func(yield func(string) bool) {
		w := l.here()
		for _, p := range l.pointers[w.from:w.to] {
			if name := p[w.size+1:]; strings.IndexByte(name, '/') < 0 && !yield(pointerName.Replace(name)) {
				return
			}
		}
	}
}
