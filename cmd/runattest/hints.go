package main

import (
	"cmp"
	"slices"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// hints are the hints of packages that know no flags, in words that name them.
var hints = map[evidence.Hint]evidence.Hint{
	evidence.HintTrustedRoot:    "give the trusted root of the timestamp authority: --trusted-root, or trustedRoot in the policy",
	evidence.HintRootChecks:     "a trusted root checks them: --trusted-root, or trustedRoot in the policy",
	evidence.HintTrustIssuer:    "if you trust its issuer: --certificate-identity, --certificate-oidc-issuer and --trusted-root, or the same in the policy",
	evidence.HintTrustKey:       "if you trust the signer: its public key goes to --key, or into the policy's signers",
	evidence.HintTrustIdentity:  "if you trust this signer: --certificate-identity and --certificate-oidc-issuer, or signers in the policy",
	evidence.HintDeclaration:    "give the declaration with --declaration FILE",
	evidence.HintInclusionProof: "have it signed again with a proof of inclusion, or ask for no log: --require-log none, or another evidence in the policy",
	evidence.HintLogEntry:       "sign with --rekor, or ask for none: --require-log none, or another evidence in the policy",
	evidence.HintTimestamp:      "sign with --timestamp-server",
	evidence.HintOtherRoot:      "if you trust that log, use a trusted root that names it: --trusted-root, or trustedRoot in the policy",

	recapture.HintBesideBody: "the declaration is not in the bundle: give all that the request had beside its body, with --provider, --path, --header, --parent",

	lineage.HintRunBundle: "give the run's bundle with --run BUNDLE to have it verified",

	policy.HintCases: "cases are a file of their own, which names the policy: runattest policy test --help shows one",

	registry.HintTimeout:        "--timeout gives it longer",
	registry.HintBusy:           "it is too busy: try again later, or with a longer --timeout",
	registry.HintBusyAnonymous:  "try again later, or with a longer --timeout; many registries allow more once you are logged in",
	registry.HintHasTLS:         "it was asked in plain HTTP, and has TLS: leave out --insecure-http",
	registry.HintLocalTLS:       "it was asked in plain HTTP, as registries on this machine are; --registry-ca FILE makes it HTTPS",
	registry.HintRedirectedHTTP: "--insecure-http allows it",
	registry.HintAuthority:      "--registry-ca FILE names the authority of a private registry",
	registry.HintNoTLS:          "--insecure-http talks plain HTTP to a registry that has no TLS",
	registry.HintMaybeUnlisted:  "what is attached may not be listed: attach it again, or with a longer --timeout",
	registry.HintNotListedYet:   "what is attached is not listed yet: attach it again then, or with a longer --timeout",
}

// hintsByPolicy are those that name trusted signers or evidence, where a policy names them.
var hintsByPolicy = map[evidence.Hint]evidence.Hint{
	evidence.HintTrustedRoot:    "name the trusted root of the timestamp authority: trustedRoot in the policy",
	evidence.HintRootChecks:     "a trusted root checks them: trustedRoot in the policy",
	evidence.HintTrustIssuer:    "if you trust its issuer: put the identity and the issuer into the policy's signers, and trustedRoot into the policy",
	evidence.HintTrustKey:       "if you trust the signer: put its public key into the policy's signers",
	evidence.HintTrustIdentity:  "if you trust this signer: put the identity and the issuer into the policy's signers",
	evidence.HintInclusionProof: "have it signed again with a proof of inclusion, or ask for another evidence in the policy",
	evidence.HintLogEntry:       "sign with --rekor, or ask for another evidence in the policy",
	evidence.HintOtherRoot:      "if you trust that log, use a trusted root that names it: trustedRoot in the policy",
}

// phrased is a hint in the command's words.
func (o *output) phrased(h evidence.Hint) evidence.Hint {
	if own := hintsByPolicy[h]; own != "" && o.byPolicy {
		return own
	}
	return cmp.Or(hints[h], h)
}

func (o *output) phrasedAll(checks []evidence.Check) []evidence.Check {
	checks = slices.Clone(checks)
	for i := range checks {
		checks[i].Hint = o.phrased(checks[i].Hint)
	}
	return checks
}
