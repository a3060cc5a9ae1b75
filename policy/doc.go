// Package policy says which verified runs may be done.
//
// A policy is one file, YAML or JSON, with a published JSON Schema:
//
//	schema: https://github.com/runattest/runattest/policy/v1
//	trustedRoot: trusted_root.json            trusted authorities and logs
//	signers:                                  who signs runs; at least one
//	  keys:
//	    - {name: ci, key: ci.pub, notBefore: 2026-01-01T00:00:00Z, notAfter: 2027-01-01T00:00:00Z}
//	  certificates:
//	    - {identity: ci@acme.example, issuerRegexp: "https://[a-z]+[.]acme[.]example"}
//	time: {evidence: timestamp, startWithin: 24h}
//	kinds: [training, evaluation]
//	approvals:                                two different people, one for security
//	  required: 2
//	  roles: {security: 1}
//	  approvers:
//	    - {name: alice, role: security, keys: [{key: alice.pub}, {key: alice-laptop.pub}]}
//	    - {name: bob, keys: [{key: bob.pub}]}
//	rules:
//	  - name: budget
//	    expr: declaration.constraints.budget.usd <= 100
//	    message: "budget is {{declaration.constraints.budget.usd}} dollars, want 100 at most"
//	    severity: deny                        or warn
//
// # Deciding
//
//	p, err := policy.Load("policy.yaml", policy.Options{TrustedRoots: sigstore.Authorities})
//	result, err := p.Verify(ctx, bundle, attest.Expect{}, policy.Given{Approvals: approvals, Now: time.Now()})
//
// The policy's own Verifier says who signed and when, and the rules say whether the run may be done. There is a
// result only if both say yes: an *attest.VerificationError says that the bundle is not verified, a *DeniedError, which
// has the Decision, that the run is denied, and any other error that the policy could not be asked. VerifyWith gathers
// what the policy is asked with once the run is known, and Evaluate decides about a run that the Verifier has verified
// already. Given has what the caller brings along: approvals, the lineage, and the time, since this package asks no
// clock. Nothing is remembered from one decision to the next.
//
// New makes a policy of keys in memory. Decide asks one that was read with Options.BeforeSigning about a run that is not
// signed yet; what only a signed bundle can meet is then an error when the policy is read.
//
// # Rules
//
// A rule is an expression in CEL that must be true, over
//
//	declaration  the declaration; a member that declarations do not have is an error when the
//	             policy is loaded, one that this declaration lacks is an error when it is looked at
//	run          id, kind, parents (a list, empty if there are none)
//	signer       kind (key or certificate), name, issuer ("" for a key), algorithm
//	time         verified (bool), timestamps (of kind, authority, time, accuracy), earliest, latest: of the times by which
//	             the timestamps prove that the signature existed, each with its accuracy added
//	annotations  strings by name
//	approvals    those that count, one for each approver and decision, of approver, role, decision, reason, conditions, expires, time
//	ancestors    the runs from which it descends, each once, parents before theirs: id, kind, parents,
//	             signers (as signer), approved, approvals (as approvals), declaredBy where a time is proved
//	now          the time of the decision
//
// with CEL's standard functions and macros, optional values (declaration.constraints.?network),
// lowerAscii, trim and split on strings, and json of any value whose numbers are exact. A number is an int where it is integral and an
// int64 holds it, and a double otherwise; they compare with each other, and do not add.
//
// A rule that cannot be evaluated is not met. What an evaluation may cost is bounded
// (internal/limits), so that no declaration stalls it.
//
// # Ancestors
//
// Rules that read ancestors (NeedsLineage) see all of them or are not met: Given.Lineage, which lineage.Build
// makes of the bundles with the policy's own Verifier, must have each ancestor verified with the policy's
// trust and evidence of time, and none declared before its parent by trusted time. A run without parents
// has none, and needs no lineage.
//
//	graph, err := lineage.Build(ctx, p.Verifier(), bundles, lineage.Options{})
//	result, err := p.Verify(ctx, bundle, attest.Expect{}, policy.Given{Approvals: approvals, Lineage: graph, Now: time.Now()})
//
// An ancestor is approved if the approvals given for it meet the policy's demands for a run, and are at least
// one: by different approvers who did not sign it, not expired now, and without a rejection. If the policy names
// no approvers, no ancestor is approved.
//
// # Approvals
//
// An approval is a signed statement about one run (NewApproval, docs/spec/predicate-run-approval-v1.md).
// One counts if an approver of the policy signed it, within the validity of their key, about
// this run, and it has not expired. Two of one approver count once. An approver
// cannot approve a run that they signed, with any of their keys. A key shared by two approvers cannot approve,
// but can reject. A rejection outweighs every approval. It counts as soon as an approver has signed it,
// at any time; only a decision about the past (Given.Replay) ignores rejections that are dated later.
package policy
