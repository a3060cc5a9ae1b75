package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/spill"
	"github.com/runattest/runattest/internal/terminal"
)

// sign reads and checks everything first: a certificate and a log entry are published for ever,
// and are asked for only where a bundle will come of them.
func (b *batch) sign(cmd *cobra.Command, paths []string) error {
	defer b.waiting.text.Close() // a temporary file: nothing to lose
	jobs, err := b.plan(cmd, paths)
	if err != nil {
		return err
	}
	if len(jobs) == 0 {
		return b.done()
	}
	if err := b.session.Open(cmd.Context()); err != nil {
		return err
	}
	progress := b.progress("signed")
	defer progress.End()
	next, stop := iter.Pull(inorder.Map(b.signers(), b.tasks(jobs), task.size, func(t task) signed { return b.signTask(cmd.Context(), t) }))
	defer stop()
	for _, j := range jobs {
		b.finish(j, next, progress)
	}
	return b.attachMade(cmd)
}

// signers is how many Statements are signed at once. What services witness is published for ever: after an error nothing
// more is.
func (b *batch) signers() int {
	if b.session.Witnessed() {
		return 1
	}
	return b.workers()
}

// task is a Statement that waits, or why there is none.
type task struct {
	entry
	job *job
	err error
}

func (t task) size() int { return t.entry.size() }

// signed is one bundle, as one line, or why there is none.
type signed struct {
	entry
	bundle []byte
	err    error
}

func (b *batch) tasks(jobs []*job) iter.Seq[task] {
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

// signTask signs a Statement, unless an earlier one of its job could not be.
func (b *batch) signTask(ctx context.Context, t task) signed {
	s := signed{entry: t.entry, err: t.err}
	s.statement = nil
	if s.err != nil || t.job.failed.Load() {
		return s
	}
	statement, err := attest.ParseStatement(t.statement)
	if err == nil {
		s.bundle, err = b.signOne(ctx, statement)
	}
	s.err = err
	return s
}

// signOne gives one bundle as one line.
func (b *batch) signOne(ctx context.Context, s *attest.Statement) ([]byte, error) {
	bundle, err := b.session.Sign(ctx, s)
	if err != nil {
		return nil, err
	}
	return bundle.Marshal()
}

// finish writes the bundles of one job, all or none.
func (b *batch) finish(j *job, next func() (signed, bool), progress *terminal.Progress) {
	var made spill.Buffer
	defer made.Close() // a temporary file: nothing to lose
	var blobs []input.Blob
	for range j.count {
		s, ok := next()
		if !ok {
			s.name, s.err = j.first, errors.New("was not signed")
		}
		if j.failed.Load() {
			continue
		}
		if s.err == nil {
			s.err = b.gather(j, s, &made)
		}
		if s.err != nil {
			progress.End()
			b.note(s.name, s.err)
			j.failed.Store(true)
			continue
		}
		if b.attach != "" {
			blobs = append(blobs, input.Blob{Name: j.target, Data: s.bundle})
		}
		progress.Step()
	}
	progress.End()
	if !j.failed.Load() && b.write(j, &made) {
		b.made = append(b.made, blobs...)
	}
}

// gather adds a bundle to those that are going to be written.
func (b *batch) gather(j *job, s signed, made io.Writer) error {
	if j.target == cli.Stdout && b.JSON {
		lines := cli.Printer{Out: made, JSON: true}
		return lines.Object(signedObject{Identity: s.identity, File: s.name, CustomID: s.customID, Bundle: s.bundle})
	}
	_, err := made.Write(append(s.bundle, '\n'))
	return err
}

// write puts bundles into one file, whole, and prints their identities. It says whether they are written.
func (b *batch) write(j *job, made *spill.Buffer) bool {
	toStdout := j.target == cli.Stdout
	content := func(w io.Writer) error { _, err := io.Copy(w, made.Reader(0)); return err }
	name := j.target
	var err error
	if toStdout {
		name, err = "standard output", content(b.Out)
	} else {
		err = atomicfile.WriteFunc(j.target, content, 0o644)
	}
	if err != nil {
		b.note(name, err)
		return false
	}
	if toStdout && b.JSON {
		return true
	}
	for e, err := range b.waiting.each(j, false) {
		switch {
		case err != nil:
		case toStdout:
			b.Info("%s", e.line(j))
		default:
			err = b.Result(writtenObject{j.target, e.customID, e.name, e.identity}, "%s", e.line(j))
		}
		if err != nil {
			b.note("standard output", err)
		}
	}
	return true
}

// line is the identity, with the file's name where it is one of several, and what a batch calls the request.
func (e entry) line(j *job) string {
	switch {
	case e.customID != "":
		return fmt.Sprintf("%s  %s  %q", e.identity, e.name, e.customID)
	case j.count == 1:
		return e.identity
	}
	return e.identity + "  " + e.name
}

// writtenObject says which file a bundle is in.
type writtenObject struct {
	Bundle   string `json:"bundle"`
	CustomID string `json:"customId,omitempty"`
	File     string `json:"file"`
	Identity string `json:"identity"`
}

// signedObject is a bundle on standard output, with what it is about, or why there is none.
type signedObject struct {
	Line     int             `json:"line,omitempty"` // of --jsonl
	Identity string          `json:"identity,omitempty"`
	File     string          `json:"file,omitempty"`
	CustomID string          `json:"customId,omitempty"` // of a request in a batch
	Bundle   json.RawMessage `json:"bundle,omitempty"`
	Error    string          `json:"error,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Status   int             `json:"status,omitempty"` // of --jsonl: the exit status that the error means
}
