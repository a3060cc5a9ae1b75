// Package runset reads and writes run sets: files of many runs with one signature over all of them, and proofs of single
// runs in a set. docs/spec/predicate-run-set-v1.md defines both.
//
// A run set is a file of lines:
//
//	{"bundle": {...}, "mediaType": "application/vnd.runattest.run-set.v1+json", "seed": "<64 hex>"}
//	a run's Statement, as attest.New makes it
//	...
//
// The bundle signs the root of a Merkle tree (RFC 9162) over the Statements, each behind a salt that comes of the seed, and how
// many they are.
//
// # Signing
//
//	head, err := runset.Write(ctx, file, statements, runset.WriteOptions{
//		Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
//			return attest.Sign(ctx, s, key, attest.SignOptions{})
//		},
//	})
//
// # Verifying
//
// A set is read twice, in constant memory, and gives an attest.Verified for each run:
//
//	set, err := runset.Open(file)
//	head, err := verifier.VerifySetHead(ctx, set.Bundle())
//	for run, err := range head.VerifyRuns(ctx, set.Runs()) { ... }
//
// Verify does the same, and gives one result for the set.
//
// # Proofs
//
// A proof is an attest.Bundle that carries one run of a set: attest.ParseBundle reads it, and a Verifier verifies it as any
// other bundle.
//
//	proof, err := set.Prove(ctx, 3)
//	verified, err := verifier.Verify(ctx, proof, attest.Expect{})
package runset
