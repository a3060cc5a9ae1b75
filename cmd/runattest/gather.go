package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// appliedPolicy is a policy with the evidence and the time that flags name for it.
type appliedPolicy struct {
	*gate.Judge
	*evidenceProgress
}

// evidenceProgress counts on a terminal what is read of approvals and lineages.
type evidenceProgress struct {
	out    *output
	shown  *terminal.Transfer // the count that the terminal has already; nil for none
	moving *terminal.Transfer // the one that it has while something is read
	before func()             // is called before a count of its own appears; nil for nothing
}

// begin has a count appear, until the function that it returns is called.
func (p *evidenceProgress) begin(ctx context.Context) (end func()) {
	if p.moving = p.shown; p.moving != nil {
		return func() { p.moving = nil }
	}
	if p.before != nil {
		p.before()
	}
	p.moving = p.out.transfer(ctx, "approvals and ancestors read")
	return func() { p.moving.End(); p.moving = nil }
}

func (p *evidenceProgress) passedOver(err error) {
	p.moving.Say(func() { p.out.Info("--lineage: passed over: %s", visible.Cut(err.Error())) })
}

// unreadableApprovalsError says that approvals could not be gathered, so that a rejection might be missing.
type unreadableApprovalsError struct{ err error }

func (e *unreadableApprovalsError) Error() string { return "--approvals: " + e.err.Error() }
func (e *unreadableApprovalsError) Unwrap() error { return e.err }

// approvalsAt are the approvals that lie where a reference says.
type approvalsAt struct {
	gate.ApprovalSource
	*evidenceProgress
}

func (a approvalsAt) Approvals(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
	return func(yield func(policy.Approval, error) bool) {
		defer a.begin(ctx)()
		for approval, err := range a.ApprovalSource.Approvals(ctx, runs) {
			if err != nil {
				err = &unreadableApprovalsError{err}
			}
			if a.moving.Count(); !yield(approval, err) {
				return
			}
		}
	}
}

// approvalPlaces are where --approvals may lie.
func (p *policyFlags) approvalPlaces(shown *evidenceProgress) gate.Places {
	places := p.reach.places()
	places.Watch = func(from gate.ApprovalSource) gate.ApprovalSource { return approvalsAt{from, shown} }
	places.Open = func(ref registry.Reference) (*registry.Target, error) {
		target, err := p.reach.open(ref, nil)
		if err != nil {
			err = &unreadableApprovalsError{err}
		}
		return target, err
	}
	return places
}

// places are what arguments may name as evidence.
func (r *registryFlags) places() gate.Places {
	return gate.Places{
		Stdin: r.cmd.InOrStdin(),
		Open:  func(ref registry.Reference) (*registry.Target, error) { return r.open(ref, nil) },
	}
}

// flagLineageSource is what --lineage names, and says so in errors.
type flagLineageSource struct {
	gate.LineageSource
	*evidenceProgress
}

func (f flagLineageSource) Lineage(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
		defer f.begin(ctx)()
		begin := "--lineage: " // of the first of several lines
		for in, err := range f.LineageSource.Lineage(ctx, of) {
			if err != nil && !errors.As(err, new(*registry.SkippedError)) {
				in, err, begin = lineage.Input{}, fmt.Errorf("%s%w", begin, named(in.Name, err)), ""
			}
			if f.moving.Count(); !yield(in, err) {
				return
			}
		}
	}
}
