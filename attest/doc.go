// Package attest gives a declared run a signed identity, and verifies one.
//
// The identity goes into an in-toto Statement v1, in RFC 8785 form:
//
//	{
//	  "_type": "https://in-toto.io/Statement/v1",
//	  "predicate": {
//	    "annotations": {"ticket": "ML-1234"},        optional, signed, no part of the identity
//	    "declaration": {...},                        or "declarationRef", where it is detached
//	    "identity": "airun:1:sha256:<64 hex>"
//	  },
//	  "predicateType": "https://github.com/runattest/runattest/run-identity/v1",
//	  "subject": [
//	    {"digest": {"sha256": "<64 hex>"}, "name": "airun:1:sha256:<64 hex>"},
//	    ...                                          artifacts to which the run belongs
//	  ]
//	}
//
// The Statement's bytes are signed through DSSE as payload type application/vnd.in-toto+json
// and carried as a Sigstore bundle v0.3 with exactly one signature, or as a bare DSSE
// envelope. Several bundles go in JSON Lines.
//
// # The shortest way
//
// SignFile and VerifyFile are the functions to start with: from a file to a bundle, and from a bundle to an answer.
//
//	key, err := signer.Load(ctx, "prod.key", nil)
//	bundle, err := attest.SignFile(ctx, "run.json", key, attest.SignOptions{})
//	err = bundle.WriteFile("run.json.sigstore.json")
//
//	trust, err := attest.TrustKeyFiles("prod.pub")
//	verified, err := attest.VerifyFile(ctx, "run.json.sigstore.json", trust, attest.Expect{})
//
// # Signing
//
// What is in memory already, or belongs to artifacts, or carries annotations, is signed in two steps:
//
//	statement, err := attest.New(declaration, attest.StatementOptions{})
//	bundle, err := attest.Sign(ctx, statement, key, attest.SignOptions{})
//	data, err := bundle.Marshal()
//
// # Verifying
//
// A verifier is made for the signers that it trusts, and answers eight questions about a
// bundle, each with a verdict of its own: signature, signer, time, statement, identity,
// declaration, subject, policy. Of a run in a set it answers inclusion after statement, and
// who holds a run against its source adds source at the end. Only verification makes a *Verified, so that code which takes one
// cannot be handed anything else.
//
//	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "prod", Key: key})
//	verifier, err := attest.NewVerifier(trust)
//	verified, err := verifier.Verify(ctx, bundle, attest.Expect{})
//
// Keys are one way to trust signers; package sigstore has certificates, timestamps and transparency logs. Package
// evidence, below this one, has what a report's checks are made of, and what other implementations of Trust need.
//
// Everything is decided on the payload's raw bytes: they are parsed strictly (duplicate and
// unknown members, case variants, inexact numbers and trailing data are refused), and the
// identity is recomputed from them. Verification opens no socket, and only SignFile, VerifyFile, TrustKeyFiles and
// (*Bundle).WriteFile open files: those that they are given.
//
// What a bundle says can be looked at without verifying it, under a name that says so:
// UnverifiedStatement.
//
// In this package and the others of this module a nil or zero argument is an error, or has an empty answer, and never a
// panic; a nil context.Context is the one exception.
package attest
