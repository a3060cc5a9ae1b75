package identity

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

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
			l.argumentSecret(v, m)
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
		if e.Kind() == jsontree.Array {
			l.argumentSecret(jsontree.Value{}, e)
		}
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
	if r, ok := unseen.Control(s, isName); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U is a control character", r), "remove it")
	}
	if where := unseen.LoneBlank(s); isName && where != "" {
		l.warn(CodeInvisible, "a blank "+where+" is easily overlooked", "remove it, unless it is meant")
	}
	if isASCII(s) {
		return
	}
	if !norm.NFC.IsNormalString(s) {
		l.warn(CodeNFC, "text is not in Unicode form NFC; the same text in NFC has another identity", "save the text in NFC")
	}
	if r, ok := unseen.Bidi(s, isName); ok {
		l.warn(CodeBidi, fmt.Sprintf("%U changes the direction of the text around it", r), "remove it, unless the text is written from right to left")
	}
	if r, ok := unseen.Invisible(s, isName); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U is not seen", r), "remove it")
	}
	if r, ok := unseen.Space(s, isName); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U looks like a blank", r), "write a blank, U+0020, unless this one is meant")
	}
	if !isName {
		return
	}
	if r, what := unseen.NoLetter(s); what != "" {
		l.warn(CodeInvisible, fmt.Sprintf("%U %s", r, what), "remove it, or write what is meant")
	}
	check := "check each letter of " + strconv.QuoteToASCII(s)
	switch {
	case unseen.MixesScripts(s):
		l.warn(CodeLookAlike, "a word mixes letters of scripts that look alike", check)
	case unseen.LooksLatin(s):
		l.warn(CodeLookAlike, "a word has only letters that look like Latin ones and are not", check)
	case unseen.MixesDigits(s):
		l.warn(CodeLookAlike, "a word mixes digits of two scripts", check)
	default:
		if r, plain := unseen.Mark(s); plain != "" {
			l.warn(CodeLookAlike, fmt.Sprintf("%U looks like %s", r, plain), "write "+plain)
		} else if r, ok := unseen.Styled(s); ok {
			l.warn(CodeLookAlike, fmt.Sprintf("%U looks like %s", r, norm.NFKC.String(string(r))), "write "+norm.NFKC.String(string(r)))
		} else if r, ok := unseen.Phonetic(s); ok {
			if r == 'ı' {
				check += "; in Turkish and Azerbaijani this one is right"
			}
			l.warn(CodeLookAlike, fmt.Sprintf("%U (%c) is not a letter of the alphabet a to z, and can look like one", r, r), check)
		}
	}
}

func isASCII(s string) bool { return allBytes(s, func(c byte) bool { return c < 0x80 }) }
