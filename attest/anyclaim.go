package attest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// Statements of other predicate types than ours are read to show them and to find what they are about, as
// in-toto Statement v1 defines them: a subject has one digest or more and need not have a name, the predicate is
// optional, members that are not known are ignored. What is verified is read by readStatement and readClaim
// alone, which are strict.

// ownTypes is what our predicate types begin with.
const ownTypes = "https://github.com/runattest/runattest/"

// oldStatementType is the in-toto Statement that came before v1, with the same members; cosign attest writes it.
const oldStatementType = "https://in-toto.io/Statement/v0.1"

// foreignRules take every number: what others' predicates mean by theirs is their matter.
var foreignRules = canonical.Options{MaxDepth: limits.PayloadDepth, MaxValues: limits.PayloadValues}

// UnverifiedSubject is a subject as in-toto has it. Name may be empty; Digest maps algorithms, as in-toto calls
// them, to digests, mostly in hex.
type UnverifiedSubject struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

// String is the name, if there is one, and the digests.
func (s UnverifiedSubject) String() string {
	var digests []string
	for _, algorithm := range slices.Sorted(maps.Keys(s.Digest)) {
		digests = append(digests, algorithm+":"+s.Digest[algorithm])
	}
	text := strings.Join(digests, ",")
	if s.Name == "" {
		return text
	}
	return s.Name + "@" + text
}

type anyClaim struct {
	subjects  []UnverifiedSubject
	predicate []byte // as it is in the payload; nil if there is none
}

func readAnyClaim(payload []byte) (*anyClaim, error) {
	if len(payload) > limits.Payload {
		return nil, fmt.Errorf("payload of %d bytes, want at most %d", len(payload), limits.Payload)
	}
	root, err := jsontree.Read(payload, foreignRules)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if t := root.Get("predicateType").Text(); strings.HasPrefix(t, ownTypes) {
		return readOwnClaim(payload, t)
	}
	return readForeign(payload, root)
}

// readOwnClaim reads a statement of one of our predicate types, which are closed.
func readOwnClaim(payload []byte, predicateType string) (*anyClaim, error) {
	c, err := readClaim(payload, predicateType)
	if err != nil {
		return nil, err
	}
	claim := &anyClaim{predicate: c.predicate}
	for _, s := range c.subjects {
		claim.subjects = append(claim.subjects, UnverifiedSubject{s.Name, map[string]string{"sha256": hex.EncodeToString(s.SHA256[:])}})
	}
	return claim, nil
}

func readForeign(payload []byte, root jsontree.Value) (*anyClaim, error) {
	if got := root.Get("_type").Text(); got != StatementType && got != oldStatementType {
		return nil, fmt.Errorf("_type is %s, want %s", strconv.Quote(got), StatementType)
	}
	if root.Get("predicateType").Text() == "" {
		return nil, errors.New("predicateType: want a non-empty string")
	}
	list := root.Get("subject")
	if list.Kind() != jsontree.Array || list.Len() == 0 {
		return nil, errors.New("subject: want an array of at least one subject")
	}
	claim := &anyClaim{subjects: make([]UnverifiedSubject, 0, list.Len())}
	for i, v := range list.Elements() {
		s, err := readForeignSubject(v)
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", i, err)
		}
		claim.subjects = append(claim.subjects, s)
	}
	switch predicate := optional(root, "predicate"); predicate.Kind() {
	case jsontree.Absent:
		return claim, nil
	case jsontree.Object:
	default:
		return nil, fmt.Errorf("predicate: is of type %s, want object", predicate.Kind())
	}
	var members map[string]json.RawMessage // of the text that was signed: the canonical form may have other numbers
	if err := json.Unmarshal(payload, &members); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	claim.predicate = members["predicate"]
	return claim, nil
}

func readForeignSubject(v jsontree.Value) (UnverifiedSubject, error) {
	if v.Kind() != jsontree.Object {
		return UnverifiedSubject{}, fmt.Errorf("is of type %s, want object", v.Kind())
	}
	name, err := optionalText(v, "name", "")
	if err != nil {
		return UnverifiedSubject{}, err
	}
	digests := v.Get("digest")
	if digests.Kind() != jsontree.Object || digests.Len() == 0 {
		return UnverifiedSubject{}, errors.New("digest: want an object of at least one digest")
	}
	s := UnverifiedSubject{name, make(map[string]string, digests.Len())}
	for algorithm, digest := range digests.Members() {
		if len(algorithm) == 0 || len(digest.Bytes()) == 0 {
			return UnverifiedSubject{}, errors.New("digest: want non-empty strings by algorithm")
		}
		s.Digest[string(algorithm)] = digest.Text()
	}
	return s, nil
}
