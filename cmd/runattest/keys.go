package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/kms"
)

// isKMS tells the references that a plugin serves: NAME://KEY, except env://.
func isKMS(ref string) bool {
	scheme, _, ok := strings.Cut(ref, "://")
	return ok && scheme != "env"
}

// loadSigner finds the private key that ref names: a file, env://NAME or a KMS reference.
func loadSigner(cmd *cobra.Command, ref string) (signer.Signer, error) {
	if isKMS(ref) {
		by, err := kms.Load(cmd.Context(), ref, kms.Messages(&pluginMessages{output: newOutput(cmd)}))
		return by, hintKMS(err)
	}
	by, err := signer.Load(cmd.Context(), ref, func() ([]byte, error) {
		return askPassword(cmd, "password for "+ref+": ", false)
	})
	if errors.Is(err, signer.ErrPassword) {
		return nil, withHint(named(ref, err), "the password is read from RUNATTEST_PASSWORD, or asked on a terminal")
	}
	if err != nil {
		return nil, hintFormat(ref, named(ref, err))
	}
	return by, nil
}

// hintFormat says how to convert what ref names where it is a key in another format.
func hintFormat(ref string, err error) error {
	var format *signer.FormatError
	if !errors.As(err, &format) {
		return err
	}
	convert := format.Convert
	name, variable := strings.CutPrefix(ref, "env://")
	if variable {
		convert = format.ConvertVariable
	}
	if command := convert(name); command != "" {
		return withHint(err, command)
	}
	return err
}

// loadPublicKey finds the public key that ref names: a file, env://NAME or a KMS reference.
// Only the last can open a connection.
func loadPublicKey(ctx context.Context, ref string) (*signer.PublicKey, error) {
	if isKMS(ref) {
		key, err := kms.PublicKey(ctx, ref)
		return key, hintKMS(err)
	}
	data, err := readKey(ref)
	if err != nil {
		return nil, err
	}
	key, err := signer.ParsePublicKey(data)
	if err != nil {
		return nil, hintFormat(ref, fmt.Errorf("%s: %w", ref, err))
	}
	return key, nil
}

func readKey(ref string) ([]byte, error) {
	name, ok := strings.CutPrefix(ref, "env://")
	if !ok {
		return boundedfile.Read(ref, limits.Key)
	}
	value := os.Getenv(name)
	if value == "" {
		return nil, fmt.Errorf("key: environment variable %s is not set", name)
	}
	return []byte(value), nil
}

func hintKMS(err error) error {
	if missing := (*kms.MissingError)(nil); errors.As(err, &missing) {
		return withHint(err, missing.Hint())
	}
	return err
}

// pluginMessages prints what a plugin says while it works, such as that a token wants to be
// touched.
type pluginMessages struct{ *output }

func (m *pluginMessages) Write(data []byte) (int, error) {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			m.info("%s", line)
		}
	}
	return len(data), nil
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
