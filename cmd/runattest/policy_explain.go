package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/cli"
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
		applied, err := flags.load(cmd, false)
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
		bundle, err := oneBundle(cmd, args[0])
		if err != nil {
			return err
		}
		return explain(cmd, applied, bundle, want)
	}
	return cmd
}

func explain(cmd *cobra.Command, applied *appliedPolicy, bundle *attest.Bundle, want attest.Expect) error {
	decision, rules, err := applied.ExplainRun(cmd.Context(), bundle, want)
	if is[*attest.VerificationError](err) {
		return cli.WithHint(err, "verify --policy says more about a run that is not verified")
	}
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

func (o *output) printExplanation(d *policy.Decision, rules []policy.Explanation) error {
	answer := o.paintAnswer(true, "allowed")
	if !d.Allowed {
		answer = o.paintAnswer(false, "DENIED")
	}
	if err := o.Lines(d.Lines(rules)...); err != nil {
		return err
	}
	return o.WriteRaw([]byte(answer + "\n"))
}
