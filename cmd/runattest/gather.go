package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// appliedPolicy is a policy with what it is asked with. Approvals that lie with their runs, and
// ancestors, are gathered for each run once that is verified.
type appliedPolicy struct {
	*policy.Policy
	cmd       *cobra.Command
	reach     *registryFlags
	now       time.Time
	clock     string             // whose that is
	replay    bool               // it is that of --at
	approvals pile               // in files
	attached  pile               // to artifacts, or one run
	shelves   []*registry.Target // repositories of runs, with their approvals
	lineage   []string
	local     *lineage.Graph // the lineage, if it lies in files alone: the same for every run

	shown  *transfer // the count that the terminal has already
	moving *transfer // the one that it has while the policy is asked; nil for none
}

// verify verifies the bundle, and has the policy decide about the run.
func (a *appliedPolicy) verify(ctx context.Context, b *attest.Bundle, want attest.Expect) (*policy.Result, error) {
	return a.VerifyWith(ctx, b, want, a.given)
}

// given is everything that the policy is asked with about a run.
func (a *appliedPolicy) given(ctx context.Context, v *attest.Verified) (policy.Given, error) {
	given := policy.Given{Approvals: slices.Concat(a.approvals.list, a.attached.list), Now: a.now, Clock: a.clock, Replay: a.replay}
	if a.moving = a.shown; a.moving == nil && (len(a.shelves) > 0 || len(a.lineage) > 0) {
		a.moving = newOutput(a.cmd).transfer(ctx, "approvals and ancestors read")
		defer func() { a.moving.end(); a.moving = nil }()
	}
	var err error
	if given.Lineage, err = a.lineageOf(ctx, v); err != nil {
		return given, fmt.Errorf("--lineage: %w", err)
	}
	if len(a.shelves) == 0 {
		return given, nil
	}
	runs := []identity.ID{v.ID()}
	if given.Lineage != nil {
		if ancestors, err := given.Lineage.Ancestors(v); err == nil { // else the policy says no
			for ancestor := range ancestors {
				runs = append(runs, ancestor.ID)
			}
		}
	}
	for _, shelf := range a.shelves {
		found, err := approvalsOn(ctx, shelf, runs)
		if err != nil {
			return given, err
		}
		given.Approvals = append(given.Approvals, found...)
	}
	return given, nil
}

// rejected finds which runs approvers of the policy have rejected: lineage.Options.Rejected.
func (a *appliedPolicy) rejected(ctx context.Context, runs []identity.ID) (map[identity.ID]string, error) {
	given := slices.Concat(a.approvals.list, a.attached.list)
	for _, shelf := range a.shelves {
		found, err := approvalsOn(ctx, shelf, runs)
		if err != nil {
			return nil, err
		}
		given = append(given, found...)
	}
	return a.Rejections(ctx, policy.Given{Approvals: given, Now: a.now, Replay: a.replay})
}

// again has the policy asked as of now, with what is attached by now.
func (a *appliedPolicy) again(approvals []string, now time.Time) error {
	a.now, a.attached, a.shelves = now, pile{}, nil
	for _, arg := range approvals {
		if registry.IsReference(arg) {
			if err := a.attachedApprovals(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *appliedPolicy) heard() { a.moving.count() }

// lineageOf reads the run's ancestors if a rule asks for them.
func (a *appliedPolicy) lineageOf(ctx context.Context, v *attest.Verified) (*lineage.Graph, error) {
	parents := v.Declaration().Parents()
	if len(a.lineage) == 0 || len(parents) == 0 || !a.NeedsLineage() || a.local != nil {
		return a.local, nil
	}
	o := newOutput(a.cmd)
	var failed error
	r := &lineageReader{cmd: a.cmd, reach: a.reach, args: a.lineage, roots: parents, step: a.heard}
	r.fail = func(name string, err error) { failed = errors.Join(failed, named(name, err)) }
	r.skip = func(err error) {
		a.moving.say(func() { o.info("--lineage: passed over: %s", visible.Cut(err.Error())) })
	}
	g, err := lineage.Build(ctx, a.Verifier(), r.inputs(), lineage.Options{})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	for _, m := range g.Malformed() {
		a.moving.say(func() { o.info("--lineage: passed over: %s", named(m.Name, m.Err)) })
	}
	if !slices.ContainsFunc(a.lineage, registry.IsReference) {
		a.local = g
	}
	return g, nil
}

// unreadableApprovalsError says that approvals could not be gathered, so that a rejection might be missing.
type unreadableApprovalsError struct{ err error }

func (e *unreadableApprovalsError) Error() string { return "--approvals: " + e.err.Error() }
func (e *unreadableApprovalsError) Unwrap() error { return e.err }

// readApprovals reads files, and what is attached to artifacts. Repositories of runs are opened.
func (a *appliedPolicy) readApprovals(args []string, stdin io.Reader) error {
	for _, arg := range args {
		if registry.IsReference(arg) {
			if err := a.attachedApprovals(arg); err != nil {
				return err
			}
			continue
		}
		for blob, err := range input.Bundles(arg, stdin) {
			var bundle *attest.Bundle
			if err == nil {
				bundle, err = parseBundle(blob.Data)
			}
			if err == nil {
				err = a.approvals.add(blob.Name, bundle, len(blob.Data))
			}
			if err != nil {
				return fmt.Errorf("--approvals %s: %w", blob.Name, err)
			}
		}
	}
	return nil
}

func (a *appliedPolicy) attachedApprovals(arg string) error {
	ref, err := registry.ParseReference(arg)
	if err != nil {
		return fmt.Errorf("--approvals %w", err)
	}
	target, err := a.reach.open(ref, a.heard)
	if err != nil {
		return &unreadableApprovalsError{err}
	}
	if ref.IsRepository() {
		a.shelves = append(a.shelves, target)
		return nil
	}
	ctx := a.cmd.Context()
	if !ref.Run().IsZero() {
		found, err := approvalsOn(ctx, target, []identity.ID{ref.Run()})
		a.attached.list = append(a.attached.list, found...)
		return err
	}
	artifact, err := target.Resolve(ctx)
	if err != nil {
		return &unreadableApprovalsError{err}
	}
	listing, err := target.List(ctx, artifact, policy.ApprovalType)
	if err != nil {
		return &unreadableApprovalsError{err}
	}
	for found, err := range listing.Bundles(ctx) {
		if err == nil {
			err = a.attached.add(ref.Repository()+"@"+found.Referrer, found.Bundle, len(found.Data))
		}
		if err != nil {
			return &unreadableApprovalsError{fmt.Errorf("%s: %w", artifact.Reference, err)}
		}
	}
	return nil
}

// pile are approvals from one place: no more than a decision looks at, and than memory bears, whoever put them there.
type pile struct {
	list []policy.Approval
	size int // of their bundles
}

func (p *pile) add(source string, bundle *attest.Bundle, size int) error {
	switch p.size += size; {
	case len(p.list) == limits.Approvals:
		return fmt.Errorf("more than %d approvals", limits.Approvals)
	case p.size > limits.ApprovalsSize:
		return fmt.Errorf("more than %d bytes of approvals", limits.ApprovalsSize)
	}
	p.list = append(p.list, policy.Approval{Source: source, Bundle: bundle})
	return nil
}

// approvalsOn are those attached to runs in a repository. A run that is not there is an error, as is whatever
// claims to be an approval and cannot be read: a rejection might be missing.
func approvalsOn(ctx context.Context, shelf *registry.Target, runs []identity.ID) ([]policy.Approval, error) {
	repository := shelf.Reference().Repository()
	if len(runs) > limits.Approvals {
		return nil, &unreadableApprovalsError{fmt.Errorf("%s: those of %d runs are wanted, want at most %d", repository, len(runs), limits.Approvals)}
	}
	var all pile
	for k, err := range shelf.Runs(ctx, registry.RunsOptions{Of: runs, PredicateTypes: []string{policy.ApprovalType}}) {
		switch {
		case err != nil:
		case k.Declaration == nil:
			err = withHint(fmt.Errorf("%s is not there", k.Run), "runattest push stores it, so that its approvals have a place")
		case k.Found != nil:
			err = all.add(repository+"@"+k.Found.Referrer, k.Found.Bundle, len(k.Found.Data))
		}
		if err != nil {
			return nil, &unreadableApprovalsError{fmt.Errorf("%s: %w", repository, err)}
		}
	}
	return all.list, nil
}
