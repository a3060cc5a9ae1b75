package identity

import (
	"strconv"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/unseen"
)

// strings warns of text below v that reads as something that it is not. Names, which
// people compare by eye, are also held against look-alikes.
func (l *linter) strings(v jsontree.Value) {
	if v.Kind() == jsontree.String {
		l.value(v.Text())
	}
	for name, m := range v.Members() {
		l.member(name)
		l.text(string(name), true)
		l.namedSecret(string(name), m, v)
		if m.Kind() == jsontree.Array {
			l.argumentSecret(v, string(name), m)
			l.commandSecrets(string(name), m)
		}
		isBelow := l.isBelow
		l.isBelow = isBelow || secrets.IsName(string(name))
		l.strings(m)
		l.isBelow = isBelow
		l.back()
	}
	before := ""
	for i, e := range v.Elements() {
		l.element(i)
		l.elementSecret(before, e, i == 1 && v.Len() == 2)
		before = e.Text()
		l.strings(e)
		l.back()
	}
}

func (l *linter) value(s string) {
	shown := s
	if l.inOpen() {
		shown = strings.TrimRight(s, "\r\n") // a block scalar ends so
	}
	l.text(shown, l.isName(shown))
	if what := secrets.In(s); what != "" {
		l.secret(what)
	}
}

// isName tells whether the string at the path names something, rather than being prose.
func (l *linter) isName(s string) bool {
	if isNameMember(l.path[len(l.path)-1].name) {
		return true
	}
	return l.inOpen() && !strings.ContainsAny(s, " \t\r\n")
}

// inOpen tells whether the path is in parameters or constraints, and not at a name there.
func (l *linter) inOpen() bool {
	switch string(l.path[0].name) {
	case "parameters", "constraints":
		return !isNameMember(l.path[len(l.path)-1].name)
	}
	return false
}

func isNameMember(name []byte) bool {
	switch string(name) { // which copies nothing
	case "name", "provider", "version", "uri", "kind", "role", "mediaType", "id":
		return true
	}
	return false
}

func (l *linter) text(s string, isName bool) {
	for _, f := range unseen.In(s, isName) {
		fix := f.Fix
		if f.Kind == unseen.Suspect {
			fix += ": " + strconv.QuoteToASCII(f.Chars)
		}
		l.warn(textCodes[f.Kind], f.What, fix)
	}
}

var textCodes = map[unseen.Kind]Code{
	unseen.Bidi: CodeBidi, unseen.Invisible: CodeInvisible, unseen.Space: CodeInvisible, unseen.Control: CodeInvisible, unseen.Blank: CodeInvisible,
	unseen.NotNFC: CodeNFC, unseen.Senseless: CodeInvisible, unseen.LookAlike: CodeLookAlike, unseen.Suspect: CodeLookAlike,
}
