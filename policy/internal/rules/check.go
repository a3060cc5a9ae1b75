package rules

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// Scope is what there is for rules to read under one policy.
type Scope struct {
	// Words are the texts that a member can have, by object and member, as "Run.kind"; members that can have any text are
	// not in it.
	Words map[string][]string
	// NoApprovals says that there never is an approval nor a rejection: the policy names no approvers.
	NoApprovals bool
	// Timeless is why there never is a trusted time, "" if there may be one.
	Timeless string
	// Possible are, as Words, the texts that a member has where a run is not denied already. A condition that demands another one of
	// them is never met; one that only compares with it may be.
	Possible map[string][]string
	// Worlds are the runs of which one must meet a condition, nil if none need to.
	Worlds *Worlds
	// Steps is how many may still be taken to tell whether patterns match a digest; they are not held against one if it is nil.
	Steps *int
}

// Check refuses a condition about what there never is in the scope, or that compares a member with a text that it never
// has: it cannot be met, or forbids nothing.
func (r *Rule) Check(s Scope) []Problem {
	var problems []Problem
	refuse := func(hint, format string, args ...any) {
		problems = append(problems, whole(codeValue, hint, fmt.Sprintf(format, args...))...)
	}
	if s.NoApprovals {
		if what := r.readsApprovals(); what != "" {
			refuse("name them in approvals (required: 0 demands none), or leave the rule out",
				"reads %s, and the policy names no approvers, so that there never is an approval nor a rejection", what)
		}
	}
	if s.Timeless != "" {
		if what := r.ReadsTimes(); what != "" {
			refuse("give the trustedRoot of a timestamp authority, or leave the rule out",
				"reads %s, and there never is a trusted time: %s", what, s.Timeless)
		}
	}
	for _, c := range comparisons(r.ast) {
		if what, form := c.misformed(); what != "" {
			refuse(form, "compares %s with %.100q, which is not %s", nameOf(c.members[0]), c.text, what)
			continue
		}
		if c.isPossible(s.Words) {
			continue
		}
		hint := "the approvers and their roles stand in approvals"
		if !strings.HasPrefix(c.members[0], "Approval.") || c.members[0] == "Approval.decision" {
			hint = "want one of " + strings.Join(s.Words[c.members[0]], ", ")
		}
		refuse(hint, "compares %s with %.64q, which it never is", nameOf(c.members[0]), c.text)
	}
	if len(problems) > 0 || r.ast == nil {
		return problems
	}
	if problems = s.checkPieces(r.ast); len(problems) > 0 {
		return problems
	}
	for _, d := range s.unmet(r.ast, ast.NavigateAST(r.ast.NativeRep())) {
		refuse("under this policy it is one of "+cmp.Or(strings.Join(s.Possible[d.member], ", "), `""`)+": change the rule or the policy",
			"demands that %s is %s, which it never is under this policy: no run meets the rule", nameOf(d.member), quoted(d.texts))
	}
	if len(problems) > 0 {
		return problems
	}
	if why := r.neverMet(s.Worlds); why != "" {
		refuse("change the rule; one that is to deny every run is false", "%s: no run meets the rule", why)
		return problems
	}
	if ok, read := r.isReachable(s.Worlds); !ok {
		hint := "change the rule or the policy"
		if read.approvals {
			hint = "signers cannot approve what they sign, and a rejected run is denied whatever the rules say: " + hint
		}
		refuse(hint, "is false for every %s that this policy allows: no run meets the rule", read)
	}
	return problems
}

func quoted(texts []string) string {
	var all []string
	for _, t := range texts {
		all = append(all, fmt.Sprintf("%.64q", t))
	}
	return strings.Join(all, " or ")
}

// nameOf is the name of a member, as in words.
func nameOf(member string) string {
	_, name, _ := strings.Cut(member, ".")
	return name
}

// demand is that a member has one of the texts.
type demand struct {
	member string
	texts  []string
}

// unmet are demands of an expression that are never met, because of which it is never true: by == and `in`, alone, one of several that
// && joins, all of those that || joins, and what an element of a list must be, by exists and exists_one.
func (s Scope) unmet(checked *cel.Ast, e ast.Expr) []demand {
	switch e.Kind() {
	case ast.ComprehensionKind:
		if of := conditionOf(e.AsComprehension()); of != nil {
			return s.unmet(checked, of)
		}
	case ast.CallKind:
		args := e.AsCall().Args()
		switch e.AsCall().FunctionName() {
		case operators.LogicalAnd:
			return append(s.unmet(checked, args[0]), s.unmet(checked, args[1])...)
		case operators.LogicalOr:
			return both(s.unmet(checked, args[0]), s.unmet(checked, args[1]))
		case operators.Conditional:
			yes, no := append(s.unmet(checked, args[0]), s.unmet(checked, args[1])...), s.unmet(checked, args[2])
			return both(yes, no)
		case operators.Equals, operators.In:
			if d := s.unmetOf(checked, args[0], args[1]); d != nil {
				return d
			}
			return s.unmetOf(checked, args[1], args[0])
		}
	}
	return nil
}

func both(one, other []demand) []demand {
	if one == nil || other == nil {
		return nil
	}
	return append(one, other...)
}

// unmetOf is the demand that what x may be is one of the constants that y may be, if it never is.
func (s Scope) unmetOf(checked *cel.Ast, x, y ast.Expr) []demand {
	with := textsIn(checked, y)
	found := textsOfBoth(checked, x, y)
	isText := func(e ast.Expr) bool { return checked.NativeRep().GetType(e.ID()).Kind() == types.StringKind }
	if len(found) == 0 || with.open || len(with.members) > 0 || !isText(x) && !isText(y) { // two lists are equal without any text, too
		return nil
	}
	d := demand{member: found[0].members[0]}
	for _, c := range found {
		if c.isPossible(s.Possible) {
			return nil
		}
		d.texts = append(d.texts, c.text)
	}
	return []demand{d}
}

// conditionOf is what exists and exists_one ask of an element, nil of another comprehension.
func conditionOf(c ast.ComprehensionExpr) ast.Expr {
	step := c.LoopStep()
	if step.Kind() != ast.CallKind {
		return nil
	}
	args := step.AsCall().Args()
	switch call := step.AsCall().FunctionName(); {
	case call == operators.LogicalOr && isAccumulator(c, args[0]) && isAccumulator(c, c.Result()):
		return args[1]
	case call == operators.Conditional && c.Result().Kind() == ast.CallKind && c.Result().AsCall().FunctionName() == operators.Equals:
		return args[0]
	}
	return nil
}

func isAccumulator(c ast.ComprehensionExpr, e ast.Expr) bool {
	return e.Kind() == ast.IdentKind && e.AsIdent() == c.AccuVar()
}
