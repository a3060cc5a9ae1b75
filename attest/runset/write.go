package runset

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/settree"
)

// WriteOptions say how a set is signed. Sign is required.
type WriteOptions struct {
	// Sign signs the one Statement of the set, and gives it as a Sigstore bundle.
	Sign func(context.Context, attest.Signable) (*attest.Bundle, error)
	// Annotations are the set's, and no run's.
	Annotations map[string]string
}

// Write signs runs as a set, and writes it to w. It asks for the Statements twice, before it signs and when it writes them,
// and fails if they are not the same. They may repeat. Memory does not grow with their number. What was written before an
// error is not a set: write to a place that is taken away then.
func Write(ctx context.Context, w io.Writer, runs func() iter.Seq2[*attest.Statement, error], o WriteOptions) (evidence.SetHead, error) {
	var seed settree.Hash
	_, _ = rand.Read(seed[:]) // does not fail
	return write(ctx, w, runs, o, seed)
}

func write(ctx context.Context, w io.Writer, runs func() iter.Seq2[*attest.Statement, error], o WriteOptions, seed settree.Hash) (evidence.SetHead, error) {
	var none evidence.SetHead
	switch { // before anything is signed
	case w == nil:
		return none, errors.New("run set: nothing to write it to: it is nil")
	case runs == nil || o.Sign == nil:
		return none, errors.New("run set: no runs, or nothing that signs")
	}
	head, err := hashAll(ctx, runs, seed, io.Discard)
	if err != nil {
		return none, err
	}
	head.Annotations = o.Annotations
	claim, err := attest.NewClaim(attest.RunSetType, []attest.Subject{{Name: "runset", SHA256: sha256.Sum256(head.Bytes())}}, head)
	if err != nil {
		return none, err
	}
	bundle, err := o.Sign(ctx, claim)
	if err != nil {
		return none, err
	}
	if bundle.Format() != attest.SigstoreBundle {
		return none, fmt.Errorf("run set: signed as %q, want a Sigstore bundle", bundle.Format())
	}
	text, err := bundle.Marshal()
	if err != nil {
		return none, err
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintf(buffered, `{"bundle":%s,"mediaType":"%s","seed":"%s"}`+"\n", text, attest.RunSetMediaType, hex.EncodeToString(seed[:]))
	again, err := hashAll(ctx, runs, seed, buffered)
	if err != nil {
		return none, err
	}
	if again.Size != head.Size || again.Root != head.Root {
		return none, errors.New("run set: the runs were changed while they were signed")
	}
	return head, buffered.Flush()
}

// hashAll writes the Statements as lines, and computes the head of their tree.
func hashAll(ctx context.Context, runs func() iter.Seq2[*attest.Statement, error], seed settree.Hash, w io.Writer) (evidence.SetHead, error) {
	var head evidence.SetHead
	tree := settree.NewBuilder(seed)
	for statement, err := range runs() {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return head, err
		}
		text := statement.Bytes()
		if len(text) == 0 {
			return head, errors.New("run set: no statement: it is nil or a zero value")
		}
		if _, err := tree.Add(text); err != nil {
			return head, fmt.Errorf("run set: %w", err)
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return head, err
		}
	}
	if tree.Size() == 0 {
		return head, errors.New("run set: has no run, want at least one")
	}
	root, err := tree.Root()
	if err != nil {
		return head, err
	}
	head.Root, head.Size = root, tree.Size()
	return head, nil
}
