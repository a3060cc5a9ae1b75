// Package verdicts verifies what names say: bundles in files, one or many, run sets, the journals of gateways, and what is
// attached to artifacts in registries and OCI layouts. Bundles are verified on all cores, and answered in their order.
//
// It holds what is expected against what is found, so that nothing looks verified that was not looked at: a declaration that is
// given is the one of the run, or of a run of the set; what is expected of one run is expected of no set and no journal.
//
//	v := &verdicts.Verifier{Trust: verifier, Expect: want, Given: declarations}
//	err := v.All(ctx, visitor, "runs.sigstore.jsonl", "sweep.runset.jsonl")
package verdicts

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry"
)

// A Policy decides about runs, with the evidence that it is asked with. A no is a *attest.VerificationError.
type Policy interface {
	// VerifyRun verifies a bundle, and decides about its run.
	VerifyRun(context.Context, *attest.Bundle, attest.Expect) (attest.Report, error)
	// JudgeRun decides about a run of a set. It is given what the policy's verifier returned: the run, or why it is not verified.
	JudgeRun(ctx context.Context, run *attest.Verified, no error) (attest.Report, error)
}

// A Verifier gives verdicts; the zero value trusts nothing, and gives none. It is used by one goroutine.
type Verifier struct {
	Trust  *attest.Verifier
	Policy Policy            // whose verifier is Trust; nil for none
	Source *recapture.Source // that must have become the declaration; nil for none
	Expect attest.Expect     // of each bundle, besides a declaration: that is in Given
	// Given are declarations, of which each run must have one; nil asks for none. Of a run set, one run must have one.
	Given *files.Declarations
	// Explain may give hints about a bundle that is not verified; nil for none.
	Explain func(*attest.Report, *attest.Bundle)
	// SourceError says in an error of Source what it is about; nil leaves it as it is.
	SourceError func(error) error
	Stdin       io.Reader // what "-" names
}

var (
	errNoTrust     = errors.New("nothing is verified: no verifier is given")
	errNotInGiven  = errors.New("the verifier's Expect has a declaration: want it in Given")
	errGivenEmpty  = errors.New("the verifier's Given has no declaration: want one, or nil")
	errExpectOther = errors.New("the declaration that is expected is none of those that are given")
)

func (v *Verifier) check() error {
	switch {
	case v == nil || v.Trust == nil:
		return errNoTrust
	case v.Expect.Declaration != nil:
		return errNotInGiven
	case v.Given != nil && v.Given.Len() == 0:
		return errGivenEmpty
	}
	return nil
}

// Bundle verifies a bundle with what the caller expects of it, and the declaration of Given that it claims to be about. It gives
// a report for yes and for no, and an error where there is no answer. Without a Policy it may be called by several goroutines.
func (v *Verifier) Bundle(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
	if err := v.check(); err != nil {
		return attest.Report{}, err
	}
	want, err := v.expect(b, want)
	if err != nil {
		return attest.Report{}, err
	}
	if v.Source == nil {
		return v.run(ctx, b, want)
	}
	report, err := v.Source.Verify(ctx, b, want, v.run)
	if errors.As(err, new(*recapture.SourceError)) && v.SourceError != nil {
		err = v.SourceError(err)
	}
	return report, err
}

// expect adds to what is expected of a bundle the declaration that is given for it.
func (v *Verifier) expect(b *attest.Bundle, want attest.Expect) (attest.Expect, error) {
	switch n := v.Given.Len(); {
	case n == 0:
	case want.Declaration != nil:
		if v.Given.Find(want.Declaration.ID()) == nil {
			return want, errExpectOther
		}
	case n == 1:
		want.Declaration = v.Given.Only()
	default:
		claim, err := b.UnverifiedStatement()
		if err != nil { // without a statement it is not verified: the report says why
			break
		}
		if want.Declaration = v.Given.Find(claim.Identity); want.Declaration == nil {
			return want, fmt.Errorf("is about none of the %d declarations that are given", n)
		}
	}
	return want, nil
}

func (v *Verifier) run(ctx context.Context, b *attest.Bundle, want attest.Expect) (report attest.Report, err error) {
	if v.Policy != nil {
		report, err = v.Policy.VerifyRun(ctx, b, want)
	} else {
		var verified *attest.Verified
		verified, err = v.Trust.Verify(ctx, b, want)
		report = verified.Report()
	}
	var no *attest.VerificationError
	switch {
	case errors.As(err, &no):
		if v.Explain != nil {
			v.Explain(&no.Report, b)
		}
		return no.Report, nil
	case err != nil:
		return attest.Report{}, err
	}
	return report, nil
}

// Text verifies the text of a bundle, as Bundle does with v.Expect.
func (v *Verifier) Text(ctx context.Context, data []byte) (attest.Report, error) {
	if err := v.check(); err != nil {
		return attest.Report{}, err
	}
	bundle, err := files.ParseBundle(data)
	if err != nil {
		return attest.Report{}, err
	}
	return v.Bundle(ctx, bundle, v.Expect)
}

// OneRunError says that something of many runs was held against what is expected of one.
type OneRunError struct {
	Kind   string // "run set" or "journal"
	Source bool   // it is a source that was given
}

func (e *OneRunError) Error() string {
	e = zero.IfNil(e)
	return "is a " + e.Kind + ", and what is expected is about one run"
}

// ErrNoneGiven says that no run of a set has a declaration that is given.
var ErrNoneGiven = errors.New("none of its runs has the declaration that is given")

// Set verifies a run set and each of its runs; each is given their reports, if it is not nil, and progress is called once for
// each run. A no is a Result that is not Verified; an error says that there is no answer.
func (v *Verifier) Set(ctx context.Context, r io.ReadSeeker, each func(index uint64, run attest.Report), progress func()) (*runset.Result, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("no run set: it is nil")
	}
	set, err := runset.Open(r)
	switch {
	case err != nil:
		return nil, err
	case v.Expect.Identity != nil || len(v.Expect.Artifacts) > 0:
		return nil, &OneRunError{Kind: "run set"}
	case v.Source != nil:
		return nil, &OneRunError{Kind: "run set", Source: true}
	}
	met := false
	o := runset.VerifyOptions{
		Declaration: func(id identity.ID) (*identity.Declaration, error) { return v.Given.Find(id), nil },
		Progress:    progress,
	}
	if each != nil || v.Given.Len() > 0 {
		o.Each = func(index uint64, run attest.Report) error {
			if met = met || v.Given.Find(run.Identity) != nil; each != nil {
				each(index, run)
			}
			return nil
		}
	}
	if v.Policy != nil {
		o.Judge = v.Policy.JudgeRun
	}
	result, err := runset.Verify(ctx, v.Trust, set, o)
	if err == nil && result.Verified && v.Given.Len() > 0 && !met {
		return nil, ErrNoneGiven
	}
	return result, err
}

// Journal verifies the journal in a folder. A no is a Result that is not Verified; an error says that there is no answer.
func (v *Verifier) Journal(ctx context.Context, dir string, o journal.VerifyOptions) (*journal.Result, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	if v.Expect.Identity != nil || v.Given.Len() > 0 || len(v.Expect.Artifacts) > 0 || v.Source != nil {
		return nil, &OneRunError{Kind: "journal"}
	}
	if v.Policy != nil {
		o.Judge = v.Policy.VerifyRun
	}
	return journal.Verify(ctx, v.Trust, dir, o)
}

// Attached verifies what is attached to an artifact, or to a run, as registry.Target.Verify does; each is given every verdict with
// the reference of what it is about, if it is not nil. An error says that it is not known what is attached.
func (v *Verifier) Attached(ctx context.Context, target *registry.Target, artifact *registry.Artifact, each func(reference string, c registry.Checked)) (registry.Summary, error) {
	if err := v.check(); err != nil {
		return registry.Summary{}, err
	}
	if n := v.Given.Len(); n > 1 {
		return registry.Summary{}, fmt.Errorf("%d declarations are given, want one for a reference", n)
	}
	want := v.Expect
	want.Declaration = v.Given.Only()
	all, err := target.Verify(ctx, artifact, want, v.Bundle)
	if err != nil {
		return registry.Summary{}, err
	}
	for c := range all.Results(ctx) {
		name := artifact.Reference.String()
		if c.Referrer != "" {
			name = artifact.Reference.Repository() + "@" + c.Referrer
		}
		if each != nil {
			each(name, c)
		}
	}
	return all.Summary(), nil
}
