package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/visible"
)

// eachDeclaration parses every declaration in the files and goes on after a bad one.
func eachDeclaration(cmd *cobra.Command, o *output, paths []string, do func(input.Text, *identity.Declaration) error) {
	in := input.NewFiles(paths, cmd.InOrStdin())
	for _, path := range paths {
		for t, err := range in.In(path) {
			var d *identity.Declaration
			if err == nil {
				d, err = files.ParseDeclaration(t)
			}
			if err == nil {
				err = do(t, d)
			}
			if err != nil {
				o.note(t.Name, err)
			}
		}
	}
	o.passedOver(in, o.note)
}

// passedOver tells which bundles were passed over, or has fail say of each that it is one where there was nothing else.
func (o *output) passedOver(in *input.Files, fail func(name string, err error)) {
	bundles, alone := in.PassedOver()
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

// oneBundle is the one bundle in a file, or in standard input.
func oneBundle(cmd *cobra.Command, path string) (*attest.Bundle, error) {
	b, err := files.OneBundle(path, cmd.InOrStdin())
	if err != nil {
		return nil, named(path, hintReference(path, err, fetchFirst))
	}
	return b, nil
}

// notBundleHint is what to do about a text that was given for a bundle.
func notBundleHint(e *files.NotBundleError) string {
	switch {
	case e.IsDeclaration():
		return "name the bundles alone: sign writes them beside the declarations, as *" + signatureSuffix
	case e.Kind == input.KindStatement:
		return "name the bundle that it was taken out of: a statement alone has no signature"
	case e.Kind == input.KindRunSet:
		return "where run sets are taken, the set's header is the first line of its file: remove what is before it"
	case e.Kind != "":
		return "sign writes bundles, as *" + signatureSuffix
	}
	switch wrong, _ := errors.AsType[*canonical.Error](e); {
	case wrong != nil && wrong.Code == "trailing":
		return "a bundle is a file, or one whole line of a .jsonl file"
	case wrong != nil && wrong.Code == "bom":
		return "save the file as UTF-8 without a BOM"
	case wrong != nil && wrong.Code == "syntax" && wrong.Offset > 0:
		return "is it complete? a bundle is JSON, and in a .jsonl file one line: sign writes it, as *" + signatureSuffix
	}
	return "a bundle is JSON: sign writes it, as *" + signatureSuffix
}
