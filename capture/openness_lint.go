package capture

import (
	"strings"

	"github.com/runattest/runattest/identity"
)

// The codes of the warnings of Lint.
const (
	CodeOpen       identity.Code = "open"
	CodeAfterStart identity.Code = "after-start"
)

// Lint warns of a declaration whose source is written after the run has started, of what a declaration leaves open, and of what may be open since the newest table of its API does not know it. It has
// nothing to say of a declaration that names no API with a table.
func Lint(d *identity.Declaration) []identity.Problem {
	o := Open(d)
	if o.Format == (Format{}) || o.Format.table == nil {
		return nil
	}
	root, places := rootOf(d), map[string]string{}
	for _, part := range []string{"constraints", "parameters"} {
		for name := range root.Get(part).Members() {
			places[string(name)] = "/" + part
		}
	}
	var problems []identity.Problem
	if o.Format.table.afterStart {
		problems = append(problems, identity.Problem{Severity: identity.Warning, Code: CodeAfterStart, Pointer: trail{{name: []byte("extensions")}, {name: []byte(Interface)}, {name: []byte("api")}}.String(), Message: afterStart})
	}
	warn := func(pointer, message string) {
		where := "the request's " + pointer
		if pointer == "" {
			where = "the request"
		}
		problems = append(problems, identity.Problem{Severity: identity.Warning, Code: CodeOpen, Pointer: o.Format.table.placeOf(places, pointer), Message: where + " " + message})
	}
	for _, open := range o.Open {
		warn(open.Pointer, "is open: the declaration does not say what it stands for, which may be "+open.Hides)
	}
	for _, u := range o.Unknown {
		if u.Unread {
			warn(u.Pointer, "may be open: "+u.Name+" is not in the form that "+o.Format.Name()+" gives to a declaration")
			continue
		}
		warn(u.Pointer, "may be open: "+o.Format.Name()+" does not know its "+u.Name)
	}
	return problems
}

// placeOf is where the declaration has the member of a pointer into the request. places are the parts that have members by name.
func (t *table) placeOf(places map[string]string, pointer string) string {
	member, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	name := pointerName.Replace(member)
	if part := places[name]; part != "" {
		return part + "/" + member
	}
	if k := t.body.index.byName[name]; k != nil && k.to == toTools {
		return "/context"
	}
	return "/prompt"
}
