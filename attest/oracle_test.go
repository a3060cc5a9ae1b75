package attest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/testing/vectors"
)

// This file has the reader of Statements as it was when it read the declaration as a text of its own, for FuzzReader to
// compare.

// sameTrees compares the text of values.
var sameTrees = cmp.Comparer(func(a, b jsontree.Value) bool { return a.Kind() == b.Kind() && bytes.Equal(a.Raw(), b.Raw()) })

// FuzzReader compares the reader with what it was: what it reads, the identity, and every error.
func FuzzReader(f *testing.F) {
	good := newStatement(f, StatementOptions{Annotations: map[string]string{"a": "b"}, Subjects: []Subject{{"x", [32]byte{1}}}}).Bytes()
	f.Add(good)
	f.Add(newStatement(f, StatementOptions{Detached: &DeclarationRef{URI: "https://example.com"}}).Bytes())
	for _, v := range vectors.Load(f, "identity/valid", "identity/invalid") {
		f.Add(bytes.Replace(good, parse(f, declarationText).Canonical(), v.Body, 1))
	}
	given := parse(f, declarationText)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		got, err := readStatement(jsontree.Read, data)
		compareForm(t, data, got, err)
		want, wantErr := oldReadStatement(before)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || (err == nil) != (wantErr == nil) || err != nil && statementCode(err) != statementCode(wantErr) {
			t.Fatalf("%v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(got.allSubjects(), want.subjects) || got.id != want.id || !reflect.DeepEqual(got.ref, want.ref) ||
			!reflect.DeepEqual(got.annotations, want.annotations) || !bytes.Equal(got.declaration.Raw(), want.declaration) {
			t.Fatalf("%+v, want %+v", got, want)
		}
		for _, given := range []*identity.Declaration{nil, given} {
			r := runChecks{content: got}
			d, id, err := r.recompute(given)
			wantD, wantID, wantErr := oldRecompute(want, given)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || id != wantID || !bytes.Equal(d.Canonical(), wantD.Canonical()) || d.Kind() != wantD.Kind() || !reflect.DeepEqual(d.Model(), wantD.Model()) {
				t.Fatalf("%v, %v, want %v, %v", id, err, wantID, wantErr)
			}
		}
		if !bytes.Equal(data, before) {
			t.Fatal("the payload is changed")
		}
	})
}

// compareForm compares what readStatement read with what readTree reads of the form, also in memory that was used before.
func compareForm(t *testing.T, data []byte, want content, wantErr error) {
	t.Helper()
	form, err := payloadRules.Append(nil, data)
	if err != nil || len(form) > limits.Payload || len(data) > limits.Payload {
		return
	}
	var memory jsontree.Memory
	if _, err := memory.Parse([]byte(`{"a":[{"b":"c"},1,2,3],"d":{}}`)); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func([]byte, canonical.Options) (jsontree.Value, error){jsontree.Read, memory.Read} {
		root, err := read(form, payloadRules)
		if err != nil {
			t.Fatalf("of the form: %v", err)
		}
		got, err := readTree(root)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err != nil && statementCode(err) != statementCode(wantErr) {
			t.Fatalf("of the form: %v, want %v", err, wantErr)
		}
		if err == nil && (!reflect.DeepEqual(got.allSubjects(), want.allSubjects()) || got.id != want.id || !reflect.DeepEqual(got.ref, want.ref) ||
			!reflect.DeepEqual(got.annotations, want.annotations) || !bytes.Equal(got.declaration.Raw(), want.declaration.Raw())) {
			t.Fatalf("of the form: %+v, want %+v", got, want)
		}
	}
}

type oldContent struct {
	subjects    []Subject
	id          identity.ID
	declaration []byte
	ref         *DeclarationRef
	annotations map[string]string
}

func oldReadStatement(payload []byte) (*oldContent, error) {
	root, err := oldReadInToto(payload, PredicateType)
	if err != nil {
		return nil, err
	}
	c := &oldContent{}
	if c.subjects, err = oldReadSubjects(root.Get("subject")); err != nil {
		return nil, err
	}
	for i, s := range c.subjects[1:] {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("subject %d: %w", i+1, err)
		}
	}
	if err := c.oldReadPredicate(root.Get("predicate")); err != nil {
		return nil, fmt.Errorf("predicate: %w", err)
	}
	return c, nil
}

func (c *oldContent) oldReadPredicate(v jsontree.Value) error {
	if err := checkMembers(v, "identity", "declaration", "declarationRef", "annotations"); err != nil {
		return err
	}
	var err error
	if c.id, err = identity.ParseID(v.Get("identity").Text()); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	declaration, ref := v.Get("declaration"), v.Get("declarationRef")
	if (declaration.Kind() == jsontree.Absent) == (ref.Kind() == jsontree.Absent) {
		return errors.New("want exactly one of declaration and declarationRef")
	}
	c.declaration = declaration.Raw()
	if ref.Kind() != jsontree.Absent {
		if c.ref, err = readRef(ref); err != nil {
			return fmt.Errorf("declarationRef: %w", err)
		}
	}
	if a := v.Get("annotations"); a.Kind() != jsontree.Absent {
		if c.annotations, err = jsontree.Texts(a, limits.Annotations, "annotations"); err != nil {
			return fmt.Errorf("annotations: %w", err)
		}
	}
	return nil
}

func oldParseJSON(text []byte, rules canonical.Options) (jsontree.Value, error) {
	form, err := rules.Append(make([]byte, 0, len(text)), text)
	if err != nil {
		return jsontree.Value{}, err
	}
	return jsontree.Parse(form)
}

func oldReadInToto(payload []byte, predicateType string) (jsontree.Value, error) {
	var none jsontree.Value
	if len(payload) > limits.Payload {
		return none, fmt.Errorf("payload of %d bytes, want at most %d", len(payload), limits.Payload)
	}
	root, err := oldParseJSON(payload, payloadRules)
	if err != nil {
		return none, fmt.Errorf("payload: %w", err)
	}
	if got := root.Get("_type").Text(); got != StatementType {
		return none, &statementError{evidence.CodePayloadType, fmt.Sprintf("_type is %s, want %s", strconv.Quote(got), StatementType)}
	}
	if got := root.Get("predicateType").Text(); got != predicateType {
		return none, &statementError{evidence.CodePredicateType, fmt.Sprintf("predicateType is %s, want %s", strconv.Quote(got), predicateType)}
	}
	return root, checkMembers(root, "_type", "subject", "predicateType", "predicate")
}

func oldReadSubjects(v jsontree.Value) ([]Subject, error) {
	if v.Kind() != jsontree.Array || v.Len() == 0 {
		return nil, errors.New("subject: want an array of at least one subject")
	}
	if n := v.Len(); n > limits.Subjects {
		return nil, fmt.Errorf("subject: %d subjects, want at most %d", n, limits.Subjects)
	}
	seen := make(map[Subject]bool, v.Len())
	subjects := make([]Subject, 0, v.Len())
	for i, e := range v.Elements() {
		s, err := oldReadSubject(e)
		if err == nil && seen[s] {
			err = errors.New("stands twice")
		}
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", i, err)
		}
		seen[s] = true
		subjects = append(subjects, s)
	}
	return subjects, nil
}

func oldReadSubject(v jsontree.Value) (Subject, error) {
	if err := checkMembers(v, "digest", "name"); err != nil {
		return Subject{}, err
	}
	name, digest := v.Get("name"), v.Get("digest")
	if name.Kind() != jsontree.String {
		return Subject{}, errors.New("name: want a string")
	}
	if err := checkMembers(digest, "sha256"); err != nil {
		return Subject{}, fmt.Errorf("digest: %w", err)
	}
	sum, err := oldParseSHA256(digest.Get("sha256").Text())
	if err != nil {
		return Subject{}, fmt.Errorf("digest.sha256: %w", err)
	}
	return Subject{name.Text(), sum}, nil
}

func oldParseSHA256(digits string) (sum [sha256.Size]byte, err error) {
	if len(digits) != hex.EncodedLen(len(sum)) {
		return sum, fmt.Errorf("%d hex digits, want %d", len(digits), hex.EncodedLen(len(sum)))
	}
	if strings.ToLower(digits) != digits {
		return sum, errors.New("want lower-case hex digits")
	}
	if _, err := hex.Decode(sum[:], []byte(digits)); err != nil {
		return sum, errors.New("want hex digits only")
	}
	return sum, nil
}

func oldRecompute(c *oldContent, given *identity.Declaration) (*identity.Declaration, identity.ID, error) {
	if c.declaration == nil {
		if given == nil {
			return nil, identity.ID{}, &missingDeclarationError{c.ref.Size}
		}
		return given, given.ID(), nil
	}
	d, err := identity.Parse(c.declaration)
	if err == nil {
		return d, d.ID(), nil
	}
	id, _ := identity.Compute(c.declaration) // the zero ID, if even that fails: err says why
	return nil, id, err
}
