package runset

import (
	"context"
	"errors"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/settree"
)

// VerifyOptions are what Verify takes besides a set; the zero value has none.
type VerifyOptions struct {
	// Declaration finds the declarations of detached runs, as attest.SetRuns has it.
	Declaration func(identity.ID) (*identity.Declaration, error)
	// Each is given each run: run is not nil, or else err is a *attest.VerificationError that says why it is not verified.
	// Nothing is given before the root of the whole set is confirmed.
	Each func(index uint64, run *attest.Verified, err error) error
}

// Result is the answer for a set.
type Result struct {
	// Verified says that the signer is trusted, the set is what was signed, and each of its runs is verified.
	Verified bool
	Head     evidence.SetHead // zero unless the head is verified
	Refused  uint64           // how many runs are not verified
	// Report has the checks of the set. Those of runs are passed if they are of each, and otherwise those of the first that
	// fails. Its Identity is zero.
	Report attest.Report
}

// Verify verifies a set and all of its runs, in constant memory. A no is a Result that is not Verified, and no error: an error
// says that there is no answer. One about what is in the file is a *LineError.
func Verify(ctx context.Context, v *attest.Verifier, s *Set, o VerifyOptions) (*Result, error) {
	if s == nil || s.bundle == nil {
		return nil, errors.New("run set: it is nil or a zero value")
	}
	head, err := v.VerifySetHead(ctx, s.bundle)
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		return &Result{Report: no.Report}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Result{Head: head.Head(), Report: head.Report()}
	runs := s.Runs()
	runs.Declaration = o.Declaration
	var last attest.Report
	index := uint64(0)
	for run, err := range head.VerifyRuns(ctx, runs) {
		no := (*attest.VerificationError)(nil)
		switch {
		case err == nil:
			last = run.Report()
		case !errors.As(err, &no):
			return nil, err
		case no.Report.Set == nil: // all of the set
			return &Result{Head: r.Head, Report: no.Report}, nil
		default:
			if r.Refused++; r.Refused == 1 {
				r.Report.Checks = no.Report.Checks
			}
		}
		if o.Each != nil {
			if err := o.Each(index, run, err); err != nil {
				return nil, err
			}
		}
		index++
	}
	r.conclude(last)
	return r, nil
}

// conclude is the answer after the last run, whose report it is given if that is verified.
func (r *Result) conclude(last attest.Report) {
	if r.Refused > 0 {
		r.Report.Signer, r.Report.Times, r.Report.Logs, r.Report.Promises = nil, nil, nil, nil
		return
	}
	runs := settree.Runs(r.Head.Size)
	checks := r.Report.Checks
	checks = append(checks, evidence.Passed(evidence.CheckInclusion, "%s, with the root that was signed", runs),
		evidence.Passed(evidence.CheckIdentity, "recomputed = subject = predicate, of %s", runs),
		evidence.Passed(evidence.CheckDeclaration, "valid, of %s", runs))
	r.Report.Checks, r.Report.Verified, r.Verified = checks, last.Verified, last.Verified
}
