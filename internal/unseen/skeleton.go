package unseen

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

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
var roughLooks = looks("кгптмнв", "krntmhb", "γστωη", "yotwn")

func skeletonOf(r rune) rune {
	plain := plainMarks[r]
	switch latin := cmp.Or(latinLooks(r), roughLooks(r)); {
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
