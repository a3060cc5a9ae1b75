package identity

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/runattest/runattest/internal/jsontree"
)

// strings warns of text below v that reads as something that it is not. Names, which
// people compare by eye, are also held against look-alikes.
func (l *linter) strings(v jsontree.Value) {
	if v.Kind() == jsontree.String {
		l.text(v.Text(), l.isName())
	}
	for name, m := range v.Members() {
		l.member(name)
		l.text(string(name), true)
		l.strings(m)
		l.back()
	}
	for i, e := range v.Elements() {
		l.element(i)
		l.strings(e)
		l.back()
	}
}

// isName tells whether the string at the path names something, rather than being prose.
func (l *linter) isName() bool {
	switch l.path[len(l.path)-1].String() {
	case "name", "provider", "version", "uri", "kind", "role":
		return true
	}
	return false
}

func (l *linter) text(s string, isName bool) {
	if isASCII(s) {
		return
	}
	if !norm.NFC.IsNormalString(s) {
		l.warn(CodeNFC, "text is not in Unicode form NFC; the same text in NFC has another identity", "save the text in NFC")
	}
	if r, ok := find(s, isBidi); ok {
		l.warn(CodeBidi, fmt.Sprintf("%U changes the direction of the text around it", r), "remove it, unless the text is written from right to left")
	}
	if r, ok := find(s, isInvisible); ok {
		l.warn(CodeInvisible, fmt.Sprintf("%U is not seen", r), "remove it")
	}
	if isName && mixesScripts(s) {
		l.warn(CodeLookAlike, "a word mixes letters of scripts that look alike", "check each letter of "+strconv.QuoteToASCII(s))
	}
}

func isASCII(s string) bool { return allBytes(s, func(c byte) bool { return c < 0x80 }) }

func find(s string, is func(rune) bool) (rune, bool) {
	if i := strings.IndexFunc(s, is); i >= 0 {
		for _, r := range s[i:] {
			return r, true
		}
	}
	return 0, false
}

func isBidi(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}

// isInvisible tells format characters, tags and noncharacters. Joiners and variation
// selectors are left alone: emoji and several scripts need them.
func isInvisible(r rune) bool {
	switch {
	case r == 0x200D || r == 0x200C, isBidi(r):
		return false
	case r == 0x00AD, r == 0x3164, r == 0x115F, r == 0x1160:
		return true
	case r&0xFFFE == 0xFFFE, r >= 0xFDD0 && r <= 0xFDEF:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// mixesScripts tells a word that has letters of more than one of Latin, Cyrillic, Greek.
func mixesScripts(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		scripts := 0
		for _, table := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek} {
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
