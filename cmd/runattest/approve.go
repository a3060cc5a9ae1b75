package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/policy"
)

func newApprove() *cobra.Command {
	cmd := newCommand("approve")
	cmd.Args = cli.OneArg("bundle or ID")
	cmd.ValidArgsFunction = completeBundles
	flags := cmd.Flags()
	who := newSignerFlags(cmd)
	decision := flags.String("decision", "", "the `DECISION`: approved or rejected")
	reason := flags.String("reason", "", "the reason of the decision, a `TEXT` for later readers")
	conditions := flags.StringArray("condition", nil, "a further request of the approver, a `TEXT` (repeatable)")
	expires := flags.String("expires", "", "the `TIME` when the decision stops counting (RFC 3339, UTC)")
	target := flags.String("bundle", "", "the `FILE` for the decision (default: BUNDLE.approval.sigstore.json)")
	_ = cmd.RegisterFlagCompletionFunc("decision", cobra.FixedCompletions([]string{"approved", "rejected"}, cobra.ShellCompDirectiveNoFileComp))
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case *decision == "":
			return errors.New("--decision is required: approved or rejected")
		case *reason == "":
			return errors.New("--reason is required: it explains the decision to later readers")
		}
		s := policy.ApprovalStatement{Decision: policy.Verdict(*decision), Reason: *reason, Conditions: *conditions}
		var err error
		if *expires != "" {
			if s.Expires, err = cli.ParseTime(*expires); err != nil {
				return fmt.Errorf("--expires %w", err)
			}
		}
		if *target == "" {
			if *target = cli.Stdout; !isID(args[0]) && args[0] != cli.Stdout {
				if *target, err = overwrite.Beside(args[0], ".approval"+signatureSuffix); err != nil {
					return err
				}
			}
		}
		if err := s.CheckExpires(clock()); err != nil {
			return fmt.Errorf("--expires %s: %w", *expires, err)
		}
		if err = overwrite.CheckTarget(cli.OutputName(*target)); err != nil {
			return err
		}
		if s.Identity, err = runOf(cmd, args[0]); err != nil {
			return err
		}
		return approve(cmd, s, who, *target)
	}
	return cmd
}

func approve(cmd *cobra.Command, s policy.ApprovalStatement, who *signerFlags, target string) error {
	claim, err := policy.NewApproval(s)
	if err != nil {
		return err
	}
	if target = cli.OutputName(target); target != cli.Stdout { // it may be the decision of another approver
		if err := overwrite.MustBeNew(target); err != nil {
			return cli.WithHint(err, "name another file with --bundle, and give both with --approvals")
		}
	}
	to := claimFile{path: target, anew: true, said: fmt.Sprintf("%s  %s", s.Identity, s.Decision)}
	return who.signClaim(cmd, claim, attest.SigstoreBundle, to, func(o *output) error {
		return o.Result(map[string]any{"identity": s.Identity, "decision": s.Decision, "bundle": target}, "%s", s.Identity)
	})
}
