package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/source"
	"github.com/runattest/runattest/policy"
)

// policyFlags are the policy that a command applies, and what goes with it.
type policyFlags struct {
	path      string
	approvals []string
	at        string
	keys      []string
}

// newPolicyFlags declares the flags of every command that applies a policy.
func newPolicyFlags(cmd *cobra.Command) *policyFlags {
	var p policyFlags
	f := cmd.Flags()
	f.StringVar(&p.path, "policy", "", "the policy that must allow the run; it says whom to trust, too")
	f.StringArrayVar(&p.approvals, "approvals", nil, "a file of approvals: one bundle, or JSON Lines (repeatable)")
	f.StringVar(&p.at, "at", "", "decide as of this time (RFC 3339) instead of this machine's clock")
	newPolicyKeyFlag(cmd, &p.keys)
	_ = cmd.MarkFlagFilename("policy", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("approvals", "json", "jsonl")
	return &p
}

// newPolicyKeyFlag declares who must have signed the policy itself.
func newPolicyKeyFlag(cmd *cobra.Command, keys *[]string) {
	cmd.Flags().StringArrayVar(keys, "policy-key", nil, "refuse the policy unless FILE.sigstore.json beside it is signed with this key: a public key file, env://NAME or a KMS key (repeatable)")
}

// appliedPolicy is a policy with what it is asked with.
type appliedPolicy struct {
	*policy.Policy
	approvals []policy.Approval
	now       time.Time
}

// load reads what the flags name; nil without --policy.
func (p *policyFlags) load(cmd *cobra.Command) (*appliedPolicy, error) {
	if err := refuseEmpty(cmd, "policy", "at"); err != nil {
		return nil, err
	}
	if p.path == "" {
		for _, name := range []string{"approvals", "at", "policy-key"} {
			if cmd.Flags().Changed(name) {
				return nil, fmt.Errorf("--%s goes with --policy", name)
			}
		}
		return nil, nil
	}
	applied := &appliedPolicy{now: time.Now()}
	var err error
	if p.at != "" {
		if applied.now, err = parseTime(p.at); err != nil {
			return nil, fmt.Errorf("--at %w", err)
		}
	}
	if applied.Policy, err = loadPolicy(cmd, p.path, p.keys); err != nil {
		return nil, err
	}
	applied.approvals, err = readApprovals(p.approvals, cmd.InOrStdin())
	return applied, err
}

// loadPolicy reads a policy, and where keys are given holds it against its signature.
func loadPolicy(cmd *cobra.Command, path string, keys []string) (*policy.Policy, error) {
	p, err := policy.Load(path)
	if err != nil || len(keys) == 0 {
		return p, err
	}
	trusted, err := (&trustFlags{keys: keys}).trustedKeys(cmd.Context())
	if err != nil {
		return nil, fmt.Errorf("--policy-key: %w", err)
	}
	trust, err := attest.TrustKeys(trusted...)
	if err != nil {
		return nil, err
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	sidecar := path + signatureSuffix
	data, err := boundedfile.Read(sidecar, limits.Bundle)
	if err != nil {
		return nil, withHint(fmt.Errorf("--policy-key asks for a signed policy: %w", err), "runattest policy sign signs one")
	}
	bundle, err := attest.ParseBundle(data)
	if err == nil {
		_, err = p.VerifySignature(cmd.Context(), bundle, verifier)
	}
	if err != nil {
		return nil, &refusedPolicyError{fmt.Errorf("%s: %w", sidecar, err)}
	}
	return p, nil
}

const signatureSuffix = ".sigstore.json"

// refusedPolicyError says that a policy is not signed as --policy-key demands: a no.
type refusedPolicyError struct{ error }

func (e *refusedPolicyError) Unwrap() error { return e.error }

func readApprovals(paths []string, stdin io.Reader) ([]policy.Approval, error) {
	var all []policy.Approval
	for _, path := range paths {
		for blob, err := range source.Bundles(path, stdin) {
			var bundle *attest.Bundle
			if err == nil {
				bundle, err = attest.ParseBundle(blob.Data)
			}
			if err != nil {
				return nil, fmt.Errorf("--approvals %s: %w", blob.Name, err)
			}
			all = append(all, policy.Approval{Source: blob.Name, Bundle: bundle})
		}
	}
	return all, nil
}

// refuseBesidePolicy refuses flags that say whom to trust beside a policy, which says it.
func (t *trustFlags) refuseBesidePolicy(cmd *cobra.Command) error {
	for _, name := range []string{
		"key", "key-validity", "trusted-root", "certificate-identity", "certificate-identity-regexp",
		"certificate-oidc-issuer", "certificate-oidc-issuer-regexp", "require-timestamp", "require-log", "signed-before",
	} {
		if cmd.Flags().Changed(name) {
			return withHint(fmt.Errorf("--%s and --policy: the policy says whom to trust, and with which evidence", name), "put it into the policy")
		}
	}
	return nil
}

var errSeveralBundles = errors.New("holds several bundles, want one")

// oneBundle is the one bundle in a file; several are an error.
func oneBundle(path string, stdin io.Reader) (*attest.Bundle, error) {
	var found *attest.Bundle
	for blob, err := range source.Bundles(path, stdin) {
		if err == nil && found != nil {
			err = errSeveralBundles
		}
		if err == nil {
			found, err = attest.ParseBundle(blob.Data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return found, nil
}
