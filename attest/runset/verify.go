package runset

import (
	"context"
	"errors"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/settree"
)

// VerifyOptions are what Verify takes besides a set; the zero value has none.
type VerifyOptions struct {
	// Declaration finds the declarations of detached runs, as attest.SetRuns has it.
	Declaration func(identity.ID) (*identity.Declaration, error)
	// Judge has the last word about each run, as a policy has. It is given what the verifier returned: the run, or the
	// *attest.VerificationError that says why it is not verified. A no is a *attest.VerificationError.
	Judge func(ctx context.Context, run *attest.Verified, no error) (attest.Report, error)
	// Each is given the report of each run, verified or not. Nothing is given before the root of the whole set is confirmed.
	Each func(index uint64, run attest.Report) error
	// Progress is called once for each run of a set of many, by one goroutine at a time, and says nothing about the run.
	Progress func()
}

func (o VerifyOptions) step() {
	if o.Progress != nil {
		o.Progress()
	}
}

// Result is the answer for a set.
type Result struct {
	// Verified says that the signer is trusted, the set is what was signed, and each of its runs is verified.
	Verified bool
	Head     evidence.SetHead // zero unless the head is verified
	Refused  uint64           // how many runs are not verified
	// Report has the checks of the set. If a run is not verified, they are those of the first that is not. Its Identity is
	// zero.
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
		return &Result{Report: o.notJudged(no.Report)}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Result{Head: head.Head(), Report: head.Report()}
	if o.Each == nil && o.Judge == nil {
		err = s.all(ctx, head, o, r)
	} else {
		err = s.each(ctx, head, o, r)
	}
	if whole := (*wholeError)(nil); errors.As(err, &whole) {
		r.Report = o.notJudged(whole.no)
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if r.Refused == 0 {
		r.pass(o.Judge != nil)
	}
	return r, nil
}

// wholeError is the answer for all of a set, of which no run is given.
type wholeError struct{ no attest.Report }

func (e *wholeError) Error() string { return "not verified" }

// notJudged is the answer for a set whose runs were not reached, with what Judge did not come to.
func (o VerifyOptions) notJudged(r attest.Report) attest.Report {
	if o.Judge != nil {
		r.Checks = append(r.Checks, evidence.Skipped(evidence.CheckPolicy, evidence.CodeNotReached, "a policy judges only what is verified"))
	}
	return r
}

// all counts the runs that are refused, in one reading. Its error is a *wholeError if the runs are not the set's.
func (s *Set) all(ctx context.Context, head *attest.VerifiedHead, o VerifyOptions, r *Result) error {
	runs := s.setRuns(o)
	runs.Read = func() iter.Seq2[[]byte, error] { return stepping(s.lines(), o.step) }
	refused, first, err := head.VerifyAll(ctx, runs)
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		return &wholeError{no.Report}
	}
	if err == nil && refused > 0 {
		r.Refused, r.Report = refused, attest.Report{Checks: first.Checks}
	}
	return err
}

// stepping gives lines, and tells step of each.
func stepping(lines iter.Seq2[[]byte, error], step func()) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for line, err := range lines {
			if !yield(line, err) {
				return
			}
			step()
		}
	}
}

func (s *Set) setRuns(o VerifyOptions) attest.SetRuns {
	runs := s.Runs()
	runs.Declaration = o.Declaration
	return runs
}

// each is all for a caller that is given each run, or judges it.
func (s *Set) each(ctx context.Context, head *attest.VerifiedHead, o VerifyOptions, r *Result) error {
	runs := uint64(0)
	for run, err := range head.VerifyRuns(ctx, s.setRuns(o)) {
		no := (*attest.VerificationError)(nil)
		switch {
		case err == nil:
		case !errors.As(err, &no):
			return err
		case no.Report.Set == nil:
			return &wholeError{no.Report}
		}
		report := run.Report()
		if o.Judge != nil {
			report, err = o.Judge(ctx, run, err)
		}
		if errors.As(err, &no) {
			report = no.Report
		} else if err != nil {
			return err
		}
		if !report.Verified {
			if r.Refused++; r.Refused == 1 {
				r.Report = attest.Report{Checks: report.Checks}
			}
		}
		if runs++; o.Each != nil {
			if err := o.Each(runs-1, report); err != nil {
				return err
			}
		}
		o.step()
	}
	if runs != r.Head.Size {
		return attest.ErrSetChanged
	}
	return nil
}

// pass is the answer after the last run, if each is verified.
func (r *Result) pass(policy bool) {
	runs := settree.Runs(r.Head.Size)
	r.Report.Checks = append(r.Report.Checks, evidence.Passed(evidence.CheckInclusion, "%s, with the root that was signed", runs),
		evidence.Passed(evidence.CheckIdentity, "recomputed = subject = predicate, of %s", runs),
		evidence.Passed(evidence.CheckDeclaration, "valid, of %s", runs))
	if policy {
		r.Report.Checks = append(r.Report.Checks, evidence.Passed(evidence.CheckPolicy, "allows %s", runs))
	}
	r.Report.Verified, r.Verified = true, true
}
