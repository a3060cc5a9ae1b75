package capture

import (
	"strings"

	"github.com/runattest/runattest/identity"
)

// CodeOpen is the code of the warnings of Lint.
const CodeOpen identity.Code = "open"

// Lint warns of what a declaration leaves open, and of what may be open since the newest table of its API does not know it. It has
// nothing to say of a declaration that names no API with a table.
func Lint(d *identity.Declaration) []identity.Problem {
	o := Open(d)
	if o.Format == (Format{}) || o.Format.table == nil {
		return nil
	}
	var problems []identity.Problem
	warn := func(pointer, message string) {
		where := "the request's " + pointer
		if pointer == "" {
			where = "the request"
		}
		problems = append(problems, identity.Problem{Severity: identity.Warning, Code: CodeOpen, Pointer: placeOf(d, pointer), Message: where + " " + message})
	}
	for _, open := range o.Open {
		warn(open.Pointer, "is open: the declaration does not say what it stands for, which may be "+open.Hides)
	}
	for _, u := range o.Unknown {
		warn(u.Pointer, "may be open: "+o.Format.Name()+" does not know its "+u.Name)
	}
	return problems
}

// placeOf is where the declaration has the member of a pointer into the request.
func placeOf(d *identity.Declaration, pointer string) string {
	member, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	root := rootOf(d)
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(member)
	for _, part := range []string{"parameters", "constraints"} {
		for n := range root.Get(part).Members() {
			if string(n) == name {
				return "/" + part + "/" + member
			}
		}
	}
	if k := Open(d).Format.table.body.index.byName[name]; k != nil && k.to == toTools {
		return "/context"
	}
	return "/prompt"
}
