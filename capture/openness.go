package capture

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
)

// An Openness is what a declaration names and does not hold, by a table.
type Openness struct {
	API     string // the interface that the declaration speaks, or "" if it does not say
	Format  Format // the table; the zero value if none is known for the API
	Open    []Opening
	Unknown []Unknown // may be open as well, and hide anything
}

// Open says what of a declaration is state that it does not hold, by the table of its API among tables, or else by the newest. It
// is a function of the declaration and the table alone, and for a captured declaration what [Captured] says. What is not in
// the form that the table gives to a declaration, or has no table, is unknown.
func Open(d *identity.Declaration, tables ...Format) Openness {
	prepare()
	root := rootOf(d)
	o := &opener{}
	o.API = root.Get("extensions").Get(Interface).Get("api").Text()
	for _, f := range slices.Concat(Formats(), tables) { // the last one counts
		if api, _, _ := strings.Cut(f.Name(), "/"); api == o.API {
			o.Format = f
		}
	}
	if o.Format.folder != nil {
		o.Open, o.Unknown = openIn(root)
		return o.Openness
	}
	if o.walker.table = o.Format.table; o.walker.table == nil {
		o.Unknown = []Unknown{{"", "interface " + o.API}}
		return o.Openness
	}
	says := root.Get("extensions").Get(Interface)
	o.nulls, o.replaced = map[string][]string{}, map[string]bool{}
	for _, name := range []string{"integers", "secrets"} {
		for _, p := range says.Get(name).Elements() {
			o.replaced[p.Text()] = true
		}
	}
	for _, p := range says.Get("nulls").Elements() {
		if i := strings.LastIndexByte(p.Text(), '/'); i >= 0 {
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(p.Text()[i+1:])
			o.nulls[p.Text()[:i]] = append(o.nulls[p.Text()[:i]], name)
		}
	}
	o.settings(root.Get("parameters"))
	o.members(root)
	o.messages(root.Get("prompt"))
	o.tools(root.Get("context"))
	slices.SortStableFunc(o.events, func(a, b event) int { return compareTrails(a.trail, b.trail) })
	for _, e := range o.events {
		if e.what == LeftOpen {
			o.Open = append(o.Open, Opening{e.trail.String(), e.hides})
		} else {
			o.Unknown = append(o.Unknown, Unknown{e.trail.String(), e.detail})
		}
	}
	return o.Openness
}

// An opener walks a declaration along the shapes of a table. Of its walker it uses the trail, the events and the index.
type opener struct {
	walker
	Openness
	nulls    map[string][]string // names of members that were null, by the pointer of their object
	replaced map[string]bool     // pointers of what is another value than in the source
}

func (o *opener) open(hides string) {
	if hides != "" {
		o.note(LeftOpen, "").hides = hides
	}
}

// settings are the flags in headers and the query that the table does not know.
func (o *opener) settings(parameters jsontree.Value) {
	for prefix, l := range map[string][]named{"header:": o.table.headers, "query:": o.table.query} {
		for _, n := range l {
			if !n.set {
				continue
			}
			for _, v := range parameters.Get(prefix + n.name).Elements() {
				if !slices.Contains(n.known, v.Text()) {
					o.Unknown = append(o.Unknown, Unknown{prefix + n.name, "flag " + v.Text()})
				}
			}
		}
	}
}

// members are those of the body in parameters and constraints.
func (o *opener) members(root jsontree.Value) {
	s := o.table.body
	for _, part := range []string{"parameters", "constraints"} {
		for name, v := range root.Get(part).Members() {
			n := string(name)
			k := s.index.byName[n]
			if strings.HasPrefix(n, "header:") || strings.HasPrefix(n, "query:") || k == nil && part == "constraints" && n == "location" {
				continue
			}
			o.in(name)
			o.member(s, k, n, v, false)
			o.back()
		}
	}
	o.nullMembers(s, s.index)
}

func (o *opener) nullMembers(s *shape, x *index) {
	for _, n := range o.nulls[o.trail.String()] {
		if x.byName[n] == nil && !s.free {
			o.in([]byte(n))
			o.note(NotKnown, "member "+n)
			o.back()
		}
	}
}

func (o *opener) member(s *shape, k *member, name string, v jsontree.Value, text bool) {
	switch {
	case k != nil:
		o.open(k.hides)
		o.value(k.value, v, text)
	case s.free:
		o.value(s.elements, v, text)
	default:
		o.note(NotKnown, "member "+name)
	}
}

// value is a value of a shape, as a declaration has it.
func (o *opener) value(s *shape, v jsontree.Value, text bool) {
	if s.plain && s.free {
		return
	}
	if s.text && !text && v.Kind() == jsontree.Object {
		text = true
		if written := v.Get("json"); v.Len() == 1 && written.Kind() == jsontree.String {
			inner, err := jsontree.Parse([]byte(written.Text()))
			if err != nil {
				o.note(NotKnown, "text that is not JSON")
				return
			}
			v = inner
		}
	}
	switch v.Kind() {
	case jsontree.String:
		o.str(s, v.Text())
	case jsontree.Array:
		for i, e := range v.Elements() {
			o.at(i)
			o.value(s.elements, e, text)
			o.back()
		}
	case jsontree.Object:
		x := o.indexOf(v, s)
		for name, e := range v.Members() {
			k := x.byName[string(name)]
			o.in(k.step(name, text))
			o.member(s, k, string(name), e, text)
			o.back()
		}
		o.nullMembers(s, x)
	}
}

// str is a string that may name what is elsewhere.
func (o *opener) str(s *shape, text string) {
	if (text == "[secret]" || isDigits(text)) && o.replaced[o.trail.String()] {
		return
	}
	o.open(s.names)
	if s.files != "" && namesFile(text) {
		o.open(s.files)
	}
	isBytes := s.bytes != 0 && (strings.HasPrefix(text, "ni:") || s.bytes&^dataURL != 0 || len(text) >= 5 && strings.EqualFold(text[:5], "data:"))
	if s.address == remote && !isBytes {
		o.open("content")
	}
}

// messages are those of the prompt: members of the body, and elements of its list.
func (o *opener) messages(prompt jsontree.Value) {
	var list *member
	for i := range o.table.body.members {
		if m := &o.table.body.members[i]; m.to == toMessages {
			list = m
		}
	}
	for name := range prompt.Members() {
		if string(name) != "messages" {
			o.note(NotKnown, "prompt "+string(name))
		}
	}
	n := 0
	for _, m := range prompt.Get("messages").Elements() {
		role := m.Get("role").Text()
		name, isMember := strings.CutPrefix(role, "member/")
		if isMember && !(o.table.roleless && list != nil && name == list.name) {
			o.in([]byte(name))
			o.member(o.table.body, o.table.body.index.byName[name], name, m.Get("content"), false)
			o.back()
			continue
		}
		if list == nil {
			o.note(NotKnown, "message "+role)
			continue
		}
		o.in([]byte(list.name))
		o.at(n)
		switch n++; {
		case !strings.HasPrefix(role, "item/"):
			o.value(list.value.elements, m, false)
		case list.items == nil:
			o.note(NotKnown, "item "+role)
		default:
			o.value(list.items, m.Get("content"), false)
		}
		o.back()
		o.back()
	}
}

// tools are the resources that elements of lists became.
func (o *opener) tools(context jsontree.Value) {
	counts := map[string]int{}
	for _, c := range context.Elements() {
		if c.Get("role").Text() != "tool" {
			continue
		}
		content, err := jsontree.Parse([]byte(c.Get("content").Text()))
		if err != nil || content.Kind() != jsontree.Object {
			o.note(NotKnown, "tool "+c.Get("name").Text())
			continue
		}
		k := o.toolList(c.Get("name").Text(), content)
		if k == nil {
			o.note(NotKnown, "tool "+c.Get("name").Text())
			continue
		}
		o.in([]byte(k.name))
		if counts[k.name] == 0 {
			o.open(k.hides)
		}
		o.at(counts[k.name])
		counts[k.name]++
		o.value(k.value.elements, content, true)
		o.back()
		o.back()
	}
}

// toolList is the member of the body that a tool of that name is from, or nil.
func (o *opener) toolList(name string, content jsontree.Value) *member {
	var tools *member
	for i := range o.table.body.members {
		k := &o.table.body.members[i]
		switch {
		case k.to != toTools:
		case k.name == "tools":
			tools = k
		case name == k.name+"/"+o.table.toolName(content, k.value.elements):
			return k
		}
	}
	return tools
}

// isDigits tells the digits of an integer that no double holds.
func isDigits(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, "0123456789") == ""
}
