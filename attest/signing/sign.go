package signing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/spill"
)

// Signed is one signature.
type Signed struct {
	Name     string // of the declaration
	Identity string
	CustomID string
	Bundle   []byte // JSON in one line; nil where it is in a file already
}

// Line is the identity, with the name of the declaration where it is one of several, and what a batch calls the request.
func (s Signed) Line(several bool) string {
	switch {
	case s.CustomID != "":
		return fmt.Sprintf("%s  %s  %q", s.Identity, s.Name, s.CustomID)
	case several:
		return s.Identity + "  " + s.Name
	}
	return s.Identity
}

// task is a statement that waits, or why there is none.
type task struct {
	entry
	job *Job
	err error
}

func (t task) size() int { return len(t.statement) }

// result is a signature, or why there is none.
type result struct {
	Signed
	err error
}

// Sign signs what the jobs of a plan have and writes their files, each as soon as all of it is signed. What could not be signed
// or written is told to Note. Its error is that nothing was signed: the session could not be opened, or two jobs have one Target,
// a *TwiceError. Without jobs there is no error: what keeps declarations out was told to Note.
func (b *Batch) Sign(ctx context.Context, jobs ...*Job) error {
	if err := b.check(); err != nil {
		return err
	}
	count := 0
	for _, j := range jobs {
		if j == nil || j.Count <= 0 {
			return errNoSources
		}
		count += j.Count
	}
	if len(jobs) == 0 {
		return nil
	}
	if err := checkTwice(jobs); err != nil {
		return err
	}
	if err := b.Session.Open(ctx); err != nil {
		return err
	}
	f := finishing{Batch: b, jobs: jobs}
	defer func() { _ = f.made.Close() }() // a temporary file: nothing to lose
	for r := range inorder.Map(min(b.signers(), count), b.tasks(jobs), task.size, func(t task) result { return b.do(ctx, t) }) {
		f.add(r)
	}
	for len(f.jobs) > 0 {
		f.add(result{Signed{Name: f.jobs[0].First}, errors.New("was not signed")})
	}
	return nil
}

func (b *Batch) tasks(jobs []*Job) iter.Seq[task] {
	return func(yield func(task) bool) {
		for _, j := range jobs {
			for e, err := range b.waiting.each(j, true) {
				if !yield(task{e, j, err}) || err != nil { // which ends all: the jobs that follow have no bundle
					return
				}
			}
		}
	}
}

// do signs a statement, unless an earlier one of its job could not be.
func (b *Batch) do(ctx context.Context, t task) result {
	r := result{t.Signed, t.err}
	if r.err != nil || t.job.failed.Load() {
		return r
	}
	statement, err := attest.ParseStatement(t.statement)
	if err == nil {
		r.Bundle, err = b.sign(ctx, statement)
	}
	r.err = err
	return r
}

// finishing writes the bundles of each job, all or none, as soon as its last is there.
type finishing struct {
	*Batch
	jobs []*Job       // that are not written: the first is being signed
	done int          // of its statements
	made spill.Buffer // its bundles
}

func (f *finishing) add(r result) {
	j := f.jobs[0]
	if !j.failed.Load() {
		if r.err == nil {
			r.err = f.gather(j, r.Signed, &f.made)
		}
		if r.err != nil {
			f.Note(r.Name, r.err)
			j.failed.Store(true)
		}
	}
	if f.done++; f.done < j.Count {
		return
	}
	if !j.failed.Load() {
		f.write(j, &f.made)
	}
	_ = f.made.Close() // a temporary file: nothing to lose
	f.jobs, f.done, f.made = f.jobs[1:], 0, spill.Buffer{}
}

// gather adds a bundle to those that are going to be written.
func (b *Batch) gather(j *Job, s Signed, made io.Writer) error {
	if b.Signed != nil {
		b.Signed(j, s)
	}
	text := append(s.Bundle, '\n')
	if b.Encode != nil {
		var err error
		if text, err = b.Encode(j, s); err != nil {
			return err
		}
	}
	_, err := made.Write(text)
	return err
}

// write writes one file, whole, and says what is in it.
func (b *Batch) write(j *Job, made *spill.Buffer) {
	content := func(w io.Writer) error { _, err := io.Copy(w, made.Reader(0)); return err }
	var err error
	if b.Write != nil {
		err = b.Write(j, content)
	} else {
		err = atomicfile.WriteFunc(j.Target, content, 0o644)
	}
	if err != nil {
		name := j.Target
		if name == input.Stdin {
			name = "standard output"
		}
		b.Note(name, err)
		return
	}
	if b.Written == nil {
		return
	}
	b.Written(j, func(yield func(Signed, error) bool) {
		for e, err := range b.waiting.each(j, false) {
			if !yield(e.Signed, err) {
				return
			}
		}
	})
}
