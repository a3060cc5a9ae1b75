package runset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
	"github.com/runattest/runattest/internal/zero"
)

// ErrNoRun says that a set does not have the run that was asked for.
var ErrNoRun = errors.New("is not in the set")

// Find is the index of the first run that claims an identity; without one the error wraps ErrNoRun.
func (s *Set) Find(ctx context.Context, id identity.ID) (uint64, error) {
	for run, err := range zero.IfNil(s).UnverifiedRuns() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		if run.Identity == id {
			return run.Index, nil
		}
	}
	return 0, fmt.Errorf("%s %w", id, ErrNoRun)
}

// Prove gives the proof of the run at index, a bundle of format attest.RunProof. It reads the set once, in constant memory,
// and finds that its runs are those that the bundle is of; who signed is not checked.
func (s *Set) Prove(ctx context.Context, index uint64) (*attest.Bundle, error) {
	s = zero.IfNil(s)
	head, err := s.UnverifiedHead()
	if err != nil {
		return nil, err
	}
	if index >= head.Size {
		return nil, fmt.Errorf("run %d %w, which has %s", index, ErrNoRun, settree.Runs(head.Size))
	}
	tree := settree.NewBuilder(s.seed)
	path, err := tree.Collect(index, head.Size)
	if err != nil {
		return nil, err
	}
	var proved []byte
	for statement, err := range s.statements() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		if tree.Size() == index {
			proved = bytes.Clone(statement)
		}
		if err := add(tree, head, statement); err != nil {
			return nil, err
		}
	}
	if err := check(tree, head); err != nil {
		return nil, err
	}
	sums, err := path()
	if err != nil {
		return nil, err
	}
	bundle, err := s.bundle.Marshal()
	if err != nil {
		return nil, err
	}
	return makeProof(bundle, tree, index, proved, sums)
}

// Proofs gives the proof of every run, in order. It reads the set twice, and holds 64 bytes for each run; a set of more runs
// than some 16 million is refused. An error ends the sequence.
func (s *Set) Proofs(ctx context.Context) iter.Seq2[*attest.Bundle, error] {
	return func(yield func(*attest.Bundle, error) bool) {
		if err := zero.IfNil(s).proofs(ctx, yield); err != nil {
			yield(nil, err)
		}
	}
}

func (s *Set) proofs(ctx context.Context, yield func(*attest.Bundle, error) bool) error {
	head, err := s.UnverifiedHead()
	if err != nil {
		return err
	}
	if head.Size > limits.SetProofs {
		return fmt.Errorf("the set has %s, want at most %d to prove all of them", settree.Runs(head.Size), limits.SetProofs)
	}
	builder := settree.NewBuilder(s.seed)
	tree := settree.NewTree(builder)
	for statement, err := range s.statements() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if err := add(builder, head, statement); err != nil {
			return err
		}
	}
	if err := check(builder, head); err != nil {
		return err
	}
	bundle, err := s.bundle.Marshal()
	if err != nil {
		return err
	}
	index := uint64(0)
	for statement, err := range s.statements() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if sum, ok := tree.Leaf(index); !ok || settree.Leaf(builder.Salt(index), statement) != sum {
			return attest.ErrSetChanged
		}
		sums, err := tree.Path(index)
		if err != nil {
			return err
		}
		proof, err := makeProof(bundle, builder, index, statement, sums)
		if err != nil {
			return err
		}
		if !yield(proof, nil) {
			return nil
		}
		index++
	}
	if index != head.Size {
		return attest.ErrSetChanged
	}
	return nil
}

// add adds a Statement to a tree that is to have as many as the bundle says.
func add(tree *settree.Builder, head evidence.SetHead, statement []byte) error {
	if tree.Size() == head.Size {
		return &rootError{fmt.Sprintf("there are more runs than the %d that are signed", head.Size)}
	}
	_, err := tree.Add(statement)
	return err
}

// check finds that a tree is the one that the bundle is of.
func check(tree *settree.Builder, head evidence.SetHead) error {
	if got := tree.Size(); got != head.Size {
		return &rootError{fmt.Sprintf("there are %s, and %d are signed", settree.Runs(got), head.Size)}
	}
	root, err := tree.Root()
	if err != nil {
		return err
	}
	if root != head.Root {
		return &rootError{fmt.Sprintf("the runs have the root %x, and %x is signed", root, head.Root)}
	}
	return nil
}

// rootError says that the runs are not those that the bundle is of. It is an attest.ErrMalformed: nothing can be proved.
type rootError struct{ reason string }

func (e *rootError) Error() string { return e.reason }

func (e *rootError) Unwrap() error { return attest.ErrMalformed }

func makeProof(bundle []byte, tree *settree.Builder, index uint64, statement []byte, sums []settree.Hash) (*attest.Bundle, error) {
	path := make([]string, len(sums))
	for i, sum := range sums {
		path[i] = fmt.Sprintf("%x", sum)
	}
	text, err := json.Marshal(map[string]any{
		"mediaType": attest.RunProofMediaType, "bundle": json.RawMessage(bundle), "index": index,
		"salt": fmt.Sprintf("%x", tree.Salt(index)), "path": path, "statement": json.RawMessage(statement),
	})
	if err != nil {
		return nil, err
	}
	return attest.ParseBundle(text)
}
