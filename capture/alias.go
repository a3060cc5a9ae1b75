package capture

import (
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// snakeAliases gives each member of a shape, and of all below it that is not the users', its name in snake_case as an
// alias: protobuf's JSON mapping reads both.
func (s *shape) snakeAliases(done map[*shape]bool) {
	if done[s] || s == value || s.plain || s == unknownValue || s == toolPart {
		return
	}
	done[s] = true
	for i := range s.members {
		m := &s.members[i]
		if snake := snakeCase(m.name); snake != m.name && len(m.aliases) == 0 {
			m.aliases = []string{snake}
		}
		if m.value != nil {
			m.value.snakeAliases(done)
		}
	}
	s.aliased = !s.free && len(s.members) > 0
	if s.elements != nil {
		s.elements.snakeAliases(done)
	}
}

// differs says in what names are not compared.
func (x *index) differs() string {
	if x.form("_") == "" {
		return "case and underscores"
	}
	return "case"
}

// snakeCase is a name in camelCase with an underscore before each capital letter.
func snakeCase(name string) string {
	var b strings.Builder
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unspelled is a name without case and underscores.
func unspelled(name string) string { return strings.ReplaceAll(fold(name), "_", "") }

// spelled tells the name of a member of v that another spelling of k stands for as well, or "".
func (k *member) spelled(v jsontree.Value, name []byte) string {
	for _, other := range append(k.aliases, k.name) {
		if other != string(name) && v.Get(other).Kind() != jsontree.Absent {
			return other
		}
	}
	return ""
}

// media is the media type that the member of that name, or of its alias, says.
func media(v jsontree.Value, name string) string {
	if e := v.Get(name); e.Kind() != jsontree.Absent {
		return e.Text()
	}
	return v.Get(snakeCase(name)).Text()
}
