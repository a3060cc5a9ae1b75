package policy

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/unseen"
	"github.com/runattest/runattest/policy/internal/rules"
)

// reader walks a closed document and notes what is wrong with it; path is where it stands.
type reader struct {
	*text
	path     []string
	problems []identity.Problem
	warnings []identity.Problem
}

// field reads one member.
type field func(v jsontree.Value)

func (r *reader) pointer(below ...string) string {
	var b strings.Builder
	for _, name := range slices.Concat(r.path, below) {
		b.WriteString("/" + jsontree.EscapePointer(name))
	}
	return b.String()
}

func (r *reader) in(name string, do func()) {
	r.path = append(r.path, name)
	do()
	r.path = r.path[:len(r.path)-1]
}

// fail notes a problem at the path. The hint is "" where there is nothing to add.
func (r *reader) fail(code identity.Code, hint, format string, args ...any) {
	r.failAt(r.pointer(), code, hint, format, args...)
}

func (r *reader) failAt(pointer string, code identity.Code, hint, format string, args ...any) {
	if r.full() {
		return
	}
	line, column := r.locate(pointer)
	r.note(identity.Problem{Code: code, Pointer: pointer, Line: line, Column: column, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// refuseAmbiguous refuses scalars that other readers of YAML take for another value, as a program does that writes policies or
// shows them. What is refused already is another value anyway.
func (r *reader) refuseAmbiguous() {
	before := r.problems
	for _, p := range r.ambiguous {
		if !slices.ContainsFunc(before, func(other identity.Problem) bool { return other.Pointer == p.Pointer }) {
			r.note(p)
		}
	}
}

// full reports that no more problems are noted, so that their places, which take a pass over the text, are not searched for.
func (r *reader) full() bool { return len(r.problems) >= limits.Problems }

func (r *reader) note(p identity.Problem) {
	if !r.full() {
		p.Severity = identity.Error
		r.problems = append(r.problems, p)
	}
}

func (r *reader) want(v jsontree.Value, kind jsontree.Kind) bool {
	if v.Kind() == kind {
		return true
	}
	if v.Kind() == jsontree.Null {
		r.failNull("leave the member out")
	} else {
		r.fail(identity.CodeType, "", "is of type %s, want %s", v.Kind(), kind)
	}
	return false
}

// failNull notes a null. The hint must not lead to another problem: only what is optional is left out.
func (r *reader) failNull(hint string) {
	message := "null is refused"
	if r.yaml != nil {
		if text, isElement, ok := r.yaml.NullText(r.pointer()); ok && text == "" && isElement {
			message += ": an element without a value is null in YAML"
		} else if ok && text == "" {
			message += ": a key without a value is null in YAML"
		}
	}
	r.fail(identity.CodeNull, hint, "%s", message)
}

// members reads a closed object.
func (r *reader) members(v jsontree.Value, required []string, fields map[string]field) {
	if !r.want(v, jsontree.Object) {
		return
	}
	for _, name := range required {
		if v.Get(name).Kind() == jsontree.Absent {
			r.fail(identity.CodeRequired, "", "%s is missing", name)
		}
	}
	for name, m := range v.Members() {
		r.in(string(name), func() {
			read, ok := fields[string(name)]
			switch {
			case ok && m.Kind() == jsontree.Null && slices.Contains(required, string(name)):
				r.failNull("write its value: " + string(name) + " is required")
				return
			case ok:
				read(m)
				return
			}
			known := slices.Sorted(maps.Keys(fields))
			r.fail(identity.CodeUnknown, "the members here are "+strings.Join(known, ", "), "unknown member")
		})
	}
}

// list reads an array of least to most elements.
func (r *reader) list(v jsontree.Value, least, most int, each func(i int, v jsontree.Value)) {
	if !r.want(v, jsontree.Array) {
		return
	}
	if n := v.Len(); n < least || n > most {
		r.fail(identity.CodeValue, "", "%d elements, want %d to %d", n, least, most)
		return
	}
	for i, e := range v.Elements() {
		r.in(strconv.Itoa(i), func() {
			if e.Kind() == jsontree.Null {
				hint := "write the element, or remove it"
				if v.Len() <= least {
					hint = "write the element"
				}
				r.failNull(hint)
				return
			}
			each(i, e)
		})
	}
}

// expression reads a string that is not empty, and whose characters are looked at when it is compiled.
func (r *reader) expression(into *string) field {
	return func(v jsontree.Value) {
		if !r.want(v, jsontree.String) {
			return
		}
		if *into = v.Text(); *into == "" {
			r.fail(identity.CodeValue, "", "is empty")
		}
	}
}

// string reads a string that is not empty, all of which is seen.
func (r *reader) string(into *string) field {
	return func(v jsontree.Value) {
		r.expression(into)(v)
		r.refuse(append(unseen.NotShown(*into, false), unseen.Controls(*into)...))
	}
}

// label reads what people compare by eye, such as the name of a person.
func (r *reader) label(into *string) field {
	return func(v jsontree.Value) {
		if r.expression(into)(v); *into != "" {
			r.checkLabel(*into)
		}
	}
}

// checkLabel refuses names that are not what people read: what is signed by the one who is meant would be by another.
func (r *reader) checkLabel(name string) {
	for _, f := range unseen.InLabel(name) {
		if f.IsCertain() {
			r.refuse([]unseen.Finding{f})
			continue
		}
		r.warn(r.pointer(), f.What, f.Fix, func() (line, column int) { return r.locate(r.pointer()) })
	}
}

// refuse notes what was found in a text.
func (r *reader) refuse(found []unseen.Finding) {
	for _, f := range found {
		code := identity.CodeInvisible
		if f.IsMistake() {
			code = identity.CodeLookAlike
		}
		r.fail(code, f.Fix, "%s", f.What)
	}
}

// identity reads what a certificate has, which the policy cannot name otherwise: what looks like something else has an escape in a
// regular expression.
func (r *reader) identity(into *string, member string) field {
	return func(v jsontree.Value) {
		if r.expression(into)(v); *into == "" {
			return
		}
		for _, f := range unseen.In(*into, true) {
			if f.IsMistake() || f.Kind == unseen.Space {
				escaped := rules.Escaped(f, `\x{%X}`)
				f.Fix += fmt.Sprintf("; if the certificate has this one, write %sRegexp in place of %s, with %s for it", member, member, escaped)
			}
			if f.IsCertain() {
				r.refuse([]unseen.Finding{f})
			} else {
				r.warn(r.pointer(), f.What, f.Fix, func() (line, column int) { return r.locate(r.pointer()) })
			}
		}
	}
}

// warn notes a name at the pointer that may not be what people read.
func (r *reader) warn(pointer, message, hint string, place func() (line, column int)) {
	if len(r.warnings) >= limits.Problems {
		return
	}
	line, column := place()
	r.warnings = append(r.warnings, identity.Problem{
		Severity: identity.Warning, Code: identity.CodeLookAlike, Pointer: pointer, Line: line, Column: column, Message: message, Hint: hint,
	})
}

// labels are the names of what must be told apart by eye.
type labels struct {
	noun  string            // what they are names of
	exact map[string]string // by what they look like
	rough map[string]string // by what they look like in some fonts
}

func labelsOf(noun string) labels { return labels{noun, map[string]string{}, map[string]string{}} }

// add refuses a name that looks like another one, and warns of one that does so in some fonts.
func (l labels) add(r *reader, pointer, name, hint string) {
	form, rough := unseen.Skeleton(name), unseen.RoughSkeleton(name)
	switch other, near := l.exact[form], l.rough[rough]; {
	case other == name:
		return
	case other != "":
		r.failAt(pointer, identity.CodeLookAlike, hint, "the %s %+q looks like %+q", l.noun, name, other)
		return
	case near != "":
		message := fmt.Sprintf("the %s %+q looks like %+q in some fonts", l.noun, name, near)
		r.warn(pointer, message, "check that both are meant", func() (line, column int) { return r.locate(pointer) })
	}
	l.exact[form], l.rough[rough] = name, name
}

// isName tells [a-z0-9][a-z0-9._-]{0,63}.
func isName(s string) bool {
	const others = "._-"
	isOther := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r))
	}
	return s != "" && len(s) <= 64 && strings.IndexByte(others, s[0]) < 0 && !strings.ContainsFunc(s, isOther)
}

// name reads what reports call something by.
func (r *reader) name(into *string) field {
	return func(v jsontree.Value) {
		if r.want(v, jsontree.String) {
			if *into = v.Text(); !isName(*into) {
				r.fail(identity.CodeValue, "", "want 1 to 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter or a digit")
			}
		}
	}
}

func (r *reader) word(into *string, allowed ...string) field {
	return func(v jsontree.Value) {
		if r.want(v, jsontree.String) {
			if *into = v.Text(); !slices.Contains(allowed, *into) {
				r.fail(identity.CodeValue, "", "want one of %s", strings.Join(allowed, ", "))
			}
		}
	}
}

func (r *reader) count(into *int, least, most int) field {
	return func(v jsontree.Value) {
		if !r.want(v, jsontree.Number) {
			return
		}
		n, err := strconv.Atoi(string(v.Raw()))
		if err != nil || n < least || n > most {
			r.fail(identity.CodeValue, "", "want an integer from %d to %d", least, most)
			return
		}
		*into = n
	}
}

var timePattern = lazyregexp.New(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$`)

// parseTime reads an RFC 3339 time in the spelling that all its readers know.
func parseTime(s string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, s)
	if at = at.UTC(); err != nil || !timePattern.MatchString(s) || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%s: want a time as 2026-01-31T12:00:00Z (RFC 3339)", strconv.Quote(s))
	}
	return at, nil
}

func (r *reader) time(into *time.Time) field {
	return func(v jsontree.Value) {
		if !r.want(v, jsontree.String) {
			return
		}
		at, err := parseTime(v.Text())
		if err == nil { // which readers that know dates take for the same time
			pointer := r.pointer()
			r.ambiguous = slices.DeleteFunc(r.ambiguous, func(p identity.Problem) bool { return p.Pointer == pointer })
		}
		if err != nil {
			r.fail(identity.CodeValue, "", "%s", err)
		}
		*into = at
	}
}

var durationPattern = lazyregexp.New(`^([1-9][0-9]{0,5})([smhd])$`)

// duration reads a number of seconds, minutes, hours or days.
func (r *reader) duration(into *time.Duration) field {
	return func(v jsontree.Value) {
		if !r.want(v, jsontree.String) {
			return
		}
		parts := durationPattern.FindStringSubmatch(v.Text())
		if parts == nil {
			r.fail(identity.CodeValue, "", "want a number and a unit: 90s, 30m, 24h or 7d")
			return
		}
		n, _ := strconv.Atoi(parts[1]) // the pattern says digits
		unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[parts[2]]
		if most := math.MaxInt64 / unit; time.Duration(n) > most {
			r.fail(identity.CodeValue, "", "want at most %d%s", most, parts[2])
			return
		}
		*into = time.Duration(n) * unit
	}
}
