package capture

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// An Openness is what a declaration names and does not hold, by a table.
type Openness struct {
	API     string // the interface that the declaration speaks, or "" if it does not say
	Format  Format // the table; the zero value if none is known for the API
	Open    []Opening
	Unknown []Unknown // may be open as well, and hide anything
}

// formatOf is the API that a declaration says it speaks, and the last table for it.
func formatOf(root jsontree.Value, tables []Format) (api string, f Format) {
	if api = root.Get("extensions").Get(Interface).Get("api").Text(); api == "" {
		return "", f // without making the tables, since each signature asks
	}
	for _, t := range slices.Concat(Formats(), tables) {
		if of, _, _ := strings.Cut(t.Name(), "/"); of == api {
			f = t
		}
	}
	return api, f
}

// Open says what of a declaration is state that it does not hold, by the table of its API among tables, or else by the newest. It
// is a function of the declaration and the table alone, and for a captured declaration what [Captured] says. What is not in
// the form that the table gives to a declaration, or has no table, is unknown. It takes no context: a declaration has at most 16 MiB and
// 100,000 values, and its report 4 MiB, so that the largest takes a fraction of a second.
func Open(d *identity.Declaration, tables ...Format) Openness {
	prepare()
	root := rootOf(d)
	o := &opener{}
	o.API, o.Format = formatOf(root, tables)
	if o.Format.folder != nil {
		o.Open, o.Unknown = openIn(root)
		o.resources(root.Get("model").Get("components"))
		return o.Openness
	}
	if o.walker.table = o.Format.table; o.walker.table == nil {
		o.unread("", "interface "+o.API)
		return o.Openness
	}
	says := root.Get("extensions").Get(Interface)
	for name := range says.Members() {
		if !slices.Contains([]string{"api", "integers", "nulls", "secrets"}, string(name)) {
			o.unread("", "interface member "+string(name))
		}
	}
	if name := root.Get("model").Get("name").Text(); o.table.standIn != "" && strings.HasPrefix(name, o.table.standIn+"/") &&
		root.Get("parameters").Get(o.table.standIn).Kind() == jsontree.Absent {
		o.unread("", "model "+name)
	}
	o.nulls = newNullList(says.Get("nulls"))
	o.members(root)
	o.messages(root.Get("prompt"))
	o.tools(root.Get("context"))
	o.resources(root.Get("context"))
	o.resources(root.Get("model").Get("components"))
	slices.SortStableFunc(o.events, func(a, b event) int { return compareTrails(a.trail, b.trail) })
	for _, e := range o.events {
		if e.what == LeftOpen {
			o.Open = append(o.Open, Opening{e.trail.String(), e.hides})
		} else {
			o.Unknown = append(o.Unknown, Unknown{e.trail.String(), e.detail, e.unread})
		}
	}
	if o.walker.err != nil { // events were dropped
		o.unread("", "more than is looked at")
	}
	return o.Openness
}

// An opener walks a declaration along the shapes of a table. Of its walker it uses the trail, the events and the index.
type opener struct {
	walker
	Openness
	nulls nullList
}

func (o *opener) in(name []byte) {
	o.walker.in(name)
	o.nulls.enter(func() string { return jsontree.EscapePointer(string(name)) })
}

func (o *opener) at(i int) {
	o.walker.at(i)
	o.nulls.enter(func() string { return strconv.Itoa(i) })
}

func (o *opener) back() {
	o.walker.back()
	o.nulls.leave()
}

func (o *opener) open(hides string) {
	if hides != "" {
		o.note(LeftOpen, "").hides = hides
	}
}

// unread adds what is not looked into, and has no place in the body of its own.
func (o *opener) unread(pointer, name string) {
	o.Unknown = append(o.Unknown, Unknown{pointer, name, true})
}

// unreadHere notes that the value where the opener stands is not looked into.
func (o *opener) unreadHere(name string) { o.note(NotKnown, name).unread = true }

func (o *opener) nullMembers(s *shape, x *index) {
	if s.free {
		return
	}
	for name := range o.nulls.members() {
		if x.byName[name] == nil {
			o.in([]byte(name))
			o.note(NotKnown, "member "+name)
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
	if s.plain && s.free || o.walker.err != nil {
		return
	}
	if s.text && !text && v.Kind() == jsontree.Object {
		text = true
		if written := v.Get("json"); v.Len() == 1 && written.Kind() == jsontree.String {
			inner, err := parseText(written.Bytes())
			if err != nil {
				o.unreadHere("text that is not compact JSON")
				return
			}
			v = inner
		}
	}
	switch v.Kind() {
	case jsontree.String:
		if o.elsewhere(s, v.Text()); s.bytes != 0 && strings.HasPrefix(v.Text(), "ni:") && !namesBytes(v.Text()) {
			o.unreadHere("name of bytes without their digest")
		}
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

// elsewhere notes what a string of the shape, as a declaration has it, names and does not hold.
func (w *walker) elsewhere(s *shape, text string) {
	if s.names != "" {
		w.note(LeftOpen, "").hides = s.names
	}
	if s.files != "" && namesFile(text) {
		w.note(LeftOpen, "").hides = s.files
	}
	isBytes := s.bytes != 0 && (strings.HasPrefix(text, "ni:") || s.bytes&^dataURL != 0 || len(text) >= 5 && strings.EqualFold(text[:5], "data:"))
	if s.address == remote && !isBytes {
		w.note(LeftOpen, "").hides = "content"
	}
}

// namesBytes tells the name that a capture gives to bytes, which has their digest.
func namesBytes(text string) bool {
	name, ok := strings.CutPrefix(text, "ni:///sha-256;")
	digest, kind, hasKind := strings.Cut(name, "?")
	sum, err := base64.RawURLEncoding.Strict().DecodeString(digest)
	return ok && err == nil && len(sum) == sha256.Size && (!hasKind || strings.HasPrefix(kind, "ct="))
}

// parseText reads JSON text out of a string of a declaration: strictly, and in the form that a capture gives to it.
func parseText(text []byte) (jsontree.Value, error) {
	form, err := canonical.Options{MaxDepth: limits.CaptureDepth, MaxValues: limits.CaptureValues}.AppendCompact(nil, text)
	if err == nil && !bytes.Equal(form, text) {
		err = errors.New("the text is not compact")
	}
	if err != nil {
		return jsontree.Value{}, err
	}
	return jsontree.Parse(form)
}
