package capture

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
)

// A rebuilder makes the body of a request from a declaration alone.
type rebuilder struct {
	table    *table
	nulls    map[string][]string // names by the pointer of the object
	integers map[string]bool
	texts    map[string]bool // pointers of text places
}

func parseTree(t testing.TB, text []byte) jsontree.Value {
	t.Helper()
	v, err := jsontree.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func rebuild(t testing.TB, table *table, declaration []byte) ([]byte, *rebuilder) {
	root := parseTree(t, declaration)
	says := root.Get("extensions").Get(Interface)
	r := &rebuilder{table, map[string][]string{}, map[string]bool{}, map[string]bool{}}
	for _, p := range says.Get("nulls").Elements() {
		i := strings.LastIndexByte(p.Text(), '/')
		r.nulls[p.Text()[:i]] = append(r.nulls[p.Text()[:i]], unescapePointer(p.Text()[i+1:]))
	}
	for _, p := range says.Get("integers").Elements() {
		r.integers[p.Text()] = true
	}
	members := map[string][]byte{}
	name := root.Get("model").Get("name")
	callerModel := table.callerModel || table.modelArgs != nil
	if stored := table.standIn != "" && strings.HasPrefix(name.Text(), table.standIn+"/"); !callerModel && !stored {
		members["model"] = root.Get("model").Get("name").Raw()
	}
	var messages [][]byte
	var messageList member
	if i := slices.IndexFunc(table.body.members, func(m member) bool { return m.to == toMessages }); i >= 0 {
		messageList = table.body.members[i]
	}
	for _, m := range root.Get("prompt").Get("messages").Elements() {
		name, ok := strings.CutPrefix(m.Get("role").Text(), "member/")
		if ok && table.roleless && name == messageList.name {
			text := r.value(m, messageList.value.elements, fmt.Sprintf("/%s/%d", messageList.name, len(messages)))
			for _, role := range []string{`"role":"member/` + name + `",`, `,"role":"member/` + name + `"`, `"role":"member/` + name + `"`} {
				if i := bytes.LastIndex(text, []byte(role)); i >= 0 {
					text = slices.Delete(text, i, i+len(role))
					break
				}
			}
			messages = append(messages, text)
			continue
		}
		if ok {
			members[name] = r.value(m.Get("content"), table.body.index.byName[name].value, "/"+jsontree.EscapePointer(name))
			continue
		}
		s := messageList.value.elements
		if strings.HasPrefix(m.Get("role").Text(), "item/") {
			m, s = m.Get("content"), messageList.items
		}
		messages = append(messages, r.value(m, s, fmt.Sprintf("/%s/%d", messageList.name, len(messages))))
	}
	if len(messages) > 0 {
		members[messageList.name] = brackets(messages)
	}
	tools := map[string][][]byte{}
	for _, c := range root.Get("context").Elements() {
		if c.Get("role").Text() != "tool" {
			continue
		}
		content := []byte(c.Get("content").Text())
		name := "tools"
		if own := table.toolName(parseTree(t, content), table.body.index.byName["tools"].value.elements); own != c.Get("name").Text() {
			name = strings.TrimSuffix(c.Get("name").Text(), "/"+own)
		}
		r.texts[fmt.Sprintf("/%s/%d", name, len(tools[name]))] = true
		tools[name] = append(tools[name], content)
	}
	for name, l := range tools {
		members[name] = brackets(l)
	}
	for _, part := range []string{"parameters", "constraints"} {
		for name, v := range root.Get(part).Members() {
			n := string(name)
			if strings.HasPrefix(n, "header:") || strings.HasPrefix(n, "query:") || n == "model" && !callerModel || part == "constraints" && table.body.index.byName[n] == nil { // of the path
				continue
			}
			s := unknownValue
			if k := table.body.index.byName[n]; k != nil {
				s = k.value
			}
			members[n] = r.value(v, s, "/"+jsontree.EscapePointer(n))
		}
	}
	for _, name := range r.nulls[""] {
		members[name] = []byte("null")
	}
	return braces(members), r
}

// spelled is the tree of a body out of its envelope, with the table's names.
func spelled(t testing.TB, table *table, compact []byte) jsontree.Value {
	root, err := table.unwrap(parseTree(t, compact))
	if err != nil {
		t.Fatal(err)
	}
	return parseTree(t, spell(root, table.body))
}

// spell is a value of the shape with the table's names, but in text.
func spell(v jsontree.Value, s *shape) []byte {
	switch {
	case v.Kind() == jsontree.Array && !s.text:
		var l [][]byte
		for _, e := range v.Elements() {
			l = append(l, spell(e, s.elements))
		}
		return brackets(l)
	case v.Kind() == jsontree.Object && !s.text:
		var l [][]byte
		for name, e := range v.Members() {
			below := unknownValue
			if k := s.index.byName[string(name)]; k != nil {
				name, below = []byte(k.name), k.value
			} else if s.free || s.by != "" {
				below = textValue
			}
			l = append(l, append(append(appendString(nil, name), ':'), spell(e, below)...))
		}
		return append(append([]byte{'{'}, bytes.Join(l, []byte{','})...), '}')
	}
	return v.Raw()
}

func (r *rebuilder) value(v jsontree.Value, s *shape, pointer string) []byte {
	if r.integers[pointer] {
		return []byte(v.Text())
	}
	if s.text && v.Kind() == jsontree.Object {
		r.texts[pointer] = true
		return []byte(v.Get("json").Text())
	}
	switch v.Kind() {
	case jsontree.Array:
		var l [][]byte
		for i, e := range v.Elements() {
			l = append(l, r.value(e, s.elements, fmt.Sprintf("%s/%d", pointer, i)))
		}
		return brackets(l)
	case jsontree.Object:
		x := s.index
		if kind := v.Get(s.by); s.by != "" && s.byName[kind.Text()] != nil && (kind.Kind() == jsontree.String || kind.Kind() == jsontree.Absent) {
			x = s.byName[kind.Text()]
		}
		members := map[string][]byte{}
		for name, e := range v.Members() {
			below := unknownValue
			if k := x.byName[string(name)]; k != nil {
				below = k.value
			} else if s.free {
				below = s.elements
			}
			members[string(name)] = r.value(e, below, pointer+"/"+jsontree.EscapePointer(string(name)))
		}
		for _, name := range r.nulls[pointer] {
			members[name] = []byte("null")
		}
		return braces(members)
	}
	return v.Raw()
}

func brackets(l [][]byte) []byte {
	return append(append([]byte{'['}, bytes.Join(l, []byte{','})...), ']')
}

func braces(members map[string][]byte) []byte {
	var l [][]byte
	for name, v := range members {
		l = append(l, append(append(appendString(nil, []byte(name)), ':'), v...))
	}
	slices.SortFunc(l, bytes.Compare)
	return append(append([]byte{'{'}, bytes.Join(l, []byte{','})...), '}')
}

func unescapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// fatesByPointer are the outcomes of the values of a body.
func fatesByPointer(c *Captured) map[string][]Outcome {
	m := map[string][]Outcome{}
	for _, f := range c.Fates {
		m[f.Pointer] = append(m[f.Pointer], f.Outcome)
	}
	return m
}

// compacted is a captured body as the strict reader takes it.
func compacted(t testing.TB, table *table, body []byte) []byte {
	t.Helper()
	var err error
	if table.yaml {
		body, err = table.jsonOf(body)
	}
	compact, err2 := reading.AppendCompact(nil, body)
	if err != nil || err2 != nil {
		t.Fatalf("captured, although the strict reader refuses it: %v %v", err, err2)
	}
	return compact
}

// checkInverse holds what is rebuilt from c's declaration against the source: each difference has a fate.
func checkInverse(t testing.TB, body []byte, c *Captured) {
	t.Helper()
	compact := compacted(t, c.Format.table, body)
	again, r := rebuild(t, c.Format.table, c.Declaration.Canonical())
	if text, err := reading.AppendCompact(nil, again); err != nil || !bytes.Equal(text, again) {
		t.Fatalf("rebuilt %s: %v", again, err)
	}
	model := "/model"
	if c.Format.table.callerModel || c.Format.table.modelArgs != nil {
		model = "" // a member like any other
	}
	d := differ{t, fatesByPointer(c), r.texts, model}
	d.compare(spelled(t, c.Format.table, compact), parseTree(t, again), "", false)
}

type differ struct {
	t     testing.TB
	fates map[string][]Outcome
	texts map[string]bool
	model string // the pointer of the model's name, which the path may give as well, or ""
}

func (d *differ) has(pointer string, what ...Outcome) bool {
	return slices.ContainsFunc(d.fates[pointer], func(o Outcome) bool { return slices.Contains(what, o) })
}

func (d *differ) compare(a, b jsontree.Value, pointer string, text bool) {
	text = text || d.texts[pointer]
	gone := d.has(pointer, LeftOut, Absent)
	switch {
	case d.has(pointer, Withheld):
		if !strings.Contains(b.Text(), "[secret]") {
			d.t.Errorf("%s: %s for a secret", pointer, b.Raw())
		}
		return
	case d.has(pointer, Hashed):
		if !strings.HasPrefix(b.Text(), "ni:///sha-256;") {
			d.t.Errorf("%s: %s for bytes", pointer, b.Raw())
		}
		return
	case gone != (b.Kind() == jsontree.Absent) && pointer != d.model:
		d.t.Errorf("%s is rebuilt as %s, and its fates are %v", pointer, b.Raw(), d.fates[pointer])
	}
	if gone {
		return
	}
	switch a.Kind() {
	case jsontree.Object:
		var order []string
		for name, e := range a.Members() {
			p := pointer + "/" + jsontree.EscapePointer(string(name))
			d.compare(e, b.Get(string(name)), p, text)
			if !d.has(p, LeftOut, Absent) && p != d.model {
				order = append(order, string(name))
			}
		}
		var got []string
		for name := range b.Members() {
			if pointer != "" || "/"+string(name) != d.model { // the path may name it
				got = append(got, string(name))
			}
		}
		if !text {
			slices.Sort(order)
			slices.Sort(got)
		}
		if !slices.Equal(order, got) {
			d.t.Errorf("%s has the members %q, want %q", pointer, got, order)
		}
	case jsontree.Array:
		if a.Len() != b.Len() {
			d.t.Errorf("%s has %d elements, want %d", pointer, b.Len(), a.Len())
			return
		}
		var l []jsontree.Value
		for _, e := range b.Elements() {
			l = append(l, e)
		}
		for i, e := range a.Elements() {
			d.compare(e, l[i], fmt.Sprintf("%s/%d", pointer, i), text)
		}
	case jsontree.Number:
		want := a.Raw()
		if !text && bytes.ContainsAny(want, ".eE") {
			want, _ = canonical.Transform(want)
		}
		got := b.Raw()
		if !text && string(want) == "-0" {
			want = []byte("0")
		}
		if string(got) != string(want) {
			d.t.Errorf("%s is %s, want %s", pointer, got, want)
		}
	default:
		if string(a.Raw()) != string(b.Raw()) && pointer != d.model {
			d.t.Errorf("%s is %s, want %s", pointer, b.Raw(), a.Raw())
		}
	}
}
