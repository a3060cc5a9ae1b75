package secrets

import (
	"regexp"
	"strings"
)

// Arguments, header lines and pairs, as they stand in the configuration of a tool: what is secret in them becomes the mark.

// IsCommand tells the name of what holds a command line or its arguments.
func IsCommand(name string) bool {
	switch plainName(name) {
	case "args", "argv", "cmd", "command", "commandline", "commands", "entrypoint", "exec", "run", "script", "shell":
		return true
	}
	return false
}

// Element is the element s of a list, without what is secret in it. before is the string before it, or ""; isPair says that the two
// are all that the list has.
func Element(before, s string, isPair bool) string {
	option := strings.TrimLeft(before, "-")
	switch before {
	case "-H", "--header", "--proxy-header":
		return afterFirst(s, ':', Mark)
	case "-e", "--env":
		return afterFirst(s, '=', s)
	case "-u", "--user", "--proxy-user":
		return afterFirst(s, ':', s)
	}
	isOption := option != before && !strings.ContainsAny(option, "=: ")
	if s != "" && (isOption && !strings.HasPrefix(s, "--") && IsWithheld(option) || isPair && IsName(option)) {
		return Mark
	}
	return Text(s)
}

// afterFirst is s with the mark for all behind the first separator and the blanks that follow it, or otherwise if it has none.
func afterFirst(s string, separator byte, otherwise string) string {
	i := strings.IndexByte(s, separator)
	if i < 0 {
		return otherwise
	}
	head := s[:i+1]
	rest := strings.TrimLeft(s[i+1:], " \t")
	if rest == "" {
		return s
	}
	return head + s[i+1:len(s)-len(rest)] + Mark
}

var (
	optionHeader = regexp.MustCompile(`^(?:-H|--(?:proxy-)?header=)[^:]+:[ \t]*`)
	optionEnv    = regexp.MustCompile(`^(?:-e|--env=)[A-Z_][A-Z0-9_]*=`)
	headerLine   = regexp.MustCompile(`^([A-Za-z0-9_.-]+):[ \t]*(\S+|(?i:bearer|basic|token|apikey|key|bot|negotiate) +\S+|(?i:digest +)?\S+=[^\r\n]*)$`)
	pair         = regexp.MustCompile(`([A-Za-z0-9_.-]+)=`)
	nextPair     = regexp.MustCompile(`[,;&][A-Za-z0-9_.-]+=`)
)

// Text is a string of which nothing is known, without what is secret in it: a header's line, pairs NAME=VALUE, a URL. In one with blanks,
// which may be prose, only the names of credentials count.
func Text(s string) string {
	if strings.IndexByte(s, ':') < 0 && strings.IndexByte(s, '=') < 0 {
		return s
	}
	for _, option := range []*regexp.Regexp{optionHeader, optionEnv} {
		if m := option.FindString(s); m != "" && len(m) < len(s) {
			return m + Mark
		}
	}
	isSecret := IsWithheld
	if strings.ContainsAny(s, " \t\r\n") {
		isSecret = IsName
	} else if authority.MatchString(s) {
		clean, _, ok := URL(s, false)
		if !ok {
			return Mark
		}
		s = clean
	}
	if m := headerLine.FindStringSubmatchIndex(s); m != nil && isSecret(s[m[2]:m[3]]) {
		return s[:m[4]] + Mark
	}
	return pairs(s, isSecret)
}

// pairs is s with the mark for the values of pairs with secret names. A value ends at a blank, a quotation mark, or a separator before
// the next pair; one in quotation marks ends with them.
func pairs(s string, isSecret func(string) bool) string {
	var b strings.Builder
	done, limit := 0, -1 // where a value without quotation marks ends at the latest
	for _, m := range pair.FindAllStringSubmatchIndex(s, -1) {
		start := m[1]
		if m[0] < done || m[0] > 0 && strings.IndexByte(" \t\r\n,;&?#\"'`({[", s[m[0]-1]) < 0 || !isSecret(strings.TrimLeft(s[m[2]:m[3]], "-")) {
			continue
		}
		var end int
		if start < len(s) && (s[start] == '"' || s[start] == '\'') {
			quote := s[start : start+1]
			start++
			end = indexAny(s, start, quote)
		} else {
			if limit < start {
				limit = indexAny(s, start, " \t\r\n\"'`")
			}
			end = limit
			if next := nextPair.FindStringIndex(s[start:end]); next != nil {
				end = start + next[0]
			}
		}
		if start == end {
			continue
		}
		b.WriteString(s[done:start] + Mark)
		done = end
	}
	if done == 0 {
		return s
	}
	return b.String() + s[done:]
}

// Command is a command line without what is secret in its words, which blanks separate unless they stand between quotation marks. A
// word that has a secret in it is written without the marks inside it.
func Command(s string) string {
	var b strings.Builder
	done, before := 0, ""
	for at := 0; at < len(s); {
		if isBlank(s[at]) {
			at++
			continue
		}
		start, quote := at, byte(0)
		var word []byte
		for ; at < len(s) && (quote != 0 || !isBlank(s[at])); at++ {
			switch c := s[at]; {
			case c == quote:
				quote = 0
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			default:
				word = append(word, c)
			}
		}
		if clean := Element(before, string(word), false); clean != string(word) {
			outer := ""
			if s[start] == '"' || s[start] == '\'' {
				outer = s[start : start+1]
			}
			b.WriteString(s[done:start] + outer + clean + outer)
			done = at
		}
		before = string(word)
	}
	if done == 0 {
		return s
	}
	return b.String() + s[done:]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
