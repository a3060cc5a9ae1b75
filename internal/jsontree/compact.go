package jsontree

import (
	"bytes"
	"math"
	"slices"

	"github.com/runattest/runattest/canonical"
)

// ReadCompact checks JSON text under rules and indexes it without its white space, as rules.AppendCompact has it: members stay in
// their order, and numbers as they are spelled. It refuses what that refuses. The tree lives until the next call, and must not
// outlive changes to text.
func (m *Memory) ReadCompact(text []byte, rules canonical.Options) (Value, error) {
	if m.readCompact(text, rules) {
		return Value{&m.tree, 0}, nil
	}
	var err error
	if m.compact, err = rules.AppendCompact(slices.Grow(m.compact[:0], len(text)), text); err != nil {
		return Value{}, err
	}
	return m.Parse(m.compact)
}

// readCompact checks and indexes in one pass an object that is compact already, with white space around it at most. It is false
// where the text is anything else, or would take a longer look: an exponent, a name beyond ASCII.
func (m *Memory) readCompact(text []byte, rules canonical.Options) bool {
	if text = trimmed(text); uint64(len(text)) > math.MaxUint32 || at(text, 0) != '{' || rules.ExactNumbers || rules.MaxDepth == 0 || rules.MaxValues == 0 {
		return false
	}
	if m.tree.nodes == nil {
		m.tree.nodes = make([]node, 0, density(text))
	}
	r := reader{tree: tree{text: text, nodes: m.tree.nodes[:0]}, depth: rules.MaxDepth, most: rules.MaxValues, keep: true, prefixes: m.prefixes[:0]}
	end := r.value(0, 0, 0)
	m.tree, m.prefixes = r.tree, r.prefixes
	m.tree.plain = end == len(text)
	m.tree.bare = m.tree.plain && !r.escaped
	return end == len(text)
}

// distinct says whether all names of an object differ, whose prefixes are those from first on, and takes these away.
func (r *reader) distinct(object, first int) bool {
	prefixes := r.prefixes[first:]
	r.prefixes = r.prefixes[:first]
	slices.Sort(prefixes)
	for k := 1; k < len(prefixes); k++ {
		if prefixes[k] == prefixes[k-1] {
			return r.distinctNames(object)
		}
	}
	return true
}

// distinctNames is distinct where prefixes do not tell all names apart.
func (r *reader) distinctNames(object int) bool {
	var names [][]byte
	for k := object + 1; k < len(r.nodes); k = int(r.nodes[k].next) {
		names = append(names, r.text[r.nodes[k].nameStart:r.nodes[k].nameEnd])
	}
	slices.SortFunc(names, bytes.Compare)
	for k := 1; k < len(names); k++ {
		if bytes.Equal(names[k], names[k-1]) {
			return false
		}
	}
	return true
}

// spelled is the end of a number, as it is spelled, whose digits before the point are those from start to end.
func (r *reader) spelled(start, end int) int {
	const most = 300 // 10^308 is a double
	if end-start > most {
		return -1
	}
	if at(r.text, end) == '.' {
		fraction := end + 1
		if end = r.digits(fraction); end == fraction {
			return -1
		}
	}
	return end
}
