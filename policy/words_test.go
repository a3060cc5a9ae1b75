package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestMisspeltWords: what a member never is makes a rule that cannot be met, or forbids nothing.
func TestMisspeltWords(t *testing.T) {
	head := header(t, newSigner(t)) + "approvals: {required: 0, approvers: [{name: alice, role: legal, keys: [{key: " + pemOf(t, newSigner(t)) + "}]}]}\n"
	for expr, want := range map[string]string{
		`declaration.kind == "trainng"`:                                                           `compares kind with "trainng", which it never is`,
		`"Training" != declaration.kind`:                                                          `compares kind with "Training"`,
		`run.kind in ["training", "eval"]`:                                                        `compares kind with "eval"`,
		`declaration.?kind != optional.none() && run.kind != "infer"`:                             `compares kind with "infer"`,
		`ancestors.all(a, a.kind != "train")`:                                                     `compares kind with "train"`,
		`!(signer.kind == "certificat") || signer.name == "x"`:                                    `compares kind with "certificat"`,
		`ancestors.all(a, a.signers.exists(s, s.kind == "keys"))`:                                 `compares kind with "keys"`,
		`!approvals.exists(a, a.decision == "reject")`:                                            `compares decision with "reject"`,
		`approvals.exists(a, a.approver == "Alice")`:                                              `compares approver with "Alice"`,
		`!approvals.exists(a, a.role in ["legal", "safety"])`:                                     `compares role with "safety"`,
		`ancestors.all(p, p.approvals.exists(a, a.role == "leagl"))`:                              `compares role with "leagl"`,
		`declaration.kind == "training" && signer.kind == "certificate"`:                          "",
		`run.kind in ["training", "batch"] || signer.name == "any"`:                               "",
		`approvals.all(a, a.approver == "alice" && a.role != "")`:                                 "",
		`approvals.exists(a, a.role == "legal" && a.decision == "rejected" && a.reason == "any")`: "",
		`declaration.parameters.kind == "any" && declaration.kind.startsWith("t")`:                "",
	} {
		_, err := Parse([]byte(head+fmt.Sprintf("rules: [{name: r, expr: %q}]\n", expr)), options)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "/rules/0/expr: "+want)) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}
