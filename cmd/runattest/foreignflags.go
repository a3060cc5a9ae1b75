package main

import "github.com/runattest/runattest/internal/cli"

// foreignFlags are flags of cosign, gh, crane, oras, age, minisign and gpg, and short ones that people try.
var foreignFlags = []cli.ForeignFlag{
	{Names: []string{"k", "i", "keyfile", "key-file", "private-key", "secret-key", "signing-key", "public-key", "pubkey"}, Same: []string{"key"}},
	{Names: []string{"key"}, Where: "policy", Say: "the policy names the keys of signers"},
	{Names: []string{"o", "out", "output", "output-file", "outfile", "output-bundle", "output-signature", "output-attestation", "output-key-prefix"},
		Same: []string{"bundle", "out", "output"}, IsOutput: true},
	{Names: []string{"j", "json"}, Same: []string{"format"}},
	{Names: []string{"bundle"}, Where: "key-validity", Say: "bundles are arguments, without a flag before them"},
	{Names: []string{"signature", "certificate", "cert"}, Where: "key-validity", Say: "signature and certificate are in the bundle, which is an argument"},
	{Names: []string{"a", "annotations"}, Same: []string{"annotation"}},
	{Names: []string{"rekor-url"}, Same: []string{"rekor"}},
	{Names: []string{"fulcio-url"}, Same: []string{"fulcio"}},
	{Names: []string{"timestamp-server-url", "timestamp-url", "tsa-url"}, Same: []string{"timestamp-server"}},
	{Names: []string{"timestamp-certificate-chain", "certificate-chain", "ca-roots", "ca-intermediates", "custom-trusted-root", "roots"}, Same: []string{"trusted-root"}},
	{Names: []string{"cert-identity", "identity-email", "owner", "repo", "signer-workflow", "signer-repo"}, Same: []string{"certificate-identity"}},
	{Names: []string{"cert-identity-regex", "cert-identity-regexp"}, Same: []string{"certificate-identity-regexp"}},
	{Names: []string{"cert-oidc-issuer"}, Same: []string{"certificate-oidc-issuer"}},
	{Names: []string{"insecure-ignore-tlog", "private-infrastructure"}, Where: "require-log", Say: "no log is asked for unless --require-log says so"},
	{Names: []string{"offline", "local-image"}, Where: "key-validity", Say: "files are verified offline anyway"},
	{Names: []string{"tlog-upload"}, Where: "signing-config", Say: "nothing is published unless --rekor, --fulcio or --signing-config says where"},
	{Names: []string{"new-bundle-format"}, Where: "bundle-format", Say: "bundles have that format unless --bundle-format says otherwise"},
	{Names: []string{"sk", "security-key"}, Where: "key", Say: "a key on a token is named by --key pkcs11://..."},
	{Names: []string{"y", "yes", "skip-confirmation"}, Say: "nothing is asked that it would answer: leave it out"},
	{Names: []string{"type"}, Same: []string{"predicate-type"}},
	{Names: []string{"predicate"}, Where: "bundle-format", Say: "the predicate is made from the declaration, which is an argument"},
	{Names: []string{"plain-http", "insecure", "allow-insecure-registry", "allow-http-registry"}, Same: []string{"insecure-http"}},
	{Names: []string{"registry-cacert", "ca-file", "cacert"}, Same: []string{"registry-ca"}},
	{Names: []string{"u", "username", "registry-username", "registry-password", "registry-token"}, Where: "registry-ca",
		Say: "credentials are those of docker login and podman login"},
	{Names: []string{"p", "passphrase", "password", "password-file", "passphrase-file"}, Say: "a password is read from RUNATTEST_PASSWORD, or asked on a terminal"},
}
