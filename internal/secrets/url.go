package secrets

import (
	"net/url"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/casefold"
	"github.com/runattest/runattest/internal/lazyregexp"
)

// Mark stands in the place of a secret that is taken out of a text.
const Mark = "[secret]"

// authority finds where the authority of a URL may begin. Readers differ: those of the WHATWG URL Standard take any number of slashes
// and backslashes behind the colon of these schemes, also none.
var authority = lazyregexp.New(`(?i)(?:https?|wss?|ftps?):[/\\]*|:[/\\]{2}|^[/\\]{2,}`)

// querySecrets are the members of a URL's query whose values are secret, in lower case, beside those that IsWithheld takes.
var querySecrets = []string{"ak", "awsaccesskeyid", "code", "googleaccessid", "key-pair-id", "policy", "se", "sig", "signature", "sip", "sk", "ske", "skoid", "sks",
	"skt", "sktid", "skv", "sp", "spr", "sr", "srt", "ss", "st", "sv"}

// queryFamilies are beginnings of such names.
var queryFamilies = []string{"x-amz-", "x-goog-"}

// IsQuerySecret tells the name of a member of a URL's query, as it stands there, whose value lets its bearer in.
func IsQuerySecret(name string) bool {
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	if len(name) > longestName {
		return false
	}
	lower, plain := casefold.String(name), plainName(name)
	before, isKey := strings.CutSuffix(plain, "key")
	return slices.Contains(querySecrets, lower) || slices.ContainsFunc(queryFamilies, func(f string) bool { return strings.HasPrefix(lower, f) }) ||
		strings.HasSuffix(plain, "signature") || strings.HasSuffix(plain, "accesskeyid") || isKey && !endsIn(before, ordinary) || IsWithheld(name)
}

// URL is a URL with the mark for its user information, and for the values of secret members of its path, query and fragment, or of
// all of them; and its path. The rest stays byte for byte. It is not ok if readers take different hosts from it.
func URL(s string, allValues bool) (clean, path string, ok bool) {
	return cleanURL(s, allValues, true)
}

func cleanURL(s string, allValues, nested bool) (clean, path string, ok bool) {
	u := dropped(s)
	head, fragment, _ := strings.Cut(u.text, "#")
	head, query, _ := strings.Cut(head, "?")
	found := authority.FindAllStringIndex(head, -1)
	begin := 0
	slash, backslash, at := scan{head, "/", -1}, scan{head, `\`, -1}, scan{head, "@", -1}
	var last [2]int // the end of the authority before, and its last @
	for i, m := range found {
		wide := slash.from(m[1])
		end := min(wide, backslash.from(m[1]))
		if i == 0 {
			begin = end
		}
		if end < wide && (head[m[0]] != '\\' || at.from(m[1]) < wide) {
			return "", "", false
		}
		if last[0] != end {
			last = [2]int{end, m[1] + strings.LastIndexByte(head[m[1]:end], '@')}
		}
		if last[1] > m[1] {
			u.cut(m[1], last[1])
		}
	}
	if len(found) == 0 {
		host := head[:indexAny(head, 0, `/\`)]
		if at := strings.LastIndexByte(host, '@'); at > 0 && strings.IndexByte(host[:at], ':') >= 0 {
			u.cut(0, at)
		}
	}
	u.members(begin, len(head), ";/", allValues, false, nested)
	if query != "" {
		u.members(len(head)+1, len(head)+1+len(query), "&;?", allValues, allValues, nested)
	}
	if fragment != "" {
		u.members(len(u.text)-len(fragment), len(u.text), "&;?", allValues, false, nested)
	}
	return u.clean(), head[begin:], true
}

// A scan finds a byte again and again, from places that only grow, and reads the text once.
type scan struct {
	text, bytes string
	found       int
}

// from is where the byte stands from start on, or the end of the text.
func (s *scan) from(start int) int {
	if s.found < start {
		s.found = indexAny(s.text, start, s.bytes)
	}
	return s.found
}

// indexAny is where the first of these bytes stands in s from start on, or its end.
func indexAny(s string, start int, bytes string) int {
	if i := strings.IndexAny(s[start:], bytes); i >= 0 {
		return start + i
	}
	return len(s)
}

// A cutter is a URL as readers take it, without tabs and line breaks, and without blanks and controls at its ends; and what is cut.
type cutter struct {
	source string
	text   string
	at     []int // of each byte of text in source; nil if they are the same
	cuts   [][2]int
}

func dropped(s string) *cutter {
	isEnd := func(c byte) bool { return c <= ' ' }
	if !strings.ContainsAny(s, "\t\n\r") && (s == "" || !isEnd(s[0]) && !isEnd(s[len(s)-1])) {
		return &cutter{source: s, text: s}
	}
	start, end := 0, len(s)
	for start < end && isEnd(s[start]) {
		start++
	}
	for end > start && isEnd(s[end-1]) {
		end--
	}
	u := &cutter{source: s, at: []int{}}
	var text []byte
	for i := start; i < end; i++ {
		if c := s[i]; c != '\t' && c != '\n' && c != '\r' {
			text, u.at = append(text, c), append(u.at, i)
		}
	}
	u.text = string(text)
	return u
}

func (u *cutter) cut(start, end int) { u.cuts = append(u.cuts, [2]int{start, end}) }

// members cuts the secret values of members NAME=VALUE that stand between the separators. Pieces that are not pairs are cut as well if
// bare says so.
func (u *cutter) members(start, end int, separators string, all, bare, nested bool) {
	for at := start; at <= end; {
		next := min(indexAny(u.text, at, separators), end)
		piece := u.text[at:next]
		equals := strings.IndexByte(piece, '=')
		value := at + equals + 1
		switch {
		case equals >= 0 && value < next && (all || IsQuerySecret(piece[:equals]) || nested && isSecretURL(u.text[value:next])):
			u.cut(value, next)
		case equals < 0 && bare && piece != "":
			u.cut(at, next)
		}
		at = next + 1
	}
}

// isSecretURL tells a value that is a URL, percent-encoded or not, which has something secret in it.
func isSecretURL(value string) bool {
	if decoded, err := url.QueryUnescape(value); err == nil {
		value = decoded
	}
	if !authority.MatchString(value) {
		return false
	}
	clean, _, ok := cleanURL(value, false, false)
	return !ok || clean != value
}

// clean is the source with the mark in place of what is cut.
func (u *cutter) clean() string {
	cuts := merged(u.cuts)
	if u.at != nil {
		for i, c := range cuts {
			cuts[i] = [2]int{u.at[c[0]], u.at[c[1]-1] + 1}
		}
	}
	return cut(u.source, cuts)
}
