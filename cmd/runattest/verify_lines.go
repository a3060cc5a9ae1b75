package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
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
	lines := jsonlines.NewReader(v.cmd.InOrStdin(), limits.Bundle)
	worst := exitYes
	for v.Asked = 1; ; v.Asked++ {
		if err := v.cmd.Context().Err(); err != nil {
			return err
		}
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			v.status = worst
			return v.done()
		}
		if err != nil && !errors.Is(err, jsonlines.ErrLong) {
			return fmt.Errorf("standard input: %w", err)
		}
		v.status = exitYes
		if err := v.verifyLine(line, err); err != nil {
			return err
		}
		if err := v.Object(lineEnd{v.status}); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
		worst = max(worst, v.status)
	}
}

// verifyLine answers for a bundle, or for the file that a JSON string names.
func (v *verification) verifyLine(line []byte, err error) error {
	name := fmt.Sprintf("%s:%d", input.Name(input.Stdin), v.Asked)
	line = bytes.TrimSpace(line)
	var path string
	switch {
	case err != nil:
		err = fmt.Errorf("larger than %d bytes", limits.Bundle)
	case len(line) == 0:
		err = errors.New("is empty, want a bundle, or the name of a file as a JSON string")
	case line[0] != '"':
	case !parseName(line, &path):
		err = errors.New("want a bundle, or the name of a file as a JSON string")
	case input.IsStream(path): // it may be this very input, or never end
		v.Bundle(path, attest.Report{}, errors.New("is a pipe, a device or a socket, want a file or a folder"))
		return nil
	default:
		before := v.total + v.artifacts
		err := v.by.All(v.cmd.Context(), v, path)
		if v.total+v.artifacts == before {
			v.Bundle(path, attest.Report{}, errors.New("no bundle in it"))
		}
		return err
	}
	var r attest.Report
	if err == nil {
		r, err = v.by.Text(v.cmd.Context(), line)
	}
	v.Bundle(name, r, err)
	return nil
}

// parseName reads the name of a file. One that JSON cannot hold, for which encoding/json reads another, is refused.
func parseName(line []byte, path *string) bool {
	strict, err := canonical.Transform(line)
	return err == nil && json.Unmarshal(strict, path) == nil && *path != "" && !input.IsStdin(*path)
}
