package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
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

// load is loadAgain for decisions about this moment; nil without --policy.
func (p *policyFlags) load(cmd *cobra.Command, again bool) (*appliedPolicy, error) {
	applied, err := p.loadAgain(cmd, again)
	if applied != nil {
		applied.decideNow()
	}
	return applied, err
}

// loadAgain reads what the flags name. With again, what lies in registries is read anew for each decision, and not once for all.
func (p *policyFlags) loadAgain(cmd *cobra.Command, again bool) (*appliedPolicy, error) {
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
	if slices.Contains(p.lineage, input.Stdin) {
		return nil, errors.New("--lineage -: name a folder, a file or a repository")
	}
	applied := &appliedPolicy{evidenceProgress: &evidenceProgress{out: newOutput(cmd)}}
	applied.Given.Clock = "this machine's clock"
	var err error
	if p.at != "" {
		if applied.at, err = cli.ParseTime(p.at); err != nil {
			return nil, fmt.Errorf("--at %w", err)
		}
		applied.Given.Clock, applied.Given.Replay = "--at", true
	}
	if applied.Policy, err = loadPolicy(cmd, p.path, p.signers); err != nil {
		return nil, err
	}
	if len(p.approvals) > 0 && !applied.NamesApprovers() {
		return nil, &usageError{cli.WithHint(fmt.Errorf("--approvals: %w: %s", policy.ErrNoApprovers, p.path),
			"name approvers in the policy, or leave --approvals out")}
	}
	e := &applied.Evidence
	e.PassedOver = applied.passedOver
	if len(p.lineage) > 0 {
		e.Lineage = flagLineageSource{p.reach.places().Lineage(p.lineage...), applied.evidenceProgress}
		applied.OneLineage = !slices.ContainsFunc(p.lineage, registry.IsReference)
	}
	e.Approvals, err = p.approvalSource(cmd, applied.evidenceProgress, again)
	return applied, err
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
