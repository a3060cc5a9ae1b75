package secrets

import (
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// What is secret in a command line is not compared, so that it must not be, nor hide, what runs.

// operators are what may end a command in shells, or begin one.
const operators = ";&|<>()`\r\n"

// isBesideCommand tells whether a text with a secret in it, which is clean without that, may be more than one command. What stands
// before another pair, which stays, separates pairs.
func isBesideCommand(s, clean string) bool {
	pairs := len(nextOption.FindAllStringIndex(s, -1))
	for i := range len(s) {
		if strings.IndexByte(operators, s[i]) >= 0 {
			pairs--
		}
	}
	return pairs < 0 || len(nextOption.FindAllStringIndex(clean, -1)) < len(nextOption.FindAllStringIndex(s, -1))
}

var (
	driveStart  = lazyregexp.New(`^[A-Za-z]:\[secret\]$`)
	shortHeader = lazyregexp.New(`^-H[^:]+:[^ \t]`)
	oneHyphen   = lazyregexp.New(`^-[A-Za-z0-9_.][A-Za-z0-9_.-]*=`)
	source      = lazyregexp.New(`^(?:-[A-Za-z]*e|--(?:env|eval|exec))$`) // the option behind which source code may stand
	envValue    = lazyregexp.New(`^-*(?:e|env=)?[A-Za-z0-9_.-]+=(?:` + variables + `|[A-Za-z0-9_.+/=:@,?#!-](?:[A-Za-z0-9_.~+/=:@,?#!-]|%[0-9A-Fa-f]{2})*)?$`)
	schemeValue = lazyregexp.New(`^[^: \t]+:[ \t]*(?i:` + schemes + `) +[^- \t]\S*$`)
	schemeToken = lazyregexp.New(`^[ \t\r\n]*(?:(?i:` + schemes + `)[ \t]+[^ \t\r\n$]\S*[ \t\r\n]*$|(?i:bearer)[ \t]+[^ \t\r\n$]|(?i:` + schemes + `)[ \t]+(?:[0-9]|[^ \t\r\n$]\S*(?:[0-9]|\S{15})))`)
	reference   = lazyregexp.New(`^(?:[A-Za-z0-9_-]+:[ \t]*)?(?:(?i:` + schemes + `) +)?` + variables + `$`)
	inQuotes    = lazyregexp.New(`"(?:(?i:` + schemes + `) +)?` + variables + `"`)
	literal     = lazyregexp.New(`%[A-Za-z]?[\[{(<]`) // of Ruby: %x[COMMAND]
)

const (
	schemes   = `bearer|basic|token|apikey|api-key|key|bot|negotiate|digest`
	variables = `\$(?:[A-Za-z_][A-Za-z0-9_]*|\{(?:env:|input:)?[A-Za-z_][A-Za-z0-9_.-]*\})`
)

func isSource(before string) bool { return source.MatchString(before) }

// isLone tells whether what is secret in an argument, which is clean without that, is a value and no command, program or option. Programs
// such as ssh, and cmd /c, make one command line of their arguments; others run what stands behind an option of one letter: a file, or
// source code.
func isLone(before, s, clean string) bool {
	_, isJSON := jsonIn(s)
	switch {
	case clean == s:
		return true
	case clean == Mark && !(strings.HasPrefix(before, "--") && IsWithheld(before[2:])):
		return false // ruby -pw FILE, bash -H FILE
	case driveStart.MatchString(clean):
		return false // python -u C:FILE
	case isShort(before, s):
		return false // python -u HOST:FILE, docker -H HOST:PORT
	case (isSource(before) || optionEnv.MatchString(s) || oneHyphen.MatchString(s)) && !envValue.MatchString(s):
		return false // node -e X=require("x")
	case isObject(s) && !isJSON:
		return false // of source code, or a list of a shell
	}
	for _, c := range operators {
		if strings.Count(s, string(c)) > strings.Count(clean, string(c)) || strings.Contains(clean, string(c)+Mark) {
			return false
		}
	}
	return areValues(s, clean) && (isJSON || blankCount(s) == blankCount(clean) || schemeValue.MatchString(s))
}

// isShort tells an option of one letter that is one for a login or a header to some programs alone, before what need not be such.
func isShort(before, s string) bool {
	switch before {
	case "-u":
		return !isLocation(s)
	case "-H":
		_, value, ok := strings.Cut(s, ":")
		return !isLocation(s) && (!ok || value == strings.TrimLeft(value, " \t"))
	}
	return shortHeader.MatchString(s)
}

// areValues tells whether what is secret in s, which is clean without that, is the same to a shell and to what reads it again: no shell puts
// words or names of files into it, or makes several of it.
func areValues(s, clean string) bool {
	_, isJSON := jsonIn(s)
	parts, ok := withheld(s, clean)
	hasGlobs := strings.ContainsAny(s, blanks) || !strings.Contains(s, "://") // in a URL *, ? and [ mostly do not stand for names of files
	if !ok || !isJSON && hasBraceList(s) {
		return false
	}
	for _, part := range parts {
		if isJSON {
			part = inQuotes.ReplaceAllString(part, "")
		}
		if part == `\` || reference.MatchString(part) { // at the end of a line
			continue
		}
		if strings.Contains(part, "$") || !isJSON && (strings.Contains(part, `\`) || hasGlobs && strings.ContainsAny(part, "*?[")) || literal.MatchString(part) {
			return false
		}
	}
	return true
}

// withheld are the parts of s in whose places clean has the mark.
func withheld(s, clean string) (parts []string, ok bool) {
	kept := strings.Split(clean, Mark)
	s, ok = strings.CutPrefix(s, kept[0])
	for i := 1; i < len(kept) && ok; i++ {
		end := strings.Index(s, kept[i])
		if i == len(kept)-1 {
			end = len(s) - len(kept[i])
			ok = strings.HasSuffix(s, kept[i])
		}
		if !ok || end < 0 {
			return nil, false
		}
		parts, s = append(parts, s[:end]), s[end+len(kept[i]):]
	}
	return parts, ok
}

// hasBraceList tells a text of which a shell may make several words: {a,b} and {1..2}.
func hasBraceList(s string) bool {
	depth := 0
	for i := range len(s) {
		switch {
		case s[i] == '{':
			depth++
		case s[i] == '}' && depth > 0:
			depth--
		case depth > 0 && (s[i] == ',' || strings.HasPrefix(s[i:], "..")):
			return true
		}
	}
	return false
}

func blankCount(s string) int {
	n := 0
	for _, blank := range " \t\v\f" {
		n += strings.Count(s, string(blank))
	}
	return n
}
