package runset

import (
	"bytes"
	"context"
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

// Find is the index of the first run that claims an identity; without one the error wraps ErrNoRun. Lines that are not about
// a run are passed over.
func (s *Set) Find(ctx context.Context, id identity.ID) (uint64, error) {
	var other error
	for run, err := range zero.IfNil(s).UnverifiedRuns() {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err == nil && run.Identity == id {
			return run.Index, nil
		}
		other = err
	}
	if other != nil && !errors.Is(other, errIdentity) {
		return 0, other
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
		if _, err := add(tree, head, statement); err != nil {
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

// Proofs gives the proof of every run, in order, in constant memory: it reads the set three times. Before it gives the first
// it has found that the runs are those that the bundle is of; who signed is not checked. A run of which there can be no
// proof, such as one that is not a run's Statement, is a *LineError in its place, and those after it follow. Any other error ends
// the sequence.
func (s *Set) Proofs(ctx context.Context) iter.Seq2[*attest.Bundle, error] {
	return func(yield func(*attest.Bundle, error) bool) {
		p := prover{set: zero.IfNil(s), windows: settree.NewWindows()}
		err := p.confirm(ctx)
		if err == nil {
			err = p.prove(ctx, yield)
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// errEnough says that the caller wants no more proofs.
var errEnough = errors.New("enough")

// prover makes the proofs of all runs of a set, those of a window at a time.
type prover struct {
	set     *Set
	tree    *settree.Builder
	windows *settree.Windows
	bundle  []byte // of the set
	next    place
}

// confirm is the first reading: it finds that the set is what the bundle is of.
func (p *prover) confirm(ctx context.Context) error {
	head, err := p.set.UnverifiedHead()
	if err != nil {
		return err
	}
	p.tree = settree.NewBuilder(p.set.seed)
	for statement, err := range p.set.statements() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		sum, err := add(p.tree, head, statement)
		if err == nil {
			err = p.windows.Add(sum)
		}
		if err != nil {
			return err
		}
	}
	if err := errors.Join(check(p.tree, head), p.windows.End()); err != nil {
		return err
	}
	p.bundle, err = p.set.bundle.Marshal()
	return err
}

// prove reads each window twice: the hashes of its leaves have to be known before the first of its proofs is made.
func (p *prover) prove(ctx context.Context, yield func(*attest.Bundle, error) bool) error {
	p.next = p.set.start()
	for first := uint64(0); first < p.tree.Size(); first += limits.ProofWindow {
		start := p.next
		leaves, err := p.readWindow(ctx, first)
		if err != nil {
			return err
		}
		path, err := p.windows.Window(first/limits.ProofWindow, leaves)
		if errors.Is(err, settree.ErrOther) {
			return attest.ErrSetChanged
		}
		if err == nil {
			err = p.proveWindow(ctx, start, first, leaves, path, yield)
		}
		if err != nil {
			return err
		}
	}
	for range p.set.statementsFrom(&p.next) { // or an error about it
		return attest.ErrSetChanged
	}
	return nil
}

func (p *prover) readWindow(ctx context.Context, first uint64) (leaves []settree.Hash, err error) {
	for statement, err := range p.set.statementsFrom(&p.next) {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		leaves = append(leaves, p.tree.Leaf(first+uint64(len(leaves)), statement))
		if len(leaves) == limits.ProofWindow {
			break
		}
	}
	return leaves, nil
}

func (p *prover) proveWindow(ctx context.Context, at place, first uint64, leaves []settree.Hash, path func(int) ([]settree.Hash, error), yield func(*attest.Bundle, error) bool) error {
	i, line := 0, at
	for statement, err := range p.set.statementsFrom(&at) {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		index := first + uint64(i)
		if p.tree.Leaf(index, statement) != leaves[i] {
			return attest.ErrSetChanged
		}
		sums, err := path(i)
		if err != nil {
			return err
		}
		proof, err := makeProof(p.bundle, p.tree, index, statement, sums)
		if err != nil {
			err = asLineError(err, line)
		}
		if !yield(proof, err) {
			return errEnough
		}
		if i++; i == len(leaves) {
			return nil
		}
		line = at
	}
	return attest.ErrSetChanged
}

// add adds a Statement to a tree that is to have as many as the bundle says.
func add(tree *settree.Builder, head evidence.SetHead, statement []byte) (settree.Hash, error) {
	if tree.Size() == head.Size {
		return settree.Hash{}, &rootError{fmt.Sprintf("there are more runs than the %d that are signed", head.Size)}
	}
	return tree.Add(statement)
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

// makeProof makes a bundle of the proof's text, which holds it against limits.Bundle.
func makeProof(bundle []byte, tree *settree.Builder, index uint64, statement []byte, sums []settree.Hash) (*attest.Bundle, error) {
	text := make([]byte, 0, len(bundle)+len(statement)+len(sums)*67+300)
	text = fmt.Appendf(text, `{"bundle":%s,"index":%d,"mediaType":"%s","path":[`, bundle, index, attest.RunProofMediaType)
	for i, sum := range sums {
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `"%x"`, sum)
	}
	text = fmt.Appendf(text, `],"salt":"%x","statement":%s}`, tree.Salt(index), statement)
	return attest.ParseBundle(text)
}
