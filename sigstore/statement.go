package sigstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	intoto "github.com/in-toto/attestation/go/v1"

	"github.com/runattest/runattest/internal/jsontree"
)

// checkStatement holds a payload in RFC 8785 form against in-toto's own library, with which other clients read it. The
// library only reads: what is signed is the payload as it is, since a structpb.Struct keeps neither its bytes nor all of
// its numbers.
func checkStatement(payload []byte) error {
	if len(payload) == 0 {
		return errors.New("no statement")
	}
	text, err := withoutPredicate(payload)
	if err != nil {
		return err
	}
	var s intoto.Statement
	if err := readProto(text, &s); err != nil {
		return fmt.Errorf("in-toto's library cannot read the statement: %w", err)
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("in-toto's library refuses the statement: %w", err)
	}
	return nil
}

// withoutPredicate is a Statement whose predicate is empty where it is an object: the library asks nothing else of the
// predicate, and takes seconds for 16 MiB.
func withoutPredicate(payload []byte) ([]byte, error) {
	root, err := jsontree.Parse(payload)
	if err != nil {
		return nil, err
	}
	if root.Kind() != jsontree.Object {
		return nil, fmt.Errorf("the statement is of type %s, want object", root.Kind())
	}
	var text bytes.Buffer
	separator := byte('{')
	for name, v := range root.Members() {
		quoted, err := json.Marshal(string(name))
		if err != nil {
			return nil, err
		}
		raw := v.Raw()
		if string(name) == "predicate" && v.Kind() == jsontree.Object {
			raw = []byte("{}")
		}
		text.WriteByte(separator)
		text.Write(quoted)
		text.WriteByte(':')
		text.Write(raw)
		separator = ','
	}
	if separator == '{' {
		text.WriteByte('{')
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}
