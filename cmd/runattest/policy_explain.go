package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/policy"
)

func newPolicyExplain() *cobra.Command {
	cmd := newCommand("policy_explain")
	cmd.Args = cli.OneArg("bundle")
	cmd.ValidArgsFunction = completeBundles
	flags := newPolicyFlags(cmd)
	declaration := declarationFlag(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		applied, err := flags.load(cmd)
		if err != nil {
			return err
		}
		if applied == nil {
			return errors.New("--policy is missing: whose answer shall be explained?")
		}
		var want attest.Expect
		if want.Declaration, err = declaration(); err != nil {
			return err
		}
		bundle, err := oneBundle(args[0], cmd.InOrStdin())
		if err != nil {
			return err
		}
		return explain(cmd, applied, bundle, want)
	}
	return cmd
}

func explain(cmd *cobra.Command, applied *appliedPolicy, bundle *attest.Bundle, want attest.Expect) error {
	verified, err := applied.Verifier().Verify(cmd.Context(), bundle, want)
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		return cli.WithHint(err, "verify --policy says more about a run that is not verified")
	}
	if err != nil {
		return err
	}
	given, err := applied.gather(cmd.Context(), verified)
	if err != nil {
		return err
	}
	decision, err := applied.Evaluate(cmd.Context(), verified, given)
	if err != nil {
		return err
	}
	rules, err := applied.Explain(cmd.Context(), verified, given)
	if err != nil {
		return err
	}
	o := newOutput(cmd)
	if !decision.Allowed {
		o.status = exitNo
	}
	if o.JSON {
		err = o.Object(struct {
			*policy.Decision
			Explained []policy.Explanation `json:"explained"`
		}{decision, rules})
	} else {
		err = o.printExplanation(decision, rules)
	}
	if err != nil {
		return err
	}
	return o.done()
}

// met says what a rule's value means.
func met(value string) string {
	switch value {
	case "true":
		return "met"
	case "false":
		return "NOT met"
	}
	return value
}

func (o *output) printExplanation(d *policy.Decision, rules []policy.Explanation) error {
	answer := o.paint(terminal.Green, "allowed")
	if !d.Allowed {
		answer = o.paint(terminal.Red, "DENIED")
	}
	lines := []string{"run " + d.Identity.String(), "at  " + d.Now.Format("2006-01-02T15:04:05Z07:00") + " (" + d.Clock + ")"}
	for _, r := range rules {
		lines = append(lines, "rule "+r.Rule+" ("+string(r.Severity)+"): "+met(r.Value), "  "+r.Expr)
		for _, s := range r.Because {
			lines = append(lines, "    "+s.Expr+" = "+s.Value)
		}
	}
	for _, a := range d.Approvals {
		lines = append(lines, a.String())
	}
	for _, w := range d.Warnings {
		lines = append(lines, "warning: "+w.String())
	}
	for _, denial := range d.Denials {
		lines = append(lines, "denied by "+denial.String())
	}
	for _, line := range lines {
		if err := o.Line("%s", line); err != nil {
			return err
		}
	}
	return o.WriteRaw([]byte(answer + "\n"))
}
