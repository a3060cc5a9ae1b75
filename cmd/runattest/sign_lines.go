package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
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

// signLines answers each line of standard input with one line, before it reads the next. What is wrong with a line is
// its answer; only where nothing can be read or written any more it ends early.
func (b *batch) signLines(cmd *cobra.Command) error {
	limit := limits.Declaration
	if b.capturing != nil {
		limit = limits.CaptureBody
	}
	lines := jsonlines.NewReader(cmd.InOrStdin(), limit)
	for n := 1; ; n++ {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return b.done()
		}
		answer := signedObject{Line: n}
		if err == nil {
			err = b.signLine(cmd, line, &answer)
		} else if !errors.Is(err, jsonlines.ErrLong) {
			return fmt.Errorf("standard input: %w", err)
		} else {
			err = fmt.Errorf("larger than %d bytes", limit)
		}
		if err := b.answer(answer, err); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
}

func (b *batch) signLine(cmd *cobra.Command, line []byte, answer *signedObject) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return errors.New("is empty, want a declaration in JSON")
	}
	p, err := b.readLine(answer.Line, line)
	if err != nil {
		return inLine(answer.Line, err)
	}
	text, err := b.signOne(cmd.Context(), p)
	answer.Identity, answer.Bundle, answer.CustomID = &p.id, text, p.customID
	return err
}

// readLine makes the Statement of a line, which is a declaration or one request.
func (b *batch) readLine(n int, line []byte) (prepared, error) {
	t := input.Text{Name: fmt.Sprintf("%s:%d", input.Name(input.Stdin), n), Data: line}
	if b.capturing == nil {
		return b.readOne(t, nil)
	}
	src := b.capturing.source
	src.Body = line
	c, err := b.capturing.format.Capture(src)
	return b.readCaptured(captured{text: t, Captured: c}, locate(line, err))
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

// signOne gives one bundle as one line.
func (b *batch) signOne(ctx context.Context, p prepared) ([]byte, error) {
	bundle, err := b.session.Sign(ctx, p.statement)
	if err != nil {
		return nil, err
	}
	return bundle.Marshal()
}

// answer writes one line, or what is wrong. Its own error is that of standard output.
func (b *batch) answer(answer signedObject, wrong error) error {
	switch {
	case wrong != nil && !b.JSON:
		b.note(fmt.Sprintf("%s:%d", input.Name(input.Stdin), answer.Line), wrong)
		_, err := b.Out.Write([]byte{'\n'}) // a program that waits for an answer reads one
		return err
	case wrong != nil:
		answer = signedObject{Line: answer.Line, Error: visible.Cut(reason(wrong)), Hint: hintOf(wrong), Status: exitStatus(wrong)}
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
