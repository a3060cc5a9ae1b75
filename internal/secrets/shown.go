package secrets

import (
	"slices"
	"strings"
)

// Shown is a message with the mark for what has the form of a secret, for the user information of URLs, and for secret members
// of their queries. A message quotes what it is about: arguments, headers, URLs.
func Shown(s string) string {
	var cuts [][2]int
	for _, f := range forms {
		for _, word := range f.words {
			for start, end := range f.around(s, word) {
				if strings.HasSuffix(word, "//") { // between the slashes and the host
					start, end = start+strings.Index(s[start:end], word)+len(word), end-1
				} else if n := strings.IndexFunc(s[end:], isTokenEnd); n >= 0 {
					end += n
				} else {
					end = len(s)
				}
				cuts = append(cuts, [2]int{start, end})
			}
		}
	}
	for at := 0; ; at++ {
		i := strings.IndexByte(s[at:], '=')
		if i < 0 {
			break
		}
		at += i
		if name, start := nameBefore(s, at); start > 0 && strings.IndexByte("?&#;", s[start-1]) >= 0 && IsQuerySecret(name) {
			cuts = append(cuts, [2]int{at + 1, valueEnd(s, at+1)})
		}
	}
	return cut(s, cuts)
}

func isTokenEnd(r rune) bool {
	return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("_-.~+/=", r))
}

// valueEnd is where the value of a member of a query ends in a message, in which a colon and a blank may follow the URL.
func valueEnd(s string, start int) int {
	end := indexAny(s, start, "&#;, \t\r\n\"'`<>)")
	if end > start && s[end-1] == ':' {
		end--
	}
	return end
}

// cut is s with the mark for each of these parts, which may overlap.
func cut(s string, cuts [][2]int) string {
	var b strings.Builder
	done := 0
	for _, c := range merged(cuts) {
		b.WriteString(s[done:c[0]] + Mark)
		done = c[1]
	}
	return b.String() + s[done:]
}

// merged are parts of a text in their order, of which those that touch are one.
func merged(parts [][2]int) [][2]int {
	slices.SortFunc(parts, func(a, b [2]int) int { return a[0] - b[0] })
	var all [][2]int
	for _, p := range parts {
		if last := len(all) - 1; last >= 0 && p[0] <= all[last][1] {
			all[last][1] = max(all[last][1], p[1])
		} else if p[0] < p[1] {
			all = append(all, p)
		}
	}
	return all
}
