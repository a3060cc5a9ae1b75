package signing

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/zero"
)

// A File is where bundles go, and what they are made of.
type File struct {
	Target  string // its name, or "-" for standard output
	Several string // its name where the first declaration is one of several in a file; "" for Target
	Sources iter.Seq[Source]
}

// A Job is a file that can be written: all of it was read. Only Plan makes one.
type Job struct {
	Target string // may be changed before Sign
	First  string // the name of the first declaration
	Count  int    // of bundles

	file   int
	start  int64 // of its statements among those that wait
	bad    bool
	failed atomic.Bool // one could not be signed
}

// placed is what is read for one of several files.
type placed[T any] struct {
	file int
	of   T
}

// TwiceError says that two files have one place, so that the second would replace the first.
type TwiceError struct{ Target, First string }

func (e *TwiceError) Error() string {
	e = zero.IfNil(e)
	if e.Target == e.First {
		return e.Target + ": would be written twice, want it once"
	}
	return fmt.Sprintf("%s: is the same file as %s, and would be written twice, want it once", e.Target, e.First)
}

// checkTwice finds two jobs that write to one place.
func checkTwice(jobs []*Job) error {
	var places overwrite.Places
	for _, j := range jobs {
		if first := places.Add(j.Target); first != "" {
			return &TwiceError{j.Target, first}
		}
	}
	return nil
}

// Plan reads all declarations, so that one call tells all that is wrong, and gives a job for each file of which nothing is.
// Its error is that nothing more can be kept, or that two files have one Target other than "-": a *TwiceError.
func (b *Batch) Plan(files ...File) ([]*Job, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	prepare := func(s placed[Source]) placed[Prepared] { return placed[Prepared]{s.file, s.of.prepare()} }
	size := func(s placed[Source]) int { return s.of.Size }
	lone := func(s placed[Source]) bool { return len(files) == 1 && files[0].Several != "" && !s.of.Lines }
	var jobs []*Job
	for p := range inorder.MapLone(b.workers(), sources(files), size, lone, prepare) {
		if n := len(jobs); n == 0 || jobs[n-1].file != p.file {
			jobs = append(jobs, &Job{Target: files[p.file].Target, file: p.file, start: b.waiting.end()})
		}
		if err := b.take(jobs[len(jobs)-1], files[p.file], p.of); err != nil {
			return nil, err
		}
	}
	if err := checkTwice(jobs); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(jobs, func(j *Job) bool { return j.bad || j.Count == 0 }), nil
}

func sources(files []File) iter.Seq[placed[Source]] {
	return func(yield func(placed[Source]) bool) {
		for i, f := range files {
			if f.Sources == nil {
				f.Sources = func(yield func(Source) bool) { yield(Source{Name: f.Target, Err: errNoSources}) }
			}
			for s := range f.Sources {
				if !yield(placed[Source]{i, s}) {
					return
				}
			}
		}
	}
}

// take adds a statement to a job, whose last it is.
func (b *Batch) take(j *Job, f File, p Prepared) error {
	b.prepared(p)
	switch {
	case p.Err != nil:
		b.Note(p.Name, p.Err)
		j.bad = true
		return nil
	case j.bad:
		return nil
	}
	if j.Count == 0 {
		j.First = p.Name
		if p.Lines && f.Several != "" {
			j.Target = f.Several
		}
	}
	j.Count++
	return b.waiting.add(p)
}

// SeveralError says that bundles, which are JSON Lines, were to go into a file whose name is that of one JSON document.
type SeveralError struct{ Count int }

func (e *SeveralError) Error() string {
	return fmt.Sprintf("%d bundles are JSON Lines, and a .json file is one document", zero.IfNil(e).Count)
}

// Check gives the jobs whose files may be written, and tells Note of the others: those that mayWrite refuses (nil refuses none),
// that have several bundles for one document, or that would overwrite the file of an earlier one by another name.
func (b *Batch) Check(jobs []*Job, mayWrite func(target string) error) []*Job {
	if b.check() != nil {
		return nil
	}
	var good []*Job
	var targets overwrite.Files
	for _, j := range jobs {
		if j == nil {
			continue
		}
		var err error
		if mayWrite != nil {
			err = mayWrite(j.Target)
		}
		if err == nil && j.Count > 1 && strings.HasSuffix(j.Target, ".json") && j.Target != input.Stdin {
			err = &SeveralError{j.Count}
		}
		if other, i := targets.FindAlias(j.Target); err == nil && other != "" {
			err = fmt.Errorf("the bundle would overwrite that of %s, to which %s leads too", good[i].First, other)
		}
		if err != nil {
			b.Note(j.Target, err)
			continue
		}
		good = append(good, j)
		targets.Add(j.Target)
	}
	return good
}
