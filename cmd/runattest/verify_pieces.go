package main

import (
	"iter"
	"runtime"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
)

// piece is one bundle of an argument, or what could not be read; or a reference, a journal or a run set, which is verified as a whole.
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

// verify answers for what the arguments name, in their order, up to the first that is not verified if that is asked for.
func (v *verification) verify(paths ...string) {
	stop := make(chan struct{})
	defer close(stop)
	for p := range inorder.Map(v.workers(), v.pieces(paths, stop), piece.size, v.verifyPiece) {
		v.answer(p)
		if v.failFast && v.status != exitYes {
			v.progress.End()
			v.Info("stopped at the first that is not verified")
			return
		}
	}
}

// workers is how many bundles are verified at once. A policy reads evidence for one after the other, and so do sources.
func (v *verification) workers() int {
	if v.judge.policy != nil || v.judge.source != nil {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// pieces gives what the arguments name. After a run set, which may be in standard input, it goes on once that is verified.
func (v *verification) pieces(paths []string, stop <-chan struct{}) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		for _, path := range paths {
			if registry.IsReference(path) {
				if !yield(piece{reference: path}) {
					return
				}
				continue
			}
			if journal.Is(path) {
				if !yield(piece{journal: path}) {
					return
				}
				continue
			}
			file, err := input.OpenSource(path, v.cmd.InOrStdin())
			if err == nil && file.Set != nil {
				p := piece{Blob: input.Blob{Name: input.Name(path)}, set: file, done: make(chan struct{})}
				if !yield(p) {
					return
				}
				select {
				case <-p.done:
				case <-stop:
					return
				}
				continue
			}
			for blob, err := range sourceOrError(path, file, err) {
				if !yield(piece{Blob: blob, err: err}) {
					return
				}
			}
		}
	}
}

// sourceOrError gives the bundles in a file, or why it could not be opened, and closes it.
func sourceOrError(path string, file *input.Source, err error) iter.Seq2[input.Blob, error] {
	return func(yield func(input.Blob, error) bool) {
		if err != nil {
			yield(input.Blob{Name: input.Name(path)}, err)
			return
		}
		defer file.Close() // only read: nothing to lose
		file.Bundles()(yield)
	}
}

// verifyPiece verifies a bundle.
func (v *verification) verifyPiece(p piece) piece {
	if p.err == nil && p.reference == "" && p.journal == "" && p.set == nil {
		p.report, p.err = v.verifyOne(p.Data)
	}
	p.Data = nil
	return p
}

// answer prints the answer for a piece. References, journals and sets are verified here.
func (v *verification) answer(p piece) {
	switch {
	case p.reference != "":
		v.artifacts++
		if err := v.refs.verify(p.reference); err != nil {
			v.refs.unread(p.reference, err)
		}
	case p.journal != "":
		if v.total++; v.verifyJournal(p.journal) {
			v.good++
		}
	case p.set != nil:
		if v.total++; v.sets.verify(v.cmd, p.Name, p.set) {
			v.good++
		}
		p.set.Close() // only read: nothing to lose
		close(p.done)
	default:
		v.progress.End()
		printVerdict(v.output, p.Name, p.report, hintReference(p.Name, p.err, attachedTo))
		v.progress.Step()
		if v.total++; p.report.Verified {
			v.good++
		}
	}
}
