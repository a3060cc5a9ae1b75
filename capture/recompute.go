package capture

import (
	"context"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
)

// A Recomputed is a source that was captured again, beside the declaration that it may be the source of.
type Recomputed struct {
	*Captured

	// Taken says what the source did not say beside its bytes, and was taken from the declaration: "provider azure:contoso",
	// "header:anthropic-version 2023-06-01". The source does not confirm it.
	Taken []string

	// Difference is the RFC 6901 pointer of the first member, in canonical order, that the declaration and that of the source do not
	// have in common; "" if they are equal. It is "/" where there is no declaration to compare with.
	Difference string
}

// Recompute captures src once more, to tell whether d is its declaration. What stands beside the body (the provider, headers, what
// the path names, parents) is taken from d unless src says it; with a Target src says all that a target names. d may be nil, as
// for a detached attestation: nothing is taken, and the caller compares identities. The error is that of Capture; a batch is one.
func (f Format) Recompute(src Source, d *identity.Declaration) (*Recomputed, error) {
	if f.batch != nil {
		return nil, &Error{Format: f.Name(), Offset: -1, Message: "a batch declares several runs, want the source of one", Hint: "give the body of one request, and its own format: " + strings.Join(f.batch.formats, " or ")}
	}
	if f.table == nil || d.ID().IsZero() {
		c, err := f.Capture(src)
		return recomputed(c, nil, d, err)
	}
	a := &adopter{table: f.table, declared: rootOf(d)}
	src = a.source(src, d)
	c, err := f.capture(src, nil, a.request)
	return recomputed(c, a.taken, d, err)
}

// RecomputeFolder is Recompute for a format that reads a folder, or takes one beside its body.
func (f Format) RecomputeFolder(ctx context.Context, fsys fs.FS, src Source, d *identity.Declaration) (*Recomputed, error) {
	a := &adopter{table: f.table, declared: rootOf(d)}
	if a.table == nil {
		a.table = &table{callerModel: true}
	}
	if !d.ID().IsZero() {
		src = a.source(src, d)
	}
	c, err := f.CaptureFolder(ctx, fsys, src)
	return recomputed(c, a.taken, d, err)
}

func recomputed(c *Captured, taken []string, d *identity.Declaration, err error) (*Recomputed, error) {
	if err != nil {
		return nil, err
	}
	r := &Recomputed{Captured: c, Taken: taken}
	switch {
	case d.ID().IsZero():
		r.Difference = "/"
	case d.ID() != c.Declaration.ID():
		r.Difference = difference(rootOf(d), rootOf(c.Declaration))
	}
	return r, nil
}

// rootOf is the value of a declaration, absent where there is none.
func rootOf(d *identity.Declaration) jsontree.Value {
	v, _ := jsontree.Parse(d.Canonical()) // which is valid
	return v
}

// difference is the pointer of the first place where two values in canonical form differ.
func difference(a, b jsontree.Value) string {
	switch {
	case a.Kind() != b.Kind():
		return ""
	case a.Kind() == jsontree.Array:
		others := elements(b)
		for i, e := range a.Elements() {
			if i == len(others) || string(e.Raw()) != string(others[i].Raw()) {
				return differenceAt(strconv.Itoa(i), e, elementAt(others, i))
			}
		}
		return "/" + strconv.Itoa(a.Len())
	case a.Kind() == jsontree.Object:
		var names []string
		for _, v := range []jsontree.Value{a, b} {
			for name := range v.Members() {
				names = append(names, string(name))
			}
		}
		slices.SortFunc(names, canonical.Compare)
		for _, name := range names {
			if x, y := a.Get(name), b.Get(name); string(x.Raw()) != string(y.Raw()) {
				return differenceAt(name, x, y)
			}
		}
	}
	return ""
}

// differenceAt is the pointer to where the members, or elements, of one name differ.
func differenceAt(name string, a, b jsontree.Value) string {
	return "/" + jsontree.EscapePointer(name) + difference(a, b)
}

func elements(v jsontree.Value) []jsontree.Value {
	var l []jsontree.Value
	for _, e := range v.Elements() {
		l = append(l, e)
	}
	return l
}

func elementAt(l []jsontree.Value, i int) jsontree.Value {
	if i < len(l) {
		return l[i]
	}
	return jsontree.Value{}
}

// An adopter takes from a declaration what a source does not say beside its body.
type adopter struct {
	table    *table
	declared jsontree.Value
	taken    []string
	given    Source
}

func (a *adopter) take(what, value string) {
	a.taken = append(a.taken, strings.TrimSpace(what+" "+value))
}

// source fills in what a Source has members for.
func (a *adopter) source(src Source, d *identity.Declaration) Source {
	a.given = src
	m := d.Model()
	if src.Provider == "" && m.Provider != "" && m.Provider != a.table.provider && (len(a.table.providers) == 0 || takes(a.table.providers, m.Provider)) {
		src.Provider = m.Provider
		a.take("provider", m.Provider)
	}
	if a.table.callerModel && src.Model == "" {
		src.Model = m.Name
		a.take("model", m.Name)
	}
	if a.table.callerModel && src.Revision == "" && m.Version != "" {
		src.Revision = m.Version
		a.take("revision", m.Version)
	}
	if len(src.Parents) == 0 && len(d.Parents()) > 0 {
		src.Parents = d.Parents()
		a.take("parents", "")
	}
	return src
}

// request fills in what headers and a target would say to the request of the body root.
func (a *adopter) request(r *request, root jsontree.Value) {
	for _, h := range a.table.headers {
		if !a.isGiven(h.name) {
			a.setting(r, "header:"+h.name, h)
		}
	}
	if a.given.Target != "" {
		return
	}
	for _, q := range a.table.query {
		a.setting(r, "query:"+q.name, q)
	}
	names := func(what string) bool {
		return slices.ContainsFunc(a.table.paths, func(p path) bool { return strings.Contains(p.pattern, what) })
	}
	if l := a.declared.Get("constraints").Get("location").Text(); l != "" && names("{location}") {
		r.location = l
		a.take("location", l)
	}
	name := a.declared.Get("model").Get("name").Text()
	own := a.bodyModel(root)
	twoModels := takes([]string{"azure", "azure:*"}, r.provider) && own != "" && a.declared.Get("parameters").Get("model").Text() == own
	if (own == "" || twoModels) && names("model") && r.model == "" {
		r.model = name
		a.take("model", name)
	}
}

// bodyModel is the model that a body names, or "".
func (a *adopter) bodyModel(root jsontree.Value) string {
	i := slices.IndexFunc(a.table.body.members, func(m member) bool { return m.to == toModel })
	if i < 0 {
		return ""
	}
	return root.Get(a.table.body.members[i].name).Text()
}

func (a *adopter) isGiven(header string) bool {
	for name := range a.given.Header {
		if fold(name) == header {
			return true
		}
	}
	return false
}

// setting takes a header or a member of the query.
func (a *adopter) setting(r *request, name string, n named) {
	v := a.declared.Get("parameters").Get(name)
	s := setting{name: name, set: n.set}
	switch {
	case n.set && v.Kind() == jsontree.Array:
		for _, e := range v.Elements() {
			s.values = append(s.values, e.Text())
		}
	case !n.set && v.Kind() == jsontree.String:
		s.values = []string{v.Text()}
	default:
		return
	}
	r.settings = append(r.settings, s)
	a.take(name, strings.Join(s.values, ","))
}
