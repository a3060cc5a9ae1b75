// Package registry keeps run attestations beside the artifacts that they are about: in OCI
// registries, and in OCI image layouts (folders and tarballs), where any OCI 1.1 client finds them.
//
// # Attestations of an artifact
//
// A bundle is stored as cosign v3 stores it: a manifest whose subject is the artifact, whose
// artifactType and only layer are application/vnd.dev.sigstore.bundle.v0.3+json, with an
// empty config:
//
//	{
//	  "schemaVersion": 2,
//	  "mediaType": "application/vnd.oci.image.manifest.v1+json",
//	  "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
//	  "config": {"mediaType": "application/vnd.oci.empty.v1+json", ...},
//	  "layers": [{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", ...}],
//	  "subject": {...},
//	  "annotations": {
//	    "dev.sigstore.bundle.content": "dsse-envelope",
//	    "dev.sigstore.bundle.predicateType": "https://github.com/runattest/runattest/run-identity/v1",
//	    "org.opencontainers.image.created": "2026-11-24T09:00:00Z"
//	  }
//	}
//
// The proof of a run in a set (attest.RunProof) has the same form, with attest.RunProofMediaType for artifactType and layer,
// and without the annotation dev.sigstore.bundle.content.
//
// AttachFile is the shortest way from a bundle in a file to the artifact that is its subject:
//
//	attached, err := registry.AttachFile(ctx, "ghcr.io/acme/trainer:v3", "run.json.sigstore.json", registry.Options{})
//
// For everything else, Open and Resolve first; then Attach, or List and its Bundles:
//
//	ref, err := registry.ParseReference("ghcr.io/acme/trainer:v3")
//	target, err := registry.Open(ref, registry.Options{})
//	artifact, err := target.Resolve(ctx)
//
// A run's attestation names the artifact as a subject, so that it is signed after the artifact is resolved; d is an
// *identity.Declaration, and key a signer.Signer:
//
//	subject, err := artifact.Subject()
//	statement, err := attest.New(d, attest.StatementOptions{Subjects: []attest.Subject{subject}})
//	bundle, err := attest.Sign(ctx, statement, key, attest.SignOptions{})
//	text, err := bundle.Marshal()
//	attached, err := target.Attach(ctx, artifact, text)
//
//	listing, err := target.List(ctx, artifact, attest.PredicateType)
//	for found, err := range listing.Bundles(ctx) { ... }
//
// Content is believed to be what its digest says, and nothing more: what Bundles gives is for
// attest.Verifier to judge, with Artifact.Expect.
//
// # Registries without the referrers API
//
// There the referrers of an artifact are listed in an index under the tag sha256-HEX, which
// every client that attaches something reads, changes and writes back. internal/remote/fallback.go says what is
// done about several that do so at once, and what that cannot guarantee.
//
// # Layouts
//
// A layout's referrers stand in its index.json, which writers change in turn, and in indexes under the tags sha256-HEX. A tarball is
// written anew beside the old one, once for each Attach, PushRun or PushRuns, and takes its name:
// internal/layout/tarballwrite.go. A layout that is not there or malformed is an ErrLayout.
//
// # Runs
//
// PushRun stores a run under its identity: an artifact of type
// application/vnd.runattest.declaration.v1+json whose only layer is the declaration's
// canonical form, so that the layer's digest is the identity's. The manifest says nothing else and
// is the same for every client that pushes it; its tag is the identity with - for the colons,
// airun-1-sha256-HEX. Attestations are its referrers. FetchRun recomputes the identity.
// Runs goes through them, all or one's ancestry:
//
//	for kept, err := range target.Runs(ctx, registry.RunsOptions{Of: []identity.ID{id}, Ancestors: true}) { ... }
package registry
