package unseen

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Mistake is a character because of which a name is not what people read: it is equal to none that they write.
type Mistake struct {
	At   int // the byte at which it stands
	Char rune
	What string
	Fix  string // what to do, beginning with a verb
}

// MistakeIn is the first certain mistake in the name s: text that is not in NFC, a word of several scripts, a letter of another
// script that stands alone among Latin words, digits of several scripts, and what only looks like an ASCII letter, digit or mark. A whole word in another
// script is none, even if all of its letters look like Latin ones.
func MistakeIn(s string) (m Mistake, ok bool) {
	set := func(at int, what, fix string) (Mistake, bool) {
		r, _ := utf8.DecodeRuneInString(s[at:])
		return Mistake{at, r, fmt.Sprintf("%U %s", r, what), fix}, true
	}
	if strings.IndexFunc(s, isBeyondASCII) < 0 {
		return Mistake{}, false
	}
	if !norm.NFC.IsNormalString(s) {
		at := norm.NFC.QuickSpanString(s)
		for at < len(s) && s[at] < utf8.RuneSelf {
			at++
		}
		if at == len(s) { // is not: what is not in NFC has a character beyond ASCII behind the span
			at = strings.IndexFunc(s, isBeyondASCII)
		}
		return set(at, "is not in Unicode form NFC: the same text in NFC is another text", "save the text in NFC")
	}
	if r, what := NoLetter(s); what != "" {
		return set(strings.IndexRune(s, r), what, "remove it, or write what is meant")
	}
	check := "write each word in the letters of one script"
	if at := mixedAt(s); at >= 0 {
		return set(at, "stands in a word with letters of another script that look like it", check)
	}
	if MixesDigits(s) {
		at := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsDigit(r) })
		return set(at, "is a digit of another script than its word", "write the digits 0 to 9")
	}
	if r, plain := Mark(s); plain != "" {
		return set(strings.IndexRune(s, r), "looks like "+plain, "write "+plain)
	}
	if r, ok := Styled(s); ok {
		plain := norm.NFKC.String(string(r))
		return set(strings.IndexRune(s, r), "looks like "+plain, "write "+plain)
	}
	return Mistake{}, false
}

// SuspectIn is where a word begins that may be meant, and reads as another one: all of its letters look like Latin ones, or one is of a phonetic
// alphabet. what is "" without one.
func SuspectIn(s string) (at int, what string) {
	if LooksLatin(s) {
		return strings.IndexFunc(s, isLatinLook), "a word has only letters that look like Latin ones and are not"
	}
	if r, ok := Phonetic(s); ok {
		return strings.IndexRune(s, r), fmt.Sprintf("%U is not a letter of the alphabet a to z, and can look like one", r)
	}
	return 0, ""
}

// mixedAt is where the first letter stands that makes a word one of several scripts, or that is alone of another script than all
// other letters and looks like one of theirs; -1 without one.
func mixedAt(s string) int {
	at, lone := 0, loneOther(s)
	if !isLatinLook(lone) || lone == 'α' || strings.IndexFunc(s, isASCIILetter) < 0 {
		lone = 0
	}
	for at < len(s) {
		n := strings.IndexFunc(s[at:], unicode.IsLetter)
		if n < 0 {
			return -1
		}
		at += n
		word := s[at:]
		if end := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
			word = word[:end]
		}
		if MixesScripts(word) || word == string(lone) {
			return at + max(0, strings.IndexFunc(word, func(r rune) bool { return isBeyondASCII(r) && !unicode.Is(unicode.Latin, r) }))
		}
		at += len(word)
	}
	return -1
}

func isBeyondASCII(r rune) bool { return r >= utf8.RuneSelf }

// Skeleton is what a name looks like: two names with one skeleton are not told apart by eye (after UTS 39).
func Skeleton(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) {
		plain := plainMarks[r]
		switch latin := latinLooks[r]; {
		case latin != 0:
			r = latin
		case r == 'ı':
			r = 'i'
		case r == 'ɑ':
			r = 'a'
		case r == 'ɡ':
			r = 'g'
		case plain != "":
			r = rune(plain[0])
		}
		switch r {
		case 'I', '1', '|':
			r = 'l'
		case '0':
			r = 'O'
		}
		b.WriteRune(r)
	}
	return strings.ReplaceAll(b.String(), "rn", "m")
}
