package signing

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/runset"
)

// WriteSet signs declarations with one signature, and writes them as a run set, with annotations of the set. sources gives all
// of them each time that it is called: the first time what cannot be signed is told to Note, and then the error is ErrNotAll, the
// set is not signed, and what w has of it is of no use; the second time they are written. After an error, what sources reads from may
// still be read. Write, Written, Signed and Encode are not used.
func (b *Batch) WriteSet(ctx context.Context, w io.Writer, sources func() iter.Seq[Source], annotations map[string]string) (evidence.SetHead, error) {
	if err := b.check(); err != nil {
		return evidence.SetHead{}, err
	}
	switch {
	case w == nil:
		return evidence.SetHead{}, errors.New("nothing to write the run set to: it is nil")
	case sources == nil:
		return evidence.SetHead{}, errNoSources
	}
	pass := Batch{Session: b.Session, Workers: b.Workers, Note: b.Note, Prepared: b.Prepared}
	runs := func() iter.Seq2[*attest.Statement, error] {
		now := pass
		pass.Prepared = nil // it is told once of each
		return now.Statements(sources())
	}
	return runset.Write(ctx, w, runs, runset.WriteOptions{Sign: b.signHead, Annotations: annotations})
}

func (b *Batch) signHead(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
	if err := b.Session.Open(ctx); err != nil {
		return nil, err
	}
	return b.Session.Sign(ctx, s)
}
