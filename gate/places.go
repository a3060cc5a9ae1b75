package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// Places finds evidence by the names of places: files and folders, and references, which Open opens, or without it registry.Open
// with default options. A folder that is the journal of a gateway gives the runs in it.
type Places struct {
	Stdin io.Reader // of which "-" is the name; nil is this process's
	Open  func(registry.Reference) (*registry.Target, error)
	// Resolve, if it is given, finds the artifact of a reference in the place of Open, for example to say what a tag means.
	Resolve func(ctx context.Context, reference string) (*registry.Artifact, error)
	// Watch, if it is given, makes of what reads the approvals at a reference what is asked in its place, for example to count.
	Watch func(ApprovalSource) ApprovalSource
}

func (p Places) stdin() io.Reader {
	if p.Stdin == nil {
		return os.Stdin
	}
	return p.Stdin
}

// Approvals are those that lie in several places; nil without a name. Files are read now. What is attached to an artifact is read now,
// too, unless again is set: then it is read for each decision, as a repository of runs always is, since its answer depends on the run.
func (p Places) Approvals(ctx context.Context, again bool, names ...string) (ApprovalSource, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var inFiles ApprovalList
	var attached, repositories []ApprovalSource
	for _, name := range names {
		if !registry.IsReference(name) {
			if err := p.readApprovals(&inFiles, name); err != nil {
				return nil, err
			}
			continue
		}
		target, err := p.open(name)
		if err != nil {
			return nil, err
		}
		var source ApprovalSource = NewRepository(target)
		if p.Watch != nil {
			source = p.Watch(source)
		}
		switch {
		case target.Reference().IsRepository():
			repositories = append(repositories, source)
			continue
		case !again:
			if source, err = ReadApprovals(ctx, source); err != nil {
				return nil, err
			}
		}
		attached = append(attached, source)
	}
	return JoinApprovals(slices.Concat([]ApprovalSource{&inFiles}, attached, repositories)...), nil
}

func (p Places) readApprovals(into *ApprovalList, path string) error {
	for blob, err := range input.Bundles(path, p.stdin()) {
		if err == nil {
			err = files.ExplainBundle(into.Add(blob.Name, blob.Data), blob.Data)
		}
		if err != nil && !strings.HasPrefix(err.Error(), blob.Name) { // as those of the file itself do
			err = fmt.Errorf("%s: %w", blob.Name, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Lineage is the bundles that lie in several places. Those in files are read first: their parents may be in a repository.
func (p Places) Lineage(names ...string) LineageSource {
	var inFiles, repositories []LineageSource
	for _, name := range names {
		if registry.IsReference(name) {
			repositories = append(repositories, lineageAt{p, name})
		} else {
			inFiles = append(inFiles, lineageAt{p, name})
		}
	}
	return JoinLineage(append(inFiles, repositories...)...)
}

// Judge is j with the evidence that lies in several places, as Approvals and Lineage find it, besides what it has: read for each
// decision where j.Again is set. Approvals that a policy without approvers would not count are policy.ErrNoApprovers; no place is
// read then.
func (p Places) Judge(ctx context.Context, j Judge, approvals, ancestors []string) (*Judge, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	if len(approvals) > 0 && !j.NamesApprovers() {
		return nil, policy.ErrNoApprovers
	}
	j.first = time.Time{}
	e := &j.Evidence
	if len(ancestors) > 0 {
		one, found := !slices.ContainsFunc(ancestors, registry.IsReference), p.Lineage(ancestors...)
		if e.Lineage != nil {
			one, found = one && j.OneLineage, JoinLineage(e.Lineage, found)
		}
		j.OneLineage, e.Lineage, e.Graph = one, found, nil
	}
	if len(approvals) > 0 {
		found, err := p.Approvals(ctx, j.Again, approvals...)
		if err != nil {
			return nil, err
		}
		if e.Approvals != nil {
			found = JoinApprovals(e.Approvals, found)
		}
		e.Approvals = found
	}
	return &j, nil
}

// lineageAt are the bundles in one place.
type lineageAt struct {
	Places
	name string
}

func (l lineageAt) Lineage(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	if registry.IsReference(l.name) {
		return l.inRepository(ctx, of)
	}
	if journal.Is(l.name) {
		return inJournal(l.name)
	}
	return func(yield func(lineage.Input, error) bool) {
		for blob, err := range input.Lineage(l.name, l.stdin(), files.Bundles) {
			if !yield(lineage.Input{Name: blob.Name, Data: blob.Data}, err) {
				return
			}
		}
	}
}

// inJournal gives the runs in the journal of a gateway, and the damage of what is signed: runs may be missing.
func inJournal(dir string) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
		damaged := false
		for l, err := range journal.UnverifiedLines(dir) {
			in := lineage.Input{Name: dir}
			switch {
			case err != nil:
			case l.Bundle == nil: // no run, or that of an earlier line
				continue
			default:
				in.Name = fmt.Sprintf("%s/%08d.jsonl:%d", dir, l.Segment, l.Number)
				if in.Data, err = l.Bundle.Marshal(); err == nil && l.Declaration != nil {
					in.Declaration, err = identity.Parse(l.Declaration)
				}
			}
			if !yield(in, err) {
				return
			}
			damaged = damaged || err != nil
		}
		if damaged {
			return
		}
		if err := journal.Damage(dir); err != nil {
			yield(lineage.Input{Name: dir}, err)
		}
	}
}

func (l lineageAt) inRepository(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
		target, err := l.open(l.name)
		if err != nil {
			yield(lineage.Input{Name: l.name}, err)
			return
		}
		for in, err := range NewRepository(target).Lineage(ctx, of) {
			if err != nil && !errors.As(err, new(*registry.SkippedError)) {
				in.Name = l.name
			}
			if !yield(in, err) {
				return
			}
		}
	}
}

func (p Places) open(name string) (*registry.Target, error) {
	ref, err := registry.ParseReference(name)
	if err != nil {
		return nil, err
	}
	if p.Open == nil {
		return registry.Open(ref, registry.Options{})
	}
	return p.Open(ref)
}
