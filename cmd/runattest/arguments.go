package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/registry"
)

// referenceFirst asks for a reference and at least one bundle.
func referenceFirst(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cli.WithHint(errors.New("no reference and no bundle given"), "usage: "+cmd.UseLine())
	}
	if err := cli.SomeArgs("bundle")(cmd, args[1:]); err != nil {
		return err
	}
	if _, err := registry.ParseReference(args[0]); err != nil {
		if _, swapped := registry.ParseReference(args[len(args)-1]); swapped == nil {
			err = cli.WithHint(err, "the reference comes first: "+cmd.UseLine())
		}
		return err
	}
	return nil
}

// takeEmpty are the flags that have a meaning when they are empty.
var takeEmpty = []string{"env-allow"}

// readers are the flags whose value can be - for standard input, by commands where others write.
var readers = []string{"declaration", "approvals", "run"}

// checkStdin refuses to read standard input twice.
func checkStdin(cmd *cobra.Command, args []string) error {
	if cmd.Name() == "exec" { // whose arguments are a command
		return cli.StdinOnce(cmd, nil, append(readers, "bundle")...)
	}
	return cli.StdinOnce(cmd, args, readers...)
}

// warnOfKeys says of artifacts that are private keys that their digests are signed.
func warnOfKeys(o *output, paths []string) {
	for path, what := range subjects.PrivateKeys(paths...) {
		o.Info("warning: %s is or holds %s; its name and its SHA-256 are signed", path, what)
	}
}

// parseAnnotations reads those that a flag says. One that looks like a credential is warned of, since it is signed.
func (o *output) parseAnnotations(flag string, pairs []string) (map[string]string, error) {
	annotations, err := cli.ParseNamed(pairs)
	if err != nil {
		return nil, fmt.Errorf("%s %w", flag, err)
	}
	for _, name := range secrets.Named(annotations) {
		o.Info("warning: the annotation %s looks like a credential; it is signed, and in the bundle", name)
	}
	return annotations, nil
}
