package capture

import (
	"slices"
	"strings"
	"sync"

	"github.com/runattest/runattest/internal/secrets"
)

// NamesUnknown tells whether name is one that a table of this package gives to an [Unknown] that is not Unread: "member NAME"; "flag
// NAME", for a flag that not all tables with flags know; and "KIND TYPE" or "KIND without type", where KIND is a word of a table, such as
// "part" or "tool", and TYPE a type that not all tables with that word know. A list of what is known to hide nothing can use no other
// names.
func NamesUnknown(name string) bool {
	kind, rest, _ := strings.Cut(name, " ")
	switch {
	case name != strings.TrimSpace(name) || name == "":
		return false
	case kind == "member":
		return true
	case kind == "flag":
		return slices.ContainsFunc(unknownNames().flags, func(n named) bool {
			return !slices.Contains(n.known, rest) && !slices.Contains(n.drop, rest) && isFlag(rest)
		})
	}
	isWithout := strings.HasPrefix(rest, "without ")
	return slices.ContainsFunc(unknownNames().shapes, func(s *shape) bool {
		return s.what == kind && (isWithout && rest == "without "+s.by && s.variant("") == nil || s.variant(rest) == nil && secrets.Text(rest) == rest)
	})
}

// isFlag tells text that can be a flag: it is not empty, and its list is not split in it.
func isFlag(s string) bool {
	return s != "" && s == strings.Trim(s, " \t") && !strings.Contains(s, ",")
}

// unknownNames are what tables distinguish by name: flags, and shapes that have variants.
var unknownNames = sync.OnceValue(func() (found struct {
	flags  []named
	shapes []*shape
}) {
	prepare()
	done := map[*shape]bool{}
	var add func(*shape)
	addAll := func(members []member) {
		for _, m := range members {
			add(m.value)
			add(m.items)
		}
	}
	add = func(s *shape) {
		if s == nil || done[s] {
			return
		}
		done[s] = true
		if s.by != "" {
			found.shapes = append(found.shapes, s)
		}
		addAll(s.members)
		for _, v := range s.variants {
			addAll(v.members)
		}
		add(s.elements)
	}
	for _, t := range tables() {
		add(t.body)
		for _, n := range slices.Concat(t.headers, t.query) {
			if n.set {
				found.flags = append(found.flags, n)
			}
		}
	}
	return found
})
