package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/gate/filedigest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
)

// Request is one question to the gate: may this run be started on this machine, now?
type Request struct {
	Bundle *attest.Bundle // of the run; required
	Name   string         // what reports and records call the bundle
	// Declaration is what the bundle must declare, nil for anything. A detached attestation needs it.
	Declaration *identity.Declaration
	Policy      *policy.Policy // required

	// Approvals, Lineage, Graph and PassedOver are the members of Evidence.
	Approvals  ApprovalSource
	Lineage    LineageSource
	Graph      *lineage.Graph
	PassedOver func(error)

	Bindings  []Bind             // where on this machine things are that the declaration names
	Hasher    *filedigest.Hasher // nil is one without progress
	Clock     func() time.Time   // of this machine, such as time.Now; required
	ClockName string             // whose the time of the decision is, for reports; "" is the caller's clock
	// At repeats the decision of another time: approvals and rejections that are dated later do not count. Nothing can be
	// started on such a decision.
	At time.Time

	Log Log // where the decision is recorded; nil is nowhere
	// Reads are the files, folders and references that the request was made of, which Log is none of and in none of. ReadsLineage
	// are those of its lineage: of a folder among them the bundles alone are read, and Log may be in it. What the bindings and
	// the policy name is known.
	Reads, ReadsLineage []string
	// Phrase, if it is given, says in records what to do about a check that failed: in the words of the caller.
	Phrase func(evidence.Hint) evidence.Hint
}

// CheckLog says whether Log can be the request's, as far as is known before the run is: Admit and Exec ask again.
func (r Request) CheckLog() error { return r.checkLog() }

func (r *Request) checkLog(files ...string) error {
	if r.Log == nil {
		return nil
	}
	if zero.IsNil(r.Log) {
		return fmt.Errorf("the request's Log is a nil %T: want one, or nothing", r.Log)
	}
	reads := slices.Concat(r.Reads, r.Policy.Paths(), files)
	for _, b := range r.Bindings {
		reads = append(reads, b.Path)
	}
	for _, place := range r.ReadsLineage {
		if info, err := os.Stat(place); err != nil || !info.IsDir() {
			reads = append(reads, place)
		}
	}
	return r.Log.Check(reads...)
}

// With is the request with the policy, the evidence and the time of a judge: the gate decides as it does.
func (r Request) With(j *Judge) Request {
	j = zero.IfNil(j)
	r.Policy, r.Clock, r.ClockName, r.At = j.Policy, j.Clock, j.ClockName, j.At
	r.Approvals, r.Lineage, r.Graph, r.PassedOver = j.Evidence.Approvals, j.Evidence.Lineage, j.Evidence.Graph, j.Evidence.PassedOver
	return r
}

// stale is how long a decision is one about the start: what a policy says can end while large files are hashed.
const stale = time.Second

// ErrNotAdmitted says that an Admission cannot be executed because Admit has not made it.
var ErrNotAdmitted = errors.New("gate: nothing was admitted: the admission is nil or a zero value")

// Admission is the gate's answer about a run. Admit makes it, and it does not change; a copy says the same. The zero value
// admits nothing.
type Admission struct {
	request Request
	bundle  []byte // of the run, for its process
	when    time.Time
	asked   time.Time // when the policy was asked last: before the evidence was read
	files   []Checked
	answer
	err error // why not; an admission without is allowed only if it is verified
}

// answer is what the policy said at one time.
type answer struct {
	verified *attest.Verified
	report   *attest.Report
	decision *policy.Decision
}

// Admit verifies the bundle, has the policy decide about the run, holds the files that the declaration names on this
// machine against their digests, and where these have taken longer than a second asks the policy again, with the
// evidence as it is then. A no is an Admission, too, and so is whatever could not be read: Err says why. The error of
// Admit says that the request is none: it has no bundle, no policy or no clock.
func Admit(ctx context.Context, r Request) (*Admission, error) {
	switch {
	case r.Policy.Verifier() == nil:
		return nil, errNoPolicy
	case r.Bundle == nil:
		return nil, errors.New("gate: no bundle: it is nil")
	case r.Clock == nil:
		return nil, errNoClock
	}
	now := r.Clock()
	if now.IsZero() {
		return nil, errNoClock
	}
	r.Bindings, r.Reads, r.ReadsLineage = slices.Clone(r.Bindings), slices.Clone(r.Reads), slices.Clone(r.ReadsLineage)
	a := &Admission{request: r, when: now, asked: now, files: []Checked{}}
	a.err = a.decide(ctx)
	return a, nil
}

var errNoPolicy = errors.New("gate: no policy: it is nil or a zero value")

var errNoClock = errors.New("gate: no clock: it is nil, or says the zero time")

// Refuse is an Admission that admits nothing, for a reason that the caller has found before it could ask: so that it is
// recorded as every other refusal. A nil error is a refusal, too.
func (r Request) Refuse(err error) *Admission {
	if err == nil {
		err = ErrNotAdmitted
	}
	a := &Admission{request: r, files: []Checked{}, err: err}
	if r.Clock != nil {
		a.when = r.Clock()
	}
	return a
}

// decide is nil only if the run may be started.
func (a *Admission) decide(ctx context.Context) (err error) {
	if err = a.checkLog(); err != nil {
		return err
	}
	if a.bundle, err = a.request.Bundle.Marshal(); err != nil {
		return err
	}
	if a.answer, err = a.request.ask(ctx); err != nil {
		return err
	}
	checked, err := CheckFiles(ctx, a.request.Hasher, a.verified.Declaration(), a.request.Bindings)
	if err != nil {
		return err
	}
	a.files = append(a.files, checked...)
	if err = a.checkLog(); err != nil {
		return err
	}
	if a.answer, a.asked, err = a.asOfNow(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// checkLog refuses a log that is read for the decision, or is one of these files.
func (a *Admission) checkLog(files ...string) error {
	for _, c := range a.files {
		files = append(files, c.Path)
	}
	return a.request.checkLog(files...)
}

// asOfNow is the answer that a has, or a new one where that is not about this time.
func (a *Admission) asOfNow(ctx context.Context) (answer, time.Time, error) {
	if !a.request.At.IsZero() {
		return a.answer, a.asked, nil
	}
	now := a.request.Clock()
	if now.IsZero() {
		return answer{}, a.asked, errNoClock
	}
	if since := now.Sub(a.asked); since >= 0 && since <= stale { // a clock that was set back has decided about a time to come
		return a.answer, a.asked, nil
	}
	again, err := a.request.ask(ctx)
	return again, now, err
}

// ask verifies the bundle, and has the policy decide, about the time when all that this takes is read and verified. The answer is verified
// only if both say yes.
func (r *Request) ask(ctx context.Context) (answer, error) {
	given := asOf(time.Time{}, r.ClockName, r.At)
	if r.At.IsZero() {
		given.Time = r.Clock
	}
	evidence := Evidence{r.Approvals, r.Lineage, r.Graph, r.PassedOver}
	gather := func(ctx context.Context, run *attest.Verified) (policy.Given, error) {
		return evidence.Gather(ctx, r.Policy, run, given)
	}
	result, err := r.Policy.VerifyWith(ctx, r.Bundle, attest.Expect{Declaration: r.Declaration}, gather)
	if err != nil {
		return refused(err), err
	}
	return answer{result.Verified, &result.Report, result.Decision}, nil
}

// refused is what an error says about the answer.
func refused(err error) (a answer) {
	if denied := (*policy.DeniedError)(nil); errors.As(err, &denied) {
		a.decision = denied.Decision
	}
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		a.report = &no.Report
	}
	return a
}

// Err is nil if the run may be started, and else says why not: an *attest.VerificationError, a *policy.DeniedError, or what
// could not be read.
func (a *Admission) Err() error {
	a = zero.IfNil(a)
	if a.err == nil && a.verified.ID().IsZero() {
		return ErrNotAdmitted
	}
	return a.err
}

// Allowed says whether the run may be started.
func (a *Admission) Allowed() bool { return a.Err() == nil }

// Verified is the run; nil if it may not be started.
func (a *Admission) Verified() *attest.Verified {
	if !a.Allowed() {
		return nil
	}
	return a.verified
}

// Report is what verification found, with the policy's check in it; nil if it was not come to.
func (a *Admission) Report() *attest.Report { return zero.IfNil(a).report }

// Decision is the policy's; nil if it was not asked.
func (a *Admission) Decision() *policy.Decision { return zero.IfNil(a).decision }

// Warnings are what the policy warns of, and allows.
func (a *Admission) Warnings() []policy.Denial {
	if d := a.Decision(); d != nil {
		return slices.Clone(d.Warnings)
	}
	return nil
}

// Files are the files and folders that are what the declaration says.
func (a *Admission) Files() []Checked { return slices.Clone(zero.IfNil(a).files) }

// Unchecked names what the declaration names by digest and was not held against it on this machine.
func (a *Admission) Unchecked() []string {
	if !a.Allowed() {
		return nil
	}
	return Unchecked(a.verified.Declaration(), a.files)
}

// Reasons are why the run may not be started, one line each.
func (a *Admission) Reasons() []string { return reasons(a.Err()) }
