package unseen

import (
	"cmp"
	"fmt"
	"iter"
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

// MistakeIn is the first certain mistake in the name s: text that is not in NFC, a letter of another script that looks like an ASCII
// one and stands among those, a number with digits of several scripts, and what only looks like an ASCII hyphen, letter or digit
// beside such. What people write in other languages is none: a word in another script beside Latin ones or together with them, a
// letter alone, superscripts, marks of fullwidth.
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
	if at, beside := lookAt(s); at >= 0 {
		r, _ := utf8.DecodeRuneInString(s[at:])
		latin := string(latinLooks[r])
		return set(at, "looks like "+latin+" and is not, in a word with ASCII "+beside, "write "+latin+", or the word in the letters of one script")
	}
	if at := mixedWordAt(s); at >= 0 {
		return set(at, "is a letter of another script, in a word with ASCII letters", "write the word in the letters of one script, or part it, as PDF-файл")
	}
	if at := mixedNumberAt(s); at >= 0 {
		return set(at, "stands in a number with digits of another script", "write the digits 0 to 9")
	}
	if at, plain := markAt(s); at >= 0 {
		return set(at, "looks like "+plain, "write "+plain)
	}
	if at, plain := styledAt(s); at >= 0 {
		return set(at, "looks like "+plain, "write "+plain)
	}
	return Mistake{}, false
}

// SuspectIn is where a word begins that may be meant, and reads as another one. what is "" without one.
func SuspectIn(s string) (at int, what string) {
	if strings.IndexFunc(s, isBeyondASCII) < 0 {
		return 0, ""
	}
	if LooksLatin(s) {
		return strings.IndexFunc(s, isLatinLook), "a word has only letters that look like Latin ones and are not"
	}
	for start, word := range runs(s, unicode.IsLetter) {
		if n := strings.IndexFunc(word, isLatinLook); n >= 0 && scriptsAlike(word) > 1 && !strings.ContainsRune(word, 'α') {
			return start + n, "a word mixes letters of scripts that look alike"
		}
		if n := strings.LastIndexFunc(word, isSmallGreek); n > 0 && strings.IndexFunc(word, isASCIILetter) >= 0 && !isAlpha(word) {
			return start + n, "a Greek letter stands in a word with ASCII letters"
		}
	}
	if MixesDigits(s) {
		at := strings.IndexFunc(s, func(r rune) bool { return isBeyondASCII(r) && unicode.IsDigit(r) && !unicode.Is(unicode.Common, r) })
		r, _ := utf8.DecodeRuneInString(s[at:])
		return at, fmt.Sprintf("%U is not one of the digits 0 to 9, in a word with ASCII letters or digits", r)
	}
	for at, r := range s {
		if plain := styleOf(r); plain != "" {
			return at, fmt.Sprintf("%U looks like %s", r, plain)
		}
	}
	if r, ok := Phonetic(s); ok {
		return strings.IndexRune(s, r), fmt.Sprintf("%U is not a letter of the alphabet a to z, and can look like one", r)
	}
	return 0, ""
}

// runs are the longest parts of s of which each character is one of those, with where they begin.
func runs(s string, of func(rune) bool) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for at := 0; at < len(s); {
			n := strings.IndexFunc(s[at:], of)
			if n < 0 {
				return
			}
			at += n
			end := len(s)
			if n := strings.IndexFunc(s[at:], func(r rune) bool { return !of(r) }); n >= 0 {
				end = at + n
			}
			if !yield(at, s[at:end]) {
				return
			}
			at = end
		}
	}
}

// lookAt is where the first letter stands that looks like an ASCII one beside which it stands: in a word with ASCII letters, or as a
// word beside an ASCII digit and without a blank between it and such letters, as the last letter of gpt-4o. at is -1 without one.
func lookAt(s string) (at int, beside string) {
	for start, part := range runs(s, func(r rune) bool { return !unicode.IsSpace(r) }) {
		if strings.IndexFunc(part, isASCIILetter) < 0 || strings.IndexFunc(part, isLatinLook) < 0 {
			continue
		}
		for n, word := range runs(part, unicode.IsLetter) {
			look, end := strings.IndexFunc(word, isLatinLook), n+len(word)
			isDigitBeside := n > 0 && isASCIIDigit(part[n-1]) || end < len(part) && isASCIIDigit(part[end])
			switch hasLatin := strings.IndexFunc(word, isASCIILetter) >= 0; {
			case look < 0, isAlpha(word):
			case hasLatin:
				return start + n + look, "letters"
			case isDigitBeside && strings.TrimFunc(word, isLatinLook) == "":
				return start + n + look, "digits"
			}
		}
	}
	return -1, ""
}

// mixedWordAt is where the first letter stands in a word with ASCII letters that is of a script which looks like theirs, and of which no
// letters are written among them, -1 without one. Greek ones are, as in μTransfer.
func mixedWordAt(s string) int {
	for start, word := range runs(s, unicode.IsLetter) {
		other := strings.IndexFunc(word, func(r rune) bool {
			return unicode.In(r, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu)
		})
		if other >= 0 && strings.IndexFunc(word, isASCIILetter) >= 0 {
			return start + other
		}
	}
	return -1
}

func isSmallGreek(r rune) bool { return unicode.Is(unicode.Greek, r) && unicode.IsLower(r) }

// isAlpha tells a word with an alpha that is read as one: alone, or behind capitals, as in TNFα.
func isAlpha(word string) bool {
	rest := strings.ReplaceAll(word, "α", "")
	return rest != word && strings.ToUpper(rest) == rest && strings.IndexFunc(rest, isLatinLook) < 0
}

// mixedNumberAt is where a digit of another script stands in a number with ASCII ones, -1 without one.
func mixedNumberAt(s string) int {
	isOther := func(r rune) bool { return isBeyondASCII(r) && unicode.IsDigit(r) && !unicode.Is(unicode.Common, r) }
	for start, number := range runs(s, func(r rune) bool { return unicode.IsDigit(r) || r == '.' }) {
		if n := strings.IndexFunc(number, isOther); n >= 0 && strings.ContainsAny(number, "0123456789") {
			return start + n
		}
	}
	return -1
}

// styledAt is where the first letter or digit in another style stands that is in a word with ASCII ones, or in place of a word of
// those, and the plain one; -1 without one. One alone is right, and beside Chinese characters, kana and hangul so is a word of them.
func styledAt(s string) (at int, plain string) {
	isPart := func(r rune) bool {
		return r < utf8.RuneSelf && (isAlnum(byte(r)) || strings.ContainsRune("-_./:@", r)) || styleOf(r) != ""
	}
	isCJK := strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
	for start, word := range runs(s, isPart) {
		n := strings.IndexFunc(word, isBeyondASCII)
		if n < 0 {
			continue
		}
		isBeside := strings.ContainsFunc(word, func(r rune) bool { return r < utf8.RuneSelf && isAlnum(byte(r)) })
		for from, letters := range runs(word, func(r rune) bool { return isBeyondASCII(r) && !unicode.IsDigit(r) }) {
			if !isBeside && !isCJK && utf8.RuneCountInString(letters) > 1 {
				isBeside, n = true, from
			}
		}
		if isBeside {
			r, _ := utf8.DecodeRuneInString(word[n:])
			return start + n, styleOf(r)
		}
	}
	return -1, ""
}

// styleOf is the ASCII letter or digit that r is in another style: fullwidth, mathematical, a ligature of them, or a small Roman numeral of one
// letter. It is "" for all else, also for those that are seen to be other ones: superscripts, ordinals, in circles.
func styleOf(r rune) string {
	switch {
	case r >= 0xFF10 && r <= 0xFF5A, r >= 0x1D400 && r <= 0x1D7FF, r == 0x210E, r >= 0xFB00 && r <= 0xFB06, r >= 0x2170 && r <= 0x217F:
		plain := norm.NFKC.String(string(r))
		if r >= 0x2170 && r <= 0x217F && len(plain) > 1 || strings.ContainsFunc(plain, func(c rune) bool { return c >= utf8.RuneSelf || !isAlnum(byte(c)) }) {
			return ""
		}
		return plain
	}
	return ""
}

func isASCIIDigit(c byte) bool { return c >= '0' && c <= '9' }

func isBeyondASCII(r rune) bool { return r >= utf8.RuneSelf }

// Skeleton is what a name looks like: two names with one skeleton are not told apart by eye (after UTS 39).
func Skeleton(s string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		if unicode.In(r, unicode.No, unicode.Lm, unicode.So) || r == 'ª' || r == 'º' { // is seen to be raised, or in a circle
			b.WriteRune(r)
			continue
		}
		for _, r := range norm.NFKC.String(string(r)) {
			b.WriteRune(skeletonOf(r))
		}
	}
	return norm.NFC.String(b.String())
}

// RoughSkeleton is a skeleton in which rn is m: two names with one are told apart by eye in some fonts.
func RoughSkeleton(s string) string { return strings.ReplaceAll(Skeleton(s), "rn", "m") }

// roughLooks are letters that are taken for Latin ones in a word of those.
var roughLooks = look{"кгптмнв": "krntmhb", "γστωη": "yotwn"}.letters()

func skeletonOf(r rune) rune {
	plain := plainMarks[r]
	switch latin := cmp.Or(latinLooks[r], roughLooks[r]); {
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
		return 'l'
	case '0':
		return 'O'
	}
	return r
}
