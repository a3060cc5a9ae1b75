// Package casefold compares names without case, as Unicode simple case folding has it.
package casefold

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// String is the form that all names have in common which are equal under Unicode simple case folding.
func String(name string) string {
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
