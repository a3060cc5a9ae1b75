package registry

import (
	"context"
	"fmt"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
)

// AttachFile attaches the one bundle in a file to the artifact that a reference names, in a registry or an OCI layout:
// ParseReference, Open, Resolve and Attach in one call. The artifact must be among the subjects of the bundle's statement, or the
// error is ErrNotSubject: attest.SignFile signs a statement without subjects, so use attest.New with the Subject of the Artifact.
func AttachFile(ctx context.Context, reference, path string, o Options) (Attached, error) {
	ref, err := ParseReference(reference)
	if err != nil {
		return Attached{}, err
	}
	bundle, err := boundedfile.Read(path, limits.Bundle)
	if err != nil {
		return Attached{}, err
	}
	target, err := Open(ref, o)
	if err != nil {
		return Attached{}, err
	}
	artifact, err := target.Resolve(ctx)
	if err != nil {
		return Attached{}, err
	}
	attached, err := target.Attach(ctx, artifact, bundle)
	if err != nil {
		return Attached{}, fmt.Errorf("%s: %w", path, err)
	}
	return attached[0], nil
}
