package verdicts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
)

var (
	errNotLine  = errors.New("want a bundle, or the name of a file as a JSON string")
	errNoLine   = fmt.Errorf("is empty, %w", errNotLine)
	errLongLine = fmt.Errorf("larger than %d bytes", limits.Bundle)
	errStream   = errors.New("is a pipe, a device or a socket, want a file or a folder")
	errNoneIn   = errors.New("no bundle in it")
)

// Lines answers each line of v.Stdin before it reads the next: a bundle, or a name as All takes it, as a JSON string. It gives the
// number of the line, from 1, after the visitor was told one answer or more about it: what is wrong with a line is an answer. An
// error ends the sequence: that of the input, or of the context.
func (v *Verifier) Lines(ctx context.Context, visitor Visitor) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		if err := v.check(); err != nil {
			yield(0, err)
			return
		}
		if visitor == nil || v.Stdin == nil {
			yield(0, errors.New("no visitor, or no input: it is nil"))
			return
		}
		told := &answered{visitor: visitor, on: true}
		lines := jsonlines.NewReader(v.Stdin, limits.Bundle)
		for n := 1; told.on; n++ {
			line, err := lines.Next()
			if gone := ctx.Err(); gone != nil {
				err = gone
			}
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.Is(err, jsonlines.ErrLong):
				err = errLongLine
			case err != nil && ctx.Err() == nil:
				err = fmt.Errorf("%s: %w", input.Name(input.Stdin), err)
				fallthrough
			case err != nil:
				yield(n, err)
				return
			}
			if err := v.line(ctx, told, n, bytes.TrimSpace(line), err); !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// line answers for a bundle, or for what a name names; err is why the line has neither.
func (v *Verifier) line(ctx context.Context, told *answered, n int, line []byte, err error) error {
	name := fmt.Sprintf("%s:%d", input.Name(input.Stdin), n)
	var report attest.Report
	switch {
	case err != nil:
	case len(line) == 0:
		err = errNoLine
	case line[0] != '"':
		report, err = v.Text(ctx, line)
	default:
		var path string
		if !parseName(line, &path) {
			err = errNotLine
			break
		}
		if name = path; input.IsStream(path) { // it may be this very input, or never end
			err = errStream
			break
		}
		before := told.answers
		if err := v.All(ctx, told, path); err != nil || told.answers > before {
			return err
		}
		err = errNoneIn
	}
	told.Bundle(name, report, err)
	return nil
}

// parseName reads the name of a file. One that JSON cannot hold, for which encoding/json reads another, is refused.
func parseName(line []byte, path *string) bool {
	strict, err := canonical.Transform(line)
	return err == nil && json.Unmarshal(strict, path) == nil && *path != "" && !input.IsStdin(*path)
}

// answered counts what a visitor is told, and remembers whether it goes on.
type answered struct {
	visitor Visitor
	answers int
	on      bool
}

var _ Visitor = (*answered)(nil)

func (a *answered) told(on bool) bool {
	a.answers, a.on = a.answers+1, on
	return on
}

func (a *answered) Bundle(name string, r attest.Report, err error) bool {
	return a.told(a.visitor.Bundle(name, r, err))
}
func (a *answered) Set(name string, set io.ReadSeeker) bool { return a.told(a.visitor.Set(name, set)) }
func (a *answered) Journal(dir string) bool                 { return a.told(a.visitor.Journal(dir)) }
func (a *answered) Reference(text string) bool              { return a.told(a.visitor.Reference(text)) }
