package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/visible"
)

// checkLines refuses what does not go with --jsonl.
func (s *signFlags) checkLines(args []string) error {
	switch {
	case !s.lines:
		return nil
	case len(args) != 1 || !input.IsStdin(args[0]):
		return cli.WithHint(errors.New("--jsonl reads standard input and nothing else"), "runattest sign --key KEY --jsonl -")
	case s.bundle != "" && cli.OutputName(s.bundle) != cli.Stdout:
		return cli.WithHint(errors.New("--jsonl answers on standard output, and --bundle names a file"), "leave one of the two out")
	case s.attach != "":
		return cli.WithHint(errors.New("--attach does not go with --jsonl"), "runattest attach attaches the bundles")
	}
	return nil
}

// signLines answers each line of standard input with one line, in their order and as soon as it can. What is wrong with a line
// is its answer; only where nothing can be read or written any more it ends early.
func (b *batch) signLines(cmd *cobra.Command) error {
	limit := limits.Declaration
	if b.capturing != nil {
		limit = limits.CaptureBody
	}
	for a, err := range b.work.Lines(cmd.Context(), cmd.InOrStdin(), limit, b.lineSource) {
		if err != nil {
			return err
		}
		if err := b.answer(a); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	return b.done()
}

// lineSource is the declaration, or the one request, in a line.
func (b *batch) lineSource(n int, line []byte) signing.Source {
	t := input.Text{Name: lineName(n), Data: line}
	if b.capturing == nil {
		return b.declaration(t, nil)
	}
	return b.captured(b.capturing.Line(t.Name, n, line))
}

func lineName(n int) string { return fmt.Sprintf("%s:%d", input.Name(input.Stdin), n) }

// hintLine says which command shows all problems of a line.
func hintLine(err error) error {
	if invalid, ok := errors.AsType[*identity.InvalidError](err); ok {
		return cli.WithHint(err, allShown(invalid.Hint(), len(invalid.Problems), "lint - shows all %d problems of the line that it is given"))
	}
	return err
}

// answer writes one line, or what is wrong. Its own error is that of standard output.
func (b *batch) answer(a signing.Answer) error {
	wrong := a.Err
	if a.Prepared.Err != nil {
		wrong = hintLine(a.Prepared.Err)
	}
	var answer signedObject
	switch {
	case wrong != nil && !b.JSON:
		b.note(lineName(a.Line), wrong)
		_, err := b.Out.Write([]byte{'\n'}) // a program that waits for an answer reads one
		return err
	case wrong != nil:
		answer = signedObject{Line: a.Line, Error: visible.Cut(reason(wrong)), Hint: secrets.Shown(b.hintOf(wrong)), Status: exitStatus(wrong)}
		b.status = max(b.status, answer.Status)
	case !b.JSON:
		_, err := b.Out.Write(append(a.Bundle, '\n'))
		return err
	case a.CustomID == "": // as object has it, without reading the bundle twice more, which is a tenth of all work
		_, err := b.Out.Write(fmt.Appendf(nil, "{\"line\":%d,\"identity\":\"%s\",\"bundle\":%s}\n", a.Line, a.Statement.ID(), a.Bundle))
		return err
	default:
		answer = signedObject{Line: a.Line, Identity: a.Statement.ID().String(), CustomID: a.CustomID, Bundle: a.Bundle}
	}
	return b.Object(answer)
}
