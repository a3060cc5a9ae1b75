package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/runattest/runattest/internal/cli"
)

// foreignFlag is what a flag of other programs is here: the first of these flags that the command has, or else what is said,
// in a command that has the flag where.
type foreignFlag struct {
	names []string
	same  []string
	where string // "" for every command
	say   string
}

// foreignFlags are flags of cosign, gh, crane, oras, age, minisign and gpg, and short ones that people try.
var foreignFlags = []foreignFlag{
	{names: []string{"k", "i", "keyfile", "key-file", "private-key", "secret-key", "signing-key", "public-key", "pubkey"}, same: []string{"key"}},
	{names: []string{"key"}, where: "policy", say: "the policy names the keys of signers"},
	{names: []string{"o", "out", "output", "output-file", "outfile", "output-bundle", "output-signature", "output-attestation", "output-key-prefix"},
		same: []string{"bundle", "out", "output"}},
	{names: []string{"j", "json"}, same: []string{"format"}},
	{names: []string{"bundle"}, where: "key-validity", say: "bundles are arguments, without a flag before them"},
	{names: []string{"signature", "certificate", "cert"}, where: "key-validity", say: "signature and certificate are in the bundle, which is an argument"},
	{names: []string{"a", "annotations"}, same: []string{"annotation"}},
	{names: []string{"rekor-url"}, same: []string{"rekor"}},
	{names: []string{"fulcio-url"}, same: []string{"fulcio"}},
	{names: []string{"timestamp-server-url", "timestamp-url", "tsa-url"}, same: []string{"timestamp-server"}},
	{names: []string{"timestamp-certificate-chain", "certificate-chain", "ca-roots", "ca-intermediates", "custom-trusted-root", "roots"}, same: []string{"trusted-root"}},
	{names: []string{"cert-identity", "identity-email", "owner", "repo", "signer-workflow", "signer-repo"}, same: []string{"certificate-identity"}},
	{names: []string{"cert-identity-regex", "cert-identity-regexp"}, same: []string{"certificate-identity-regexp"}},
	{names: []string{"cert-oidc-issuer"}, same: []string{"certificate-oidc-issuer"}},
	{names: []string{"insecure-ignore-tlog", "private-infrastructure"}, where: "require-log", say: "no log is asked for unless --require-log says so"},
	{names: []string{"offline", "local-image"}, where: "key-validity", say: "files are verified offline anyway"},
	{names: []string{"tlog-upload"}, where: "signing-config", say: "nothing is published unless --rekor, --fulcio or --signing-config says where"},
	{names: []string{"new-bundle-format"}, where: "bundle-format", say: "bundles have that format unless --bundle-format says otherwise"},
	{names: []string{"sk", "security-key"}, where: "key", say: "a key on a token is named by --key pkcs11://..."},
	{names: []string{"y", "yes", "skip-confirmation"}, say: "nothing is asked that it would answer: leave it out"},
	{names: []string{"type"}, same: []string{"predicate-type"}},
	{names: []string{"predicate"}, where: "bundle-format", say: "the predicate is made from the declaration, which is an argument"},
	{names: []string{"plain-http", "insecure", "allow-insecure-registry", "allow-http-registry"}, same: []string{"insecure-http"}},
	{names: []string{"registry-cacert", "ca-file", "cacert"}, same: []string{"registry-ca"}},
	{names: []string{"u", "username", "registry-username", "registry-password", "registry-token"}, where: "registry-ca",
		say: "credentials are those of docker login and podman login"},
	{names: []string{"p", "passphrase", "password", "password-file", "passphrase-file"}, say: "a password is read from RUNATTEST_PASSWORD, or asked on a terminal"},
}

// redirected is said of names for an output, in commands that have none.
const redirected = "the result goes to standard output: write > FILE behind the command"

// known is what the flag of that name of another program is in a command, or "".
func known(cmd *cobra.Command, name string) string {
	has := func(flag string) bool { return cmd.Flags().Lookup(flag) != nil }
	for _, f := range foreignFlags {
		if !slices.Contains(f.names, name) {
			continue
		}
		for _, same := range f.same {
			if has(same) {
				return "here that is --" + same
			}
		}
		if f.say != "" && (f.where == "" || has(f.where)) {
			return f.say
		}
		if slices.Contains(f.same, "output") && cmd.Runnable() && has("help") && !has("dry-run") {
			return redirected
		}
	}
	return ""
}

// hintFlag says what to do about a flag that was given wrong: of a flag of another program what it is here, of others which
// are alike.
func hintFlag(cmd *cobra.Command, err error) error {
	if wrong := cli.Misgiven(err); wrong != nil {
		return wrong
	}
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) {
		return cli.UnknownFlag(cmd, err)
	}
	if word := unknown.GetSpecifiedShortnames(); len(word) > 1 {
		name, _, _ := strings.Cut(word, "=")
		if cmd.Flags().Lookup(name) != nil {
			return cli.WithHint(err, "write --"+name+", with two hyphens")
		}
	}
	if what := known(cmd, unknown.GetSpecifiedName()); what != "" {
		return cli.WithHint(err, what)
	}
	return cli.UnknownFlag(cmd, err)
}
