package unseen

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// What looks like something else in a name: letters, digits and marks of other scripts and styles, and what is not a letter.

// loneBlank says where in a name a blank is that people do not see, or "".
func loneBlank(s string) string {
	switch {
	case strings.HasPrefix(s, " "):
		return "at the beginning"
	case strings.HasSuffix(s, " "):
		return "at the end"
	case strings.Contains(s, "  "):
		return "behind another"
	}
	return ""
}

// controls are C0 and C1 controls and DEL; in prose line ends and tabs are none. A carriage return alone is one: what follows it
// overwrites the line on a terminal.
func controls(s string, isName bool) places {
	return where(s, func(r rune, _, after string) bool {
		return unicode.IsControl(r) && (isName || r != '\n' && r != '\r' && r != '\t' || r == '\r' && after != "" && after[0] != '\n')
	})
}

// scriptsAlike is of how many of the scripts that look alike a word has letters.
func scriptsAlike(word string) int {
	scripts := 0
	for _, table := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu} {
		if strings.IndexFunc(word, func(r rune) bool { return unicode.Is(table, r) }) >= 0 {
			scripts++
		}
	}
	return scripts
}

func isAlnum(c byte) bool { return isASCIILetter(rune(c)) || c >= '0' && c <= '9' }

func isASCIILetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

// isBesideLatin tells letters that stand in words with ASCII ones (UTS 39, highly restrictive: Chinese, Japanese and Korean do).
func isBesideLatin(r rune) bool {
	return unicode.In(r, unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Common)
}

// isOtherDigit tells a decimal digit of a script with digits of its own. Those in another style than ASCII's are of none.
func isOtherDigit(r rune) bool {
	return r >= utf8.RuneSelf && unicode.IsDigit(r) && !unicode.Is(unicode.Common, r)
}

// senseless says what a character is that says nothing to people, or "": a line break, one that stands for a lost character or an
// object, one that each font has another picture for, one that Unicode does not have, or one that is drawn over a letter.
func senseless(r rune, before string) (what string, inProse bool) {
	switch {
	case r == 0x2028 || r == 0x2029:
		return "is a line break", true
	case r == 0xFFFC || r == utf8.RuneError:
		return "stands for what was lost", true
	case unicode.Is(unicode.Co, r):
		return "is for private use: each font shows something else", false
	case unicode.Is(unicode.Cn, r) && !isPictograph(r): // in the blocks of those, newer versions have emoji
		return "is not a character of Unicode " + unicode.Version, false
	case r >= 0x0334 && r <= 0x0338, // through a letter or around it, of no language; an emoji's key has a selector before it
		unicode.Is(unicode.Me, r) && !strings.HasSuffix(before, emojiSelector):
		return "is drawn over the letter before it", false
	}
	return "", false
}

// phonetic are the Latin letters of phonetic alphabets and of no language's own spelling, as UTS 39 has them not in identifiers,
// and clicks, which look like marks. Letters of African languages and of Azerbaijani are not here.
var phonetic = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x01C0, 0x01C3, 1}, {0x0250, 0x0252, 1}, {0x0255, 0x0255, 1}, {0x0258, 0x0258, 1}, {0x025A, 0x025A, 1}, {0x025C, 0x025F, 1}, {0x0261, 0x0262, 1},
		{0x0264, 0x0265, 1}, {0x0267, 0x0267, 1}, {0x026A, 0x026B, 1}, {0x026D, 0x0271, 1}, {0x0273, 0x0274, 1}, {0x0276, 0x0279, 1}, {0x027A, 0x0282, 1},
		{0x0284, 0x0287, 1}, {0x028D, 0x028E, 1}, {0x028F, 0x0291, 1}, {0x0293, 0x02AF, 1}, {0x1D00, 0x1D2B, 1}, {0x1D6B, 0x1D77, 1}, {0x1D79, 0x1D9A, 1},
		{0x2C71, 0x2C7B, 1}, {0xA730, 0xA778, 1}, {0xA779, 0xA787, 1}, {0xAB30, 0xAB5A, 1}, {0xAB60, 0xAB68, 1},
	},
}

// isPhonetic tells such a letter, or a dotless i where nothing else is written as in Turkish. UTS 39 allows the dotless
// i in identifiers and lists it as confusable with i: no rule tells the Turkish word kapı from a false kapi.
func isPhonetic(r rune, isTurkish bool) bool {
	return unicode.Is(phonetic, r) || (r == 'ı' || r == 'ȷ') && !isTurkish
}

func isTurkish(s string) bool { return strings.ContainsAny(s, "ğĞşŞİçÇöÖüÜəƏ") }

// latinLooks are letters of other scripts that look like Latin ones in most fonts (UTS 39, confusables), and those.
var latinLooks = looks(
	"асеорхуіјѕһԁԛԝӏАВЕКМНОРСТХУІЈЅԌԚԜӀ", "aceopxyijshdqwlABEKMHOPCTXYIJSGQWI",
	"οανυρικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oavupikABEZHIKMNOPTYX",
	"օոսցհ", "onugh",
	"ᎠᎡᎢᎥᎩᎪᎫᎬᎳᎷᎻᏀᏂᏃᏏᏒᏔᏕᏙᏚᏞᏟᏢᏦᏧᏳᏴ", "DRTiYAJEWMHGhZbRWSVSLCPKdGB", // Cherokee
	"ꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ", "BPdDTGKJCZFMNLSRVHWXYAEIOU", // Lisu
)

// looks gives the Latin letter that one of another script looks like, 0 for any other letter. The first text of each two has these, the
// second one what they look like.
func looks(pairs ...string) func(rune) rune {
	letters := sync.OnceValue(func() map[rune]rune {
		all := map[rune]rune{}
		for pair := range slices.Chunk(pairs, 2) {
			latin := []rune(pair[1])
			for i, r := range []rune(pair[0]) {
				all[r] = latin[i]
			}
		}
		return all
	})
	return func(r rune) rune { return letters()[r] }
}

func isLatinLook(r rune) bool { return latinLooks(r) != 0 }

// looksLatin tells a word that can be read as Latin as a whole: of two letters at least, or of one where all others are Latin.
func looksLatin(word string, lone rune) bool {
	isOne := utf8.RuneCountInString(word) == 1
	return strings.TrimFunc(word, isLatinLook) == "" && strings.IndexFunc(word, isLatinLook) >= 0 && (!isOne || word != "α" && word == string(lone))
}

// loneOther is the letter of another script where all other letters of s are Latin ones, 0 if there is none, or there are several.
func loneOther(s string) (lone rune) {
	for _, r := range s {
		switch {
		case r == lone || !unicode.IsLetter(r) || unicode.Is(unicode.Latin, r):
		case lone != 0:
			return 0
		default:
			lone = r
		}
	}
	return lone
}

// plainMarks are marks that word processors write, and others that look like those in the names of models.
var plainMarks = map[rune]string{
	'\u2010': "-", '\u2011': "-", '\u2012': "-", '\u2013': "-", '\u2014': "-", '\u2015': "-", '\u2500': "-", '\u30fc': "-", '\u2212': "-", '\u02d7': "-", '\u2796': "-", '\ufe58': "-", '\uff0d': "-", '\u2043': "-", '\u2215': "/", '\u2044': "/", '\u2571': "/", '\u201a': ",", '\u2236': ":", '\ua789': ":",
}
