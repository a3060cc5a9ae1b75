package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
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
		data, err := readAny(cmd, path)
		if err != nil {
			return err
		}
		form, err := canonical.Transform(data)
		if err != nil {
			return unreadableJSON(path, data, err)
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

// unreadableJSON says what is wrong with JSON text, and what to do about it.
func unreadableJSON(path string, data []byte, err error) error {
	path = input.Name(path)
	var ce *canonical.Error
	if !errors.As(err, &ce) {
		return fmt.Errorf("%s: %w", path, err)
	}
	if kind := files.Kind(data); files.IsKey(kind) {
		return fmt.Errorf("%s: is %s, want JSON", path, kind)
	}
	if jsonmend.LooksLikeYAML(data) {
		err = fmt.Errorf("%s: line 1, column 1: not valid JSON: this looks like YAML", path)
		return cli.WithHint(err, "runattest canonicalize --declaration takes a declaration in YAML")
	}
	m := jsonmend.Explain(data, ce)
	line, column := yamljson.LineColumn(data, m.Offset)
	return cli.WithHint(fmt.Errorf("%s: line %d, column %d: %s (%w)", path, line, column, m.Message, err), m.Hint)
}

func readAny(cmd *cobra.Command, path string) ([]byte, error) {
	if path == input.Stdin {
		return boundedfile.ReadFrom(cmd.InOrStdin(), input.Name(path), limits.JSON)
	}
	return boundedfile.Read(path, limits.JSON)
}
