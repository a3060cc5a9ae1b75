package identity

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/runattest/runattest/internal/jsontree"
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
		l.strings(m)
		l.back()
	}
	before := ""
	for i, e := range v.Elements() {
		l.element(i)
		l.optionSecret(before, e)
		before = e.Text()
		l.strings(e)
		l.back()
	}
}

func (l *linter) value(s string) {
	l.text(s, l.isName(s))
	if what := secretIn(s); what != "" {
		l.secret(what)
	}
}

// isName tells whether the string at the path names something, rather than being prose.
func (l *linter) isName(s string) bool {
	switch string(l.path[len(l.path)-1].name) {
	case "name", "provider", "version", "uri", "kind", "role", "mediaType", "id":
		return true
	}
	switch string(l.path[0].name) {
	case "parameters", "constraints":
		return !strings.Contains(s, " ")
	}
	return false
}

func (l *linter) text(s string, isName bool) {
	if r, ok := find(s, func(r rune) bool { return isControl(r, isName) }); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U is a control character", r), "remove it")
	}
	if isASCII(s) {
		return
	}
	if !norm.NFC.IsNormalString(s) {
		l.warn(CodeNFC, "text is not in Unicode form NFC; the same text in NFC has another identity", "save the text in NFC")
	}
	if r, ok := find(s, isBidi); ok {
		l.warn(CodeBidi, fmt.Sprintf("%U changes the direction of the text around it", r), "remove it, unless the text is written from right to left")
	}
	if r, ok := findInvisible(s, isName); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U is not seen", r), "remove it")
	}
	if r, ok := findSpace(s, isName); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U looks like a blank", r), "write a blank, U+0020, unless this one is meant")
	}
	if !isName {
		return
	}
	switch {
	case mixesScripts(s):
		l.warn(CodeLookAlike, "a word mixes letters of scripts that look alike", "check each letter of "+strconv.QuoteToASCII(s))
	case looksLatin(s):
		l.warn(CodeLookAlike, "a word has only letters that look like Latin ones and are not", "check each letter of "+strconv.QuoteToASCII(s))
	default:
		if r, ok := find(s, isStyled); ok {
			l.warn(CodeLookAlike, fmt.Sprintf("%U looks like %s", r, norm.NFKC.String(string(r))), "write "+norm.NFKC.String(string(r)))
		}
	}
}

func isASCII(s string) bool { return allBytes(s, func(c byte) bool { return c < 0x80 }) }

func find(s string, is func(rune) bool) (rune, bool) {
	if i := strings.IndexFunc(s, is); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		return r, true
	}
	return 0, false
}

// isControl tells C0 and C1 controls and DEL; in prose line ends and tabs are none.
func isControl(r rune, isName bool) bool {
	return unicode.IsControl(r) && (isName || r != '\n' && r != '\r' && r != '\t')
}

func isBidi(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}

// mixesScripts tells a word that has letters of more than one of the scripts that look alike.
func mixesScripts(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		scripts := 0
		for _, table := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee} {
			if strings.IndexFunc(word, func(r rune) bool { return unicode.Is(table, r) }) >= 0 {
				scripts++
			}
		}
		if scripts > 1 {
			return true
		}
	}
	return false
}

// latinLooks are letters of other scripts that look like Latin ones in most fonts (UTS 39, confusables).
const latinLooks = "асеорхуіјѕһԁԛԝАВЕКМНОРСТХУІЈЅԌԚԜοανυρικΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսցհ"

// looksLatin tells a word of at least two letters that can be read as Latin as a whole.
func looksLatin(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(word) > 3 && strings.Trim(word, latinLooks) == "" {
			return true
		}
	}
	return false
}

// isStyled tells letters and digits that are ASCII ones in another style: fullwidth, mathematical, in circles.
func isStyled(r rune) bool {
	if r < 0x80 {
		return false
	}
	plain := norm.NFKC.String(string(r))
	return plain != "" && allBytes(plain, func(c byte) bool { return c > ' ' && c < 0x7f })
}
