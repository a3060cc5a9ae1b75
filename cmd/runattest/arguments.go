package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/signer"
)

// checkArguments refuses, before anything reads or prints them, arguments that hold a private key, as --reason "$(cat k.key)"
// has it: they would be shown in a message, or signed and published. Behind -- they are another program's, or files.
func checkArguments(args []string) error {
	if at := slices.Index(args, "--"); at >= 0 {
		args = args[:at]
	}
	for i, arg := range args {
		_, value, _ := strings.Cut(arg, "=")
		what := signer.PrivateKeyIn([]byte(arg))
		if what == "" && value != "" {
			what = signer.PrivateKeyIn([]byte(value))
		}
		if what != "" {
			return cli.WithHint(fmt.Errorf("argument %d is or holds %s, which other users of this machine can see", i+1, what),
				"name the key's file, or put the key into a variable: --key env://NAME")
		}
		if strings.HasPrefix(arg, "\u2013") || strings.HasPrefix(arg, "\u2014") { // as editors make them of two hyphens
			if _, err := os.Lstat(arg); err != nil {
				return cli.WithHint(fmt.Errorf("%s: begins with a dash, want hyphens", arg), "write --"+strings.TrimLeft(arg, "\u2013\u2014-"))
			}
		}
	}
	return nil
}

// holdsKey tells a declaration with a private key in it, as text.
func holdsKey(canonical []byte) bool {
	return bytes.Contains(canonical, []byte("PRIVATE KEY-----")) || bytes.Contains(canonical, []byte("AGE-SECRET-KEY-"))
}

// warnOfKeys says of artifacts that are private keys that their digests are signed.
func warnOfKeys(o *output, paths []string) {
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > limits.Key {
			continue
		}
		data, err := boundedfile.Read(path, limits.Key)
		if what := signer.PrivateKeyIn(data); err == nil && what != "" {
			o.Info("warning: %s is or holds %s; its name and its SHA-256 are signed", path, what)
		}
	}
}

// warnOfSecrets says of annotations that look like a credential that they are signed.
func warnOfSecrets(o *output, annotations map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if value := annotations[name]; secrets.IsNamed(name, value) || secrets.In(value) != "" {
			o.Info("warning: the annotation %s looks like a credential; it is signed, and in the bundle", name)
		}
	}
}

// readers are the flags whose value can be - for standard input, by commands where others write.
var readers = []string{"declaration", "approvals", "run"}

// checkStdin refuses to read standard input twice: the second time nothing is in it.
func checkStdin(cmd *cobra.Command, args []string) error {
	var by []string
	if cmd.Name() != "exec" { // whose arguments are a command
		for _, arg := range args {
			if arg == input.Stdin {
				by = append(by, "an argument")
			}
		}
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(readers, f.Name) && (f.Name != "bundle" || cmd.Name() != "exec") {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			if value == input.Stdin {
				by = append(by, "--"+f.Name)
			}
		}
	})
	if len(by) < 2 {
		return nil
	}
	return cli.WithHint(fmt.Errorf("standard input (-) is named %d times: by %s; want it once", len(by), strings.Join(by, ", ")), "put one of them into a file")
}

// exclusive are flags that do not go together.
func exclusive(cmd *cobra.Command, names ...string) error {
	var given []string
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) < 2 {
		return nil
	}
	return errors.New(strings.Join(given, " and ") + ": want one of them")
}

// kindOf says what a file is that could not be read as what it should be, "" if that is not plain to see.
func kindOf(data []byte) string {
	if kind := input.Kind(data); kind != "" {
		return kind
	}
	if what := signer.PrivateKeyIn(data); !bytes.Contains(data, []byte("PRIVATE KEY")) { // in another text
		return what
	}
	return ""
}

// isKeyFile tells the kinds that are a key or a certificate.
func isKeyFile(kind string) bool {
	return kind == input.KindPublicKey || kind == input.KindCertificate || strings.Contains(kind, "private")
}
