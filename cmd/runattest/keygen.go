package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/signer"
)

func newKeygen() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key pair",
		Long: `Make a key pair: NAME.key, the private key (mode 0600), and NAME.pub, the public key.

The private key is encrypted with a password, which is read from RUNATTEST_PASSWORD or
asked on the terminal; --no-password leaves it plain. The formats are Sigstore's: cosign uses
the public key and the encrypted private key as they are, and takes a plain one through
cosign import-key-pair. No existing file is ever overwritten.`,
		Example: `  runattest keygen
  runattest keygen --no-password -o ci
  runattest keygen --algorithm ed25519 -o prod`,
		Args: noArgs("name the files with --output NAME"),
	}
	name := cmd.Flags().StringP("output", "o", "runattest", "name of the files, without .key and .pub")
	noPassword := cmd.Flags().Bool("no-password", false, "leave the private key unencrypted")
	var algorithms []string
	for _, a := range signer.Algorithms() {
		algorithms = append(algorithms, string(a))
	}
	algorithm := wordFlag(cmd, "algorithm", "kind of key", algorithms...)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := refuseEmpty(cmd, "output"); err != nil {
			return err
		}
		private, public := *name+".key", *name+".pub"
		if err := mustNotExist(private, public); err != nil {
			return err
		}
		var password []byte
		if !*noPassword {
			var err error
			password, err = askPassword(cmd, "password for the new key: ", true)
			if errors.Is(err, errNoTerminal) {
				return withHint(err, "set RUNATTEST_PASSWORD, or leave the key unencrypted with --no-password")
			}
			if err != nil {
				return err
			}
		}
		pair, err := signer.Generate(signer.Algorithm(algorithm.value), password)
		if errors.Is(err, signer.ErrPassword) {
			return withHint(err, "--no-password leaves the key unencrypted")
		}
		if err != nil {
			return err
		}
		if err := atomicfile.Create(private, pair.Private, 0o600); err != nil {
			return err
		}
		if err := atomicfile.Create(public, pair.Public, 0o644); err != nil {
			return errors.Join(err, os.Remove(private)) // just made, and of no use alone
		}
		o := newOutput(cmd)
		if o.json {
			return o.object(map[string]any{"privateKey": private, "publicKey": public, "algorithm": pair.Key.Algorithm(), "keyHint": pair.Key.Hint()})
		}
		o.info("wrote private key %s: keep it secret", private)
		o.info("wrote public key %s: give it to whoever verifies", public)
		return nil
	}
	return cmd
}

func mustNotExist(paths ...string) error {
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return withHint(fmt.Errorf("%s: %w", path, fs.ErrExist), "choose another name with -o; keys are never overwritten")
		}
	}
	return nil
}
