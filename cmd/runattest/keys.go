package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/shell"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/kms"
)

// loadSigner finds the private key that ref names: a file, env://NAME or a KMS reference.
func loadSigner(cmd *cobra.Command, ref string) (signer.Signer, error) {
	if err := checkKeyRef("key", ref); err != nil {
		return nil, err
	}
	by, err := kms.LoadAny(cmd.Context(), ref, func() ([]byte, error) {
		return askPassword(cmd, "password for "+ref+": ", false)
	}, kms.Messages(newOutput(cmd).InfoLines()))
	switch {
	case err == nil || kms.IsReference(ref):
		return by, hintKMS(err)
	case errors.Is(err, signer.ErrPassword):
		hint := "the password is read from RUNATTEST_PASSWORD, or asked on a terminal"
		if strings.HasSuffix(os.Getenv("RUNATTEST_PASSWORD"), "\n") {
			hint = `RUNATTEST_PASSWORD ends in a line feed: RUNATTEST_PASSWORD="$(cat FILE)" has none`
		}
		return nil, cli.WithHint(named(ref, err), hint)
	}
	return nil, hintFormat(ref, named(ref, err))
}

// checkKeyRef explains references that are those of other programs. flag is the name of the flag that was given.
func checkKeyRef(flag, ref string) error {
	flag = "--" + flag
	scheme, rest, isURL := strings.Cut(ref, "://")
	name, isEnv := strings.CutPrefix(ref, "env:")
	service, key, _ := strings.Cut(ref, ":")
	showsPIN := strings.Contains(key, "pin-value=") // which the plugin refuses
	switch {
	case ref == input.Stdin:
		return cli.WithHint(fmt.Errorf("%s -: a key is not read from standard input", flag), "name its file, or put it into a variable: "+flag+" env://NAME")
	case isURL && scheme == "env" && rest == "":
		return fmt.Errorf("%s env://: names no variable, want env://NAME", flag)
	case isEnv && name != "" && !isURL && !exists(ref):
		return cli.WithHint(fmt.Errorf("%s: no such file", ref), "a key in a variable is "+flag+" env://"+name)
	case !isURL && key != "" && !showsPIN && slices.Contains(kms.Names(), service) && !exists(ref): // RFC 7512 has pkcs11: alone
		return cli.WithHint(fmt.Errorf("%s: no such file", ref), "a key in a KMS is "+flag+" "+shell.Word(service+"://"+key))
	case isURL && scheme == "file":
		return cli.WithHint(fmt.Errorf("%s: want a file's name", ref), flag+" "+shell.Path(rest))
	case isURL && (scheme == "http" || scheme == "https"):
		return cli.WithHint(fmt.Errorf("%s: a key is not fetched", ref), "fetch it yourself, compare it with what its holder says, and name the file")
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// askPassword reads a password from RUNATTEST_PASSWORD, or asks on the terminal, twice when it is a new one. What is
// empty, there or here, is the empty password, and never nil.
func askPassword(cmd *cobra.Command, prompt string, twice bool) ([]byte, error) {
	if password, ok := os.LookupEnv("RUNATTEST_PASSWORD"); ok {
		return []byte(password), nil
	}
	password, err := terminal.AskPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), prompt, twice)
	if errors.Is(err, terminal.ErrNone) {
		err = cli.WithHint(err, "set RUNATTEST_PASSWORD")
	}
	return password, err
}

// hintFormat says how to convert what ref names where it is a key in another format.
func hintFormat(ref string, err error) error {
	if format, ok := errors.AsType[*signer.FormatError](err); ok {
		convert := format.Convert
		name, variable := strings.CutPrefix(ref, "env://")
		if variable {
			convert = format.ConvertVariable
		}
		if command := convert(name); command != "" {
			return cli.WithHint(err, command)
		}
	}
	if err = files.ExplainKey(err, ref); is[*files.NotKeyError](err) {
		return cli.WithHint(err, makeKeys)
	}
	return err
}

const makeKeys = "runattest keygen -o NAME makes a private key, NAME.key, and a public one, NAME.pub"

// loadPublicKey finds the public key that ref names: a file, env://NAME or a KMS reference.
// Only the last can open a connection.
func loadPublicKey(ctx context.Context, flag, ref string) (*signer.PublicKey, error) {
	if err := checkKeyRef(flag, ref); err != nil {
		return nil, err
	}
	key, err := kms.PublicKeyOfAny(ctx, ref)
	if kms.IsReference(ref) {
		return key, hintKMS(err)
	}
	return key, hintFormat(ref, err)
}

func hintKMS(err error) error {
	if missing := (*kms.MissingError)(nil); errors.As(err, &missing) {
		return cli.WithHint(err, missing.Hint())
	}
	return err
}

// completeKeys completes a --key with files of these extensions.
func completeKeys(cmd *cobra.Command, extensions ...string) {
	_ = cmd.RegisterFlagCompletionFunc("key", func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var schemes []cobra.Completion
		for _, name := range append(kms.Names(), "env") {
			if s := name + "://"; typed != "" && strings.HasPrefix(s, typed) {
				schemes = append(schemes, s)
			}
		}
		if schemes != nil {
			return schemes, cobra.ShellCompDirectiveNoSpace
		}
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	})
}
