package capture

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// What an opener finds outside the form that a capture gives to a declaration is unread: the table does not say what it is.

// members are those of the body in parameters and constraints.
func (o *opener) members(root jsontree.Value) {
	s := o.table.body
	for _, part := range []string{"parameters", "constraints"} {
		for name, v := range root.Get(part).Members() {
			n := string(name)
			k := s.index.byName[n]
			switch isConstraint := part == "constraints"; {
			case strings.HasPrefix(n, "header:"), strings.HasPrefix(n, "query:"):
				o.setting(n, v, isConstraint)
				continue
			case isConstraint && k == nil && n == "location" && v.Kind() == jsontree.String && o.table.namesLocation():
				continue
			}
			o.in(name)
			switch {
			case k == nil && part == "constraints":
				o.unreadHere("constraint " + n)
			case k != nil && !k.mayStay(v):
				o.unreadHere(part + " " + n)
			default:
				o.member(s, k, n, v, false)
			}
			o.back()
		}
	}
	o.nullMembers(s, s.index)
}

// mayStay tells whether a capture leaves the value of a member of the body in parameters or constraints.
func (k *member) mayStay(v jsontree.Value) bool {
	switch k.to {
	case toMessages, toMessage, toTools:
		return isEmpty(v) || v.Len() == 1 && slices.Contains([]string{"{}", "[]"}, v.Get("json").Text())
	case refused:
		return false
	}
	return true
}

func (t *table) namesLocation() bool {
	return slices.ContainsFunc(t.paths, func(p path) bool { return strings.Contains(p.pattern, "{location}") })
}

// setting is a header or a member of the query. Of one that the table has, its flags may be unknown.
func (o *opener) setting(name string, v jsontree.Value, isConstraint bool) {
	l, bare := o.table.headers, strings.TrimPrefix(name, "header:")
	if bare == name {
		l, bare = o.table.query, strings.TrimPrefix(name, "query:")
	}
	i := slices.IndexFunc(l, func(n named) bool { return n.name == bare })
	want := jsontree.String
	if i >= 0 && l[i].set {
		want = jsontree.Array
	}
	if i < 0 || isConstraint || v.Kind() != want {
		o.unread(name, "setting "+name)
		return
	}
	for _, flag := range v.Elements() {
		switch {
		case flag.Kind() != jsontree.String:
			o.unread(name, "setting "+name)
		case !slices.Contains(l[i].known, flag.Text()):
			o.Unknown = append(o.Unknown, Unknown{Pointer: name, Name: "flag " + flag.Text()})
		}
	}
}

// messages are those of the prompt: members of the body, and elements of its list.
func (o *opener) messages(prompt jsontree.Value) {
	for name := range prompt.Members() {
		if string(name) != "messages" {
			o.in(name)
			o.unreadHere("prompt " + string(name))
			o.back()
		}
	}
	var list *member
	if i := slices.IndexFunc(o.table.body.members, func(m member) bool { return m.to == toMessages }); i >= 0 {
		list = &o.table.body.members[i]
	}
	seen := map[string]bool{}
	n := 0
	for _, m := range prompt.Get("messages").Elements() {
		role := m.Get("role").Text()
		name, isMember := strings.CutPrefix(role, "member/")
		switch {
		case isMember && !(o.table.roleless && list != nil && name == list.name):
			o.in([]byte(name))
			o.memberMessage(name, m, seen[name])
			o.back()
			seen[name] = true
		case list == nil:
			o.unread("", "message "+role)
		default:
			o.in([]byte(list.name))
			o.at(n)
			o.message(list, role, m)
			o.back()
			o.back()
			n++
		}
	}
}

// memberMessage is the message that a member of the body became. A body has each member once.
func (o *opener) memberMessage(name string, m jsontree.Value, again bool) {
	k := o.table.body.index.byName[name]
	content := m.Get("content")
	switch {
	case again, k == nil, m.Len() != 2, content.Kind() == jsontree.Absent, k.name != name,
		k.to != toMessage && (k.to != toMessages || k.items == nil || content.Kind() == jsontree.Array):
		o.unreadHere("message member/" + name)
	default:
		o.member(o.table.body, k, name, content, false)
	}
}

// message is the message that an element of the list became.
func (o *opener) message(list *member, role string, m jsontree.Value) {
	kind, isItemRole := strings.CutPrefix(role, "item/")
	content := m.Get("content")
	switch {
	case !isItemRole && list.items != nil && isItem(m):
		o.unreadHere("message of the type " + m.Get("type").Text())
	case !isItemRole:
		o.value(list.value.elements, m, false)
	case list.items == nil, m.Len() != 2, !isItem(content), content.Get("type").Text() != kind:
		o.unreadHere("message " + role)
	default:
		o.value(list.items, content, false)
	}
}

// tools are the resources that elements of lists became.
func (o *opener) tools(context jsontree.Value) {
	counts := map[string]int{}
	for _, c := range context.Elements() {
		if c.Get("role").Text() != "tool" {
			continue
		}
		name := c.Get("name").Text()
		content, err := parseText(c.Get("content").Bytes())
		var k *member
		if err == nil && content.Kind() == jsontree.Object && c.Len() == 3 { // with role and name
			k = o.toolList(name, content)
		}
		if k == nil {
			o.unread("", "resource tool "+name)
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
	for i := range o.table.body.members {
		k := &o.table.body.members[i]
		prefix := k.name + "/"
		if k.name == "tools" {
			prefix = ""
		}
		if k.to == toTools && name == prefix+o.table.toolName(content, k.value.elements) {
			return k
		}
	}
	return nil
}

// resources are others than tools. One that has an address and no digest may be anything.
func (o *opener) resources(list jsontree.Value) {
	for _, r := range list.Elements() {
		role := r.Get("role").Text()
		if role != "tool" && r.Get("uri").Kind() != jsontree.Absent && r.Get("digest").Kind() == jsontree.Absent {
			o.unread("", "resource "+role+" "+r.Get("name").Text())
		}
	}
}
