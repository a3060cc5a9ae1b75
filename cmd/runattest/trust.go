package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/sigstore"
)

// trustFlags name the signers that a command trusts, and the evidence that it requires.
type trustFlags struct {
	prefix                                       string // of the flags' names
	keys, validities                             []string
	root                                         string
	names, namePatterns, issuers, issuerPatterns []string
	timestamps                                   int
	logs                                         string
	before                                       string
}

// newTrustFlags declares the flags of every command that verifies.
func newTrustFlags(cmd *cobra.Command) *trustFlags {
	var t trustFlags
	f := cmd.Flags()
	f.StringArrayVar(&t.keys, "key", nil, "the public `KEY` of a signer that you trust: a file, env://NAME or a KMS key (repeatable)")
	f.StringArrayVar(&t.validities, "key-validity", nil, "`KEY=FROM/UNTIL`: when that --key signs, RFC 3339 times or nothing; needs trusted time (repeatable)")
	f.StringVar(&t.root, "trusted-root", "", "who vouches for certificates and times: a Sigstore TrustedRoot `FILE`")
	f.StringArrayVar(&t.names, flagName, nil, "the `NAME` of a signer that you trust, as certificates have it: an email, a workflow's URL (repeatable)")
	f.StringArrayVar(&t.namePatterns, "certificate-identity-regexp", nil, "the same as a `REGEXP`, matched from end to end (repeatable)")
	f.StringArrayVar(&t.issuers, flagIssuer, nil, "the `URL` of the OIDC issuer with which the signer has logged in (repeatable)")
	f.StringArrayVar(&t.issuerPatterns, "certificate-oidc-issuer-regexp", nil, "the same as a `REGEXP`, matched from end to end (repeatable)")
	f.IntVar(&t.timestamps, "require-timestamp", 0, "from how many authorities, a `NUMBER`, an RFC 3161 timestamp must be there")
	f.StringVar(&t.logs, "require-log", "", "in how many transparency logs, a `NUMBER` or none, the signature must be (default: 1 for a certificate, where the trusted root names logs)")
	f.StringVar(&t.before, "signed-before", "", "the signature must be proved to be not later than this `TIME` (RFC 3339): before the run")
	completeKeys(cmd, "pub", "pem")
	_ = cmd.MarkFlagFilename("trusted-root", "json")
	return &t
}

// load makes the verifier that the flags ask for. Nothing but a KMS key opens a connection.
func (t *trustFlags) load(cmd *cobra.Command) (*attest.Verifier, error) {
	trust, err := t.trust(cmd)
	if errors.Is(err, attest.ErrNoTrust) {
		hint := "name the public key of a signer that you trust with --key FILE, or a certificate identity with --certificate-identity, --certificate-oidc-issuer and --trusted-root"
		if cmd.Flags().Lookup("policy") != nil {
			hint += ", or have a --policy say it"
		}
		return nil, cli.WithHint(err, hint)
	}
	if err != nil {
		return nil, err
	}
	return attest.NewVerifier(trust)
}

func (t *trustFlags) trust(cmd *cobra.Command) (attest.Trust, error) {
	var o sigstore.TrustOptions
	var err error
	if o.Keys, err = t.trustedKeys(cmd.Context()); err != nil {
		return nil, err
	}
	if o.Identities, err = t.identities(newOutput(cmd)); err != nil {
		return nil, err
	}
	if o.RequireTimestamps = t.timestamps; t.timestamps < 0 {
		return nil, fmt.Errorf("--require-timestamp %d: want 0 or more", t.timestamps)
	}
	if o.RequireLogEntries, err = parseLogs(t.logs); err != nil {
		return nil, err
	}
	if t.before != "" {
		before, err := cli.ParseTime(t.before)
		if err != nil {
			return nil, fmt.Errorf("--signed-before %w", err)
		}
		o.SignedBefore = &before
	}
	if t.root != "" {
		if o.Root, err = loadTrustedRoot(t.root); err != nil {
			return nil, err
		}
	}
	trust, err := sigstore.NewTrust(o)
	if errors.Is(err, sigstore.ErrNoRoot) {
		err = cli.WithHint(err, "give --trusted-root FILE; runattest trusted-root makes or fetches one")
	}
	return trust, err
}

func loadTrustedRoot(path string) (*sigstore.TrustedRoot, error) {
	data, err := boundedfile.Read(path, limits.TrustedRoot)
	if err != nil {
		return nil, err
	}
	return parseTrustedRoot(path, data)
}

func parseTrustedRoot(name string, data []byte) (*sigstore.TrustedRoot, error) {
	root, err := sigstore.ParseTrustedRoot(data)
	if err != nil {
		err = fmt.Errorf("%s: not a Sigstore TrustedRoot: %w", name, files.Explain(err, data, input.KindTrustedRoot))
		return nil, cli.WithHint(err, "runattest trusted-root makes or fetches one")
	}
	return root, nil
}

func (t *trustFlags) trustedKeys(ctx context.Context) ([]attest.TrustedKey, error) {
	var keys []attest.TrustedKey
	for _, ref := range t.keys {
		key, err := loadPublicKey(ctx, t.prefix+"key", ref)
		if err != nil && t.prefix != "" { // two flags name keys
			err = fmt.Errorf("--%skey: %w", t.prefix, err)
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, attest.TrustedKey{Name: ref, Key: key})
	}
	for _, text := range t.validities {
		if err := setValidity(keys, text); err != nil {
			return nil, fmt.Errorf("--key-validity %q: %w", text, err)
		}
	}
	return keys, nil
}

// setValidity reads KEY=FROM/UNTIL, an ISO 8601 interval of which one end may be missing.
func setValidity(keys []attest.TrustedKey, text string) error {
	at := strings.LastIndex(text, "=")
	if at < 0 || !strings.Contains(text[at+1:], "/") || text[at+1:] == "/" {
		return errors.New("want KEY=FROM/UNTIL")
	}
	from, until, err := cli.ParseInterval(text[at+1:])
	if err != nil {
		return err
	}
	found := false
	for i := range keys {
		k := &keys[i]
		if k.Name != text[:at] {
			continue
		}
		if k.Bounded() {
			return errors.New("the key has a validity already")
		}
		found = true
		k.NotBefore, k.NotAfter = from, until
	}
	if !found {
		return fmt.Errorf("there is no --key %s", text[:at])
	}
	return nil
}

func parseLogs(text string) (int, error) {
	if text == "none" {
		return sigstore.NoLogEntries, nil
	}
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("--require-log %q: want a number of logs, or none", text)
	}
	return n, nil
}

// identities are every name with every issuer.
func (t *trustFlags) identities(o *output) ([]sigstore.CertificateIdentity, error) {
	names, err := matchers(o, t.prefix+flagName, t.names, t.namePatterns)
	if err != nil {
		return nil, err
	}
	issuers, err := matchers(o, t.prefix+flagIssuer, t.issuers, t.issuerPatterns)
	if err != nil {
		return nil, err
	}
	all, err := sigstore.EveryIdentity(names, issuers)
	switch {
	case errors.Is(err, sigstore.ErrNoIssuer):
		return nil, cli.WithHint(fmt.Errorf("--%s%s without an issuer: another issuer may give this name to another account", t.prefix, flagName),
			"name the OIDC issuer with --"+t.prefix+flagIssuer)
	case errors.Is(err, sigstore.ErrNoName):
		return nil, cli.WithHint(fmt.Errorf("--%s%s without an identity: every account of the issuer would be trusted", t.prefix, flagIssuer),
			"name the signer with --"+t.prefix+flagName)
	}
	return all, err
}

const flagName, flagIssuer = "certificate-identity", "certificate-oidc-issuer"

func matchers(o *output, flag string, texts, patterns []string) ([]sigstore.Matcher, error) {
	var all []sigstore.Matcher
	for _, text := range texts {
		if text == "" {
			return nil, fmt.Errorf("--%s is empty", flag)
		}
		all = append(all, sigstore.Exactly(text))
	}
	for _, pattern := range patterns {
		m, err := sigstore.Matching(pattern)
		if err != nil {
			return nil, fmt.Errorf("--%s-regexp %q: %w", flag, pattern, err)
		}
		if !strings.HasPrefix(pattern, "^") || !strings.HasSuffix(pattern, "$") {
			o.Info("note: --%s-regexp %q is matched from end to end, as %s", flag, pattern, m)
		}
		all = append(all, m)
	}
	return all, nil
}
