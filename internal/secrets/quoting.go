package secrets

import "strings"

// A word with a secret is written without the marks and backslashes in it. Without them a shell must read the rest as before: a;b=1 is
// two commands, and 'a;b=1' is one word.

// markFor is the quotation mark between which a shell reads what is not secret in a word, which is clean without that, as it reads it in
// the source, where the word begins with first: that one, if it is a mark, or else none; or any. If there is none, it is not ok.
func markFor(first byte, word, clean string, quoting []byte) (mark string, ok bool) {
	special := specialBytes(word, clean)
	own := byte(0)
	if first == '\'' || first == '"' {
		own, mark = first, string(first)
	}
	for _, m := range []byte{own, '\'', '"'} {
		if isReadAlike(word, special, quoting, m) {
			if m != own {
				mark = string(m)
			}
			return mark, true
		}
	}
	return mark, false
}

// specialBytes are the places of the special bytes that are not secret. They are all, if words in the word are written in another way.
func specialBytes(word, clean string) []int {
	parts, ok := withheld(word, clean)
	kept := strings.Split(clean, Mark)
	if !ok {
		parts, kept = nil, []string{word}
	}
	var special []int
	at := 0
	for n, piece := range kept {
		for i := range len(piece) {
			if isSpecial(word, at+i) {
				special = append(special, at+i)
			}
		}
		if at += len(piece); n < len(parts) {
			at += len(parts[n])
		}
	}
	return special
}

// isReadAlike tells whether a shell takes the same bytes of a word for themselves in its own quoting and between such marks.
func isReadAlike(word string, special []int, quoting []byte, mark byte) bool {
	for _, i := range special {
		if acts(word[i], quoting[i]) != acts(word[i], mark) {
			return false
		}
	}
	return true
}

// isSpecial tells a byte that shells do not take for itself where it is not quoted.
func isSpecial(word string, i int) bool {
	switch word[i] {
	case '#':
		return i == 0
	case '~':
		return i == 0 || word[i-1] == '=' || word[i-1] == ':'
	}
	return strings.IndexByte("$`*?[{;&|<>()"+blanks, word[i]) >= 0
}

// acts tells whether a special byte acts between such marks.
func acts(c, mark byte) bool {
	return mark == 0 || mark == '"' && (c == '$' || c == '`')
}
