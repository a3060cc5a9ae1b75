// Package unseen finds what people do not see in a text: characters that are not shown or are taken for a blank, those that change
// the direction of text, and letters, digits and marks that are taken for others. It is of names, which people compare by eye, and of
// prose, which needs some of these characters. In says all of it, with the words for it: lint warns of that, and policies refuse what
// is certain.
package unseen

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Format characters, joiners, variation selectors and tags are not seen. Scripts and emoji need some of them: those
// stand where Unicode has them (RFC 5892, appendix A; UTS 51, ED-14 to ED-17) and cause no warning.

// invisible are the characters of s that are not seen, and that the text does not need.
func invisible(s string, isName bool) places {
	return func(yield func(int, rune) bool) {
		for i := 0; i < len(s); {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == flag {
				size += tagSequence(s[i+size:])
			} else if isInvisible(r) && !isNeeded(r, s[:i], s[i+size:], isName) && !yield(i, r) {
				return
			}
			i += size
		}
	}
}

// emojiSelector asks for the picture of the character before it (variation selector 16).
const emojiSelector = string(rune(emoji))

const (
	flag   = 0x1F3F4 // before the tags of a subdivision's flag
	zwsp   = 0x200B
	zwnj   = 0x200C
	zwj    = 0x200D
	emoji  = 0xFE0F // variation selector 16
	keycap = 0x20E3
)

// isInvisible tells what Unicode has as default ignorable, format characters, and noncharacters.
func isInvisible(r rune) bool {
	switch {
	case isBidi(r):
		return false // has a warning of its own
	case r == 0x2800, r == 0x1D159, r&0xFFFE == 0xFFFE, r >= 0xFDD0 && r <= 0xFDEF: // a letter without dots, a note without a head, and noncharacters
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// isNeeded tells whether a character that is not seen does its work where it stands.
func isNeeded(r rune, before, after string, isName bool) bool {
	last, size := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	switch {
	case r == zwj && isPictograph(next):
		for last == emoji || last >= 0x1F3FB && last <= 0x1F3FF { // of the emoji before
			before = before[:len(before)-size]
			last, size = utf8.DecodeLastRuneInString(before)
		}
		return isPictograph(last)
	case r == zwj || r == zwnj:
		return isJoiner(r, last, next, isName)
	case r == zwsp:
		return !isName && unicode.In(last, unspaced...) && unicode.In(next, unspaced...)
	case r == emoji || r == emoji-1:
		isKeycap := next == keycap && (last >= '0' && last <= '9' || last == '#' || last == '*')
		return isPictograph(last) || isKeycap
	case r >= 0xFE00 && r <= 0xFE0D:
		return unicode.In(last, unicode.Han, unicode.Sm, unicode.Myanmar, unicode.Phags_Pa) || strings.ContainsRune("、。！，．：；？", last)
	case r >= 0xE0100 && r <= 0xE01EF:
		return unicode.Is(unicode.Han, last)
	case r >= 0x180B && r <= 0x180F:
		return unicode.Is(unicode.Mongolian, last)
	case r == 0x034F: // between two points of one Hebrew letter
		return unicode.Is(unicode.Hebrew, last) && unicode.Is(unicode.Hebrew, next) && unicode.Is(unicode.Mn, last) && unicode.Is(unicode.Mn, next)
	case r == 0x115F || r == 0x1160: // the place of a consonant or a vowel in a syllable of old Korean
		return !isName && (last >= 0x1100 && last < 0x115F || next > 0x1160 && next <= 0x11A7)
	case unicode.Is(unicode.Egyptian_Hieroglyphs, r):
		return unicode.Is(unicode.Egyptian_Hieroglyphs, last)
	case r == 0x1D159: // under a stem and flags in music
		return !isName && next > 0x1D159 && next <= 0x1D1FF
	case r == 0x2800: // a blank in Braille
		return !isName && unicode.Is(unicode.Braille, last)
	}
	return false
}

// isJoiner tells a joiner that chooses the form of a letter: behind a virama (RFC 5892, A.1 and A.2), where a half letter or a
// chillu ends a word, too; between letters that join; behind heh, which Persian abbreviates with. Prose has non-joiners between
// a word or a number of another script and a suffix.
func isJoiner(r, last, next rune, isName bool) bool {
	const virama = 9
	joins := unicode.In(last, joining...)
	switch {
	case norm.NFC.PropertiesString(string(last)).CCC() == virama:
		return true
	case isName:
		return joins && unicode.In(next, joining...) || r == zwj && last == 0x0647 && !unicode.IsLetter(next)
	}
	return joins || r == zwnj && unicode.Is(unicode.Arabic, next) && last > ' ' && !isInvisible(last)
}

// unspaced are the scripts that have no blanks between words, so that a zero width space says where a line may end.
var unspaced = []*unicode.RangeTable{
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet,
	unicode.Javanese, unicode.Balinese, unicode.Sundanese, unicode.Tibetan,
}

// joining are the scripts in which joiners choose the form of a letter.
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Mandaic, unicode.Phags_Pa,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Balinese,
	unicode.Adlam, unicode.Hanifi_Rohingya, unicode.Chakma, unicode.Grantha, unicode.Newa, unicode.Tirhuta, unicode.Meetei_Mayek,
}

// pictographs are the blocks of the characters that may be emoji.
var pictographs = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00A9, 0x00AE, 5}, {0x203C, 0x2049, 13}, {0x2122, 0x2139, 23}, {0x2190, 0x21FF, 1}, {0x2300, 0x23FF, 1}, {0x24C2, 0x24C2, 1},
		{0x25A0, 0x27BF, 1}, {0x2900, 0x297F, 1}, {0x2B00, 0x2BFF, 1}, {0x3030, 0x303D, 13}, {0x3297, 0x3299, 2},
	},
	R32:         []unicode.Range32{{0x1F000, 0x1F1E5, 1}, {0x1F200, 0x1F3FA, 1}, {0x1F400, 0x1FAFF, 1}},
	LatinOffset: 1,
}

func isPictograph(r rune) bool { return unicode.Is(pictographs, r) }

// tagSequence is the length of the tags that follow a flag: a subdivision's code, 3 to 6 letters and digits, and the end.
func tagSequence(s string) int {
	n := 0
	for i, r := range s {
		switch {
		case r == 0xE007F && n >= 3:
			return i + utf8.RuneLen(r)
		case n == 6 || (r < 0xE0030 || r > 0xE0039) && (r < 0xE0061 || r > 0xE007A):
			return 0
		}
		n++
	}
	return 0
}

// spaces are the white space that looks like a blank and is none. In prose, French and typesetters put such beside
// marks, behind abbreviations and words of one letter, and between groups of digits; CJK text and Mongolian have their own.
func spaces(s string, isName bool) places {
	return where(s, func(r rune, before, after string) bool {
		if r < utf8.RuneSelf || r == 0x85 || r == 0x2028 || r == 0x2029 || !unicode.IsSpace(r) {
			return false
		}
		last, size := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		isSuffix := r == 0x202F && unicode.Is(unicode.Mongolian, last) && unicode.Is(unicode.Mongolian, next)
		return !isSuffix && (isName || r != 0x3000 && !isTypography(r, last, next) && (r != 0xA0 || !isShortWord(before, last, size)))
	})
}

func isTypography(r, last, next rune) bool {
	switch r {
	case 0x00A0, 0x202F, 0x2009, 0x200A:
		return unicode.IsDigit(last) || unicode.IsDigit(next) || unicode.In(last, unicode.Po, unicode.Pi, unicode.Pd, unicode.Sc) ||
			unicode.In(next, unicode.Po, unicode.Pf, unicode.Pd, unicode.Sc)
	}
	return false
}

// isShortWord tells text that ends in a word of one letter.
func isShortWord(text string, last rune, size int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:len(text)-size])
	return unicode.IsLetter(last) && !unicode.IsLetter(before)
}

func isBidi(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}

// turning are the characters that change the direction of text. In prose a mark beside a letter of a script that runs
// from right to left keeps a full stop or a number in its place; embeddings, overrides and isolates are never needed.
func turning(s string, isName bool) places {
	return where(s, func(r rune, before, after string) bool {
		if !isBidi(r) {
			return false
		}
		isMark := r == 0x200E || r == 0x200F || r == 0x061C
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		return isName || !isMark || !isRightToLeft(last) && !isRightToLeft(next)
	})
}

func isRightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam)
}
