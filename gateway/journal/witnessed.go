package journal

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/runattest/runattest/attest"
)

// askWitness reads the last segment that the witness has. It is asked before the journal is listed: a journal has each bundle
// before its witness does.
func (r *reader) askWitness() error {
	if r.o.Witness == nil {
		return nil
	}
	last, err := r.o.Witness.Last(r.ctx, r.result.Gateway)
	if err != nil {
		return err
	}
	if last == 0 {
		r.problem("the witness has nothing of this journal")
		return nil
	}
	if r.witness, err = r.witnessed(last); r.witness != nil {
		r.result.Witnessed = last
	}
	return err
}

// witnessed is what the witness has of a segment; nil, with a problem, if no trusted key signed it or it is of another segment. An
// error that is fs.ErrNotExist says that the witness has nothing of it.
func (r *reader) witnessed(number int) (*head, error) {
	text, err := r.o.Witness.Bundle(r.ctx, r.result.Gateway, number)
	if err != nil {
		return nil, err
	}
	var h head
	b, err := attest.ParseBundle(bytes.TrimSuffix(text, []byte("\n")))
	if err == nil {
		var claim *attest.VerifiedClaim
		claim, err = r.verifier.VerifyClaim(r.ctx, b, SegmentType)
		if no := (*attest.VerificationError)(nil); err != nil && !errors.As(err, &no) {
			return nil, err
		}
		if err == nil {
			h, err = readHead(claim.Subjects(), claim.Predicate())
		}
	}
	if err == nil {
		err = h.checkPlace(r.result.Gateway, number)
	}
	if err != nil {
		r.problem("what the witness has of segment %08d: %w", number, err)
		return nil, nil
	}
	return &h, nil
}

// compare holds a closed segment that is verified against what the witness has of it: each one, and not only the last, since the
// holder of the key can add a later one. The witness may lack the first segments, which its first bundle is signed over, and no
// other: a gateway leaves none out.
func (r *reader) compare(h head) error {
	if r.witness == nil || h.Number > r.witness.Number {
		return nil
	}
	has, err := r.witness, error(nil)
	if h.Number == r.witness.Number {
		r.compared = true
	} else {
		has, err = r.witnessed(h.Number)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.result.Unwitnessed++; r.began {
			r.problem("the witness does not have segment %08d, and has one before and one after it", h.Number)
		}
		return nil
	case err != nil:
		return err
	}
	if r.began = true; has != nil && !h.equal(*has) {
		r.problem("segment %08d is not the one that the witness has", h.Number)
	}
	return nil
}

// beforeFirst takes from the witness what the first segment of a journal follows, where older segments are kept elsewhere.
func (r *reader) beforeFirst(first int) error {
	if r.witness == nil || first == 1 || first > r.witness.Number {
		return nil
	}
	has, err := r.witnessed(first - 1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if r.began = true; has != nil {
		r.last, r.file = &has.Last, &has.File
	}
	return err
}

// endWitness finds that the journal ends before the last segment that the witness has.
func (r *reader) endWitness() {
	if r.witness != nil && !r.compared {
		r.problem("the witness has segment %08d, which the journal does not have, closed and verified", r.witness.Number)
	}
}
