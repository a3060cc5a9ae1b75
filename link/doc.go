// Package link says how artifacts belong to runs that have been executed: a signed claim that
// a run has produced an artifact, consumed it, or took place in it.
//
//	claim, err := link.New(link.Link{Run: id, Relation: link.Produced, Artifacts: artifacts})
//	bundle, err := attest.Sign(ctx, claim, key, attest.SignOptions{})
//
//	verified, err := link.Verify(ctx, verifier, bundle, link.Expect{Run: &id, Artifacts: artifacts})
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
package link
