package journal

import (
	"bytes"
	"errors"

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
	text, err := r.o.Witness.Bundle(r.ctx, r.result.Gateway, last)
	if err != nil {
		return err
	}
	var h head
	b, err := attest.ParseBundle(bytes.TrimSuffix(text, []byte("\n")))
	if err == nil {
		var claim *attest.VerifiedClaim
		claim, err = r.verifier.VerifyClaim(r.ctx, b, SegmentType)
		if no := (*attest.VerificationError)(nil); err != nil && !errors.As(err, &no) {
			return err
		}
		if err == nil {
			h, err = readHead(claim.Subjects(), claim.Predicate())
		}
	}
	if err == nil {
		err = r.checkHead(h, last)
	}
	if err != nil {
		r.problem("what the witness has of segment %08d: %w", last, err)
		return nil
	}
	r.witness, r.result.Witnessed = &h, last
	return nil
}

// compare holds a segment whose bundle is verified against the one that the witness has.
func (r *reader) compare(h head) {
	if r.witness == nil || h.Number != r.witness.Number {
		return
	}
	if r.compared = true; !h.equal(*r.witness) {
		r.problem("segment %08d is not the one that the witness has", h.Number)
	}
}

// endWitness finds that the journal ends before the last segment that the witness has.
func (r *reader) endWitness() {
	if r.witness != nil && !r.compared {
		r.problem("the witness has segment %08d, which the journal does not have, closed and verified", r.witness.Number)
	}
}
