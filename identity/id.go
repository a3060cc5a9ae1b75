package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// idPrefix names the rules (this document's version 1) and the hash.
const idPrefix = "airun:1:sha256:"

// ID is the identity of a run: the SHA-256 of its declaration's canonical form.
// IDs are comparable with ==. The zero ID is not an identity; no text parses to it.
type ID struct{ sum [sha256.Size]byte }

// ErrNoID says that a text is not an ID in its one spelling.
var ErrNoID = errors.New("not a run identity")

// ParseID reads `airun:1:sha256:` and 64 lower-case hex digits, the only spelling
// of an ID. It is the inverse of String. Errors wrap ErrNoID.
func ParseID(s string) (ID, error) { return parseID([]byte(s)) }

func parseID(s []byte) (ID, error) {
	digits, ok := bytes.CutPrefix(s, []byte(idPrefix))
	if !ok {
		return ID{}, fmt.Errorf("%w: want %s and 64 lower-case hex digits", ErrNoID, idPrefix)
	}
	var id ID
	if len(digits) != 2*len(id.sum) {
		return ID{}, fmt.Errorf("%w: %d hex digits, want %d", ErrNoID, len(digits), 2*len(id.sum))
	}
	if !isLowerHex(digits) {
		return ID{}, fmt.Errorf("%w: digits must be lower-case hex", ErrNoID)
	}
	if _, err := hex.Decode(id.sum[:], digits); err != nil {
		return ID{}, fmt.Errorf("%w: %w", ErrNoID, err)
	}
	if id.IsZero() {
		return ID{}, fmt.Errorf("%w: all digits are zero", ErrNoID)
	}
	return id, nil
}

// String is the ID's one spelling, 79 characters. The zero ID is "".
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	var text [len(idPrefix) + 2*sha256.Size]byte
	spelled, _ := id.AppendText(text[:0])
	return string(spelled)
}

// Hex is the digest alone, as sha256sum prints it.
func (id ID) Hex() string { return hex.EncodeToString(id.sum[:]) }

// Digest is the SHA-256 itself.
func (id ID) Digest() [sha256.Size]byte { return id.sum }

// IsZero reports whether id is the zero ID, which is not an identity.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText writes the ID as String does.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// AppendText appends what MarshalText writes.
func (id ID) AppendText(dst []byte) ([]byte, error) {
	if id.IsZero() {
		return dst, nil
	}
	return hex.AppendEncode(append(dst, idPrefix...), id.sum[:]), nil
}

// UnmarshalText reads what MarshalText writes of an ID that is not zero.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := parseID(text)
	if err != nil {
		return err
	}
	if id == nil {
		return errors.New("identity: nothing to read into")
	}
	*id = parsed
	return nil
}

func isLowerHex[T ~string | ~[]byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
