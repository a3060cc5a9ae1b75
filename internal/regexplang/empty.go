// Package regexplang tells what a regular expression matches, apart from any text that is there: whether there is one at all (`a^b` and
// `$a` match none), whether there is one of a form, such as a digest, and which texts they are where they are few.
package regexplang

import (
	"regexp/syntax"
	"slices"
	"unicode"

	"github.com/runattest/runattest/internal/limits"
)

// The kinds of what stands before and behind a place in a text, as far as ^, $, \A, \z, \b and \B ask.
const (
	edge    rune = -1
	newline rune = '\n'
	word    rune = 'a'
	other   rune = '-'
)

// IsEmpty says that expr (RE2) matches no text from its first to its last character, or the empty one alone. An expression that is
// malformed, or so large that it is not looked at, is not said to be empty.
func IsEmpty(expr string) bool { return isEmpty(expr, search{some: true}) }

func isEmpty(expr string, s search) bool {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return false
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > limits.RegexProgram {
		return false
	}
	s.program, s.seen = program.Inst, map[state]bool{}
	return !s.reachesEnd(uint32(program.Start), edge)
}

// IsNowhere says that expr matches no part of any text.
func IsNowhere(expr string) bool { return IsNowhereWithout(expr, nil) }

// IsNowhereWithout says that expr matches no part of any text without the ASCII characters that lacks tells.
func IsNowhereWithout(expr string, lacks func(rune) bool) bool {
	if parsed, err := syntax.Parse(expr, syntax.Perl); err != nil || lacks == nil && isPlain(parsed, true) {
		return false
	}
	return isEmpty(`(?s:.*)(?:`+expr+`)(?s:.*)`, search{lacks: lacks})
}

// isPlain says that an expression matches a part of some text, since nothing in it asks what stands around a place, but for ^ at the
// beginning and $ at the end of what is the whole expression. Where it is false, that is not known.
func isPlain(e *syntax.Regexp, whole bool) bool {
	switch e.Op {
	case syntax.OpLiteral, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpEmptyMatch:
		return true
	case syntax.OpCharClass:
		return len(e.Rune) > 0
	case syntax.OpConcat:
		for i, sub := range e.Sub {
			begins := whole && i == 0 && (sub.Op == syntax.OpBeginText || sub.Op == syntax.OpBeginLine)
			ends := whole && i == len(e.Sub)-1 && (sub.Op == syntax.OpEndText || sub.Op == syntax.OpEndLine)
			if !begins && !ends && !isPlain(sub, false) {
				return false
			}
		}
		return true
	case syntax.OpCapture, syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat, syntax.OpAlternate:
		return !slices.ContainsFunc(e.Sub, func(sub *syntax.Regexp) bool { return !isPlain(sub, false) })
	}
	return false
}

// state is an instruction with the kinds of the characters before and behind the place.
type state struct {
	at             uint32
	before, behind rune
}

type search struct {
	program []syntax.Inst
	seen    map[state]bool
	lacks   func(rune) bool // nil: nothing
	some    bool            // the empty text does not count
}

// reachesEnd says whether the end of some text can be reached from an instruction, at a place behind a character of that kind.
func (s *search) reachesEnd(start uint32, before rune) bool {
	var todo []state
	add := func(next state) {
		if !s.seen[next] {
			s.seen[next] = true
			todo = append(todo, next)
		}
	}
	place := func(at uint32, before rune) {
		for _, behind := range []rune{edge, newline, word, other} {
			add(state{at, before, behind})
		}
	}
	place(start, before)
	for len(todo) > 0 {
		one := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch inst := s.program[one.at]; inst.Op {
		case syntax.InstMatch:
			if one.behind == edge && !(s.some && one.before == edge) {
				return true
			}
		case syntax.InstAlt, syntax.InstAltMatch:
			add(state{inst.Out, one.before, one.behind})
			add(state{inst.Arg, one.before, one.behind})
		case syntax.InstCapture, syntax.InstNop:
			add(state{inst.Out, one.before, one.behind})
		case syntax.InstEmptyWidth:
			if inst.MatchEmptyWidth(one.before, one.behind) {
				add(state{inst.Out, one.before, one.behind})
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if one.behind != edge && s.takes(inst, one.behind) {
				place(inst.Out, one.behind)
			}
		}
	}
	return false
}

// takes says whether an instruction takes a character of that kind.
func (s *search) takes(inst syntax.Inst, kind rune) bool {
	for r := range rune(unicode.MaxASCII + 1) {
		if kindOf(r) == kind && (s.lacks == nil || !s.lacks(r)) && inst.MatchRune(r) {
			return true
		}
	}
	if kind != other {
		return false
	}
	for _, r := range inst.Rune { // a range beyond ASCII ends there; a letter of another case may be there
		for folded := unicode.SimpleFold(r); ; folded = unicode.SimpleFold(folded) {
			if folded > unicode.MaxASCII && inst.MatchRune(folded) {
				return true
			}
			if folded == r {
				break
			}
		}
	}
	return false
}

func kindOf(r rune) rune {
	switch {
	case r == newline:
		return newline
	case syntax.IsWordChar(r):
		return word
	}
	return other
}
