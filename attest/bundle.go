package attest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// The media types of files.
const (
	// BundleMediaType is the media type of a Sigstore bundle v0.3, the version that is written.
	BundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// RunProofMediaType is that of a run proof, and RunSetMediaType of the first line of a run set.
	RunProofMediaType = "application/vnd.runattest.run-proof.v1+json"
	RunSetMediaType   = "application/vnd.runattest.run-set.v1+json"
)

// readMediaTypes are the versions that are read, as Sigstore's clients have spelled them.
var readMediaTypes = []string{
	BundleMediaType,
	"application/vnd.dev.sigstore.bundle+json;version=0.3",
	"application/vnd.dev.sigstore.bundle+json;version=0.2",
	"application/vnd.dev.sigstore.bundle+json;version=0.1",
}

// Format is how a signed Statement is carried.
type Format string

// The formats.
const (
	SigstoreBundle Format = "bundle" // Sigstore bundle v0.3
	DSSE           Format = "dsse"   // a bare DSSE envelope
	// RunProof is one run of a set: its Statement, the set's bundle, and the proof that the run is in the set.
	RunProof Format = "run-proof"
)

// Bundle is a signed Statement as it was read or made. Nothing in it is believed: Verify
// decides. It is immutable.
type Bundle struct {
	format      Format
	mediaType   string // "" in a bare envelope
	payloadType string
	payload     []byte
	signatures  []signature
	material    material
	member      *member // the run, where the payload is that of its set

	one [1]signature // memory for signatures: there is one in what can be verified
}

// signature is one signature of an envelope. keyID is a claim.
type signature struct {
	bytes []byte
	keyID string
}

var bundleRules = canonical.Options{ExactNumbers: true, MaxDepth: limits.BundleDepth, MaxValues: limits.BundleValues}

// errNoBundle is for a nil *Bundle, and for one that ParseBundle and Sign have not made.
var errNoBundle = errors.New("no bundle: it is nil or a zero value")

// ParseBundle reads a Sigstore bundle (v0.3, or v0.1 and v0.2, which older clients wrote) that
// holds a DSSE envelope, a bare DSSE envelope, or the proof of one run in a set: strict JSON, strict base64 in either
// alphabet, no unknown members.
// A null stands for a member that is left out where bundle.proto makes the member optional. Errors wrap ErrMalformed.
func ParseBundle(data []byte) (*Bundle, error) {
	b, err := parseBundle(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

func parseBundle(data []byte) (*Bundle, error) {
	if len(data) > limits.Bundle {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), limits.Bundle)
	}
	m := jsontree.Borrow() // of which nothing is kept
	defer m.Return()
	root, err := m.Read(data, bundleRules)
	if err != nil && bytes.Contains(data, []byte(RunProofMediaType)) { // which has a Statement as JSON in it, where bundles have base64
		root, err = m.Read(data, proofRules)
	}
	if err != nil {
		return nil, err
	}
	if root.Kind() != jsontree.Object {
		return nil, fmt.Errorf("is of type %s, want a Sigstore bundle or a DSSE envelope", root.Kind())
	}
	if root.Get("mediaType").Kind() == jsontree.Absent && root.Get("payloadType").Kind() != jsontree.Absent {
		b := &Bundle{format: DSSE}
		return b, b.readEnvelope(root)
	}
	b := &Bundle{}
	switch string(root.Get("mediaType").Bytes()) {
	case RunProofMediaType:
		b.format = RunProof
		return b, b.readProof(root)
	case RunSetMediaType:
		return nil, errors.New("is a run set, want the bundle of one run, or the proof that the run is in the set")
	}
	b.format = SigstoreBundle
	return b, b.readBundle(root)
}

func (b *Bundle) readBundle(root jsontree.Value) error {
	mediaType := root.Get("mediaType")
	i := slices.IndexFunc(readMediaTypes, func(known string) bool { return known == string(mediaType.Bytes()) })
	if i < 0 {
		return fmt.Errorf("mediaType is %s, want %s", strconv.Quote(mediaType.Text()), BundleMediaType)
	}
	b.mediaType = readMediaTypes[i]
	if optional(root, "messageSignature").Kind() != jsontree.Absent {
		return errors.New("holds the signature of a file, want a DSSE envelope with a statement")
	}
	if err := checkMembers(root, "mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"); err != nil {
		return err
	}
	if err := b.material.read(root.Get("verificationMaterial")); err != nil {
		return fmt.Errorf("verificationMaterial: %w", err)
	}
	if err := checkVersion(root.Get("verificationMaterial"), versionOf(b.mediaType)); err != nil {
		return fmt.Errorf("verificationMaterial.%w", err)
	}
	if err := b.readEnvelope(root.Get("dsseEnvelope")); err != nil {
		return fmt.Errorf("dsseEnvelope: %w", err)
	}
	return nil
}

func (b *Bundle) readEnvelope(v jsontree.Value) error {
	if err := checkMembers(v, "payload", "payloadType", "signatures"); err != nil {
		return err
	}
	payload, payloadType, signatures := v.Get("payload"), v.Get("payloadType"), v.Get("signatures")
	if payload.Kind() != jsontree.String || payloadType.Kind() != jsontree.String || signatures.Kind() != jsontree.Array {
		return errors.New("want payload and payloadType as strings and signatures as an array")
	}
	b.signatures = b.one[:0]
	var err error
	if b.payload, err = decodeBase64(payload.Bytes()); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	if b.payloadType = PayloadType; string(payloadType.Bytes()) != PayloadType {
		b.payloadType = payloadType.Text()
	}
	for i, s := range signatures.Elements() {
		if i == limits.Signatures {
			return fmt.Errorf("has more than %d signatures, want one", limits.Signatures)
		}
		if err := checkMembers(s, "sig", "keyid"); err != nil {
			return fmt.Errorf("signatures[%d]: %w", i, err)
		}
		keyID, err := optionalText(s, "keyid", b.material.keyHint)
		if err != nil {
			return fmt.Errorf("signatures[%d].%w", i, err)
		}
		sig, err := readBase64(s, "sig", limits.Bundle)
		if err != nil {
			return fmt.Errorf("signatures[%d].%w", i, err)
		}
		b.signatures = append(b.signatures, signature{sig, keyID})
	}
	return nil
}

// Format is how the bundle is carried.
func (b *Bundle) Format() Format { return zero.IfNil(b).format }

// Marshal writes the bundle in RFC 8785 form, without a newline at its end: one line,
// fit for a file of its own and for JSON Lines.
func (b *Bundle) Marshal() ([]byte, error) {
	if b == nil || b.format == "" {
		return nil, errNoBundle
	}
	out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(b.payload))+len(b.material.text)+512)
	switch b.format {
	case DSSE:
		return b.appendEnvelope(out), nil
	case RunProof:
		return b.appendProof(out)
	}
	return b.appendBundle(out)
}

func (b *Bundle) appendBundle(out []byte) ([]byte, error) {
	out = b.appendEnvelope(append(out, `{"dsseEnvelope":`...))
	out = appendString(append(out, `,"mediaType":`...), b.mediaType)
	out, err := b.material.append(append(out, `,"verificationMaterial":`...))
	if err != nil {
		return nil, err
	}
	return append(out, '}'), nil
}

func (b *Bundle) appendEnvelope(out []byte) []byte {
	out = appendBase64(append(out, `{"payload":`...), b.payload)
	out = appendString(append(out, `,"payloadType":`...), b.payloadType)
	out = append(out, `,"signatures":[`...)
	for i, s := range b.signatures {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '{')
		if s.keyID != "" {
			out = append(appendString(append(out, `"keyid":`...), s.keyID), ',')
		}
		out = append(appendBase64(append(out, `"sig":`...), s.bytes), '}')
	}
	return append(out, `]}`...)
}

// keyHint is the key that the bundle says it is signed with, "" if it does not say.
func (b *Bundle) keyHint() string {
	if b.material.keyHint == "" && len(b.signatures) == 1 {
		return b.signatures[0].keyID
	}
	return b.material.keyHint
}
