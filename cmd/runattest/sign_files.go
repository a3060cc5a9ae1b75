package main

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/visible"
)

// sign reads and checks everything first: a certificate and a log entry are published for ever,
// and are asked for only where a bundle will come of them.
func (b *batch) sign(cmd *cobra.Command, paths []string) error {
	defer b.work.Close() // temporary files: nothing to lose
	defer b.made.Close()
	b.bundle = cli.OutputName(b.bundle)
	texts := b.files(cmd, paths)
	if input.HoldOne(paths...) {
		b.work.Workers = 1 // another would take longer to begin
	}
	jobs, err := b.work.Plan(b.planned(cmd.Context(), texts, paths)...)
	if err != nil {
		return err
	}
	b.passedOver(texts, b.note)
	reads := b.reach.reads(b.who.reads(slices.Concat(texts.Read(), *b.artifacts)...))
	jobs = b.work.Check(jobs, func(target string) error {
		if target == cli.Stdout {
			return nil
		}
		if err := b.who.notOver(target, reads); err != nil {
			return err
		}
		return b.outsideFolders(target, paths)
	})
	b.report()
	if err := b.work.Sign(cmd.Context(), jobs...); err != nil {
		return err
	}
	return b.attachMade(cmd)
}

// planned are the files that bundles go to: all to one, or what is in each file to one of its own.
func (b *batch) planned(ctx context.Context, texts *input.Files, paths []string) []signing.File {
	if b.bundle != "" {
		return []signing.File{{Target: b.bundle, Sources: b.sources(ctx, texts, paths...)}}
	}
	return signing.Beside(signatureSuffix, func(path string) iter.Seq[signing.Source] { return b.sources(ctx, texts, path) }, paths...)
}

// sources gives what is to be signed of the files.
func (b *batch) sources(ctx context.Context, texts *input.Files, paths ...string) iter.Seq[signing.Source] {
	return func(yield func(signing.Source) bool) {
		for _, path := range paths {
			if b.capturing != nil {
				for c, err := range b.capturing.each(ctx, texts, path) {
					if !yield(b.captured(c, err)) {
						return
					}
				}
				continue
			}
			for t, err := range texts.In(path) {
				if !yield(b.declaration(t, err)) {
					return
				}
			}
		}
	}
}

// declaration is one that stands in a text.
func (b *batch) declaration(t input.Text, err error) signing.Source {
	return signing.Source{Name: t.Name, Lines: t.Lines, Size: len(t.Data), Err: err, Declare: func() (signing.Declared, error) {
		d, err := files.ParseDeclaration(t)
		return signing.Declared{Declaration: d, Options: b.options}, err
	}}
}

// captured is what a request declares.
func (b *batch) captured(c files.Captured, err error) signing.Source {
	return signing.Source{Name: c.Name, Lines: c.Several, Size: c.Size, Err: err, Declare: func() (signing.Declared, error) {
		noteCaptured(b.output, c.Name, c.Captured)
		options, err := b.capturedOptions(c)
		return signing.Declared{Declaration: c.Declaration, Options: options, CustomID: c.CustomID}, err
	}}
}

// warn says what is dangerous about signing a declaration, besides the remarks about one that is captured here.
func (b *batch) warn(p signing.Prepared) {
	if p.AfterStart && b.capturing == nil {
		b.Info("warning: %s: its source is written after the run has started: the signature does not prove what was declared before", p.Name)
	}
	if p.HoldsKey {
		b.Info("warning: %s: the declaration holds a private key, which is in the bundle: lint says where; --detached leaves the declaration out", p.Name)
	}
}

// report has what is signed from now on counted and printed.
func (b *batch) report() {
	progress := b.progress("signed")
	var last *signing.Job
	b.work.Note = func(name string, err error) { progress.End(); b.note(name, err) }
	b.work.Signed = func(j *signing.Job, s signing.Signed) {
		if j != last {
			b.made.Drop() // of a file that could not be written
			last = j
		}
		if b.attach != "" {
			b.toAttach(j, s)
		}
		progress.Step()
	}
	b.work.Encode = b.encode
	b.work.Write = func(j *signing.Job, content func(io.Writer) error) error {
		progress.End()
		if j.Target == cli.Stdout {
			return content(b.Out)
		}
		return atomicfile.WriteFunc(j.Target, content, 0o644)
	}
	b.work.Written = func(j *signing.Job, all iter.Seq2[signing.Signed, error]) {
		b.made.Keep()
		b.printSigned(j, all)
	}
}

// encode is a bundle as it is written.
func (b *batch) encode(j *signing.Job, s signing.Signed) ([]byte, error) {
	if j.Target != cli.Stdout || !b.JSON {
		return append(s.Bundle, '\n'), nil
	}
	text, err := visible.JSON(signedObject{Identity: s.Identity, File: s.Name, CustomID: s.CustomID, Bundle: s.Bundle})
	return append(text, '\n'), err
}

// printSigned prints the identities of bundles that are written.
func (b *batch) printSigned(j *signing.Job, all iter.Seq2[signing.Signed, error]) {
	toStdout := j.Target == cli.Stdout
	if toStdout && b.JSON {
		return
	}
	for s, err := range all {
		switch {
		case err != nil:
		case toStdout:
			b.Info("%s", s.Line(j.Count > 1))
		default:
			err = b.Result(writtenObject{j.Target, s.CustomID, s.Name, s.Identity}, "%s", s.Line(j.Count > 1))
		}
		if err != nil {
			b.note("standard output", err)
		}
	}
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
