package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// Evidence is where a policy finds what it is asked with, besides the run; the zero value has none.
type Evidence struct {
	Approvals ApprovalSource // nil for no approvals
	Lineage   LineageSource  // nil for no lineage; it is read only if a rule asks for ancestors and the run has parents
	// Graph is the lineage where the policy's Verifier has verified it before; Lineage is not read then.
	Graph *lineage.Graph
	// PassedOver, where given, is told what a lineage was built without: bundles that are malformed, and content of a
	// repository that is not what it should be. What a run needs of it is missing from its ancestors.
	PassedOver func(error)
}

// Gather reads the evidence about a run that the policy's Verifier has verified: its lineage, and the approvals of the
// run and of its ancestors. The result is given with both in it, for Policy.Evaluate. What cannot be read is an error.
func (e Evidence) Gather(ctx context.Context, p *policy.Policy, run *attest.Verified, given policy.Given) (policy.Given, error) {
	switch {
	case p.Verifier() == nil:
		return given, errNoPolicy
	case run == nil || run.ID().IsZero():
		return given, policy.ErrNotOurs
	}
	if e.Approvals != nil && !p.NamesApprovers() {
		return given, policy.ErrNoApprovers
	}
	var err error
	if given.Lineage, err = e.lineage(ctx, p, run); err != nil || e.Approvals == nil {
		return given, err
	}
	runs := []identity.ID{run.ID()}
	if given.Lineage != nil {
		if ancestors, err := given.Lineage.Ancestors(run); err == nil { // else the policy says no
			for ancestor := range ancestors {
				runs = append(runs, ancestor.ID)
			}
		}
	}
	given.Approvals, err = collect(ctx, e.Approvals, runs)
	return given, err
}

// Rejections finds which runs approvers of the policy have rejected, as lineage.Options.Rejected asks. given has the time.
func (e Evidence) Rejections(ctx context.Context, p *policy.Policy, runs []identity.ID, given policy.Given) (map[identity.ID]string, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	var err error
	if given.Approvals, err = collect(ctx, e.Approvals, runs); err != nil {
		return nil, err
	}
	return p.Rejections(ctx, given)
}

func (e Evidence) lineage(ctx context.Context, p *policy.Policy, run *attest.Verified) (*lineage.Graph, error) {
	parents := run.Declaration().Parents()
	if e.Graph != nil || e.Lineage == nil || len(parents) == 0 || !p.NeedsLineage() {
		return e.Graph, nil
	}
	var failed error
	inputs := func(yield func(lineage.Input) bool) {
		for in, err := range JoinLineage(e.Lineage).Lineage(ctx, parents) {
			switch {
			case errors.As(err, new(*registry.SkippedError)):
				e.passOver(in.Name, err)
			case err != nil:
				failed = errors.Join(failed, about(in.Name, err))
			case !yield(in):
				return
			}
		}
	}
	g, err := lineage.Build(ctx, p.Verifier(), inputs, lineage.Options{})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = ctx.Err() // which may be why the sequence has ended
	}
	if err != nil {
		return nil, err
	}
	for _, m := range g.Malformed() {
		e.passOver(m.Name, m.Err)
	}
	return g, nil
}

func (e Evidence) passOver(name string, err error) {
	if e.PassedOver != nil {
		e.PassedOver(about(name, err))
	}
}

// about says in an error what it is about, unless it begins with that, or with the repository that it is in.
func about(name string, err error) error {
	text := err.Error()
	if ref, bad := registry.ParseReference(name); bad == nil && strings.HasPrefix(text, ref.Repository()) || strings.HasPrefix(text, name) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}
