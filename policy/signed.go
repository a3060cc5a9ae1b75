package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
)

// UnsignedError says that there is no file with the signature of a policy, or none that can be read.
type UnsignedError struct {
	Path string // of the policy
	Err  error  // what reading the signature's file said
}

func (e *UnsignedError) Error() string { return fmt.Sprintf("the policy is not signed: %v", e.Err) }
func (e *UnsignedError) Unwrap() error { return e.Err }

// SignatureError says that a policy is not signed as the verifier demands: a no. It wraps nothing, so that what is wrong
// with the policy's signature is not taken for what is wrong with the signature of a run.
type SignatureError struct {
	Path   string // of the signature
	Reason string
}

func (e *SignatureError) Error() string { return e.Path + ": " + e.Reason }

// LoadSigned reads the policy in a file, and holds it against the signature in the file beside it, named with
// SignatureSuffix. The verifier says who may release policies; it must not come from the policy, which cannot vouch for its
// own signature. The error is an *UnsignedError or a *SignatureError, or one of Load's.
func LoadSigned(ctx context.Context, path string, v *attest.Verifier, o Options) (*Policy, error) {
	if v == nil {
		return nil, errors.New("no verifier says who may sign the policy")
	}
	p, err := Load(path, o)
	if err != nil {
		return nil, err
	}
	sidecar := path + SignatureSuffix
	data, err := boundedfile.ReadRegular(sidecar, limits.Bundle)
	if err != nil {
		return nil, &UnsignedError{path, err}
	}
	bundle, err := attest.ParseBundle(data)
	if err == nil {
		_, err = p.VerifySignature(ctx, bundle, v)
	}
	if err != nil {
		return nil, &SignatureError{sidecar, err.Error()}
	}
	p.paths = append(p.paths, sidecar)
	return p, nil
}
