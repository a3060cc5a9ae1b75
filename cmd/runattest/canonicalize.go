package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
)

func newCanonicalize() *cobra.Command {
	cmd := newCommand("canonicalize")
	cmd.Args = atMostOne
	cmd.ValidArgsFunction = completeDeclarations
	isDeclaration := cmd.Flags().Bool("declaration", false, "the input is a declaration, JSON or YAML")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := input.Stdin
		if len(args) == 1 {
			path = args[0]
		}
		o := newOutput(cmd)
		if *isDeclaration {
			d, err := files.OneDeclaration(path, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return o.WriteRaw(d.Canonical())
		}
		data, err := input.Read(path, cmd.InOrStdin(), limits.JSON)
		if err != nil {
			return err
		}
		form, err := canonical.Transform(data)
		if err != nil {
			return hintJSON(named(path, files.ExplainJSON(err, data)))
		}
		return o.WriteRaw(form)
	}
	return cmd
}

// atMostOne refuses several files, whose forms would run into each other.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.WithHint(fmt.Errorf("want one file, and got %d", len(args)), `for f in FILE...; do runattest canonicalize "$f" >"$f.canonical"; done`)
	}
	return nil
}

// hintJSON says what to do about text that is not JSON.
func hintJSON(err error) error {
	wrong, ok := errors.AsType[*files.JSONError](err)
	switch {
	case !ok:
		return err
	case wrong.YAML:
		return cli.WithHint(err, "runattest canonicalize --declaration takes a declaration in YAML")
	}
	return cli.WithHint(err, wrong.Hint)
}
