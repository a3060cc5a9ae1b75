package unseen

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const checkLetters = "check its letters"

// suspectWords finds words that may be meant, and read as others.
func (m *mistaken) suspectWords() {
	lone, isTurkish := loneOther(m.name), isTurkish(m.name)
	for start, word := range runs(m.name, unicode.IsLetter) {
		if isASCII(word) {
			continue
		}
		at, chars, what, fix := suspectIn(word, lone, isTurkish)
		if what != "" {
			m.suspect(start+at, chars, what, fix)
		}
	}
	for start, word := range runs(m.name, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' }) {
		n := strings.IndexFunc(word, isOtherDigit)
		if n >= 0 && strings.IndexFunc(word, func(r rune) bool { return r < utf8.RuneSelf && isAlnum(byte(r)) }) >= 0 {
			digits := lettersOf(word, isOtherDigit)
			what := listed(digits) + " is not one of the digits 0 to 9, in a word with ASCII letters or digits"
			if utf8.RuneCountInString(digits) > 1 {
				what = listed(digits) + " are not digits 0 to 9, in a word with ASCII letters or digits"
			}
			m.suspect(start+n, digits, what, "check its digits")
		}
	}
}

// suspectIn is where in a word something stands that reads as something else, and the letters that it is about.
func suspectIn(word string, lone rune, isTurkish bool) (at int, chars, what, fix string) {
	hasASCII := strings.IndexFunc(word, isASCIILetter) >= 0
	if looksLatin(word, lone) {
		return 0, word, "a word has only letters that look like Latin ones and are not", checkLetters + ", which read as " + read(word)
	}
	if n := strings.IndexFunc(word, isLatinLook); n >= 0 && scriptsAlike(word) > 1 && !strings.ContainsRune(word, 'α') {
		return n, word, "a word mixes letters of scripts that look alike", checkLetters
	}
	if n := strings.LastIndexFunc(word, isSmallGreek); hasASCII && !isAlpha(word) && (n > 0 || beginsGreek(word)) {
		return n, lettersOf(word, isSmallGreek), "a Greek letter stands in a word with ASCII letters", checkLetters
	}
	if n, letters := between(word, func(r rune) bool { return isBeyondASCII(r) && !isBesideLatin(r) }, 2); n >= 0 {
		return n, letters, "letters of another script stand between ASCII letters", checkLetters
	}
	if n, letters := between(word, isRaised, 1); n >= 0 {
		return n, letters, listed(letters) + " looks like " + norm.NFKC.String(letters), checkLetters
	}
	if n := strings.IndexFunc(word, isRare); n >= 0 && hasASCII {
		return n, lettersOf(word, isRare), "letters of a script that few people write stand in a word with ASCII letters", checkLetters
	}
	if n := oddLookAt(word); n >= 0 && hasASCII {
		letters := lettersOf(word, isOddLook)
		return n, letters, listed(letters) + " can be taken for " + strings.Map(oddLooks, letters), checkLetters
	}
	isOne := func(r rune) bool { return isPhonetic(r, isTurkish) }
	if n := strings.IndexFunc(word, isOne); n >= 0 {
		letters := lettersOf(word, isOne)
		fix := checkLetters
		if strings.ContainsRune(letters, 'ı') {
			fix += "; in Turkish and Azerbaijani the dotless i is right"
		}
		what := fmt.Sprintf("%s (%s) is not a letter of the alphabet a to z, and can look like one", listed(letters), letters)
		if utf8.RuneCountInString(letters) > 1 {
			what = fmt.Sprintf("%s (%s) are not letters of the alphabet a to z, and can look like some", listed(letters), letters)
		}
		return n, letters, what, fix
	}
	return 0, "", "", ""
}

// beginsGreek tells a word that begins with a small Greek letter that is taken for a Latin one before another small one. μTransfer does not.
func beginsGreek(word string) bool {
	first, size := utf8.DecodeRuneInString(word)
	return isSmallGreek(first) && roughLooks(first) != 0 && size < len(word) && word[size] >= 'a' && word[size] <= 'z'
}

// oddLooks are letters that are taken for Latin ones in a word of those, and hardly stand there: Greek ones that are not in the alphabet of
// today, and round and upright ones of other scripts, of which some begin such a word by right.
var oddLooks = looks("ϲϹϳͿ", "cCjJ", "סןוا", "olll", "ଠഠဝჿ", "oooo")

// oddLookAt is where such a letter stands: a Greek one anywhere, others at the end of a word, behind an ASCII letter. It is -1 without one.
func oddLookAt(word string) int {
	if n := strings.IndexFunc(word, func(r rune) bool { return isOddLook(r) && unicode.Is(unicode.Greek, r) }); n >= 0 {
		return n
	}
	n := len(strings.TrimRightFunc(word, isOddLook))
	if n > 0 && n < len(word) && isASCIILetter(rune(word[n-1])) {
		return n
	}
	return -1
}

func isOddLook(r rune) bool { return oddLooks(r) != 0 }

// common are the scripts in everyday use (UAX 31, table 5), and those of which mistakes knows the letters.
var common = []*unicode.RangeTable{
	unicode.Common, unicode.Inherited, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu, unicode.Hebrew, unicode.Arabic,
	unicode.Bengali, unicode.Bopomofo, unicode.Devanagari, unicode.Ethiopic, unicode.Georgian, unicode.Gujarati, unicode.Gurmukhi, unicode.Han, unicode.Hangul, unicode.Hiragana,
	unicode.Kannada, unicode.Katakana, unicode.Khmer, unicode.Lao, unicode.Malayalam, unicode.Myanmar, unicode.Oriya, unicode.Sinhala, unicode.Tamil, unicode.Telugu, unicode.Thaana,
	unicode.Thai, unicode.Tibetan, unicode.Syriac, unicode.Nko, unicode.Adlam, unicode.Mongolian,
}

// isRare tells a letter of another script.
func isRare(r rune) bool { return unicode.IsLetter(r) && !unicode.In(r, common...) }

// between is where at most so many letters of that kind stand between ASCII ones, -1 without such.
func between(word string, of func(rune) bool, most int) (at int, letters string) {
	for n, letters := range runs(word, of) {
		end := n + len(letters)
		if n > 0 && end < len(word) && isAlnum(word[n-1]) && isAlnum(word[end]) && utf8.RuneCountInString(letters) <= most {
			return n, letters
		}
	}
	return -1, ""
}

// isRaised tells a letter that is an ASCII one, raised or lowered.
func isRaised(r rune) bool {
	plain := norm.NFKC.String(string(r))
	return unicode.Is(unicode.Lm, r) && len(plain) == 1 && isAlnum(plain[0])
}

// suspectStyles finds letters and digits in another style that may be meant, and letters in circles between ASCII ones.
func (m *mistaken) suspectStyles() {
	for start, chars := range runs(m.name, func(r rune) bool { return styleOf(r) != "" }) {
		f := style(start, chars)
		m.suspect(start, chars, f.What, f.Fix)
	}
	seen := ""
	for i, r := range m.name {
		_, size := utf8.DecodeRuneInString(m.name[i:])
		plain := plainSign(r)
		if plain == "" || strings.ContainsRune(seen, r) {
			continue
		}
		before, after := i > 0 && isAlnum(m.name[i-1]), i+size < len(m.name) && isAlnum(m.name[i+size])
		if isLetter := isASCIILetter(rune(plain[0])); isLetter {
			before = before && isASCIILetter(rune(m.name[i-1])) || after && isASCIILetter(rune(m.name[i+size]))
			after = before
		}
		if before && after {
			seen += string(r)
			m.suspect(i, string(r), fmt.Sprintf("%U looks like %s", r, plain), "write "+plain)
		}
	}
	isCircled := func(r rune) bool {
		plain := norm.NFKC.String(string(r))
		return unicode.Is(unicode.So, r) && len(plain) == 1 && isAlnum(plain[0])
	}
	for start, word := range runs(m.name, func(r rune) bool { return unicode.IsLetter(r) || isBeyondASCII(r) && isCircled(r) }) {
		if n, letters := between(word, isCircled, len(word)); n >= 0 {
			m.suspect(start+n, letters, listed(letters)+" looks like "+norm.NFKC.String(letters), "write "+norm.NFKC.String(letters))
		}
	}
}

// plainSign is the ASCII sign that r is in another form, or the letter that it is among the signs like letters and the Roman numerals; "" of
// another character.
func plainSign(r rune) string {
	switch {
	case r == 0x2024, r >= 0xFE50 && r <= 0xFE6B, r >= 0xFF01 && r <= 0xFF0F, r >= 0xFF1A && r <= 0xFF20, r >= 0xFF3B && r <= 0xFF40, r >= 0x2100 && r <= 0x214F, r >= 0x2160 && r <= 0x216F:
		plain := norm.NFKC.String(string(r))
		if isLetter := r >= 0x2100 && r <= 0x216F; len(plain) == 1 && (isLetter && isASCIILetter(rune(plain[0])) || !isLetter && strings.Contains("-_./:@+", plain)) {
			return plain
		}
	}
	return ""
}
