package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
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

// Mistaken gives what programs that do not follow DSSE sign in place of Message, and what it is called. It explains why a signature does
// not verify, and proves nothing.
func (e Envelope) Mistaken() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		message, text := e.Message(), []byte(base64.StdEncoding.EncodeToString(e.Payload))
		ofMessage, ofPayload := sha256.Sum256(message), sha256.Sum256(e.Payload)
		_ = yield("the payload alone", e.Payload) &&
			yield("the payload alone, in base64", text) &&
			yield("DSSE's PAE of the payload in base64", Envelope{PayloadType: e.PayloadType, Payload: text}.Message()) &&
			yield("the SHA-256 of DSSE's PAE, which was hashed again", ofMessage[:]) &&
			yield("the SHA-256 of the payload, which was hashed again", ofPayload[:]) &&
			yield("the SHA-256 of DSSE's PAE in hexadecimal", hex.AppendEncode(nil, ofMessage[:])) &&
			yield("the SHA-256 of the payload in hexadecimal", hex.AppendEncode(nil, ofPayload[:]))
	}
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
