package attest

import (
	"encoding/base64"
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

// checkMembers refuses a value that is no object, or has a member of another name.
// Names are compared byte for byte: Identity is not identity.
func checkMembers(v jsontree.Value, allowed ...string) error {
	if v.Kind() != jsontree.Object {
		return fmt.Errorf("is of type %s, want object", v.Kind())
	}
	for name := range v.Members() {
		if slices.Contains(allowed, string(name)) {
			continue
		}
		for _, a := range allowed {
			if strings.EqualFold(a, string(name)) {
				return fmt.Errorf("unknown member %q; %q is written differently", name, a)
			}
		}
		return fmt.Errorf("unknown member %q", name)
	}
	return nil
}

// wantKinds refuses members of another type; absent ones are no matter.
func wantKinds(v jsontree.Value, kinds map[string]jsontree.Kind) error {
	for name, m := range v.Members() {
		if want, ok := kinds[string(name)]; ok && m.Kind() != want {
			return fmt.Errorf("%s: is of type %s, want %s", name, m.Kind(), want)
		}
	}
	return nil
}

// decodeBase64 takes standard base64 in its one spelling: padded, no line breaks, no
// stray bits. Anything else would let two texts carry one signature.
func decodeBase64(text []byte) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(out, text)
	if err != nil || base64.StdEncoding.EncodedLen(n) != len(text) { // the decoder skips line breaks
		return nil, errors.New("not strict standard base64")
	}
	return out[:n], nil
}
