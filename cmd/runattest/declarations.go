package main

import (
	"io"
	"iter"

	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/internal/visible"
)

// declarations reads the declarations in several files. Where more than one file is named, bundles among them are passed
// over, with a note: a pattern such as runs/*.json matches what sign has written there. If there are bundles alone, each is
// an error.
type declarations struct {
	stdin   io.Reader
	several bool
	found   bool
	bundles []string        // their names
	mixed   map[string]bool // the files that hold something else, too
}

func newDeclarations(paths []string, stdin io.Reader) *declarations {
	return &declarations{stdin: stdin, several: len(paths) > 1, mixed: map[string]bool{}}
}

// in gives the declarations in one of the files.
func (d *declarations) in(path string) iter.Seq2[input.Text, error] {
	return func(yield func(input.Text, error) bool) {
		for t, err := range input.Declarations(path, d.stdin) {
			if err == nil && d.several && t.IsBundle() {
				d.bundles = append(d.bundles, t.Name)
				continue
			}
			d.found, d.mixed[path] = true, true
			if !yield(t, err) {
				return
			}
		}
	}
}

// end tells which bundles were passed over, or has fail say of each that it is one.
func (d *declarations) end(o *output, fail func(name string, err error)) {
	switch {
	case len(d.bundles) == 0:
	case d.found:
		o.Info("note: passed over, since they are bundles: %s", visible.List(d.bundles))
	default:
		for _, name := range d.bundles {
			fail(name, input.ErrBundle)
		}
	}
}
