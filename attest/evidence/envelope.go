package evidence

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/runattest/runattest/signer"
)

// Envelope is what a trust check looks at. All of it is a claim of the bundle's maker.
type Envelope struct {
	MediaType   string // of the bundle; "" for a bare DSSE envelope
	PayloadType string
	Payload     []byte
	Signature   []byte // the one signature, over Message
	// KeyHint is the key that the bundle names, "" if it names none.
	KeyHint string
	// Certificates are what the bundle names instead of a key: DER, the signer's first. Those that follow it are claims of
	// the bundle's maker, too; they are never trusted roots.
	Certificates [][]byte
	Evidence     Material
	// Work bounds what is spent on finding who has signed, where the envelope may be a stranger's; nil bounds nothing.
	Work *signer.Work
}

// Message is what is signed: DSSE's pre-authentication encoding of type and payload.
func (e Envelope) Message() []byte {
	return e.AppendMessage(make([]byte, 0, len("DSSEv1")+len(e.PayloadType)+len(e.Payload)+48))
}

// AppendMessage appends Message to dst.
func (e Envelope) AppendMessage(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, "DSSEv1 "...), int64(len(e.PayloadType)), 10)
	dst = append(append(append(dst, ' '), e.PayloadType...), ' ')
	dst = strconv.AppendInt(dst, int64(len(e.Payload)), 10)
	return append(append(dst, ' '), e.Payload...)
}

// Material is what timestamp authorities and transparency logs have signed about a signature: when it existed, and where
// it is logged.
type Material struct {
	Timestamps [][]byte // RFC 3161 TimeStampResp over the signature, DER
	LogEntries [][]byte // dev.sigstore.rekor.v1.TransparencyLogEntry, protobuf JSON
}

// Witness asks timestamp authorities and transparency logs about a signature that was just made, and gathers their answers.
type Witness interface {
	Witness(ctx context.Context, e Envelope) (Material, error)
}

// ErrSignAgain is what a Witness's error wraps where this signature cannot be witnessed, but another one over the same
// statement could: a log whose answer was lost does not give it again.
var ErrSignAgain = errors.New("another signature is needed")

// SignatureCountError says that an envelope has no signature, or several: no verifier accepts it.
type SignatureCountError struct{ Signatures int }

func (e *SignatureCountError) Error() string {
	if e == nil {
		e = &SignatureCountError{}
	}
	return fmt.Sprintf("the envelope has %d signatures, want exactly one", e.Signatures)
}
