package verdicts

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
)

// A Visitor is told what names say, in their order. It verifies by itself what is of many runs, with Set, Journal and Attached.
// Where it returns false, nothing further is verified.
type Visitor interface {
	// Bundle is given the answer about a bundle, or why there is none.
	Bundle(name string, r attest.Report, err error) bool
	Set(name string, set io.ReadSeeker) bool
	Journal(dir string) bool
	Reference(text string) bool
}

// piece is one bundle of a file, or what could not be read; or what is verified as a whole.
type piece struct {
	input.Blob
	err error

	reference string
	journal   string // its folder
	set       *input.Source
	done      chan struct{} // of a set: closed once it is verified

	report attest.Report
}

func (p piece) size() int { return len(p.Data) }

// All verifies what names say: files, folders of journals, and references to registries and layouts.
func (v *Verifier) All(ctx context.Context, visitor Visitor, names ...string) error {
	if err := v.check(); err != nil {
		return err
	}
	if visitor == nil {
		return errors.New("no visitor: the verdicts would be lost")
	}
	workers := runtime.GOMAXPROCS(0)
	readsEvidence := v.Policy != nil || v.Source != nil // for one after the other
	if readsEvidence || input.HoldOne(names...) {
		workers = 1
	}
	stop := make(chan struct{})
	defer close(stop)
	verify := func(p piece) piece {
		if p.err == nil && p.reference == "" && p.journal == "" && p.set == nil {
			p.report, p.err = v.Text(ctx, p.Data)
		}
		p.Data = nil
		return p
	}
	for p := range inorder.Map(workers, v.pieces(names, stop), piece.size, verify) {
		if !p.visit(visitor) {
			return nil
		}
	}
	return nil
}

func (p piece) visit(visitor Visitor) bool {
	switch {
	case p.reference != "":
		return visitor.Reference(p.reference)
	case p.journal != "":
		return visitor.Journal(p.journal)
	case p.set != nil:
		defer close(p.done)
		defer p.set.Close() // only read: nothing to lose
		return visitor.Set(p.Name, p.set.Set)
	}
	return visitor.Bundle(p.Name, p.report, p.err)
}

// pieces gives what names say. After a run set, which may be in standard input, it goes on once that is verified.
func (v *Verifier) pieces(names []string, stop <-chan struct{}) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for _, name := range names {
			p := piece{Blob: input.Blob{Name: input.Name(name)}}
			if registry.IsReference(name) {
				p.reference = name
			} else if journal.Is(name) {
				p.journal = name
			} else {
				p.set, p.err = input.OpenSource(name, v.Stdin)
			}
			if p.err == nil && p.set != nil && p.set.Set == nil {
				if !bundles(p.set, yield) {
					return
				}
				continue
			}
			if p.set != nil {
				p.done = make(chan struct{})
			}
			if !yield(p) {
				return
			}
			if p.set == nil {
				continue
			}
			select {
			case <-p.done:
			case <-stop:
				return
			}
		}
	}
}

// bundles gives the bundles in a file, and closes it.
func bundles(file *input.Source, yield func(piece) bool) bool {
	defer file.Close() // only read: nothing to lose
	for blob, err := range file.Bundles() {
		if !yield(piece{Blob: blob, err: err}) {
			return false
		}
	}
	return true
}
