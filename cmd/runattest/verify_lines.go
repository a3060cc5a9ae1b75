package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

// checkVerifyLines refuses what does not go with --jsonl.
func checkVerifyLines(cmd *cobra.Command, lines bool, args []string, o *output) error {
	switch {
	case !lines:
		return nil
	case len(args) != 1 || !input.IsStdin(args[0]):
		return cli.WithHint(errors.New("--jsonl reads standard input and nothing else"), "runattest verify --key PUB --jsonl --format json -")
	case !o.JSON:
		return cli.WithHint(errors.New("--jsonl answers in JSON"), "add --format json")
	}
	return cli.Exclusive(cmd, "jsonl", "fail-fast")
}

// lineEnd follows the answers to a line. Status is the exit status of a verification of that line alone.
type lineEnd struct {
	Status int `json:"status"`
}

// verifyLines answers each line of standard input, before it reads the next, with an object for each bundle and one that
// ends the answer. What is wrong with a line is its answer.
func (v *verification) verifyLines() error {
	v.Asked = 1
	worst := exitYes
	for n, err := range v.by.Lines(v.cmd.Context(), v) {
		if err != nil {
			return err
		}
		if err := v.Object(lineEnd{v.status}); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
		worst = max(worst, v.status)
		v.status, v.Asked = exitYes, n+1
	}
	v.status = worst
	return v.done()
}
