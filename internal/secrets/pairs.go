package secrets

import (
	"net/url"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// A name and a value in a text: NAME=VALUE and NAME: VALUE, in a URI, a connection string, a header, a command or a file.

// inPairs says what a pair in s is, or "".
func inPairs(s string) string {
	parts := connectionParts{text: s}
	for at := 0; ; at++ {
		i := strings.IndexAny(s[at:], "=:")
		if i < 0 {
			return ""
		}
		at += i
		if what := pairAt(s, at, &parts); what != "" {
			return what
		}
	}
}

// pairAt says what the pair is whose separator stands at i, or "".
func pairAt(s string, i int, parts *connectionParts) string {
	name, start := nameBefore(s, i)
	if name == "" {
		return ""
	}
	value, quoted := valueAfter(s, i)
	if len(value) < 4 {
		return ""
	}
	isCredential := isPasswordName(name)
	switch {
	case s[i] == '=' && start > 0 && strings.IndexByte("?&#", s[start-1]) >= 0:
		if isQueryValue(name, value, isCredential) {
			return "a token in a URI"
		}
	case isCredential && isMadeUp(value), isRandom(value) && IsNamed(name, value), isCredential && quoted && isTyped(value),
		s[i] == ':' && strings.Contains(name, "-") && isMadeUp(value) && IsNamed(name, value), // a header
		s[i] == '=' && isCredential && parts.isNear(i) && isValue(name, value):
		return "a credential"
	}
	return ""
}

// connection is another part of a connection string: names and values between semicolons or blanks.
var connection = lazyregexp.New(`(?i)(?:^|[;\s"'])(?:server|data source|host|hostaddr|endpoint|database|dbname|initial catalog|accountname|user id|uid|user)\s*=`)

// connectionParts are where a text has such parts, of which it is read as far as it is asked.
type connectionParts struct {
	text       string
	start, end int // of the last that was found
	ended      bool
}

// isNear tells whether there is one around i, which is not before what it was asked about last.
func (c *connectionParts) isNear(i int) bool {
	for !c.ended && (c.end == 0 || c.start < i-behind) {
		from := max(c.end-1, 0) // a separator, behind which is not the beginning of the text
		found := connection.FindStringIndex(c.text[from:])
		if c.ended = found == nil; !c.ended {
			c.start, c.end = from+found[0], from+found[1]
		}
	}
	return !c.ended && c.end <= i+behind
}

// nameBefore is the name that ends before i, which a quotation mark and a blank may follow, and where it starts.
func nameBefore(s string, i int) (name string, start int) {
	end := i
	if end > 0 && s[end-1] == ' ' {
		end--
	}
	if end > 1 && s[end-1] == ']' && isQuote(s[end-2]) { // os.environ["API_KEY"]
		end--
	}
	if end > 0 && isQuote(s[end-1]) {
		end--
	}
	for start = end; start > 0 && end-start < longestName && (isNameByte(s[start-1]) || s[start-1] == '%'); {
		start--
	}
	name = s[start:end]
	if plain, err := url.PathUnescape(name); err == nil { // as a URI may have it: api%5Fkey
		name = plain
	} else {
		start += strings.LastIndexByte(name, '%') + 1
		name = s[start:end]
	}
	return strings.TrimLeft(name, "-"), start
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// valueAfter is the value that begins behind i, after a blank and a quotation mark, of which it says whether there is one. It may be that of
// NAME => VALUE or NAME := VALUE.
func valueAfter(s string, i int) (value string, quoted bool) {
	if rest := s[i+1 : min(i+1+behind, len(s))]; rest != "" && (s[i] == '=' && rest[0] == '>' || s[i] == ':' && rest[0] == '=') {
		s = rest[1:]
	} else {
		s = rest
	}
	s = strings.TrimPrefix(s, " ")
	start := len(s)
	s = strings.TrimLeft(s, "\"'`")
	if end := strings.IndexAny(s, " \t\r\n\"'`;,&<>"); end >= 0 {
		return s[:end], len(s) < start && strings.IndexByte("\"'`", s[end]) >= 0
	}
	return s, false
}

// isQueryValue tells a parameter of a URI that lets its reader in.
func isQueryValue(name, value string, isCredential bool) bool {
	plain := plainName(name)
	if isCredential || plain == "sig" || strings.HasSuffix(plain, "signature") {
		return !isPlaceholder(value)
	}
	return (strings.HasSuffix(plain, "key") || strings.HasSuffix(plain, "token")) && isMadeUp(value)
}

// isOnePair tells a text that is a pair as a whole, so that its value may be any: API_KEY=..., --api-key=..., or a header's line.
func isOnePair(s string) bool {
	if name, value, ok := strings.Cut(s, ": "); ok && header.MatchString(name[:min(len(name), longestName)]) {
		return !strings.Contains(strings.TrimSpace(value), " ") && IsNamed(name, strings.TrimSpace(value))
	}
	name, value, ok := strings.Cut(s, "=")
	return ok && len(name) < longestName && !strings.ContainsAny(s, " \n;") && !isCode(value) && IsNamed(strings.TrimLeft(name, "-"), value)
}

// isTyped tells a word with letters and digits, and perhaps others between them, that stands for itself.
func isTyped(s string) bool {
	return len(s) >= 8 && hasBoth(s) && !isTemplate(s) && !isCode(s) && !isLocation(s) && !strings.HasPrefix(s, "arn:")
}

// isCode tells what a program has in the place of a value: a call, or a member of an object.
func isCode(s string) bool { return code.MatchString(s) }

var code = lazyregexp.New(`^[A-Za-z_]\w{0,30}(?:(?:\.[A-Za-z_]\w{0,15})*\(.*\)?|(?:\.[A-Za-z_]\w{0,15})+)$`)

var header = lazyregexp.New(`^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$`)
