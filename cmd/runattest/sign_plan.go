package main

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/secrets"
)

// job is what goes into one file: Statements that follow each other among those that wait.
type job struct {
	target string
	group  int
	first  string // the name of the first declaration
	start  int64  // of its Statement
	count  int
	bad    bool // one of the declarations is: nothing of it is signed

	failed atomic.Bool // one could not be signed
}

// source is one declaration or request, and where its bundle goes, or why it could not be read.
type source struct {
	input.Text
	group    int
	target   string
	captured *captured // in place of the text, with --capture
	err      error
}

func (s source) size() int { return len(s.Data) }

// prepared is one declaration's Statement, before it is signed, or why there is none.
type prepared struct {
	source
	customID  string // of a request in a batch, or ""
	statement *attest.Statement
	holdsKey  bool // the declaration does
}

// workers is how many declarations are read at once. What is captured tells about itself while it is read.
func (b *batch) workers() int {
	if b.capturing != nil {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}

// plan reads the declarations and says which file their bundles go to. What is wrong is noted, and
// keeps out everything that would have gone to the same file.
func (b *batch) plan(cmd *cobra.Command, paths []string) ([]*job, error) {
	b.bundle = cli.OutputName(b.bundle)
	texts := b.files(cmd, paths)
	var planned []*job
	for p := range inorder.Map(b.workers(), b.sources(cmd.Context(), texts, paths), source.size, b.read) {
		if n := len(planned); n == 0 || planned[n-1].group != p.group {
			planned = append(planned, &job{target: p.target, group: p.group, start: b.waiting.end()})
		}
		if err := b.take(planned[len(planned)-1], p); err != nil {
			return nil, err
		}
	}
	b.passedOver(texts, b.note)
	return b.check(planned, slices.Concat(texts.Read(), *b.artifacts), paths), nil
}

// sources gives what is to be signed. All of it goes to one file, or what is in each file to a file of its own.
func (b *batch) sources(ctx context.Context, texts *input.Files, paths []string) iter.Seq[source] {
	return func(yield func(source) bool) {
		for i, path := range paths {
			s := source{target: b.bundle}
			if b.bundle == "" {
				s.group = i
				if s.target, s.err = targetFor(path); s.err != nil {
					if s.Name = path; !yield(s) {
						return
					}
					continue
				}
			}
			for s := range b.sourcesIn(ctx, texts, path, s) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// sourcesIn gives what is in one file; s is what they have in common.
func (b *batch) sourcesIn(ctx context.Context, texts *input.Files, path string, s source) iter.Seq[source] {
	if b.capturing == nil {
		return declarationsIn(texts, path, s)
	}
	return func(yield func(source) bool) {
		for c, err := range b.capturing.each(ctx, texts, path) {
			s.Text, s.captured, s.err = c.text, &c, err
			if !yield(s) {
				return
			}
		}
	}
}

func declarationsIn(texts *input.Files, path string, s source) iter.Seq[source] {
	return func(yield func(source) bool) {
		for s.Text, s.err = range texts.In(path) {
			if !yield(s) {
				return
			}
		}
	}
}

// read makes the Statement of a declaration, or of what a request declares.
func (b *batch) read(s source) prepared {
	if s.captured != nil {
		return b.readCaptured(s)
	}
	var d *identity.Declaration
	if s.err == nil {
		d, s.err = files.ParseDeclaration(s.Text)
	}
	return b.state(s, d, b.options)
}

// state makes the Statement of d, unless there is an error already.
func (b *batch) state(s source, d *identity.Declaration, options attest.StatementOptions) prepared {
	p := prepared{source: s}
	if p.Data = nil; p.err != nil {
		return p
	}
	if b.detached {
		options.Detached = &attest.DeclarationRef{URI: b.declarationURI}
	}
	p.holdsKey = secrets.HoldsPrivateKey(d.Canonical()) && !b.detached
	p.statement, p.err = attest.New(d, options)
	return p
}

// warn says what is dangerous about signing a declaration.
func (b *batch) warn(p prepared) {
	if p.holdsKey {
		b.Info("warning: %s: the declaration holds a private key, which is in the bundle: lint says where; --detached leaves the declaration out", p.Name)
	}
}

// take adds a Statement to a job, whose last it is. All of them are looked at also when one is bad, so that one run tells
// all that is wrong. Its error is that nothing more can be kept.
func (b *batch) take(j *job, p prepared) error {
	b.warn(p)
	switch {
	case p.err != nil:
		b.note(p.Name, p.err)
		j.bad = true
		return nil
	case j.bad:
		return nil
	}
	if j.count == 0 {
		j.first = p.Name
		if b.bundle == "" && j.target != input.Stdin && p.Lines {
			j.target += "l"
		}
	}
	j.count++
	return b.waiting.add(p)
}

// check gives the jobs whose files can be written.
func (b *batch) check(planned []*job, inputs, paths []string) []*job {
	var jobs []*job
	var targets overwrite.Files
	reads := b.who.reads(inputs...)
	for _, j := range planned {
		if j.bad || j.count == 0 {
			continue
		}
		err := j.check(b.who, reads)
		if err == nil {
			err = b.outsideFolders(j.target, paths)
		}
		if other, i := targets.FindAlias(j.target); err == nil && other != "" {
			err = fmt.Errorf("the bundle would overwrite that of %s, to which %s leads too", jobs[i].first, other)
		}
		if err != nil {
			b.note(j.target, err)
			continue
		}
		jobs = append(jobs, j)
		targets.Add(j.target)
	}
	return jobs
}

// check refuses a file that must not be written.
func (j *job) check(who *signerFlags, reads *overwrite.Files) error {
	if j.target == input.Stdin {
		return nil
	}
	if err := who.notOver(j.target, reads); err != nil {
		return err
	}
	if j.count > 1 && strings.HasSuffix(j.target, ".json") {
		return cli.WithHint(fmt.Errorf("%d bundles are JSON Lines, and a .json file is one document", j.count), "name the file .sigstore.jsonl")
	}
	return nil
}

// targetFor is where the bundle of one declaration goes; that of JSON Lines is a .jsonl.
func targetFor(path string) (string, error) {
	if isStdin(path) {
		return input.Stdin, nil
	}
	return overwrite.Beside(path, signatureSuffix)
}

func isStdin(path string) bool { return path == input.Stdin || path == "/dev/stdin" }
