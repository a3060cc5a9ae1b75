package gate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/registry"
)

// Places finds evidence by the names of places: files and folders, which Files reads, and references to repositories of
// runs, which Open opens. Without these functions, files of bundles (- is standard input) are read, and references opened with
// default options. A folder that is the journal of a gateway gives the runs in it.
type Places struct {
	Files func(path string) iter.Seq2[lineage.Input, error]
	Open  func(registry.Reference) (*registry.Target, error)
}

// Lineage is the bundles that lie in several places. Those in files are read first: their parents may be in a repository.
func (p Places) Lineage(names ...string) LineageSource {
	var files, repositories []LineageSource
	for _, name := range names {
		if registry.IsReference(name) {
			repositories = append(repositories, lineageAt{p, name})
		} else {
			files = append(files, lineageAt{p, name})
		}
	}
	return JoinLineage(append(files, repositories...)...)
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
	if l.Files != nil {
		return l.Files(l.name)
	}
	return func(yield func(lineage.Input, error) bool) {
		for blob, err := range input.Lineage(l.name, os.Stdin, input.Bundles) {
			if !yield(lineage.Input{Name: blob.Name, Data: blob.Data}, err) {
				return
			}
		}
	}
}

// inJournal gives the runs in the journal of a gateway.
func inJournal(dir string) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
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
		}
	}
}

func (l lineageAt) inRepository(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	return func(yield func(lineage.Input, error) bool) {
		target, err := l.open()
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

func (l lineageAt) open() (*registry.Target, error) {
	ref, err := registry.ParseReference(l.name)
	if err != nil {
		return nil, err
	}
	if l.Open == nil {
		return registry.Open(ref, registry.Options{})
	}
	return l.Open(ref)
}
