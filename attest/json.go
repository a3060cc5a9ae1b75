package attest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
)

// marshal writes v in RFC 8785 form, each number exact.
func marshal(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return canonical.Options{ExactNumbers: true}.Append(nil, text)
}

// appendString appends a string in RFC 8785 form. It is to be valid UTF-8.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			text, _ := marshal(s) // a string can be written
			return append(dst, text...)
		}
	}
	dst = append(append(dst, '"'), s...)
	return append(dst, '"')
}

// appendBase64 appends bytes as a string in base64.
func appendBase64(dst, data []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), data)
	return append(dst, '"')
}

// checkMembers refuses a value that is not an object, or has a member of another name.
// Names are compared byte for byte: Identity is not identity.
func checkMembers(v jsontree.Value, allowed ...string) error {
	if v.Kind() != jsontree.Object {
		return fmt.Errorf("is of type %s, want object", v.Kind())
	}
	for m := v.First(); m.Kind() != jsontree.Absent; m = m.After(v) {
		name, known := m.Name(), false
		for _, a := range allowed {
			known = known || a == string(name)
		}
		if !known {
			return unknownMember(name, slices.Clone(allowed))
		}
	}
	return nil
}

// unknownMember says also which of the names that are allowed the name is like.
func unknownMember(name []byte, allowed []string) error {
	for _, a := range allowed {
		if strings.EqualFold(a, string(name)) {
			return fmt.Errorf("unknown member %q; %q is written differently", name, a)
		}
	}
	return fmt.Errorf("unknown member %q", name)
}

// optional is a member, absent also where it is null: protobuf JSON's other way to leave a member out.
func optional(v jsontree.Value, name string) jsontree.Value {
	if m := v.Get(name); m.Kind() != jsontree.Null {
		return m
	}
	return jsontree.Value{}
}

// optionalText is a string, "" where it is absent or null. If it is likely, that is what is returned, and no copy.
func optionalText(v jsontree.Value, name, likely string) (string, error) {
	m := optional(v, name)
	if k := m.Kind(); k != jsontree.Absent && k != jsontree.String {
		return "", fmt.Errorf("%s: is of type %s, want string", name, k)
	}
	if string(m.Bytes()) == likely {
		return likely, nil
	}
	return m.Text(), nil
}

// readBase64 is a member that is required: 1 to most bytes in strict base64.
func readBase64(v jsontree.Value, name string, most int) ([]byte, error) {
	text := v.Get(name)
	if text.Kind() != jsontree.String {
		return nil, fmt.Errorf("%s: is of type %s, want string", name, text.Kind())
	}
	data, err := decodeBase64(text.Bytes())
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(data) == 0:
		return nil, fmt.Errorf("%s: is empty", name)
	case len(data) > most:
		return nil, fmt.Errorf("%s: %d bytes, want at most %d", name, len(data), most)
	}
	return data, nil
}

var errBase64 = errors.New("not strict base64: want the standard or the URL-safe alphabet, not both, padded and without line breaks")

// decodeBase64 takes base64 in the standard or the URL-safe alphabet, as DSSE 1.0 and protobuf JSON
// demand of readers, and never in a mixture of both. It must be padded, which RFC 4648 wants where
// a specification does not say otherwise, without line breaks and without stray bits.
func decodeBase64(text []byte) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	read := decodeWords(out, text)
	n, err := strictStd.Decode(out[read/4*3:], text[read:])
	if n += read / 4 * 3; err != nil {
		n, err = strictURL.Decode(out, text)
	}
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(text) { // the decoder skips line breaks
		return nil, errBase64
	}
	return out[:n], nil
}

var strictStd, strictURL = base64.StdEncoding.Strict(), base64.URLEncoding.Strict()

// decodeWords decodes eight characters of the standard alphabet at a time, as long as there are others, and says how many.
func decodeWords(out, text []byte) (read int) {
	for write := 0; read+8 <= len(text) && write+8 <= len(out); write += 6 {
		s := text[read : read+8]
		x := sextets[0][s[0]] | sextets[1][s[1]] | sextets[2][s[2]] | sextets[3][s[3]]
		y := sextets[0][s[4]] | sextets[1][s[5]] | sextets[2][s[6]] | sextets[3][s[7]]
		if x|y > 1<<24-1 {
			break
		}
		binary.BigEndian.PutUint64(out[write:], uint64(x)<<40|uint64(y)<<16)
		read += 8
	}
	return read
}

// sextets are the six bits of a character in each of four places; a bit above 24 is set where it is another.
var sextets = func() (places [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range places {
		for c := range places[i] {
			places[i][c] = 1 << 31
		}
		for v := range len(alphabet) {
			places[i][alphabet[v]] = uint32(v) << (18 - 6*i)
		}
	}
	return places
}()
