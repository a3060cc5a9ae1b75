package capture

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold is the form that all names have in common which are equal under Unicode simple case folding.
func fold(name string) string {
	lower := true
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf {
			return strings.Map(foldRune, name)
		} else if 'A' <= c && c <= 'Z' {
			lower = false
		}
	}
	if lower {
		return name
	}
	return strings.ToLower(name)
}

// foldRune is the lower-case ASCII letter that folds as r, or else the least character that does.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// squeeze is a name without case, hyphens and underscores.
func squeeze(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return r
	}, fold(name))
}
