// Package signing signs many declarations with one session: it reads and checks all of them before the first is signed, signs
// on all cores, keeps their order, and writes each file of bundles whole or not at all. Memory does not grow with their number.
//
// [Batch.Plan] reads what goes into files, [Batch.Sign] signs it and writes them:
//
//	b := &signing.Batch{Session: session, Note: note}
//	defer b.Close()
//	jobs, err := b.Plan(signing.File{Target: "runs.sigstore.jsonl", Sources: sources})
//	...
//	err = b.Sign(ctx, jobs...)
//
// [Batch.Lines] answers the lines of a stream one by one, and [Batch.WriteSet] signs all with one signature, as a run set.
// What is wrong with one declaration is told to Note, and keeps everything out that would go into the same file.
package signing

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/zero"
)

// A Session signs. *sigstore.Session is one.
type Session interface {
	// Open finds out whether the session can sign, before anything is signed.
	Open(context.Context) error
	Sign(context.Context, attest.Signable) (*attest.Bundle, error)
	// Witnessed says that signatures are published for ever. One is made at a time then, and none after an error.
	Witnessed() bool
}

// A Batch signs declarations. It is used by one goroutine.
type Batch struct {
	Session Session
	// Workers is how many declarations are read at once, and statements signed; 0 is one for each core.
	Workers int
	// Remote says that the key is elsewhere, as in a KMS, so that Lines reads on while it waits for a signature.
	Remote bool
	// Note is told what is wrong, and with what: a Source's Name, or a Job's Target. It is required.
	Note func(name string, err error)
	// Prepared is told of each declaration that was read, before it is signed; nil for nothing.
	Prepared func(Prepared)
	// Signed is told of each signature that is going to be written; nil for nothing.
	Signed func(*Job, Signed)
	// Encode is a signature as it is written; nil for the bundle as a line of JSON.
	Encode func(*Job, Signed) ([]byte, error)
	// Write writes what content gives; nil for a file that is replaced whole or not at all.
	Write func(j *Job, content func(io.Writer) error) error
	// Written is given what was written, without the bundles; nil for nothing. An error ends the sequence.
	Written func(*Job, iter.Seq2[Signed, error])

	waiting waiting
}

// A Source is a declaration to be signed, or why it could not be read.
type Source struct {
	Name    string                   // of its file, with the line where that holds several
	Lines   bool                     // it is one of several in its file
	Size    int                      // in bytes, of what Declare holds in memory
	Declare func() (Declared, error) // is called by several goroutines, if the batch has several workers
	Err     error
}

// Declared is a declaration with what is said of it.
type Declared struct {
	Declaration *identity.Declaration
	Options     attest.StatementOptions
	CustomID    string // of a request in a batch of requests, or ""
}

// Prepared is the statement of a declaration, or why there is none.
type Prepared struct {
	Name      string
	Lines     bool
	CustomID  string
	Statement *attest.Statement
	HoldsKey  bool // the statement has a private key in it
	// AfterStart says that the declaration is of a source that is written after the run has started: capture.WrittenAfterStart.
	AfterStart bool
	Err        error
}

// prepare makes the statement.
func (s Source) prepare() Prepared {
	p := Prepared{Name: s.Name, Lines: s.Lines, Err: s.Err}
	if p.Err == nil && s.Declare == nil {
		p.Err = errors.New("no declaration")
	}
	if p.Err != nil {
		return p
	}
	var d Declared
	if d, p.Err = s.Declare(); p.Err != nil {
		return p
	}
	p.CustomID, p.AfterStart = d.CustomID, capture.WrittenAfterStart(d.Declaration)
	p.HoldsKey = d.Options.Detached == nil && secrets.HoldsPrivateKey(d.Declaration.Canonical())
	p.Statement, p.Err = attest.New(d.Declaration, d.Options)
	return p
}

func (s Source) size() int { return s.Size }

// ErrNotAll says that declarations could not be read. Note was told which.
var ErrNotAll = errors.New("not all declarations can be signed")

// Statements gives the statements of declarations, and those that cannot be read to Note. After one of these it gives
// ErrNotAll in the place of all others, once all were read.
func (b *Batch) Statements(sources iter.Seq[Source]) iter.Seq2[*attest.Statement, error] {
	return func(yield func(*attest.Statement, error) bool) {
		if err := b.check(); err != nil || sources == nil {
			yield(nil, errors.Join(err, errNoSources))
			return
		}
		bad := false
		for p := range inorder.Map(b.workers(), sources, Source.size, Source.prepare) {
			b.prepared(p)
			if p.Err != nil {
				bad = true
				b.Note(p.Name, p.Err)
			} else if !bad && !yield(p.Statement, nil) {
				return
			}
		}
		if bad {
			yield(nil, ErrNotAll)
		}
	}
}

// Close removes the temporary file in which statements wait that have no place in memory.
func (b *Batch) Close() error {
	if b == nil {
		return errNoBatch
	}
	return errors.Join(b.check(), b.waiting.text.Close())
}

var (
	errNoBatch   = errors.New("no batch that can sign: it, its Session or its Note is nil")
	errNoSources = errors.New("no declarations to sign")
)

func (b *Batch) check() error {
	if b == nil || zero.IsNil(b.Session) || b.Note == nil {
		return errNoBatch
	}
	return nil
}

func (b *Batch) prepared(p Prepared) {
	if b.Prepared != nil {
		b.Prepared(p)
	}
}

func (b *Batch) workers() int {
	if b.Workers > 0 {
		return b.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// signers is how many statements are signed at once.
func (b *Batch) signers() int {
	if b.Session.Witnessed() {
		return 1
	}
	return b.workers()
}

// sign gives one bundle as one line, without the line feed.
func (b *Batch) sign(ctx context.Context, s *attest.Statement) ([]byte, error) {
	bundle, err := b.Session.Sign(ctx, s)
	if err != nil {
		return nil, err
	}
	return bundle.Marshal()
}
