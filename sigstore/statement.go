package sigstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/runattest/runattest/internal/jsontree"
)

// checkStatement holds a payload in RFC 8785 form against in-toto's own library, with which other clients read it. The
// library only reads: what is signed is the payload as it is, since a structpb.Struct keeps neither its bytes nor all of
// its numbers.
func checkStatement(payload []byte) error {
	if len(payload) == 0 {
		return errors.New("no statement")
	}
	root, err := jsontree.Parse(payload)
	if err != nil {
		return err
	}
	s := plainStatement(root)
	if s == nil {
		if s, err = readStatement(root); err != nil {
			return err
		}
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("in-toto's library refuses the statement: %w", err)
	}
	return nil
}

// plainStatement is a Statement as readStatement reads it, or nil where it is not of the form that package attest writes: all
// members there, subjects of a name and digests alone, text without escapes. It takes a fifth of the time of readStatement.
func plainStatement(root jsontree.Value) *intoto.Statement {
	var s intoto.Statement
	ok := root.Kind() == jsontree.Object
	for m := root.First(); ok && m.Kind() != jsontree.Absent; m = m.After(root) {
		switch string(m.Name()) {
		case "_type":
			s.Type, ok = plainText(m, s.Type)
		case "predicateType":
			s.PredicateType, ok = plainText(m, s.PredicateType)
		case "predicate":
			ok = m.Kind() == jsontree.Object && s.Predicate == nil
			s.Predicate = &structpb.Struct{} // as withoutPredicate has it
		case "subject":
			ok = m.Kind() == jsontree.Array && s.Subject == nil
			s.Subject = []*intoto.ResourceDescriptor{}
			for e := m.First(); ok && e.Kind() != jsontree.Absent; e = e.After(m) {
				subject := plainSubject(e)
				s.Subject, ok = append(s.Subject, subject), subject != nil
			}
		default:
			ok = false
		}
	}
	if !ok || s.Type == "" || s.PredicateType == "" || s.Predicate == nil || len(s.Subject) == 0 {
		return nil
	}
	return &s
}

func plainSubject(v jsontree.Value) *intoto.ResourceDescriptor {
	var d intoto.ResourceDescriptor
	ok := v.Kind() == jsontree.Object
	for m := v.First(); ok && m.Kind() != jsontree.Absent; m = m.After(v) {
		switch string(m.Name()) {
		case "name":
			d.Name, ok = plainText(m, d.Name)
		case "digest":
			ok = m.Kind() == jsontree.Object && d.Digest == nil
			d.Digest = map[string]string{}
			for e := m.First(); ok && e.Kind() != jsontree.Absent; e = e.After(m) {
				name := string(e.Name())
				d.Digest[name], ok = plainText(e, d.Digest[name])
				ok = ok && isPlain(name)
			}
		default:
			ok = false
		}
	}
	if !ok || d.Name == "" || len(d.Digest) == 0 {
		return nil
	}
	return &d
}

// plainText is a string that is not empty and has nothing to unescape; before is what a member of that name had, which is not
// plain.
func plainText(v jsontree.Value, before string) (string, bool) {
	if v.Kind() != jsontree.String || before != "" || bytes.IndexByte(v.Raw(), '\\') >= 0 {
		return "", false
	}
	text := v.Text()
	return text, text != "" && isPlain(text)
}

func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' {
			return false
		}
	}
	return utf8.ValidString(text)
}

// readStatement has in-toto's library read a Statement.
func readStatement(root jsontree.Value) (*intoto.Statement, error) {
	text, err := withoutPredicate(root)
	if err != nil {
		return nil, err
	}
	var s intoto.Statement
	if err := protojson.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("in-toto's library cannot read the statement: %w", err)
	}
	return &s, nil
}

// withoutPredicate is a Statement whose predicate is empty where it is an object: the library asks nothing else of the
// predicate, and takes seconds for 16 MiB.
func withoutPredicate(root jsontree.Value) ([]byte, error) {
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
