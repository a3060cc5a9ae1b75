package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/policy/internal/rules"
)

// captureTerms say by which tables rules see what a captured declaration leaves open, and what of the unknown is known to hide nothing.
type captureTerms struct {
	given  bool
	tables []capture.Format
	known  []string
}

// hidden are the words for what may be hidden. What is not known may hide all of it.
var hidden = []string{"messages", "system", "tools", "content", "model"}

func (c *captureTerms) read(r *reader, v jsontree.Value) {
	c.given = true
	r.members(v, nil, map[string]field{
		"tables": func(v jsontree.Value) {
			r.list(v, 1, limits.Rules, func(_ int, v jsontree.Value) { c.readTable(r, v) })
		},
		"known": func(v jsontree.Value) {
			r.list(v, 1, limits.Rules, func(_ int, v jsontree.Value) {
				var name string
				switch r.label(&name)(v); {
				case slices.Contains(c.known, name):
					r.fail(identity.CodeUnique, "", "stands in the list already")
				case name != "" && !capture.NamesUnknown(name):
					r.fail(identity.CodeValue, "write the name of an opening that is unknown, as policy explain prints it, such as member top_k", "%q is the name of nothing that a table does not know", name)
				}
				c.known = append(c.known, name)
			})
		},
	})
	if v.Kind() == jsontree.Object && v.Len() == 0 {
		r.fail(identity.CodeRequired, "leave the member out", "names neither tables nor what is known")
	}
}

func (c *captureTerms) readTable(r *reader, v jsontree.Value) {
	var name string
	if r.string(&name)(v); name == "" {
		return
	}
	f, err := capture.Lookup(name)
	switch {
	case err != nil:
		r.fail(identity.CodeValue, "write a table's name and number, such as openai-chat/1", "%s", err)
		return
	case f.Name() != name:
		r.fail(identity.CodeValue, "write "+f.Name(), "%q has no number, so that it would be another table in another program", name)
	}
	api, _, _ := strings.Cut(f.Name(), "/")
	for _, other := range c.tables {
		if strings.HasPrefix(other.Name(), api+"/") {
			r.fail(identity.CodeUnique, "", "%s is a table of the same interface, and one of them counts", other.Name())
		}
	}
	c.tables = append(c.tables, f)
}

// check refuses terms that decide nothing.
func (c *captureTerms) check(r *reader, set *rules.Set) {
	if c.given && !set.ReadsOpen() {
		r.failAt("/capture", identity.CodeValue, "leave it out, or write a rule such as open.all(o, !(\"tools\" in o.hides))", "no rule reads open, so that it decides nothing")
	}
}

// opened is what the declaration leaves open, and by which table.
func (c *captureTerms) opened(d *identity.Declaration) (open []rules.Opening, by string) {
	found := capture.Open(d, c.tables...)
	for _, o := range found.Open {
		open = append(open, rules.Opening{Pointer: o.Pointer, Hides: strings.Split(strings.ReplaceAll(o.Hides, " ", ""), ",")})
	}
	for _, u := range found.Unknown {
		if name := strings.TrimSpace(u.Name); u.Unread || !slices.Contains(c.known, name) {
			open = append(open, rules.Opening{Pointer: u.Pointer, Hides: hidden, Unknown: true, Name: name})
		}
	}
	switch name := found.Format.Name(); {
	case name == "" && found.API == "":
		return open, "no table, because the declaration does not say its interface"
	case name == "":
		return open, fmt.Sprintf("no table, because none is known for the interface %.64q", found.API)
	case slices.Contains(c.tables, found.Format):
		return open, name + ", which the policy names"
	default:
		return open, name + ", the newest of this program"
	}
}
