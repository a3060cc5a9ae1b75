package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/sigstore"
)

// policySigners are who may have signed the policy itself. They are said on the command line and
// nowhere else: a policy, and the trusted root in it, cannot vouch for its own signature.
type policySigners struct{ trustFlags }

const (
	flagPolicyKey    = "policy-key"
	flagPolicyName   = "policy-" + flagName
	flagPolicyIssuer = "policy-" + flagIssuer
	flagPolicyRoot   = "policy-trusted-root"
)

// policySignerFlags are the names of the flags that newPolicySigners declares.
var policySignerFlags = []string{flagPolicyKey, flagPolicyName, flagPolicyIssuer, flagPolicyRoot}

// newPolicySigners declares the flags of every command that reads a policy.
func newPolicySigners(cmd *cobra.Command) *policySigners {
	s := policySigners{trustFlags{prefix: "policy-"}}
	f := cmd.Flags()
	f.StringArrayVar(&s.keys, flagPolicyKey, nil, "refuse the policy unless FILE.sigstore.json beside it is signed with this `KEY`: a public key file, env://NAME or a KMS key (repeatable)")
	f.StringArrayVar(&s.names, flagPolicyName, nil, "refuse the policy unless FILE.sigstore.json beside it is signed with a certificate for this `NAME`: an email, a workflow's URL (repeatable)")
	f.StringArrayVar(&s.issuers, flagPolicyIssuer, nil, "who checked the identity of the policy's signer: an OIDC issuer's `URL` (repeatable)")
	f.StringVar(&s.root, flagPolicyRoot, "", "who vouches for the certificate of the policy's signer: a Sigstore TrustedRoot `FILE`; never the policy's own")
	_ = cmd.MarkFlagFilename(flagPolicyRoot, "json")
	return &s
}

// verifier is nil where no signature is asked for.
func (s *policySigners) verifier(cmd *cobra.Command) (*attest.Verifier, error) {
	identities, err := s.identities(newOutput(cmd))
	switch {
	case err != nil:
		return nil, err
	case len(identities) > 0 && s.root == "":
		return nil, cli.WithHint(fmt.Errorf("--%s without a trusted root: no authority is trusted to issue certificates", flagPolicyName),
			"give --"+flagPolicyRoot+" FILE; runattest trusted-root makes or fetches one")
	case len(identities) == 0 && s.root != "":
		return nil, fmt.Errorf("--%s goes with --%s", flagPolicyRoot, flagPolicyName)
	case len(identities)+len(s.keys) == 0:
		return nil, nil
	}
	trust, err := s.trust(cmd)
	if err != nil {
		return nil, err
	}
	return attest.NewVerifier(trust)
}

// policyOptions let policies trust what package sigstore verifies.
var policyOptions = policy.Options{TrustedRoots: sigstore.Authorities}

// loadPolicy reads a policy, and where signers are named holds it against its signature.
func loadPolicy(cmd *cobra.Command, path string, signers *policySigners, o policy.Options) (*policy.Policy, error) {
	if path == cli.Stdout {
		return nil, cli.WithHint(errors.New("want a file: a policy is not read from standard input"), "put it into a file beside the keys that it names; a file of this name is ./-")
	}
	verifier, err := signers.verifier(cmd)
	if err != nil {
		return nil, err
	}
	if verifier == nil {
		return policy.Load(path, o)
	}
	p, err := policy.LoadSigned(cmd.Context(), path, verifier, o)
	if unsigned := (*policy.UnsignedError)(nil); errors.As(err, &unsigned) {
		return nil, cli.WithHint(fmt.Errorf("%s asks for a signed policy: %w", signers.asked(), unsigned.Err), "runattest policy sign signs one")
	}
	return p, err
}

// asked is the flag that asks for a signature.
func (s *policySigners) asked() string {
	if len(s.keys) > 0 {
		return "--" + flagPolicyKey
	}
	return "--" + flagPolicyName
}

const signatureSuffix = policy.SignatureSuffix
