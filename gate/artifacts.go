package gate

import (
	"context"
	"io"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/registry"
)

// IsFile says whether Places takes the name of an artifact for that of a file: it is neither a reference nor NAME@sha256:HEX.
func IsFile(name string) bool {
	return !registry.IsReference(name) && !strings.Contains(name, "@sha256:")
}

// Artifact is the artifact of a name as the subject of a statement: what a reference names now, a file by its base name and SHA-256, and
// NAME@sha256:HEX as it is. The bytes of a file are written to progress, too, if it is not nil.
func (p Places) Artifact(ctx context.Context, name string, progress io.Writer) (attest.Subject, error) {
	switch {
	case registry.IsReference(name):
		artifact, err := p.resolve(ctx, name)
		if err != nil {
			return attest.Subject{}, err
		}
		return artifact.Subject()
	case !IsFile(name):
		return attest.ParseSubject(name)
	}
	hashed, err := subjects.HashFiles(progress, name)
	if err != nil {
		return attest.Subject{}, err
	}
	return hashed[0], nil
}

func (p Places) resolve(ctx context.Context, name string) (*registry.Artifact, error) {
	if p.Resolve != nil {
		return p.Resolve(ctx, name)
	}
	target, err := p.open(name)
	if err != nil {
		return nil, err
	}
	return target.Resolve(ctx)
}
