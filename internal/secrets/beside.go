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
	envValue    = lazyregexp.New(`^-*(?:e|env=)?[A-Za-z0-9_.-]+=[A-Za-z0-9_.~+/=:@,${}-]*$`)
	schemeValue = lazyregexp.New(`^[^: \t]+:[ \t]*(?i:bearer|basic|token|apikey|key|bot|negotiate) +[^- \t]\S*$`)
)

// isLone tells whether what is secret in an argument, which is clean without that, is a value and no command, program or option. Programs
// such as ssh, and cmd /c, make one command line of their arguments; others run what stands behind an option of one letter: a file, or
// source code.
func isLone(before, s, clean string) bool {
	switch {
	case clean == s:
		return true
	case clean == Mark && !(strings.HasPrefix(before, "--") && IsWithheld(before[2:])):
		return false // ruby -pw FILE, bash -H FILE
	case driveStart.MatchString(clean):
		return false // python -u C:FILE
	case (setsVariable(before) || optionEnv.MatchString(s)) && !envValue.MatchString(s):
		return false // node -e X=require("x")
	}
	for _, c := range operators {
		if strings.Count(s, string(c)) > strings.Count(clean, string(c)) || strings.Contains(clean, string(c)+Mark) {
			return false
		}
	}
	return blankCount(s) == blankCount(clean) || isObject(s) || schemeValue.MatchString(s)
}

func blankCount(s string) int { return strings.Count(s, " ") + strings.Count(s, "\t") }
