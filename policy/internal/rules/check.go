package rules

import (
	"cmp"
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
	// Possible are, as Words, the texts that a member has where a run is not denied already. A condition that demands another one of
	// them is never met; one that only compares with it may be.
	Possible map[string][]string
	// Worlds are the runs of which one must meet a condition, nil if none need to.
	Worlds *Worlds
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
	if len(problems) > 0 || r.ast == nil {
		return problems
	}
	for _, d := range demands(r.ast, ast.NavigateAST(r.ast.NativeRep())) {
		possible, closed := s.Possible[d.member]
		if !closed || slices.ContainsFunc(d.texts, func(text string) bool { return slices.Contains(possible, text) }) {
			continue
		}
		_, name, _ := strings.Cut(d.member, ".")
		refuse("under this policy it is one of "+cmp.Or(strings.Join(possible, ", "), `""`)+": change the rule or the policy",
			"demands that %s is %s, which it never is under this policy: no run meets the rule", name, quoted(d.texts))
	}
	if len(problems) > 0 {
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

// demand is that a member has one of the texts.
type demand struct {
	member string
	texts  []string
}

// demands are those that an expression makes whatever else it says: by == and `in`, alone or joined by &&.
func demands(checked *cel.Ast, e ast.Expr) []demand {
	if e.Kind() != ast.CallKind {
		return nil
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalAnd:
		var all []demand
		for _, one := range args {
			all = append(all, demands(checked, one)...)
		}
		return all
	case operators.Equals, operators.In:
		found := compared(checked, e)
		if len(found) == 0 {
			return nil
		}
		d := demand{member: found[0].member}
		for _, c := range found {
			d.texts = append(d.texts, c.text)
		}
		if list := args[1]; list.Kind() == ast.ListKind && len(list.AsList().Elements()) != len(found) || found[0].member != found[len(found)-1].member {
			return nil // some of it is not a constant
		}
		if e.AsCall().FunctionName() == operators.In && args[1].Kind() != ast.ListKind {
			return nil
		}
		return []demand{d}
	}
	return nil
}
