package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/inorder"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/visible"
)

// checkLines refuses what does not go with --jsonl.
func (s *signFlags) checkLines(args []string) error {
	switch {
	case !s.lines:
		return nil
	case len(args) != 1 || !isStdin(args[0]):
		return cli.WithHint(errors.New("--jsonl reads standard input and nothing else"), "runattest sign --key KEY --jsonl -")
	case s.bundle != "" && cli.OutputName(s.bundle) != cli.Stdout:
		return cli.WithHint(errors.New("--jsonl answers on standard output, and --bundle names a file"), "leave one of the two out")
	case s.attach != "":
		return cli.WithHint(errors.New("--attach does not go with --jsonl"), "runattest attach attaches the bundles")
	}
	return nil
}

// answered is a line of standard input and its answer.
type answered struct {
	line   []byte
	answer signedObject
	wrong  error    // with the line, or with signing it
	ended  error    // of standard input: there is no line
	made   prepared // what to warn of
}

func (a answered) size() int { return len(a.line) }

// signLines answers each line of standard input with one line, in their order and as soon as it can. What is wrong with a line
// is its answer; only where nothing can be read or written any more it ends early.
func (b *batch) signLines(cmd *cobra.Command) error {
	sign := func(a answered) answered { return b.signLine(cmd.Context(), a) }
	for a := range inorder.Map(b.signers(), b.readLines(cmd), answered.size, sign) {
		if errors.Is(a.ended, io.EOF) {
			return b.done()
		}
		if a.ended != nil {
			return a.ended
		}
		b.warn(a.made)
		if err := b.answer(a.answer, a.wrong); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	return b.done()
}

// readLines gives the lines, and at last why there are no more.
func (b *batch) readLines(cmd *cobra.Command) iter.Seq[answered] {
	limit := limits.Declaration
	if b.capturing != nil {
		limit = limits.CaptureBody
	}
	lines := jsonlines.NewReader(cmd.InOrStdin(), limit)
	return func(yield func(answered) bool) {
		for n := 1; ; n++ {
			a := answered{answer: signedObject{Line: n}, ended: cmd.Context().Err()}
			if a.ended == nil {
				a.line, a.ended = lines.Next()
			}
			switch {
			case errors.Is(a.ended, jsonlines.ErrLong):
				a.ended, a.wrong = nil, fmt.Errorf("larger than %d bytes", limit)
			case a.ended != nil && !errors.Is(a.ended, io.EOF) && cmd.Context().Err() == nil:
				a.ended = fmt.Errorf("standard input: %w", a.ended)
			}
			if !yield(a) || a.ended != nil {
				return
			}
		}
	}
}

func (b *batch) signLine(ctx context.Context, a answered) answered {
	if a.ended != nil || a.wrong != nil {
		return a
	}
	if len(bytes.TrimSpace(a.line)) == 0 {
		a.wrong = errors.New("is empty, want a declaration in JSON")
		return a
	}
	a.made = b.readLine(a.answer.Line, a.line)
	if a.made.err != nil {
		a.wrong = inLine(a.answer.Line, a.made.err)
		return a
	}
	a.answer.Identity, a.answer.CustomID = a.made.statement.ID().String(), a.made.customID
	a.answer.Bundle, a.wrong = b.signOne(ctx, a.made.statement)
	return a
}

// readLine makes the Statement of a line, which is a declaration or one request.
func (b *batch) readLine(n int, line []byte) prepared {
	s := source{Text: input.Text{Name: fmt.Sprintf("%s:%d", input.Name(input.Stdin), n), Data: line}}
	if b.capturing != nil {
		src := b.capturing.source
		src.Body = line
		c, err := b.capturing.format.Capture(src)
		s.captured, s.err = &captured{text: s.Text, Captured: c}, locate(line, err)
	}
	return b.read(s)
}

// inLine has problems name the line of the whole input, and hints speak of that line.
func inLine(n int, err error) error {
	var invalid *identity.InvalidError
	if !errors.As(err, &invalid) {
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
	invalid = &identity.InvalidError{Problems: problems}
	hint := invalid.Hint()
	if len(problems) > 1 {
		hint = strings.TrimPrefix(hint+fmt.Sprintf("; runattest lint - shows all %d problems of the line that it is given", len(problems)), "; ")
	}
	return cli.WithHint(invalid, hint)
}

// answer writes one line, or what is wrong. Its own error is that of standard output.
func (b *batch) answer(answer signedObject, wrong error) error {
	switch {
	case wrong != nil && !b.JSON:
		b.note(fmt.Sprintf("%s:%d", input.Name(input.Stdin), answer.Line), wrong)
		_, err := b.Out.Write([]byte{'\n'}) // a program that waits for an answer reads one
		return err
	case wrong != nil:
		answer = signedObject{Line: answer.Line, Error: visible.Cut(reason(wrong)), Hint: secrets.Shown(b.hintOf(wrong)), Status: exitStatus(wrong)}
		b.status = max(b.status, answer.Status)
	case !b.JSON:
		_, err := b.Out.Write(append(answer.Bundle, '\n'))
		return err
	case answer.CustomID == "": // as object has it, without reading the bundle twice more, which is a tenth of all work
		_, err := b.Out.Write(fmt.Appendf(nil, "{\"line\":%d,\"identity\":\"%s\",\"bundle\":%s}\n", answer.Line, answer.Identity, answer.Bundle))
		return err
	}
	return b.Object(answer)
}
