package rules

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
)

// Source is the text of a condition or a message, as a file has it.
type Source struct {
	Text string
	Form Form
	// Line gives the line of the file on which a character of the text stands, counted from 0. Nil says that the file has
	// the lines of the text.
	Line func(character int) int
}

// Form is how a file writes a text: what a backslash in front of a letter can have been meant as.
type Form int

const (
	Literal Form = iota // as it is: its lines and its backslashes are what they look like
	YAML                // in another scalar of YAML
	JSON                // in a string of JSON
)

// Problem is what is wrong with a text.
type Problem struct {
	Code string // as identity.Code
	// At is how many characters stand in front of what the problem is about; Whole if it is about all of the text.
	At      int
	Message string
	Hint    string // "" if none is known
}

// Whole is the place of a problem that is about all of the text.
const Whole = -1

func whole(code, hint, message string) []Problem {
	return []Problem{{Code: code, At: Whole, Message: message, Hint: hint}}
}

// The codes of problems.
const (
	codeType    = "type"
	codeValue   = "value"
	codeCEL     = "cel"
	codeComment = "cel-comment"
	codePattern = "cel-pattern"
	codeUnseen  = "invisible"

	codeLookAlike = "look-alike"
)

// Rule is a condition that must be true, and the message to give where it is not. The zero value has no condition and
// is never met; ReadCondition and ReadMessage set its parts. It is safe for concurrent use once it is read.
type Rule struct {
	condition      string
	ast            *cel.Ast
	program        cel.Program
	message        []part
	readsAncestors bool
	members        map[member]bool // that the condition reads
}

// part is a piece of a message: text, or an expression whose value is put in.
type part struct {
	text    string
	ast     *cel.Ast
	program cel.Program
}

// ReadCondition parses the rule's condition. check is the rest of reading it, and may run in another goroutine while other rules are
// parsed, which takes longest. With problems, the rule has no condition.
func (r *Rule) ReadCondition(s Source) (check func() []Problem) {
	checked := compile(s, s.Text, 0)
	return func() []Problem {
		ast, problems := checked()
		if ast == nil {
			return problems
		}
		if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
			return whole(codeType, typeHint(t), "the expression is of type "+t.String()+", want bool")
		}
		program, problems := plan(ast)
		if program == nil {
			return problems
		}
		r.condition, r.ast, r.program = s.Text, ast, program
		r.readsAncestors, r.members = r.readsAncestors || reads(ast, varAncestors), membersRead(ast)
		return nil
	}
}

// ReadMessage parses the rule's message: text with expressions in {{ }}. check is the rest of reading it, as that of ReadCondition.
func (r *Rule) ReadMessage(s Source) (check func() []Problem) {
	if n := utf8.RuneCountInString(s.Text); n > limits.Expression {
		return func() []Problem { return whole(codeValue, "", tooLong(n)) }
	}
	var parts []part
	var checks []func() []Problem
	rest, behind := s.Text, 0
	for {
		before, inside, ok := strings.Cut(rest, "{{")
		if before != "" {
			parts = append(parts, part{text: before})
		}
		if !ok {
			break
		}
		expr, after, closed := strings.Cut(inside, "}}")
		if !closed {
			checks = append(checks, func() []Problem {
				return whole(codeValue, `close it with }}; two braces themselves are {{"{"}}{{"{"}}`, "{{ without }}")
			})
			break
		}
		behind += utf8.RuneCountInString(before) + len("{{")
		at, checked := len(parts), compile(s, expr, behind)
		parts = append(parts, part{})
		checks = append(checks, func() []Problem {
			ast, found := checked()
			if ast != nil {
				parts[at].ast = ast
				parts[at].program, found = plan(ast)
			}
			return found
		})
		behind += utf8.RuneCountInString(expr) + len("}}")
		rest = after
	}
	return func() []Problem {
		var problems []Problem
		for _, check := range checks {
			problems = append(problems, check()...)
		}
		if len(problems) > 0 {
			return problems
		}
		r.message = parts
		r.readsAncestors = r.readsAncestors || slices.ContainsFunc(parts, func(p part) bool { return p.ast != nil && reads(p.ast, varAncestors) })
		return nil
	}
}

// expressions are those of the condition and of the message.
func (r *Rule) expressions() []*cel.Ast {
	var all []*cel.Ast
	if r.ast != nil {
		all = append(all, r.ast)
	}
	for _, p := range r.message {
		if p.ast != nil {
			all = append(all, p.ast)
		}
	}
	return all
}

// Condition is the rule's condition as it counts, in one line. A line that ends in a string is \n there.
func (r *Rule) Condition() string {
	bare := withoutComments(r.condition)
	var b strings.Builder
	done := 0
	for _, l := range literals(bare) {
		b.WriteString(bare[done:l.start] + strings.ReplaceAll(bare[l.start:l.end], "\n", `\n`))
		done = l.end
	}
	return visible.OneLine(b.String() + bare[done:])
}

// ReadsAncestors says whether the rule, or its message, reads `ancestors`.
func (r *Rule) ReadsAncestors() bool { return r.readsAncestors }
