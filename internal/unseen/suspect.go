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
	if n := strings.LastIndexFunc(word, isSmallGreek); n > 0 && hasASCII && !isAlpha(word) {
		return n, lettersOf(word, isSmallGreek), "a Greek letter stands in a word with ASCII letters", checkLetters
	}
	if n, letters := between(word, func(r rune) bool { return isBeyondASCII(r) && !isBesideLatin(r) }, 2); n >= 0 {
		return n, letters, "letters of another script stand between ASCII letters", checkLetters
	}
	if n, letters := between(word, func(r rune) bool { return isRaised(r) }, 1); n >= 0 {
		return n, letters, listed(letters) + " looks like " + norm.NFKC.String(letters), checkLetters
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
