package gate

import (
	"context"
	"errors"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
)

// A Judge has a policy decide about many runs, each with the evidence about it. It starts nothing. It is used by one goroutine,
// and not changed once it has decided.
type Judge struct {
	*policy.Policy
	Evidence Evidence

	Clock     func() time.Time // of this machine, such as time.Now; required unless At is given
	ClockName string           // whose the time of the decisions is, for reports; "" is the caller's clock
	// At repeats the decisions of another time: approvals and rejections that are dated later do not count.
	At time.Time
	// Again makes each decision one about the time at which it is made. Without it all are about the time of the first.
	Again bool
	// OneLineage says that Evidence.Lineage gives the same for every run: it is read and verified once.
	OneLineage bool

	first time.Time // of the first decision
}

var errNoJudge = errors.New("nothing decides: the judge, or its policy, is nil")

func (j *Judge) check() error {
	if j == nil || j.Policy == nil {
		return errNoJudge
	}
	return nil
}

// given has the time of a decision that is to be made now.
func (j *Judge) given() (policy.Given, error) {
	switch {
	case j.check() != nil:
		return policy.Given{}, errNoJudge
	case j.At.IsZero() && j.Clock == nil:
		return policy.Given{}, errNoClock
	case j.At.IsZero() && (j.Again || j.first.IsZero()):
		if j.first = j.Clock(); j.first.IsZero() {
			return policy.Given{}, errNoClock
		}
	}
	return asOf(j.first, j.ClockName, j.At), nil
}

// asOf is the time of a decision: that of a clock, or another one, whose decision is repeated.
func asOf(now time.Time, clock string, at time.Time) policy.Given {
	if at.IsZero() {
		return policy.Given{Now: now, Clock: clock}
	}
	return policy.Given{Now: at, Clock: clock, Replay: true}
}

// VerifyRun verifies a bundle with the policy's verifier, and has the policy decide about the run. A no is a
// *attest.VerificationError; any other error says that nothing was decided.
func (j *Judge) VerifyRun(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
	if err := j.check(); err != nil {
		return attest.Report{}, err
	}
	return reportOf(j.Policy.VerifyWith(ctx, b, want, j.Gather))
}

// JudgeRun has the policy decide about a run that its verifier was asked about already: run is what it returned, or no is why it
// is not verified.
func (j *Judge) JudgeRun(ctx context.Context, run *attest.Verified, no error) (attest.Report, error) {
	if err := j.check(); err != nil {
		return attest.Report{}, err
	}
	return reportOf(j.Policy.Judge(ctx, run, no, j.Gather))
}

// ExplainRun verifies a bundle, has the policy decide about the run, and explains each rule with the same evidence. A run that is
// not verified is a *attest.VerificationError, and a no of the policy is a decision.
func (j *Judge) ExplainRun(ctx context.Context, b *attest.Bundle, want attest.Expect) (*policy.Decision, []policy.Explanation, error) {
	if err := j.check(); err != nil {
		return nil, nil, err
	}
	run, err := j.Policy.Verifier().Verify(ctx, b, want)
	if err != nil {
		return nil, nil, err
	}
	given, err := j.Gather(ctx, run)
	if err != nil {
		return nil, nil, err
	}
	decision, err := j.Policy.Evaluate(ctx, run, given)
	if err != nil {
		return nil, nil, err
	}
	rules, err := j.Policy.Explain(ctx, run, given)
	return decision, rules, err
}

func reportOf(r *policy.Result, err error) (attest.Report, error) {
	if err != nil {
		return attest.Report{}, err
	}
	return r.Report, nil
}

// Gather is everything that the policy is asked with about a run.
func (j *Judge) Gather(ctx context.Context, run *attest.Verified) (policy.Given, error) {
	given, err := j.given()
	if err != nil {
		return given, err
	}
	given, err = j.Evidence.Gather(ctx, j.Policy, run, given)
	if err == nil && j.OneLineage {
		j.Evidence.Graph = given.Lineage
	}
	return given, err
}

// RejectedRuns finds which of these runs approvers of the policy have rejected, as lineage.Options.Rejected asks.
func (j *Judge) RejectedRuns(ctx context.Context, runs []identity.ID) (map[identity.ID]string, error) {
	given, err := j.given()
	if err != nil {
		return nil, err
	}
	return j.Evidence.Rejections(ctx, j.Policy, runs, given)
}
