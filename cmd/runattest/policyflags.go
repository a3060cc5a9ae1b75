package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/policy"
)

// policyFlags are the policy that a command applies, and what goes with it.
type policyFlags struct {
	path      string
	approvals []string
	lineage   []string
	at        string
	signers   *policySigners
	reach     *registryFlags
}

const (
	flagLineage = "lineage"
	flagFamily  = "family" // its older name
)

// clock is this machine's. Tests change it.
var clock = time.Now

// newPolicyFlags declares the flags of every command that applies a policy, and those by which
// registries are reached.
func newPolicyFlags(cmd *cobra.Command) *policyFlags {
	p := newApproverFlags(cmd)
	cmd.Flags().StringArrayVar(&p.lineage, flagLineage, nil, "the `BUNDLES` of the run's ancestors: a folder, a file, or a repository of runs (oci://REPO, oci-layout://PATH); read only if a rule of the policy asks for ancestors (repeatable)")
	cli.OlderName(cmd, flagLineage, flagFamily)
	return p
}

// newApproverFlags declares the flags for a policy's trusted signers and approvers.
func newApproverFlags(cmd *cobra.Command) *policyFlags {
	p := policyFlags{reach: newRegistryFlags(cmd)}
	f := cmd.Flags()
	f.StringVar(&p.path, "policy", "", "the `FILE` with the policy that must allow the run; it also names the trusted signers")
	f.StringArrayVar(&p.approvals, "approvals", nil, "the `APPROVALS`: a file of one bundle or JSON Lines, an artifact (oci://REF) that they are attached to, or the repository of runs (oci://REPO, oci-layout://PATH) where each run has its own (repeatable)")
	f.StringVar(&p.at, "at", "", "decide as of this `TIME` (RFC 3339) instead of this machine's clock: approvals and rejections that are dated later do not count")
	p.signers = newPolicySigners(cmd)
	_ = cmd.MarkFlagFilename("policy", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("approvals", "json", "jsonl")
	return &p
}

// load reads what the flags name; nil without --policy. With again, what lies in registries is read anew for each decision, and
// each is one about its own moment.
func (p *policyFlags) load(cmd *cobra.Command, again bool) (*appliedPolicy, error) {
	if err := cli.RefuseBothNames(cmd, flagLineage, flagFamily); err != nil {
		return nil, &usageError{err}
	}
	if p.path == "" {
		for _, name := range append([]string{"approvals", flagLineage, flagFamily, "at"}, policySignerFlags...) {
			if cmd.Flags().Changed(name) {
				return nil, fmt.Errorf("--%s goes with --policy", name)
			}
		}
		return nil, nil
	}
	if slices.ContainsFunc(p.lineage, input.IsStdin) {
		return nil, errors.New("--lineage -: name a folder, a file or a repository")
	}
	shown := &evidenceProgress{out: newOutput(cmd)}
	judge := gate.Judge{Clock: clock, ClockName: "this machine's clock", Again: again, Evidence: gate.Evidence{PassedOver: shown.passedOver}}
	var err error
	if p.at != "" {
		judge.ClockName = "--at"
		if judge.At, err = cli.ParseTime(p.at); err != nil {
			return nil, fmt.Errorf("--at %w", err)
		}
	}
	if judge.Policy, err = loadPolicy(cmd, p.path, p.signers, policyOptions); err != nil {
		return nil, err
	}
	applied, err := p.approvalPlaces(shown).Judge(cmd.Context(), judge, p.approvals, p.lineage)
	switch {
	case errors.Is(err, policy.ErrNoApprovers):
		return nil, &usageError{cli.WithHint(fmt.Errorf("--approvals: %w: %s", err, p.path), "name approvers in the policy, or leave --approvals out")}
	case errors.Is(err, input.ErrRunSet):
		return nil, cli.WithHint(fmt.Errorf("--approvals %w", err), "name the bundles that runattest approve wrote")
	case err != nil && !is[*unreadableApprovalsError](err):
		return nil, fmt.Errorf("--approvals %w", err)
	case err != nil:
		return nil, err
	case len(p.lineage) > 0:
		applied.Evidence.Lineage = flagLineageSource{p.reach.places().Lineage(p.lineage...), shown}
	}
	return &appliedPolicy{applied, shown}, nil
}

// refuseBesidePolicy refuses flags that name trusted signers beside a policy, which names them itself.
func (t *trustFlags) refuseBesidePolicy(cmd *cobra.Command) error {
	for _, name := range []string{
		"key", "key-validity", "trusted-root", "certificate-identity", "certificate-identity-regexp",
		"certificate-oidc-issuer", "certificate-oidc-issuer-regexp", "require-timestamp", "require-log", "signed-before",
	} {
		if cmd.Flags().Changed(name) {
			return cli.WithHint(fmt.Errorf("--%s and --policy: the policy names the trusted signers, and with which evidence", name), "put it into the policy")
		}
	}
	return nil
}
