package main

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/registry"
)

// lineageReader reads the bundles of a lineage from files, folders and repositories of runs.
type lineageReader struct {
	cmd   *cobra.Command
	reach *registryFlags
	args  []string
	// roots are the runs whose ancestry is asked for: of a repository, they and their ancestors alone are
	// read, and without any all runs.
	roots []identity.ID
	fail  func(name string, err error) // is told what cannot be read
	skip  func(err error)              // is told what was passed over in a repository
	step  func()                       // hears of each bundle
}

// inputs gives the bundles, those of files first: their parents may be in a repository.
func (f *lineageReader) inputs() iter.Seq[lineage.Input] {
	return func(yield func(lineage.Input) bool) {
		counted := func(in lineage.Input) bool {
			f.step()
			return yield(in)
		}
		repositories := slices.DeleteFunc(slices.Clone(f.args), func(arg string) bool { return !registry.IsReference(arg) })
		wanted, known := slices.Clone(f.roots), map[identity.ID]bool{}
		for _, arg := range f.args {
			if registry.IsReference(arg) {
				continue
			}
			for blob, err := range input.Lineage(arg, f.cmd.InOrStdin()) {
				if err != nil {
					f.fail(blob.Name, err)
					continue
				}
				if len(f.roots) > 0 && len(repositories) > 0 {
					for _, parent := range claimedParents(blob.Data) {
						if !known[parent] {
							known[parent], wanted = true, append(wanted, parent)
						}
					}
				}
				if !counted(lineage.Input{Name: blob.Name, Data: blob.Data}) {
					return
				}
			}
		}
		for _, arg := range repositories {
			if !f.repository(arg, wanted, counted) {
				return
			}
		}
	}
}

// bundles are the inputs without declarations, which are said to be none.
func (f *lineageReader) bundles() iter.Seq[lineage.Input] {
	return func(yield func(lineage.Input) bool) {
		for in := range f.inputs() {
			if isDeclaration(in.Data) {
				if _, err := parseBundle(in.Data); err != nil {
					f.fail(in.Name, err)
					continue
				}
			}
			if !yield(in) {
				return
			}
		}
	}
}

// repository gives the runs that are wanted, with their ancestors, or all.
func (f *lineageReader) repository(arg string, wanted []identity.ID, yield func(lineage.Input) bool) bool {
	target, err := f.open(arg)
	if err != nil {
		f.fail(arg, err)
		return true
	}
	ref := target.Reference()
	o := registry.RunsOptions{Of: wanted, Ancestors: true, PredicateTypes: []string{attest.PredicateType}}
	if !ref.Run().IsZero() {
		o.Of = append([]identity.ID{ref.Run()}, wanted...)
	}
	for k, err := range target.Runs(f.cmd.Context(), o) {
		in := lineage.Input{Name: ref.WithRun(k.Run).String(), Declaration: k.Declaration}
		switch {
		case errors.As(err, new(*registry.SkippedError)):
			f.skip(fmt.Errorf("%s: %w", ref.Repository(), err))
			continue
		case err == nil && k.Declaration == nil && k.Run == ref.Run():
			f.fail(arg, fmt.Errorf("%w: no such run", registry.ErrNotFound))
			continue
		case err != nil:
			f.fail(arg, err)
			continue // which ends it
		case k.Declaration == nil:
			continue
		case k.Found != nil:
			in.Name, in.Data = ref.Repository()+"@"+k.Found.Referrer, k.Found.Data
		}
		if !yield(in) {
			return false
		}
	}
	return true
}

func (f *lineageReader) open(arg string) (*registry.Target, error) {
	ref, err := registry.ParseReference(arg)
	if err != nil {
		return nil, err
	}
	if !ref.IsRepository() && ref.Run().IsZero() {
		return nil, withHint(fmt.Errorf("%s names an artifact: want a repository of runs, or a run in one", ref), "runattest push makes one")
	}
	return f.reach.open(ref, nil)
}

// claimedParents are the parents that a bundle names: where to look, and nothing to believe.
func claimedParents(data []byte) []identity.ID {
	b, err := attest.ParseBundle(data)
	if err != nil {
		return nil
	}
	s, err := b.UnverifiedStatement()
	if err != nil || s.Declaration == nil {
		return nil
	}
	d, err := identity.Parse(s.Declaration)
	if err != nil {
		return nil
	}
	return d.Parents()
}
