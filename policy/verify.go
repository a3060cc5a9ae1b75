package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/zero"
)

// Result is a run that is verified and allowed.
type Result struct {
	Verified *attest.Verified
	Report   attest.Report // that of Verified, with the policy's check in it
	Decision *Decision
}

// DeniedError says that a run is verified, and that the policy denies it. It wraps an *attest.VerificationError, whose
// report has the policy's check in it, so that a caller who asks for yes or no alone needs to know of no other type.
type DeniedError struct {
	Decision *Decision
	no       *attest.VerificationError
}

func (e *DeniedError) Error() string { return zero.IfNil(e).failed().Error() }
func (e *DeniedError) Unwrap() error { return zero.IfNil(e).failed() }

// failed is never nil, also where nothing in this package has made the error.
func (e *DeniedError) failed() *attest.VerificationError { return zero.IfNil(e.no) }

// Verify verifies the bundle with the policy's own Verifier, and has the policy decide about the run. It returns a
// Result only where both say yes: a bundle that is not verified is an *attest.VerificationError, a run that is denied
// a *DeniedError. Every other error says that the policy could not be asked: ErrNoApprovers, too many approvals, a
// lineage that another verifier has verified, the end of the context.
func (p *Policy) Verify(ctx context.Context, b *attest.Bundle, want attest.Expect, given Given) (*Result, error) {
	return p.VerifyWith(ctx, b, want, func(context.Context, *attest.Verified) (Given, error) { return given, nil })
}

// VerifyWith is Verify where what the policy is asked with depends on the run: gather is called once, about a bundle that is
// verified. Its error is returned as it is, and the policy is not asked.
func (p *Policy) VerifyWith(ctx context.Context, b *attest.Bundle, want attest.Expect, gather func(context.Context, *attest.Verified) (Given, error)) (*Result, error) {
	verified, err := p.Verifier().Verify(ctx, b, want)
	return p.Judge(ctx, verified, err, gather)
}

// Judge is VerifyWith for what the policy's own Verifier has been asked about already, such as a run of a run set. verified
// and err are what it returned.
func (p *Policy) Judge(ctx context.Context, verified *attest.Verified, err error, gather func(context.Context, *attest.Verified) (Given, error)) (*Result, error) {
	if gather == nil {
		return nil, errors.New("policy: no function to gather what it is asked with")
	}
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		return nil, &attest.VerificationError{Report: withCheck(no.Report, evidence.Skipped(evidence.CheckPolicy, evidence.CodeNotReached, "a policy judges only what is verified"))}
	}
	if err != nil {
		return nil, err
	}
	given, err := gather(ctx, verified)
	if err != nil {
		return nil, err
	}
	d, err := p.Evaluate(ctx, verified, given)
	if err != nil {
		return nil, err
	}
	report := withCheck(verified.Report(), d.check())
	if !d.Allowed {
		return nil, &DeniedError{d, &attest.VerificationError{Report: attest.Report{Checks: report.Checks, Set: report.Set}}}
	}
	return &Result{verified, report, d}, nil
}

// withCheck is a report in which the policy's check is this one.
func withCheck(r attest.Report, check evidence.Check) attest.Report {
	var checks []evidence.Check
	for _, c := range r.Checks {
		if c.Name == evidence.CheckPolicy {
			c = check
		}
		checks = append(checks, c)
	}
	r.Checks = checks
	return r
}

// check is the decision as a line of a report. Each denial is a detail.
func (d *Decision) check() evidence.Check {
	check := evidence.Failed(evidence.CheckPolicy, evidence.CodePolicyDenied, "%s: denied, %s", d.label(), plural(len(d.Denials), "reason"))
	if d.Allowed {
		check = evidence.Passed(evidence.CheckPolicy, "%s: %s met", d.label(), plural(len(d.Rules)-len(d.Warnings), "rule"))
		if n := len(d.Warnings); n > 0 {
			check.Reason += ", " + plural(n, "warning")
		}
	}
	if d.OpenBy != "" {
		check.Details = append(check.Details, "open by "+d.OpenBy)
	}
	for _, a := range d.Approvals {
		check.Details = append(check.Details, a.String())
	}
	for _, denial := range d.Denials {
		check.Details = append(check.Details, "denied by "+denial.String())
	}
	for _, warning := range d.Warnings {
		check.Details = append(check.Details, "warning: "+warning.String())
	}
	return check
}

// label is which policy decided, and by which clock.
func (d *Decision) label() string {
	return strings.TrimLeft(fmt.Sprintf("%s at %s (%s)", d.Policy, stamp(d.Now), d.Clock), " ")
}
