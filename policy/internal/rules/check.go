package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
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
}

// Check refuses a condition about what there never is in the scope, or that compares a member with a text that it never
// has: it cannot be met, or forbids nothing.
func (r *Rule) Check(s Scope) []Problem {
	var problems []Problem
	refuse := func(hint, format string, args ...any) {
		problems = append(problems, whole(codeValue, hint, fmt.Sprintf(format, args...))...)
	}
	if what := r.readsApprovals(); s.NoApprovals && what != "" {
		refuse("name them in approvals (required: 0 demands none), or leave the rule out",
			"reads %s, and the policy names no approvers, so that there never is an approval nor a rejection", what)
	}
	if what := r.ReadsTimes(); s.Timeless != "" && what != "" {
		refuse("give the trustedRoot of a timestamp authority, or leave the rule out",
			"reads %s, and there never is a trusted time: %s", what, s.Timeless)
	}
	for _, c := range comparisons(r.ast) {
		want, closed := s.Words[c.member]
		if !closed || slices.Contains(want, c.text) {
			continue
		}
		hint := "the approvers and their roles stand in approvals"
		if !strings.HasPrefix(c.member, "Approval.") || c.member == "Approval.decision" {
			hint = "want one of " + strings.Join(want, ", ")
		}
		_, name, _ := strings.Cut(c.member, ".")
		refuse(hint, "compares %s with %.64q, which it never is", name, c.text)
	}
	return problems
}

// comparison is of a member, as in words, with a constant.
type comparison struct{ member, text string }

// comparisons are those of an expression that was type-checked: by ==, by !=, and by `in` with a list, on either side.
func comparisons(checked *cel.Ast) []comparison {
	if checked == nil {
		return nil
	}
	var found []comparison
	compare := func(x, y ast.Expr) {
		operand, name := selection(x)
		if operand == nil || y.Kind() != ast.LiteralKind {
			return
		}
		member := checked.NativeRep().GetType(operand.ID()).TypeName() + "." + name
		found = append(found, comparison{member, textOf(y.AsLiteral())})
	}
	calls := ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.KindMatcher(ast.CallKind))
	for _, call := range calls {
		args := call.AsCall().Args()
		switch call.AsCall().FunctionName() {
		case operators.Equals, operators.NotEquals:
			compare(args[0], args[1])
			compare(args[1], args[0])
		case operators.In:
			compare(args[1], args[0])
			if args[1].Kind() == ast.ListKind {
				for _, one := range args[1].AsList().Elements() {
					compare(args[0], one)
				}
			}
		}
	}
	return found
}
