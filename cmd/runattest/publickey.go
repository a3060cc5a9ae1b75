package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/signer"
)

func newPublicKey() *cobra.Command {
	cmd := newCommand("public-key")
	cmd.Args = cli.NoArgs("name the key with --key KEY")
	key := cmd.Flags().String("key", "", "the private `KEY`: a file, env://NAME or a KMS key")
	file := cmd.Flags().StringP("output", "o", "", "the `FILE` for the public key (default: standard output)")
	formatFlag(cmd)
	completeKeys(cmd, "key")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *key == "" {
			return cli.WithHint(errors.New("no key given"), "name it with --key KEY")
		}
		by, err := loadSigner(cmd, *key)
		if err != nil {
			return err
		}
		return writePublicKey(newOutput(cmd), by.PublicKey(), *file)
	}
	return cmd
}

func writePublicKey(o *output, key *signer.PublicKey, file string) error {
	text, err := key.PEM()
	if err != nil {
		return err
	}
	if file = cli.OutputName(file); file == cli.Stdout {
		file = ""
	}
	if file != "" {
		if err := overwrite.MustBeNew(file); err != nil {
			return err
		}
		if err := overwrite.Create(file, text, 0o644); err != nil {
			return err
		}
	}
	switch {
	case o.JSON:
		return o.Object(map[string]any{"publicKey": string(text), "algorithm": key.Algorithm(), "keyHint": key.Hint()})
	case file != "":
		o.Info("wrote public key %s: give it to verifiers", file)
		return nil
	}
	return o.WriteRaw(text)
}
