package gate

import (
	"context"
	"errors"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
)

// A Judge has a policy decide about many runs, each with the evidence about it. It starts nothing. It is used by one goroutine.
type Judge struct {
	*policy.Policy
	Evidence Evidence
	// Given has the time of the decisions: policy.Given's Now, Clock and Replay.
	Given policy.Given
	// OneLineage says that Evidence.Lineage gives the same for every run: it is read and verified once.
	OneLineage bool
}

var errNoJudge = errors.New("nothing decides: the judge, or its policy, is nil")

func (j *Judge) check() error {
	if j == nil || j.Policy == nil {
		return errNoJudge
	}
	return nil
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
	if err := j.check(); err != nil {
		return policy.Given{}, err
	}
	given, err := j.Evidence.Gather(ctx, j.Policy, run, j.Given)
	if err == nil && j.OneLineage {
		j.Evidence.Graph = given.Lineage
	}
	return given, err
}

// RejectedRuns finds which of these runs approvers of the policy have rejected, as lineage.Options.Rejected asks.
func (j *Judge) RejectedRuns(ctx context.Context, runs []identity.ID) (map[identity.ID]string, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	return j.Evidence.Rejections(ctx, j.Policy, runs, j.Given)
}
