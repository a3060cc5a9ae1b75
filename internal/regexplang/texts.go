package regexplang

import (
	"cmp"
	"maps"
	"regexp/syntax"
	"slices"
	"sort"
	"sync"
	"unicode"

	"github.com/runattest/runattest/internal/limits"
)

// AnyCase is an expression for the texts that expr matches and those that differ from them in upper and lower case, also where expr
// asks for one case with (?-i).
func AnyCase(expr string) (string, error) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", err
	}
	foldCase(parsed)
	return parsed.String(), nil
}

func foldCase(e *syntax.Regexp) {
	switch e.Op {
	case syntax.OpLiteral:
		e.Flags |= syntax.FoldCase
	case syntax.OpCharClass:
		e.Rune = foldClass(e.Rune)
	}
	for _, sub := range e.Sub {
		foldCase(sub)
	}
}

// A letter is a rune with others that differ from it in case.
type letter struct {
	rune   rune
	others []rune
}

// letters are all, in their order.
var letters = sync.OnceValue(func() []letter {
	var all []letter
	for _, some := range unicode.CaseRanges {
		for r := rune(some.Lo); r <= rune(some.Hi); r++ {
			l := letter{rune: r}
			for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
				l.others = append(l.others, other)
			}
			if len(l.others) > 0 {
				all = append(all, l)
			}
		}
	}
	return all
})

// foldClass is a class, which has ranges in order, with its letters in each case.
func foldClass(class []rune) []rune {
	has := func(r rune) bool {
		i := sort.Search(len(class)/2, func(i int) bool { return class[2*i+1] >= r })
		return 2*i < len(class) && class[2*i] <= r
	}
	var added []rune
	for i := 0; i < len(class); i += 2 {
		from, _ := slices.BinarySearchFunc(letters(), class[i], func(l letter, r rune) int { return cmp.Compare(l.rune, r) })
		for _, l := range letters()[from:] {
			if l.rune > class[i+1] {
				break
			}
			for _, other := range l.others {
				if !has(other) {
					added = append(added, other)
				}
			}
		}
	}
	slices.Sort(added)
	var folded []rune
	for i := 0; i < len(class) || len(added) > 0; {
		var lo, hi rune
		if i == len(class) || len(added) > 0 && added[0] < class[i] {
			lo, hi, added = added[0], added[0], added[1:]
		} else {
			lo, hi, i = class[i], class[i+1], i+2
		}
		if last := len(folded) - 1; last > 0 && lo <= folded[last]+1 {
			folded[last] = max(folded[last], hi)
		} else {
			folded = append(folded, lo, hi)
		}
	}
	return folded
}

// HasEmptyAlternative says that expr, which matches a part of a text, matches every text, since one of its alternatives is empty: `a|b|`.
func HasEmptyAlternative(expr string) bool {
	e, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return false
	}
	for e.Op == syntax.OpCapture {
		e = e.Sub[0]
	}
	return e.Op == syntax.OpAlternate && slices.ContainsFunc(e.Sub, func(sub *syntax.Regexp) bool { return sub.Op == syntax.OpEmptyMatch })
}

// Texts are texts among which are all that expr matches from its first to its last character. anyCase says that it takes letters of these
// in their other case, too. ok is false where they are more than most or long, or expr is malformed.
func Texts(expr string, most int) (texts []string, anyCase, ok bool) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, false, false
	}
	texts, ok = textsOf(parsed, most)
	return texts, foldsCase(parsed), ok
}

func foldsCase(e *syntax.Regexp) bool {
	return e.Op == syntax.OpLiteral && e.Flags&syntax.FoldCase != 0 || slices.ContainsFunc(e.Sub, foldsCase)
}

func textsOf(e *syntax.Regexp, most int) ([]string, bool) {
	all, ok := []string{""}, true
	switch e.Op {
	case syntax.OpNoMatch:
		all = nil
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
	case syntax.OpLiteral:
		all = []string{string(e.Rune)}
	case syntax.OpCharClass:
		all = nil
		for i := 0; i < len(e.Rune); i += 2 {
			for r := e.Rune[i]; r <= e.Rune[i+1] && len(all) <= most; r++ {
				all = append(all, string(r))
			}
		}
	case syntax.OpCapture:
		return textsOf(e.Sub[0], most)
	case syntax.OpConcat:
		for _, sub := range e.Sub {
			if all, ok = joined(all, sub, most); !ok {
				return nil, false
			}
		}
	case syntax.OpAlternate:
		all = nil
		for _, sub := range e.Sub {
			more, ok := textsOf(sub, most)
			if all = append(all, more...); !ok || len(all) > most {
				return nil, false
			}
		}
	case syntax.OpQuest:
		if all, ok = textsOf(e.Sub[0], most); ok {
			all = append(all, "")
		}
	case syntax.OpRepeat:
		last := all
		if all = nil; e.Min == 0 {
			all = last
		}
		for n := 1; n <= e.Max; n++ {
			if last, ok = joined(last, e.Sub[0], most); !ok {
				return nil, false
			}
			if n >= e.Min {
				all = append(all, last...)
			}
		}
		ok = e.Max > 0
	default:
		return nil, false
	}
	return all, ok && len(all) <= most
}

// joined are the texts, each with each of e behind it.
func joined(texts []string, e *syntax.Regexp, most int) ([]string, bool) {
	behind, ok := textsOf(e, most)
	if !ok || len(texts)*len(behind) > most {
		return nil, false
	}
	var all []string
	for _, one := range texts {
		for _, two := range behind {
			if len(one)+len(two) > limits.CertificateName {
				return nil, false
			}
			all = append(all, one+two)
		}
	}
	return all, true
}

// MatchesPart says whether expr matches a part of some text whose characters are each one of those at their place. Of an expression that is
// malformed, or so large that it is not looked at, it says so.
func MatchesPart(expr string, places []string) bool {
	parsed, err := syntax.Parse(`(?s:.*)(?:`+expr+`)(?s:.*)`, syntax.Perl)
	if err != nil {
		return true
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > limits.RegexProgram {
		return true
	}
	type state struct {
		at     uint32
		before rune
	}
	now := map[state]bool{{uint32(program.Start), edge}: true}
	for i := range len(places) + 1 {
		characters := []rune{edge}
		if i < len(places) {
			characters = []rune(places[i])
		}
		next := map[state]bool{}
		for _, c := range characters {
			seen, todo := maps.Clone(now), slices.Collect(maps.Keys(now))
			for len(todo) > 0 {
				one := todo[len(todo)-1]
				todo = todo[:len(todo)-1]
				var goes []uint32
				switch inst := program.Inst[one.at]; inst.Op {
				case syntax.InstMatch:
					if c == edge {
						return true
					}
				case syntax.InstAlt, syntax.InstAltMatch:
					goes = []uint32{inst.Out, inst.Arg}
				case syntax.InstCapture, syntax.InstNop:
					goes = []uint32{inst.Out}
				case syntax.InstEmptyWidth:
					if inst.MatchEmptyWidth(one.before, c) {
						goes = []uint32{inst.Out}
					}
				case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
					if c != edge && inst.MatchRune(c) {
						next[state{inst.Out, kindOf(c)}] = true
					}
				}
				for _, at := range goes {
					if to := (state{at, one.before}); !seen[to] {
						seen[to] = true
						todo = append(todo, to)
					}
				}
			}
		}
		now = next
	}
	return false
}
