package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

// bundlesIn gives the bundles in a file, and of a run set the proof of each run: the name has the run's line.
func bundlesIn(path string, stdin io.Reader) iter.Seq2[input.Blob, error] {
	return func(yield func(input.Blob, error) bool) {
		s, err := input.OpenSource(path, stdin)
		if err != nil {
			yield(input.Blob{Name: input.Name(path)}, err)
			return
		}
		defer s.Close() // only read: nothing to lose
		if s.Set == nil {
			s.Bundles()(yield)
			return
		}
		proofsIn(path, s.Set)(yield)
	}
}

func proofsIn(path string, r io.ReadSeeker) iter.Seq2[input.Blob, error] {
	return func(yield func(input.Blob, error) bool) {
		name := input.Name(path)
		set, err := runset.Open(r)
		if err != nil {
			yield(input.Blob{Name: name}, err)
			return
		}
		line := 1
		for proof, err := range set.Proofs(context.Background()) {
			line++
			blob := input.Blob{Name: fmt.Sprintf("%s:%d", name, line)}
			if err == nil {
				blob.Data, err = proof.Marshal()
			}
			if err != nil {
				yield(input.Blob{Name: name}, err)
				return
			}
			if !yield(blob, nil) {
				return
			}
		}
	}
}

// openSet opens a run set, and calls something else what it is.
func openSet(path string, stdin io.Reader) (*runset.Set, *input.Source, error) {
	s, err := input.OpenSource(path, stdin)
	if err != nil {
		return nil, nil, err
	}
	if s.Set == nil {
		err = cli.WithHint(errors.New("is not a run set"), "runattest sign --set FILE writes one")
	}
	var set *runset.Set
	if err == nil {
		set, err = runset.Open(s.Set)
	}
	if err != nil {
		return nil, nil, errors.Join(named(path, err), s.Close())
	}
	return set, s, nil
}
