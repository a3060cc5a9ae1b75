// Package lineage says where runs come from and what came of them: it verifies the graph of runs and their parents,
// and the links between runs and their artifacts.
//
// # Runs and their parents
//
// A run names the runs that it descends from by identity, and each is attested by bundles of its own.
//
//	graph, err := lineage.Build(ctx, verifier, bundles, lineage.Options{})
//	for step := range graph.Walk(graph.Roots()...) {
//		fmt.Println(step.Depth, step.Node.ID(), step.Node.State())
//	}
//
// Bundles come from anywhere; registry.Target.Runs gives those of a repository.
//
// # What an edge is worth
//
// A run's parents stand in its declaration, and its identity is the hash of that. So an identity
// that recomputes proves its parents, whether the signer is trusted or not: parents are followed from
// bundles of untrusted signers too, and shown as such. If the identity does not recompute,
// the parents in the bundle are ignored. A cycle would be a cycle of SHA-256, and a
// file that claims one does not recompute. No traversal depends on that: each visits a run
// once, and none is recursive.
//
// # States
//
// A run is verified if any of its bundles is; unverified if there are bundles of it and none
// is verified; missing if it is named as a parent, or asked for, or its declaration alone is given
// (Input.Declaration), and there is no bundle of it.
//
// Whichever it is, it may be rejected by approvers that the caller trusts (Options.Rejected). Package policy
// finds them.
//
// # Order of time
//
// A trusted time proves that a signature existed by then; nothing proves that it did not exist
// earlier. What can be shown is this: a run whose earliest trusted time is before its parent's was
// declared before its parent was attested. Such a run is flagged (Node.EarlierThan),
// as declared before its parent by trusted time. Ancestors without trusted time are passed over to
// those above them.
//
// A time has an accuracy and is an interval. A run is flagged if the order is certain: the latest instant of its time is
// before the earliest instant of its parent's. A link to a verified run is refused by the same rule. Instants are compared
// in whole seconds, to which authorities round. A demand for proof is the other way round: what is to be declared by
// a time is held against the latest instant (Node.DeclaredBy).
//
// That the parent's declaration existed before its child's needs no clock: its hash is in the child.
//
// # Cost
//
// Bundles are read one after another, verified on all processors, and not kept: a run takes some
// two hundred bytes. The result does not depend on which is verified first. How much a lineage may
// hold is bounded: ErrTooLarge.
//
// # Runs and their artifacts
//
// A link is a signed claim about a run that was executed and artifacts: the run produced them, consumed them, or took
// place in them.
//
//	claim, err := lineage.NewLink(lineage.Link{Run: id, Relation: lineage.Produced, Artifacts: artifacts})
//	bundle, err := attest.Sign(ctx, claim, key, attest.SignOptions{})
//
//	verified, err := lineage.VerifyLink(ctx, verifier, bundle, lineage.ExpectLink{Run: &id, Artifacts: artifacts})
//
// A run's identity exists before the run, and nothing that the execution makes can enter it. A link
// comes afterwards. It is an in-toto Statement v1 of its own, whose subjects are the artifacts
// and whose predicate names the run:
//
//	{
//	  "_type": "https://in-toto.io/Statement/v1",
//	  "predicate": {
//	    "annotations": {"ticket": "ML-1234"},        optional
//	    "identity": "airun:1:sha256:<64 hex>",
//	    "relation": "produced"                       or consumed, container
//	  },
//	  "predicateType": "https://github.com/runattest/runattest/run-link/v1",
//	  "subject": [{"digest": {"sha256": "<64 hex>"}, "name": "model.safetensors"}, ...]
//	}
//
// It is a claim by its signer and proves nothing about the run: that the run is verified, or that
// it was executed at all, it does not say. docs/spec/predicate-run-link-v1.md is the specification.
package lineage
