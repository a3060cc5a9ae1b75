package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/shell"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/signer"
)

const defaultKeyName = "runattest"

func newKeygen() *cobra.Command {
	cmd := newCommand("keygen")
	cmd.Args = cli.NoArgs("name the files with --output NAME")
	name := cmd.Flags().StringP("output", "o", defaultKeyName, "`NAME` of the files, without .key and .pub; FOLDER/ names them runattest in that folder")
	noPassword := cmd.Flags().Bool("no-password", false, "leave the private key unencrypted")
	var algorithms []string
	for _, a := range signer.Algorithms() {
		algorithms = append(algorithms, string(a))
	}
	algorithm := cli.WordFlag(cmd, "algorithm", "kind of key", algorithms...)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		private, public, err := keyFiles(*name)
		if err != nil {
			return err
		}
		if err := atomicfile.CheckFolder(private); err != nil {
			return err
		}
		if err := overwrite.MustNotExist(private, public); err != nil {
			return err
		}
		var password []byte
		if !*noPassword {
			password, err = askPassword(cmd, "password for the new key: ", true)
			if errors.Is(err, terminal.ErrNone) {
				return cli.WithHint(err, "set RUNATTEST_PASSWORD, or leave the key unencrypted with --no-password")
			}
			if err != nil {
				return err
			}
		}
		pair, err := signer.Generate(signer.Algorithm(algorithm.String()), password)
		if errors.Is(err, signer.ErrPassword) {
			return cli.WithHint(err, "--no-password leaves the key unencrypted")
		}
		if err != nil {
			return err
		}
		if err := pair.Create(private, public); err != nil {
			return err
		}
		o := newOutput(cmd)
		if o.JSON {
			return o.Object(map[string]any{"privateKey": private, "publicKey": public, "algorithm": pair.Key.Algorithm(), "keyHint": pair.Key.Hint()})
		}
		o.Info("wrote private key %s: keep it secret", private)
		o.Info("wrote public key %s: give it to verifiers", public)
		return nil
	}
	return cmd
}

// keyFiles are the files of a key pair of that name; in a folder, which ends in a slash, it is the default one.
func keyFiles(name string) (private, public string, err error) {
	folder, base := filepath.Split(name)
	switch {
	case base == "":
		name = folder + defaultKeyName
	case base == "." || base == "..":
		return "", "", cli.WithHint(fmt.Errorf("--output %s: is a folder, want a name for the files", name), "-o "+name+"/ makes "+name+"/"+defaultKeyName+".key")
	case name == "-" || input.IsStream(name):
		return "", "", fmt.Errorf("--output %s: two files are made, want a name for them", name)
	case strings.HasSuffix(base, ".key") || strings.HasSuffix(base, ".pub"):
		return "", "", cli.WithHint(fmt.Errorf("--output %s: is the name of one file, want that of both, without .key and .pub", name), "-o "+shell.Path(nameOfBoth(name)))
	}
	return name + ".key", name + ".pub", nil
}

// nameOfBoth is a name that keyFiles takes in place of that of one file.
func nameOfBoth(name string) string {
	folder, base := filepath.Split(name)
	for strings.HasSuffix(base, ".key") || strings.HasSuffix(base, ".pub") {
		base = base[:len(base)-len(".key")]
	}
	if strings.Trim(base, ".-") == "" {
		base = defaultKeyName
	}
	return folder + base
}
