package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/policy"
)

func newPolicySign() *cobra.Command {
	cmd := newCommand("policy_sign")
	cmd.Args = cli.OneArg("policy")
	cmd.ValidArgsFunction = cli.CompleteFiles("yaml", "yml", "json")
	who := newSignerFlags(cmd)
	target := cmd.Flags().String("bundle", "", "the `FILE` for the signature; it may replace a bundle (default: FILE.sigstore.json)")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *target == "" {
			var err error
			if *target, err = overwrite.Beside(args[0], signatureSuffix); err != nil {
				return err
			}
		}
		return signPolicy(cmd, args[0], who, cli.OutputName(*target))
	}
	return cmd
}

func signPolicy(cmd *cobra.Command, path string, who *signerFlags, target string) error {
	p, err := policy.Load(path, policyOptions)
	if err != nil {
		return err
	}
	claim, err := p.Statement()
	if err != nil {
		return err
	}
	if err := who.notOver(target, who.reads(p.Paths()...)); err != nil {
		return err
	}
	if err := overwrite.CheckKind(target, input.KindBundle, files.Kind, limits.Bundle); err != nil {
		return err
	}
	return who.signClaim(cmd, claim, attest.SigstoreBundle, claimFile{path: target}, func(o *output) error {
		digest := fmt.Sprintf("%x", p.Digest())
		return o.Result(map[string]any{"policy": path, "policyDigest": digest, "bundle": target}, "%s  %s", digest, path)
	})
}
