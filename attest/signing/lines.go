package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/jsonlines"
)

// An Answer is the answer to one line of a stream.
type Answer struct {
	Line int // from 1
	Prepared
	Bundle []byte // JSON in one line; nil where Prepared.Err or Err says why there is none
	Err    error  // of the line, which has no declaration, or of signing

	text  []byte
	lone  bool  // it is short, and nothing of the next line is there yet
	ended error // of the stream: there is no line
}

func (a Answer) size() int { return len(a.text) }

// shortLine is how long a line is at most that is signed before the next is read, if that is not there yet.
const shortLine = 16 << 10

// Lines answers the lines of a stream, in their order, each as soon as it can and without waiting for the next. source makes
// of a line what is signed; it keeps nothing of line. A line is of at most limit bytes. An error ends the sequence: nothing more
// can be read.
func (b *Batch) Lines(ctx context.Context, r io.Reader, limit int, source func(n int, line []byte) Source) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		if err := b.check(); err != nil || r == nil || source == nil {
			yield(Answer{}, errors.Join(err, errNoSources))
			return
		}
		answer := func(a Answer) Answer { return b.answer(ctx, a, source) }
		lone := func(a Answer) bool { return a.lone && !b.Remote }
		for a := range inorder.MapLone(b.signers(), lines(ctx, r, limit), Answer.size, lone, answer) {
			if a.ended != nil && !errors.Is(a.ended, io.EOF) {
				yield(Answer{}, a.ended)
				return
			}
			if a.ended != nil {
				return
			}
			if a.Statement != nil || a.Prepared.Err != nil {
				b.prepared(a.Prepared)
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// lines gives the lines, and at last why there are no more.
func lines(ctx context.Context, r io.Reader, limit int) iter.Seq[Answer] {
	in := jsonlines.NewReader(r, limit)
	return func(yield func(Answer) bool) {
		for n := 1; ; n++ {
			a := Answer{Line: n, ended: ctx.Err()}
			if a.ended == nil {
				a.text, a.ended = in.Next()
				a.lone = len(a.text) <= shortLine && !in.More()
			}
			switch {
			case errors.Is(a.ended, jsonlines.ErrLong):
				a.ended, a.Err = nil, fmt.Errorf("larger than %d bytes", limit)
			case a.ended != nil && !errors.Is(a.ended, io.EOF) && ctx.Err() == nil:
				a.ended = fmt.Errorf("standard input: %w", a.ended)
			}
			if !yield(a) || a.ended != nil {
				return
			}
		}
	}
}

func (b *Batch) answer(ctx context.Context, a Answer, source func(int, []byte) Source) Answer {
	if a.ended != nil || a.Err != nil {
		return a
	}
	if len(bytes.TrimSpace(a.text)) == 0 {
		a.Err = errors.New("is empty, want JSON")
		return a
	}
	a.Prepared = source(a.Line, a.text).prepare()
	a.Prepared.Err = inLine(a.Line, a.Prepared.Err)
	if a.Prepared.Err == nil {
		a.Bundle, a.Err = b.sign(ctx, a.Statement)
	}
	a.text = nil
	return a
}

// inLine has problems name the line of the whole stream, and hints speak of that line.
func inLine(n int, err error) error {
	invalid, ok := errors.AsType[*identity.InvalidError](err)
	if !ok {
		return err
	}
	problems := slices.Clone(invalid.Problems)
	for i := range problems {
		if problems[i].Line > 0 {
			problems[i].Line = n
		}
		if strings.Contains(problems[i].Hint, ".yaml") {
			problems[i].Hint = "write it as JSON on one line"
		}
	}
	return &identity.InvalidError{Problems: problems}
}
