package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
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

// hintFlag says to who knows cosign what a flag of it is here, and to others which is alike.
func hintFlag(cmd *cobra.Command, err error) error {
	if wrong := cli.Misgiven(err); wrong != nil {
		return wrong
	}
	for flag, hint := range map[string]string{
		"--bundle":               "bundles are arguments: runattest verify --key PUB BUNDLE",
		"--insecure-ignore-tlog": "no log is asked for unless --require-log says so",
		"--tlog-upload":          "nothing is published unless --rekor, --fulcio or --signing-config says where",
		"--rekor-url":            "--rekor URL",
		"--fulcio-url":           "--fulcio URL",
		"--yes":                  "nothing is asked that --yes would answer",
	} {
		if err.Error() == "unknown flag: "+flag {
			return cli.WithHint(err, hint)
		}
	}
	return cli.UnknownFlag(cmd, err)
}

// takeEmpty are the flags that have a meaning when they are empty, or whose readers say more about it.
var takeEmpty = []string{"declaration", "identity", "path", "provider", "relation"}
