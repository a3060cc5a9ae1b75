package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
)

// A walker reads one body along the shapes of a table and writes the declaration's parts.
type walker struct {
	table   *table
	trail   trail
	events  []event
	size    int    // of the events' pointers, in bytes
	scribe  []byte // text on its way
	decoded []byte // of base64
	// searched is how long the text is that was looked through for secrets.
	searched int
	pairs    map[*byte]bool // what isPair said of objects, by where they lie
	err      *Error
}

// A mode is how values are written where the walker stands.
type mode struct {
	text    bool    // as the source has them
	secrets secrecy // which names lead to secrets
	hidden  bool    // a name that leads to secrets has been passed
	command bool    // a name that leads to a command or its arguments has been passed
	address address // of strings whose shape says nothing of it
	before  string  // of an element of a list: the string before it
	isPair  bool    // the list has two elements, and this is the second
}

// An event is something that happened to a value on its way.
type event struct {
	what   Outcome
	trail  trail
	detail string
	bytes  *resource // of Hashed
	hides  string    // of open values
	unread bool      // of unknown values
}

// note keeps what happened to the value where the walker stands.
func (w *walker) note(what Outcome, detail string) *event {
	if w.size += w.trail.size(); w.size > limits.CaptureReport {
		w.fail("more than %d MiB of places to report: nulls, secrets, members that are left out", limits.CaptureReport>>20)
	}
	if w.err != nil {
		return &event{}
	}
	w.events = append(w.events, event{what: what, trail: append(trail(nil), w.trail...), detail: detail})
	return &w.events[len(w.events)-1]
}

// fail notes an error about the value where the walker stands. The first one counts.
func (w *walker) fail(format string, args ...any) {
	if w.err == nil {
		w.err = &Error{Pointer: w.trail.String(), Message: fmt.Sprintf(format, args...)}
	}
}

// failWith is fail with a hint, or "".
func (w *walker) failWith(hint, format string, args ...any) {
	if w.err == nil {
		w.fail(format, args...)
		w.err.Hint = hint
	}
}

func (w *walker) in(name []byte) { w.trail = append(w.trail, step{name: name}) }
func (w *walker) at(i int)       { w.trail = append(w.trail, step{index: i}) }
func (w *walker) back()          { w.trail = w.trail[:len(w.trail)-1] }

// value appends v, which has the shape s.
func (w *walker) value(dst []byte, v jsontree.Value, s *shape, m mode) []byte {
	if w.err != nil {
		return dst
	}
	if s.secret {
		w.note(Withheld, "")
		return append(dst, withheld...)
	}
	if s.secrets != nothingSecret {
		m.secrets = s.secrets
	}
	if s.plain {
		m.secrets, m.hidden, m.command, m.address = nothingSecret, false, false, notURL
	}
	if s.text && !m.text && s.isText(v) {
		return w.asText(dst, v, s, m)
	}
	switch v.Kind() {
	case jsontree.Object:
		if m.text && s.plain && s.free {
			return append(dst, v.Raw()...)
		}
		return w.object(dst, v, s, m)
	case jsontree.Array:
		if m.text && s.plain && s.free {
			return append(dst, v.Raw()...)
		}
		return w.array(dst, v, s, m)
	case jsontree.String:
		return w.str(dst, v, s, m)
	case jsontree.Number:
		if m.hidden {
			w.elsewhere(s, withheldText)
			w.note(Withheld, "")
			return append(dst, withheld...)
		}
		if !m.text {
			return w.number(dst, v.Raw(), s)
		}
	}
	return append(dst, v.Raw()...)
}

// isText tells whether a value of the shape, which is text, is written as one.
func (s *shape) isText(v jsontree.Value) bool {
	switch v.Kind() {
	case jsontree.String:
		return false
	case jsontree.Object:
		return true
	case jsontree.Array:
		return !s.words || !isWords(v)
	}
	return s != unknownValue
}

// isWords tells a list of strings.
func isWords(v jsontree.Value) bool {
	for _, e := range v.Elements() {
		if e.Kind() != jsontree.String {
			return false
		}
	}
	return true
}

// asText appends {"json": TEXT}.
func (w *walker) asText(dst []byte, v jsontree.Value, s *shape, m mode) []byte {
	dst = append(dst, `{"json":`...)
	dst = w.appendText(dst, v, s, m)
	return append(dst, '}')
}

// appendText appends v as a string that holds its compact JSON text.
func (w *walker) appendText(dst []byte, v jsontree.Value, s *shape, m mode) []byte {
	m.text = true
	start := len(w.scribe)
	w.scribe = w.value(slices.Grow(w.scribe, len(v.Raw())), v, s, m)
	dst = appendEscaped(append(dst, '"'), w.scribe[start:])
	w.scribe = w.scribe[:start]
	return append(dst, '"')
}

// appendEscaped appends compact JSON text, which has no control characters, as the content of a string.
func appendEscaped(dst, text []byte) []byte {
	const word = 8
	i := len(dst)
	n := 2 * len(text)
	if len(text) > 1<<16 { // for which twice the memory is more than counting takes
		n = len(text) + bytes.Count(text, []byte{'"'}) + bytes.Count(text, []byte{'\\'})
	}
	n += 2 * word // a word may be written where less than one is left
	dst = slices.Grow(dst, n)[:i+n]
	for ; len(text) >= word; text = text[word:] {
		x := binary.LittleEndian.Uint64(text)
		binary.LittleEndian.PutUint64(dst[i:], x)
		for found := toEscape(x); found != 0; found &= found - 1 {
			before := bits.TrailingZeros64(found) &^ 7 // bits
			at := i + before/8
			dst[at] = '\\'
			binary.LittleEndian.PutUint64(dst[at+1:], x>>before)
			i++
		}
		i += word
	}
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst[i] = '\\'
			i++
		}
		dst[i] = c
		i++
	}
	return dst[:i]
}

// toEscape has the high bit set of each byte of x that is a quotation mark or a backslash, and no other.
func toEscape(x uint64) uint64 {
	const ones = 0x0101010101010101
	const low = 0x7f * ones
	quote, backslash := x^'"'*ones, x^'\\'*ones // a byte that is 0 is one of them
	return ^((quote&low + low | quote) & (backslash&low + low | backslash)) &^ low
}

func (w *walker) array(dst []byte, v jsontree.Value, s *shape, m mode) []byte {
	dst = append(dst, '[')
	m.before = ""
	for i, e := range v.Elements() {
		if i > 0 {
			dst = append(dst, ',')
		}
		w.at(i)
		if e.Kind() == jsontree.Null && !m.text {
			w.fail("null is an element of a list, want a value")
		}
		m.isPair = i == 1 && v.Len() == 2
		dst = w.value(dst, e, s.elements, m)
		m.before = e.Text()
		w.back()
	}
	return append(dst, ']')
}

func (w *walker) object(dst []byte, v jsontree.Value, s *shape, m mode) []byte {
	dst = append(dst, '{')
	m.before, m.isPair = "", false
	start := len(dst)
	x := w.indexOf(v, s)
	var names caseCheck
	for name, e := range v.Members() {
		k := w.find(x, s, v, name, &names)
		w.in(k.step(name, m.text))
		size := len(dst)
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = appendName(dst, k, name, m.text)
		before := len(dst)
		if k == nil {
			dst = w.unknown(dst, v, e, s, name, m)
		} else {
			dst = w.member(dst, v, e, k, name, m)
		}
		if len(dst) == before {
			dst = dst[:size] // it is absent
		}
		w.back()
	}
	return append(dst, '}')
}

// indexOf is the index for the object v, by what it says of itself.
func (w *walker) indexOf(v jsontree.Value, s *shape) *index {
	if s.by == "" {
		return s.index
	}
	kind := v.Get(s.by)
	isAbsent := kind.Kind() == jsontree.Absent || kind.Kind() == jsontree.Null
	if x := s.byName[kind.Text()]; x != nil && (isAbsent || kind.Kind() == jsontree.String) {
		if h := s.variant(kind.Text()).hides; h != "" {
			w.note(LeftOpen, "").hides = h
		}
		return x
	}
	if isAbsent {
		w.note(NotKnown, s.what+" without "+s.by)
	} else if w.search(kind.Text(), false) {
		w.note(NotKnown, s.what+" "+secrets.Text(kind.Text()))
	}
	return s.index
}

// find is the member of a table that has the name, or nil for an unknown one, which must not be taken for another.
func (w *walker) find(x *index, s *shape, v jsontree.Value, name []byte, names *caseCheck) *member {
	if k := x.byName[string(name)]; k != nil {
		if len(k.aliases) > 0 {
			if other := k.spelled(v, name); other != "" {
				w.in(name)
				w.fail("is there as %q as well, which is another spelling of the same name", other)
				w.back()
			}
		}
		return k
	}
	if s.free {
		return nil
	}
	f := x.form(string(name))
	if other := x.folded[f]; other != "" {
		w.in(name)
		w.fail("its name differs in %s alone from %q, for which some servers take it", x.differs(), other)
		w.back()
	} else if other, ok := names.seen(f, string(name)); ok {
		w.in(name)
		w.fail("its name differs in %s alone from %q, and some servers take the two for one", x.differs(), other)
		w.back()
	}
	return nil
}

// caseCheck holds the unknown names of one object without their case.
type caseCheck map[string]string

func (c *caseCheck) seen(folded, name string) (string, bool) {
	if *c == nil {
		*c = caseCheck{}
	}
	other, ok := (*c)[folded]
	(*c)[folded] = name
	return other, ok
}

// step is the name in pointers: the table's, but in text that of the source.
func (k *member) step(name []byte, text bool) []byte {
	if k == nil || text {
		return name
	}
	return k.label
}

func appendName(dst []byte, k *member, name []byte, text bool) []byte {
	if k != nil && (!text || len(k.aliases) == 0) {
		return append(dst, k.quoted...)
	}
	return append(appendString(dst, name), ':')
}

// member appends the value e of a member of v, or nothing where it is absent.
func (w *walker) member(dst []byte, v, e jsontree.Value, k *member, name []byte, m mode) []byte {
	if w.err != nil {
		return dst
	}
	if k.to == out {
		w.note(LeftOut, k.note)
		return dst
	}
	if !m.text {
		switch {
		case e.Kind() == jsontree.Null && k.required:
			w.fail("is null, want a value")
			return dst
		case e.Kind() == jsontree.Null && w.table.nulls && !k.nullCounts:
			w.note(Absent, "null")
			return dst
		case e.Kind() == jsontree.Null:
			w.note(Null, "")
			return dst
		case (k.empty || k.vanishes) && isEmpty(e):
			w.note(Absent, "empty")
			return dst
		}
	}
	if k.hides != "" {
		w.note(LeftOpen, "").hides = k.hides
	}
	if m.secrets != nothingSecret {
		if m = w.below(m, k.says, v, k.name); m.secrets == toolSecrets && k.value.isLeaf() && !m.hidden {
			m = mode{text: m.text} // the page says which members of a tool hold secrets
		}
	}
	before, events := len(dst), len(w.events)
	if k.value.bytes != 0 && e.Kind() == jsontree.String {
		return w.binary(dst, e, k.value, media(v, k.value.media))
	}
	dst = w.value(dst, e, k.value, m)
	declared := func(e event) bool { return e.what == Null } // its pointer needs the object
	if k.vanishes && !m.text && string(dst[before:]) == "{}" && !slices.ContainsFunc(w.events[min(events, len(w.events)):], declared) {
		w.note(Absent, "nothing is left of it")
		return dst[:before]
	}
	return dst
}

// unknown appends the value e of a member of v, an object of shape s, that the table does not have.
func (w *walker) unknown(dst []byte, v, e jsontree.Value, s *shape, name []byte, m mode) []byte {
	if w.err != nil {
		return dst
	}
	labels := s.labels
	if s.free {
		s = s.elements
	} else {
		w.note(NotKnown, "member "+string(name))
		if s = unknownValue; m.secrets == toolSecrets {
			s = toolPart
		}
	}
	if e.Kind() == jsontree.Null && !m.text {
		if w.table.ownNulls && len(w.trail) == 1 {
			w.note(Absent, "null")
		} else {
			w.note(Null, "")
		}
		return dst
	}
	if s == toolPart && !m.hidden && isPlain(string(name)) {
		s = textValue
	}
	if s.secrets != nothingSecret && !labels {
		m.secrets = s.secrets
		m = w.below(m, judge(string(name)), v, string(name))
	}
	return w.value(dst, e, s, m)
}

func isEmpty(v jsontree.Value) bool {
	raw := v.Raw()
	return string(raw) == "{}" || string(raw) == "[]"
}

// number appends a number outside text, which must be one that identity v1 takes.
func (w *walker) number(dst, literal []byte, s *shape) []byte {
	if !bytes.ContainsAny(literal, ".eE") {
		digits := bytes.TrimPrefix(literal, []byte("-"))
		if len(digits) > len(maxSafe) || len(digits) == len(maxSafe) && string(digits) > maxSafe {
			w.elsewhere(s, string(literal))
			w.note(Integer, string(literal))
			return append(append(append(dst, '"'), literal...), '"')
		}
		return append(dst, literal...)
	}
	form, err := canonical.Transform(literal)
	if err != nil {
		w.fail("%s is beyond the range of a double", literal) // the reader has refused it: unreachable
		return dst
	}
	if _, err := (canonical.Options{ExactNumbers: true}).Append(nil, literal); err != nil {
		w.note(Rounded, string(literal)+" is "+string(form))
	}
	return append(dst, form...)
}

const maxSafe = "9007199254740991"

// appendString appends s as RFC 8785 writes a string.
func appendString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ' || c >= utf8.RuneSelf:
			dst = append(dst, c)
		case c == '\b' || c == '\t' || c == '\n' || c == '\f' || c == '\r':
			dst = append(dst, '\\', "btn?fr"[c-'\b'])
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}
