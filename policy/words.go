package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
)

// kindWords are the kinds of declarations.
var kindWords = []string{
	string(identity.Inference), string(identity.Agent), string(identity.Training),
	string(identity.Evaluation), string(identity.Batch), string(identity.Other),
}

// words are the texts that a member can have under this policy, by object and member; members that can have any text are not here.
func (p *Policy) words() map[string][]string {
	words := map[string][]string{
		"Declaration.kind":  kindWords,
		"Run.kind":          kindWords,
		"Ancestor.kind":     kindWords,
		"Signer.kind":       {evidence.SignedByKey, evidence.SignedByCertificate},
		"Timestamp.kind":    {"timestamp", "log"}, // see [evidence.TrustedTime]
		"Approval.decision": {string(Approved), string(Rejected)},
	}
	if p.approvals != nil {
		var names []string
		roles := []string{""} // of an approver without one
		for _, a := range p.approvals.approvers {
			names, roles = append(names, a.name), append(roles, a.role)
		}
		words["Approval.approver"], words["Approval.role"] = names, roles
	}
	return words
}

// checkWords refuses rules that compare a member with a text that it never has: they cannot be met, or forbid nothing.
func (p *Policy) checkWords(r *reader) {
	words := p.words()
	for i, rule := range p.rules {
		for _, c := range comparisons(rule.ast) {
			want, closed := words[c.member]
			if !closed || slices.Contains(want, c.text) {
				continue
			}
			hint := "the approvers and their roles stand in approvals"
			if !strings.HasPrefix(c.member, "Approval.") || c.member == "Approval.decision" {
				hint = "want one of " + list(want)
			}
			_, name, _ := strings.Cut(c.member, ".")
			r.failAt(fmt.Sprintf("/rules/%d/expr", i), identity.CodeValue, hint, "compares %s with %.64q, which it never is", name, c.text)
		}
	}
}

// comparison is of a member, as in words, with a constant.
type comparison struct{ member, text string }

// comparisons are those of an expression that was type-checked: by ==, by !=, and by `in` with a list.
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
			if args[1].Kind() == ast.ListKind {
				for _, one := range args[1].AsList().Elements() {
					compare(args[0], one)
				}
			}
		}
	}
	return found
}
