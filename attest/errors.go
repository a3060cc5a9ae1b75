package attest

import (
	"errors"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/zero"
)

// The errors that callers tell apart. A no is a *VerificationError.
var (
	// ErrMalformed says that input is neither a Sigstore bundle nor a DSSE envelope that can
	// be read: it is not even wrong, and no verdict is given.
	ErrMalformed = errors.New("malformed bundle")
	// ErrNoTrust says that a verifier was given no signer to trust.
	ErrNoTrust = errors.New("no signer to trust")
	// ErrNoPlace says that a bare DSSE envelope cannot carry what was asked for besides the signature.
	ErrNoPlace = errors.New("a bare DSSE envelope has no place for certificates, timestamps and log entries")
	// ErrSetChanged says that the second reading of a run set gave other runs than the first.
	ErrSetChanged = errors.New("the run set was changed while it was read")
)

// CheckSignatureCount wants exactly one signature, as verifying does: the error is an *evidence.SignatureCountError. Nothing is verified.
func (b *Bundle) CheckSignatureCount() error {
	if n := len(zero.IfNil(b).signatures); n != 1 {
		return &evidence.SignatureCountError{Signatures: n}
	}
	return nil
}
