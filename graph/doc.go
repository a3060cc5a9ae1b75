// Package graph verifies families of runs: runs name the runs that they descend from, by
// identity, and each is attested by bundles of its own.
//
//	family, err := graph.Build(ctx, verifier, bundles, graph.Options{})
//	for step := range family.Walk(family.Roots()...) {
//		fmt.Println(step.Depth, step.Node.ID(), step.Node.State())
//	}
//
// Bundles come from anywhere; registry.Target.Runs gives those of a repository.
//
// # What an edge is worth
//
// A run's parents stand in its declaration, and its identity is the hash of that. So whoever
// signed it, an identity that recomputes proves its parents: they are followed from bundles of
// signers that nobody trusts, too, and shown as such. Where the identity does not recompute,
// what the bundle says of parents is not looked at. A cycle would be a cycle of SHA-256, and a
// file that claims one does not recompute. No traversal depends on that: each visits a run
// once, and none is recursive.
//
// # States
//
// A run is verified if any of its bundles is; unverified if there are bundles of it and none
// is verified; missing if it is named as a parent, or asked for, or its declaration alone is given
// (Input.Declaration), and there is no bundle of it.
//
// Whichever it is, it may be rejected: by people whom the caller trusts to (Options.Rejected). Package policy
// finds them.
//
// # Order of time
//
// A trusted time proves that a signature existed by then; nothing proves that it did not exist
// earlier. What can be shown is this: a run whose earliest trusted time is before its parent's was
// declared when nobody had yet seen its parent attested. Such a run is flagged (Node.EarlierThan),
// as declared before its parent by trusted time. Ancestors without trusted time are passed over to
// those above them. Times are compared in whole seconds, to which authorities round. That the
// parent's declaration existed before its child's needs no clock: its hash is in the child.
//
// # Cost
//
// Bundles are read one after another, verified on all processors, and not kept: a run takes some
// two hundred bytes. The result does not depend on which is verified first. How much a family may
// hold is bounded: ErrTooLarge.
package graph
