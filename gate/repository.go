package gate

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/approvaltype"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// Repository reads approvals and a lineage from a registry or an OCI layout, as push and attach store them there. Of a
// reference to a repository of runs they are those of the runs that are asked for; of one to a run, that run's; and of
// one to an artifact, the approvals that are attached to it.
type Repository struct{ target *registry.Target }

var (
	_ ApprovalSource = (*Repository)(nil)
	_ LineageSource  = (*Repository)(nil)
)

// NewRepository is for a target that registry.Open has made; another one is an error when it is read.
func NewRepository(target *registry.Target) *Repository { return &Repository{target} }

// MissingRunError says that a repository does not have a run of which approvals are asked for. They would lie beside it,
// so that without it a rejection might be missing.
type MissingRunError struct{ Run identity.ID }

func (e *MissingRunError) Error() string { return fmt.Sprintf("%s is not there", zero.IfNil(e).Run) }

// NotRunsError says that a reference from which runs are to be read names an artifact.
type NotRunsError struct{ Reference registry.Reference }

func (e *NotRunsError) Error() string {
	return fmt.Sprintf("%s names an artifact: want a repository of runs, or a run in one", zero.IfNil(e).Reference)
}

// Approvals gives what is attached: of all bundles those whose statement may be one, in whatever version or spelling, whatever their
// manifests say of it. A run that is not there is a *MissingRunError; whatever claims to be an approval and cannot be read is an error,
// too.
func (r *Repository) Approvals(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
	target := zero.IfNil(r).target
	ref := target.Reference()
	switch {
	case !ref.Run().IsZero():
		return approvalsOfRuns(ctx, target, []identity.ID{ref.Run()})
	case ref.IsRepository():
		return approvalsOfRuns(ctx, target, runs)
	}
	return approvalsOfArtifact(ctx, target)
}

func approvalsOfRuns(ctx context.Context, target *registry.Target, runs []identity.ID) iter.Seq2[policy.Approval, error] {
	repository := target.Reference().Repository()
	return func(yield func(policy.Approval, error) bool) {
		fail := func(err error) { yield(policy.Approval{}, fmt.Errorf("%s: %w", repository, err)) }
		switch {
		case len(runs) > limits.Approvals:
			fail(fmt.Errorf("those of %d runs are wanted, want at most %d", len(runs), limits.Approvals))
			return
		case len(runs) == 0: // not an empty answer: a rejection may be missing
			fail(errors.New("the approvals of no run are asked for, want the runs"))
			return
		}
		var all tally
		for k, err := range target.Runs(ctx, registry.RunsOptions{Of: runs, ByContent: approvaltype.MayBe}) {
			switch {
			case err != nil:
			case k.Declaration == nil:
				err = &MissingRunError{k.Run}
			case k.Found == nil:
				continue
			default:
				err = all.count(len(k.Found.Data))
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(policy.Approval{Source: repository + "@" + k.Found.Referrer, Bundle: k.Found.Bundle}, nil) {
				return
			}
		}
	}
}

func approvalsOfArtifact(ctx context.Context, target *registry.Target) iter.Seq2[policy.Approval, error] {
	return func(yield func(policy.Approval, error) bool) {
		artifact, err := target.Resolve(ctx)
		var listing *registry.Listing
		if err == nil {
			listing, err = target.ListByContent(ctx, artifact, approvaltype.MayBe)
		}
		if err != nil {
			yield(policy.Approval{}, err)
			return
		}
		var all tally
		for found, err := range listing.Bundles(ctx) {
			if err == nil {
				err = all.count(len(found.Data))
			}
			if err != nil {
				yield(policy.Approval{}, fmt.Errorf("%s: %w", artifact.Reference, err))
				return
			}
			if !yield(policy.Approval{Source: target.Reference().Repository() + "@" + found.Referrer, Bundle: found.Bundle}, nil) {
				return
			}
		}
	}
}

// Lineage gives the runs that are asked for, with their ancestors; of a reference to a run that run and its ancestors,
// too; or else all runs. A run without a bundle comes with its declaration alone, which says where to look further.
func (r *Repository) Lineage(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	target := zero.IfNil(r).target
	ref := target.Reference()
	return func(yield func(lineage.Input, error) bool) {
		if !ref.IsRepository() && ref.Run().IsZero() {
			yield(lineage.Input{Name: ref.String()}, &NotRunsError{ref})
			return
		}
		o := registry.RunsOptions{Of: of, Ancestors: true, PredicateTypes: []string{attest.PredicateType}}
		if len(of) == 0 {
			o.Of = nil
		}
		if !ref.Run().IsZero() {
			o.Of = append([]identity.ID{ref.Run()}, of...)
		}
		for k, err := range target.Runs(ctx, o) {
			in := lineage.Input{Name: ref.WithRun(k.Run).String(), Declaration: k.Declaration}
			switch {
			case errors.As(err, new(*registry.SkippedError)):
				in, err = lineage.Input{Name: ref.Repository()}, fmt.Errorf("%s: %w", ref.Repository(), err)
			case err == nil && k.Declaration == nil && k.Run == ref.Run():
				in, err = lineage.Input{Name: ref.String()}, fmt.Errorf("%w: no such run", registry.ErrNotFound)
			case err != nil:
				in = lineage.Input{Name: ref.String()}
			case k.Declaration == nil:
				continue
			case k.Found != nil:
				in.Name, in.Data = ref.Repository()+"@"+k.Found.Referrer, k.Found.Data
			}
			if !yield(in, err) {
				return
			}
		}
	}
}
