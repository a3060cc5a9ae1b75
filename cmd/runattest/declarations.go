package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// parseDeclaration reads a declaration, and recognizes a text of another kind that was given in its place.
func parseDeclaration(t input.Text) (*identity.Declaration, error) {
	parse := identity.Parse
	if t.YAML {
		parse = identity.ParseYAML
	}
	d, err := parse(t.Data)
	if err != nil && t.IsBundle() {
		err = input.ErrBundle
	}
	if err != nil {
		err = cmp.Or(foreign(t.Data), err)
	}
	return d, err
}

// foreign recognizes text of another kind that could not be read as a declaration; nil where it is not known.
func foreign(data []byte) error {
	if what := signer.PrivateKeyIn(data); what != "" && !bytes.Contains(data, []byte("PRIVATE KEY")) { // which has a name of its own
		return &input.ForeignError{Kind: what + " and no declaration", IsKey: true}
	}
	return input.Foreign(data)
}

// oneDeclaration is the one declaration in a file; several are an error.
func oneDeclaration(path string, stdin io.Reader) (*identity.Declaration, error) {
	t, err := input.One(path, stdin)
	if err != nil {
		return nil, err
	}
	d, err := parseDeclaration(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", input.Name(path), err)
	}
	return d, nil
}

// eachDeclaration parses every declaration in the files and goes on after a bad one.
func eachDeclaration(cmd *cobra.Command, o *output, paths []string, do func(input.Text, *identity.Declaration) error) {
	files := input.NewFiles(paths, cmd.InOrStdin())
	for _, path := range paths {
		for t, err := range files.In(path) {
			var d *identity.Declaration
			if err == nil {
				d, err = parseDeclaration(t)
			}
			if err == nil {
				err = do(t, d)
			}
			if err != nil {
				o.note(t.Name, err)
			}
		}
	}
	o.passedOver(files, o.note)
}

// passedOver tells which bundles were passed over, or has fail say of each that it is one where there was nothing else.
func (o *output) passedOver(files *input.Files, fail func(name string, err error)) {
	bundles, alone := files.PassedOver()
	switch {
	case len(bundles) == 0:
	case !alone:
		o.Info("note: passed over, since they are bundles: %s", visible.List(bundles))
	default:
		for _, name := range bundles {
			fail(name, input.ErrBundle)
		}
	}
}
