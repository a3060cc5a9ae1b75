package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/sigstore"
)

func newTrustedRootShow() *cobra.Command {
	cmd := newCommand("trusted-root_show")
	cmd.Args = cli.OneArg("trusted root")
	cmd.ValidArgsFunction = cli.CompleteFiles("json")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root, err := readTrustedRoot(cmd, args[0])
		if err != nil {
			return err
		}
		return showTrusted(newOutput(cmd), root.Trusted(), time.Now())
	}
	return cmd
}

func readTrustedRoot(cmd *cobra.Command, path string) (*sigstore.TrustedRoot, error) {
	data, err := input.Read(path, cmd.InOrStdin(), limits.TrustedRoot)
	if err != nil {
		return nil, err
	}
	return parseTrustedRoot(input.Name(path), data)
}

func showTrusted(o *output, all []authority.Authority, now time.Time) error {
	if len(all) == 0 {
		o.Info("note: the trusted root lists no authority and no log")
	}
	if !o.JSON && len(all) > 0 {
		if err := o.Lines(answer.TrustedHeading()); err != nil {
			return err
		}
	}
	for _, a := range all {
		t := answer.NewTrusted(a, now)
		var err error
		if o.JSON {
			err = o.Object(t)
		} else {
			err = o.Lines(t.Lines()...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
