package identity

import "github.com/runattest/runattest/internal/jsontree"

// members says what a closed object may hold; required is in the order of the spec.
type members struct {
	required []string
	anyOf    []string          // at least one of these is required, too
	nulls    map[string]string // hints for members that are null, where there is more to say than nullHint does
	rules    []namedRule       // at most 64, in the order of the names, which members in canonical form have

	requiredBits, anyOfBits uint64
}

func newMembers(m members) members {
	m.requiredBits, m.anyOfBits = m.bits(m.required), m.bits(m.anyOf)
	return m
}

type namedRule struct {
	name string
	rule rule
}

// find is where the rule of a member is, or -1. It looks first at next, which is the right one most of the time.
func (m *members) find(name []byte, next int) int {
	for i := range m.rules {
		if k := (next + i) % len(m.rules); m.rules[k].name == string(name) {
			return k
		}
	}
	return -1
}

// has says which rules have a member, a bit each.
func (m *members) has(v jsontree.Value) (seen uint64) {
	next := 0
	for member := v.First(); member.Kind() != jsontree.Absent; member = member.After(v) {
		if k := m.find(member.Name(), next); k >= 0 {
			seen |= 1 << k
			next = k + 1
		}
	}
	return seen
}

// bits are those of rules.
func (m *members) bits(names []string) (bits uint64) {
	for _, name := range names {
		bits |= 1 << m.find([]byte(name), 0)
	}
	return bits
}

func (m *members) names() []string {
	var names []string
	for _, r := range m.rules {
		names = append(names, r.name)
	}
	return names
}

var (
	declarationMembers = newMembers(members{
		required: []string{"schema", "kind", "model", "prompt", "parameters", "context", "constraints"},
		nulls:    declarationNulls,
		rules: []namedRule{
			{"constraints", open},
			{"context", list(closed(&resourceMembers), 0)},
			{"extensions", (*checker).extensions},
			{"kind", oneOf(string(Inference), string(Agent), string(Training), string(Evaluation), string(Batch), string(Other))},
			{"model", closed(&modelMembers)},
			{"parameters", open},
			{"parents", unique(list(runID, 0))},
			{"prompt", (*checker).prompt},
			{"schema", oneOf(Schema)},
		},
	})
	modelMembers = newMembers(members{
		required: []string{"name"},
		rules: []namedRule{
			{"components", list(closed(&resourceMembers), 0)},
			{"digest", digest},
			{"name", nonEmpty},
			{"provider", nonEmpty},
			{"uri", absoluteURI},
			{"version", nonEmpty},
		},
	})
	resourceMembers = newMembers(members{
		required: []string{"role", "name"},
		anyOf:    []string{"digest", "content", "uri"},
		rules: []namedRule{
			{"content", anything},
			{"digest", digest},
			{"mediaType", mediaType},
			{"name", nonEmpty},
			{"role", oneOf("tool", "dataset", "document", "code", "image", "adapter", "tokenizer",
				"template", "memory", "environment", "harness", "other")},
			{"size", (*checker).size},
			{"uri", absoluteURI},
			{"version", nonEmpty},
		},
	})
	digestMembers = newMembers(members{
		nulls: map[string]string{"sha256": digestNull, "sha384": digestNull, "sha512": digestNull},
		rules: []namedRule{{"sha256", hexDigits(64)}, {"sha384", hexDigits(96)}, {"sha512", hexDigits(128)}},
	})
)
