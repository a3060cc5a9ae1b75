package attest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
)

var proofRules = canonical.Options{ExactNumbers: true, MaxDepth: limits.ProofDepth, MaxValues: limits.ProofValues}

// member is one run of a set, and where in the tree it is said to be. Nothing of it has been checked.
type member struct {
	statement []byte // in RFC 8785 form
	index     uint64
	salt      settree.Hash
	path      []settree.Hash
}

// readProof reads a run proof. It is malformed, and not merely wrong, if what it proves is not a run or what it carries is not
// the bundle of a set: so no other statement can travel as a proof.
func (b *Bundle) readProof(root jsontree.Value) error {
	if err := checkMembers(root, "mediaType", "statement", "index", "salt", "path", "bundle"); err != nil {
		return err
	}
	m := &member{}
	if err := m.read(root); err != nil {
		return err
	}
	if err := b.readBundle(root.Get("bundle")); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if got := b.UnverifiedPredicateType(); got != RunSetType {
		return fmt.Errorf("bundle: predicateType is %s, want %s", strconv.Quote(got), RunSetType)
	}
	b.member = m
	return nil
}

func (m *member) read(root jsontree.Value) error {
	statement := root.Get("statement")
	if statement.Kind() != jsontree.Object {
		return fmt.Errorf("statement: is of type %s, want object", statement.Kind())
	}
	if got := statement.Get("predicateType").Text(); got != PredicateType {
		return fmt.Errorf("statement: predicateType is %s, want %s", strconv.Quote(got), PredicateType)
	}
	m.statement = slices.Clone(statement.Raw())
	var err error
	if m.index, err = readCount(root.Get("index")); err != nil || m.index >= limits.SetRuns {
		return fmt.Errorf("index: want a whole number below %d", uint64(limits.SetRuns))
	}
	if m.salt, err = readHash(root.Get("salt")); err != nil {
		return fmt.Errorf("salt: %w", err)
	}
	path := root.Get("path")
	if path.Kind() != jsontree.Array {
		return fmt.Errorf("path: is of type %s, want array", path.Kind())
	}
	if err := wantList(path, limits.ProofPath); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	m.path = make([]settree.Hash, path.Len())
	for i, v := range path.Elements() {
		if m.path[i], err = readHash(v); err != nil {
			return fmt.Errorf("path[%d]: %w", i, err)
		}
	}
	return nil
}

// readCount reads a whole number that is not negative. Its text is canonical, so 1.0 is 1.
func readCount(v jsontree.Value) (uint64, error) {
	if v.Kind() != jsontree.Number {
		return 0, fmt.Errorf("is of type %s, want number", v.Kind())
	}
	return strconv.ParseUint(string(v.Raw()), 10, 64)
}

func readHash(v jsontree.Value) (settree.Hash, error) {
	if v.Kind() != jsontree.String {
		return settree.Hash{}, fmt.Errorf("is of type %s, want string", v.Kind())
	}
	return parseSHA256(v.Bytes())
}

// appendProof appends the proof in RFC 8785 form.
func (b *Bundle) appendProof(out []byte) ([]byte, error) {
	out, err := b.appendBundle(append(out, `{"bundle":`...))
	if err != nil {
		return nil, err
	}
	out = strconv.AppendUint(append(out, `,"index":`...), b.member.index, 10)
	out = append(out, `,"mediaType":"`+RunProofMediaType+`","path":[`...)
	for i, sum := range b.member.path {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(hex.AppendEncode(append(out, '"'), sum[:]), '"')
	}
	out = hex.AppendEncode(append(out, `],"salt":"`...), b.member.salt[:])
	out = append(append(out, `","statement":`...), b.member.statement...)
	return append(out, '}'), nil
}

// statement is what the bundle says of a run: its payload, or the run's part of a proof.
func (b *Bundle) statement() []byte {
	if b.member != nil {
		return b.member.statement
	}
	return b.payload
}

// unverifiedSet is where a run proof says that its run is.
func (b *Bundle) unverifiedSet() (*evidence.InSet, error) {
	if b.member == nil {
		return nil, nil
	}
	head, err := readHead(b.payload)
	if err != nil {
		return nil, fmt.Errorf("the set: %w", err)
	}
	return &evidence.InSet{Head: head, Index: b.member.index}, nil
}

// checkMember reads the statement of a run in a set, and of the set, and checks that the set has the run.
func (r *runChecks) checkMember(read reading, b *Bundle) error {
	head, err := readHead(b.payload)
	if err != nil {
		return fmt.Errorf("the set: %w", err)
	}
	if r.content, err = readStatement(read, b.member.statement); err != nil {
		return err
	}
	m := b.member
	if err := settree.CheckPath(head.Root, head.Size, m.index, settree.Leaf(m.salt, m.statement), m.path); err != nil {
		*r.inclusion = evidence.Failed(evidence.CheckInclusion, evidence.CodeInclusion, "%s", err)
		return nil
	}
	r.set = &evidence.InSet{Head: head, Index: m.index}
	*r.inclusion = evidence.Passed(evidence.CheckInclusion, "%s", r.set)
	return nil
}

var errProof = errors.New("is the proof of a run in a set, want a statement of its own")
