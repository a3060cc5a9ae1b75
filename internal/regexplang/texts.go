package regexplang

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"

	"github.com/runattest/runattest/internal/limits"
)

// AnyCase is an expression for the texts that expr matches and those that differ from them in upper and lower case, also where expr
// asks for one case with (?-i). One whose classes have more ranges than are looked at is an error.
func AnyCase(expr string) (string, error) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", err
	}
	p := anyCase{left: limits.RegexRanges}
	if p.print(parsed); p.left < 0 {
		return "", errors.New("its classes have too many ranges")
	}
	return p.String(), nil
}

// anyCase prints an expression: syntax.Regexp.String takes milliseconds for a class such as \W, to see whether it has each case.
type anyCase struct {
	strings.Builder
	left int // ranges that may still be printed
}

var printed = map[syntax.Op]string{
	syntax.OpBeginLine: `(?m:^)`, syntax.OpEndLine: `(?m:$)`, syntax.OpBeginText: `\A`, syntax.OpEndText: `\z`,
	syntax.OpWordBoundary: `\b`, syntax.OpNoWordBoundary: `\B`,
	syntax.OpAnyChar: `(?s:.)`, syntax.OpAnyCharNotNL: `(?-s:.)`, syntax.OpNoMatch: `[^\x00-\x{10FFFF}]`,
	syntax.OpStar: `*`, syntax.OpPlus: `+`, syntax.OpQuest: `?`,
}

func (p *anyCase) print(e *syntax.Regexp) {
	p.WriteString("(?:")
	switch e.Op {
	case syntax.OpLiteral:
		p.WriteString("(?i)" + regexp.QuoteMeta(string(e.Rune)))
	case syntax.OpCharClass:
		p.class(e.Rune)
	default:
		for i, sub := range e.Sub {
			if i > 0 && e.Op == syntax.OpAlternate {
				p.WriteByte('|')
			}
			p.print(sub)
		}
		p.WriteString(printed[e.Op])
		switch {
		case e.Op == syntax.OpRepeat && e.Max < 0:
			fmt.Fprintf(p, "{%d,}", e.Min)
		case e.Op == syntax.OpRepeat:
			fmt.Fprintf(p, "{%d,%d}", e.Min, e.Max)
		}
	}
	p.WriteByte(')')
}

func (p *anyCase) class(class []rune) {
	if p.left -= len(class) / 2; p.left < 0 {
		return
	}
	folded := foldClass(class)
	if len(folded) == 0 {
		p.WriteString(printed[syntax.OpNoMatch])
		return
	}
	p.WriteByte('[')
	for i := 0; i < len(folded); i += 2 {
		fmt.Fprintf(p, `\x{%x}-\x{%x}`, folded[i], folded[i+1])
	}
	p.WriteByte(']')
}

// A letter is a rune with others that differ from it in case.
type letter struct {
	rune   rune
	others []rune
}

// letters are all, in their order.
var letters = sync.OnceValue(func() []letter {
	var all []letter
	for _, some := range append([]unicode.CaseRange{{Lo: 'ß', Hi: 'ß'}}, unicode.CaseRanges...) { // which lacks this one
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
	slices.SortFunc(all, func(a, b letter) int { return cmp.Compare(a.rune, b.rune) })
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
		lo, hi := class[i], class[i+1]
		if lo <= 'A' && hi == unicode.MaxRune { // all are there
			continue
		}
		from, _ := slices.BinarySearchFunc(letters(), lo, func(l letter, r rune) int { return cmp.Compare(l.rune, r) })
		for _, l := range letters()[from:] {
			if l.rune > hi {
				break
			}
			for _, other := range l.others {
				if (other < lo || other > hi) && !has(other) {
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
	return hasEmptyAlternative(e, isBeginning, isEnd)
}

// hasEmptyAlternative says that one of the alternatives is empty, or only what one of the given kinds of anchors is: behind ^ it must not
// be $.
func hasEmptyAlternative(e *syntax.Regexp, anchors ...func(*syntax.Regexp) bool) bool {
	switch e.Op {
	case syntax.OpCapture:
		return hasEmptyAlternative(e.Sub[0], anchors...)
	case syntax.OpAlternate:
		return slices.ContainsFunc(e.Sub, func(sub *syntax.Regexp) bool {
			return sub.Op == syntax.OpEmptyMatch || hasEmptyAlternative(sub, anchors...) ||
				slices.ContainsFunc(anchors, func(is func(*syntax.Regexp) bool) bool { return is(sub) })
		})
	case syntax.OpConcat: // ^(a|b|)
		for _, is := range anchors {
			if rest := slices.DeleteFunc(slices.Clone(e.Sub), is); len(rest) == 1 && hasEmptyAlternative(rest[0], is) {
				return true
			}
		}
	}
	return false
}

func isBeginning(e *syntax.Regexp) bool {
	return e.Op == syntax.OpBeginText || e.Op == syntax.OpBeginLine
}
func isEnd(e *syntax.Regexp) bool { return e.Op == syntax.OpEndText || e.Op == syntax.OpEndLine }

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
// malformed, or so large that it is not looked at, it says so; and so it does once left, which is counted down by each step, is below 0.
func MatchesPart(expr string, places []string, left *int) bool {
	parsed, err := syntax.Parse(`(?s:.*)(?:`+expr+`)(?s:.*)`, syntax.Perl)
	if err != nil {
		return true
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > limits.RegexProgram {
		return true
	}
	now := newPlaces(program)
	now.add(place{uint32(program.Start), edge})
	for i := range len(places) + 1 {
		next := newPlaces(program)
		if i == len(places) {
			return *left < 0 || now.step([]rune{edge}, left, next)
		}
		for _, alike := range byKind(places[i]) {
			now.step(alike, left, next)
		}
		now = next
	}
	return false
}

// byKind are the characters, those of one kind together.
func byKind(characters string) (all [][]rune) {
	for _, kind := range []rune{newline, word, other} {
		var some []rune
		for _, r := range characters {
			if kindOf(r) == kind {
				some = append(some, r)
			}
		}
		if len(some) > 0 {
			all = append(all, some)
		}
	}
	return all
}

// place is an instruction, and the kind of the character before it.
type place struct {
	at     uint32
	before rune
}

// places are those that an expression can be at, behind some characters.
type places struct {
	program *syntax.Prog
	seen    map[place]bool
	all     []place
}

func newPlaces(program *syntax.Prog) *places { return &places{program, map[place]bool{}, nil} }

func (p *places) add(one place) {
	if !p.seen[one] {
		p.seen[one] = true
		p.all = append(p.all, one)
	}
}

// step adds to next where one of the characters, which are of one kind, leads. With edge it says whether the expression ends here.
func (p *places) step(characters []rune, left *int, next *places) bool {
	reached := &places{p.program, maps.Clone(p.seen), slices.Clone(p.all)}
	for i := 0; i < len(reached.all); i++ {
		if *left -= len(characters); *left < 0 {
			return true
		}
		one := reached.all[i]
		switch inst := p.program.Inst[one.at]; inst.Op {
		case syntax.InstMatch:
			if characters[0] == edge {
				return true
			}
		case syntax.InstAlt, syntax.InstAltMatch:
			reached.add(place{inst.Out, one.before})
			reached.add(place{inst.Arg, one.before})
		case syntax.InstCapture, syntax.InstNop:
			reached.add(place{inst.Out, one.before})
		case syntax.InstEmptyWidth:
			if inst.MatchEmptyWidth(one.before, characters[0]) {
				reached.add(place{inst.Out, one.before})
			}
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if characters[0] != edge && slices.ContainsFunc(characters, inst.MatchRune) {
				next.add(place{inst.Out, kindOf(characters[0])})
			}
		}
	}
	return false
}
