package policy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// Severity says what a rule that is not met does.
type Severity string

// The severities.
const (
	Deny Severity = "deny"
	Warn Severity = "warn"
)

// Denials that are not by a rule have these names, which no rule may have.
const (
	ruleKinds     = "kinds"
	ruleTime      = "time"
	ruleApprovals = "approvals"
	rulePolicy    = "policy"
)

// rule is an expression that must be true.
type rule struct {
	name           string
	severity       Severity
	expr           string
	ast            *cel.Ast
	program        cel.Program
	message        []part
	readsAncestors bool // it reads `ancestors`
}

// part is a piece of a message: text, or an expression whose value is put in.
type part struct {
	text    string
	program cel.Program
}

// readRules also finds what rules and their messages want of the declaration.
func readRules(r *reader, v jsontree.Value, wants *wanted) []*rule {
	var rules []*rule
	names := map[string]bool{ruleKinds: true, ruleTime: true, ruleApprovals: true, rulePolicy: true}
	r.list(v, 1, limits.Rules, func(_ int, v jsontree.Value) {
		one := &rule{severity: Deny}
		var severity, message string
		r.members(v, []string{"name", "expr"}, map[string]field{
			"name":     r.name(&one.name),
			"expr":     func(v jsontree.Value) { r.expression(one, wants, v) },
			"message":  r.string(&message),
			"severity": r.word(&severity, string(Deny), string(Warn)),
		})
		if severity != "" {
			one.severity = Severity(severity)
		}
		if names[one.name] {
			r.in("name", func() { r.fail(identity.CodeUnique, "", "the name %q is taken", one.name) })
		}
		names[one.name] = true
		if message != "" {
			r.in("message", func() { r.template(one, wants, message) })
		}
		rules = append(rules, one)
	})
	return rules
}

// expression reads a rule's condition.
func (r *reader) expression(into *rule, wants *wanted, v jsontree.Value) {
	if k := v.Kind(); k != jsontree.String && k != jsontree.Null {
		r.fail(identity.CodeType, expressionHint, "is of type %s, want string", k)
		return
	}
	if r.string(&into.expr)(v); into.expr == "" {
		return
	}
	into.ast = r.compile(into.expr, into.expr, 0)
	if into.ast == nil {
		return
	}
	if t := into.ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		r.fail(identity.CodeType, typeHint(t), "the expression is of type %s, want bool", t)
		return
	}
	wants.add(into.ast)
	into.readsAncestors = reads(into.ast, varAncestors)
	into.program = r.plan(into.ast)
}

// compile type-checks an expression that stands in value, behind its first characters.
func (r *reader) compile(expr, value string, behind int) *cel.Ast {
	if !r.checkComments(expr, value, behind) {
		return nil
	}
	e, err := environment()
	if err != nil {
		r.fail(identity.CodeValue, "", "%s", err)
		return nil
	}
	ast, issues := e.Compile(expr)
	if issues.Err() == nil {
		if !r.checkPatterns(ast, expr, value, behind) {
			return nil
		}
		return ast
	}
	for _, issue := range issues.Errors() {
		if r.full() {
			return nil
		}
		line, column := max(issue.Location.Line(), 1), max(issue.Location.Column(), 0)
		n := behind + column
		for l, rest := 1, expr; l < line; l++ {
			before, after, _ := strings.Cut(rest, "\n")
			n, rest = n+utf8.RuneCountInString(before)+1, after
		}
		p := identity.Problem{Code: "cel", Pointer: r.pointer(), Message: oneLine(issue.Message)}
		p.Line, p.Column = r.place(p.Pointer, value, 1, n)
		syntax := strings.HasPrefix(issue.Message, "Syntax error: ")
		p.Hint = celHint(issue.Message, expr)
		r.note(p)
		if syntax { // the others come of the first
			return nil
		}
	}
	return nil
}

func (r *reader) plan(ast *cel.Ast) cel.Program {
	e, err := environment()
	var program cel.Program
	if err == nil {
		program, err = e.Program(ast, programOptions()...)
	}
	if err != nil { // a regular expression that does not compile
		r.fail("cel", "", "%s", oneLine(err.Error()))
	}
	return program
}

// template reads a rule's message: text with expressions in {{ }}.
func (r *reader) template(into *rule, wants *wanted, message string) {
	rest, behind := message, 0
	if n := utf8.RuneCountInString(message); n > limits.Expression {
		r.fail(identity.CodeValue, "", "%d characters, want at most %d", n, limits.Expression)
		return
	}
	for {
		before, inside, ok := strings.Cut(rest, "{{")
		if before != "" {
			into.message = append(into.message, part{text: before})
		}
		if !ok {
			return
		}
		expr, after, closed := strings.Cut(inside, "}}")
		if !closed {
			r.fail(identity.CodeValue, `close it with }}; two braces themselves are {{"{"}}{{"{"}}`, "{{ without }}")
			return
		}
		behind += utf8.RuneCountInString(before) + len("{{")
		if ast := r.compile(expr, message, behind); ast != nil {
			wants.add(ast)
			into.readsAncestors = into.readsAncestors || reads(ast, varAncestors)
			into.message = append(into.message, part{program: r.plan(ast)})
		}
		behind += utf8.RuneCountInString(expr) + len("}}")
		rest = after
	}
}

// meets evaluates the rule. With an error, the rule is not met.
func (r *rule) meets(m *meter, vars map[string]any) (bool, error) {
	m.begin()
	value, _, err := m.evaluate(r.program, vars)
	if err != nil {
		return false, err
	}
	yes, ok := value.(types.Bool)
	if !ok {
		return false, fmt.Errorf("the expression gives %s, want bool", value.Type().TypeName())
	}
	return bool(yes), nil
}

// text is the rule's expression as it counts, in one line.
func (r *rule) text() string { return oneLine(withoutComments(r.expr)) }

// reason is the rule's message with its values, in one line.
func (r *rule) reason(m *meter, vars map[string]any) string {
	if len(r.message) == 0 {
		return oneLine("not met: " + r.text())
	}
	m.begin()
	var s strings.Builder
	for _, p := range r.message {
		if p.program == nil {
			s.WriteString(p.text)
			continue
		}
		value, _, err := m.evaluate(p.program, vars)
		if err != nil {
			fmt.Fprintf(&s, "(%s)", err)
			continue
		}
		s.WriteString(show(value))
	}
	return oneLine(s.String())
}

// oneLine makes text fit for one line of a report: no control and no unseen characters, and
// not endless.
func oneLine(s string) string {
	var b strings.Builder
	n := 0
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case n == limits.Message:
			return b.String() + "..."
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if n++; unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u{%x}", r)
		}
	}
	return b.String()
}
