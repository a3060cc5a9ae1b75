package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/idtoken"
	"github.com/runattest/runattest/sigstore"
)

// signerFlags are who signs and who witnesses the signature.
type signerFlags struct {
	key          string
	fulcio       string
	token        string
	issuer       string
	client       string
	login        *oneOfValue
	timestampers []string
	rekors       []string
	rekorVersion *oneOfValue
	config       string
	root         string
	timeout      time.Duration
}

// newSignerFlags declares the flags of every command that signs.
func newSignerFlags(cmd *cobra.Command) *signerFlags {
	var s signerFlags
	f := cmd.Flags()
	f.StringVar(&s.key, "key", "", "the private key: a file, env://NAME or a KMS key")
	f.StringVar(&s.fulcio, "fulcio", "", "sign without a key of your own: the certificate authority's URL")
	f.StringVar(&s.token, "identity-token", "", "the OIDC token that says who you are: a file or the token itself (default: SIGSTORE_ID_TOKEN, what the CI or cloud gives, a login)")
	f.StringVar(&s.issuer, "oidc-issuer", "", "where you log in, when there is no token (default: the signing config's, or Sigstore's)")
	f.StringVar(&s.client, "oidc-client-id", "sigstore", "the audience of the token")
	s.login = wordFlag(cmd, "login", "how you log in: with a browser here, or on another device", "browser", "device")
	f.StringArrayVar(&s.timestampers, "timestamp-server", nil, "an RFC 3161 timestamp authority's URL (repeatable)")
	f.StringArrayVar(&s.rekors, "rekor", nil, "a transparency log's URL (repeatable)")
	s.rekorVersion = wordFlag(cmd, "rekor-version", "the version of the API of each --rekor", "2", "1")
	f.StringVar(&s.config, "signing-config", "", "the services in one file, as cosign signing-config writes it; flags above go before it")
	f.StringVar(&s.root, "trusted-root", "", "verify what was made with this Sigstore TrustedRoot before it is written")
	f.DurationVar(&s.timeout, "timeout", sigstore.DefaultTimeout, "how long the services have to answer, retries included")
	completeKeys(cmd, "key")
	_ = cmd.MarkFlagFilename("signing-config", "json")
	_ = cmd.MarkFlagFilename("trusted-root", "json")
	return &s
}

// signing is a signer with what goes with each of its signatures.
type signing struct {
	by      signer.Signer
	until   time.Time        // when its certificate ends; zero for a key of one's own
	witness evidence.Witness // nil if nobody witnesses
	trust   attest.Trust     // nil if no trusted root was given
}

// preparedSigner is everything that signing takes, checked, before anybody is asked for anything
// that is published.
type preparedSigner struct {
	flags     *signerFlags
	endpoints sigstore.Endpoints
	own       signer.Signer // nil without a key of one's own
	root      *sigstore.TrustedRoot
}

// load is prepare and open in one, for where nothing else could go wrong in between.
func (s *signerFlags) load(cmd *cobra.Command) (*signing, error) {
	p, err := s.prepare(cmd)
	if err != nil {
		return nil, err
	}
	return p.open(cmd)
}

func (s *signerFlags) prepare(cmd *cobra.Command) (*preparedSigner, error) {
	if err := refuseEmpty(cmd, "key", "fulcio", "identity-token", "oidc-issuer", "oidc-client-id", "signing-config", "trusted-root"); err != nil {
		return nil, err
	}
	if s.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: want more than nothing", s.timeout)
	}
	p := &preparedSigner{flags: s}
	var err error
	if p.endpoints, err = s.endpoints(); err != nil {
		return nil, err
	}
	switch {
	case s.key != "" && (s.fulcio != "" || s.token != ""):
		return nil, errors.New("--key signs with a key of your own, --fulcio and --identity-token without one: give one of them")
	case s.key != "":
		if p.own, err = loadSigner(cmd, s.key); err != nil {
			return nil, err
		}
		p.endpoints.Services.Key = p.own.PublicKey()
	case p.endpoints.Fulcio == "":
		return nil, withHint(errors.New("no key given"), "sign with --key FILE (runattest keygen makes one), or without a key with --fulcio URL or --signing-config FILE")
	}
	if err := p.endpoints.Services.Check(); err != nil {
		if other := (*sigstore.LogAlgorithmError)(nil); errors.As(err, &other) {
			err = withHint(err, fmt.Sprintf("sign with an ecdsa-p256 key, as runattest keygen makes them, or have it logged by Rekor v%[1]d: --rekor URL --rekor-version %[1]d", 3-other.Log.Version))
		}
		return nil, err
	}
	if s.root != "" {
		if p.root, err = loadTrustedRoot(s.root); err != nil {
			return nil, err
		}
		if _, err := p.trust(nil); err != nil {
			return nil, err
		}
	}
	return p, p.warn(newOutput(cmd))
}

// open has the certificate authority certify a new key, unless there is a key already.
func (p *preparedSigner) open(cmd *cobra.Command) (*signing, error) {
	made := &signing{by: p.own}
	services := p.endpoints.Services
	services.Timeout = p.flags.timeout
	if made.by == nil {
		token, err := p.flags.identityToken(cmd, p.endpoints)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), p.flags.timeout)
		defer cancel()
		certified, err := sigstore.RequestCertificate(ctx, p.endpoints.Fulcio, token)
		if err != nil {
			return nil, err
		}
		name, issuer, err := sigstore.IdentityOf(certified.Certificate())
		if err != nil {
			return nil, err
		}
		certificate, err := x509.ParseCertificate(certified.Certificate())
		if err != nil {
			return nil, err
		}
		made.until = certificate.NotAfter
		newOutput(cmd).info("signing as %s, as %s says", name, issuer)
		made.by = certified
	}
	services.Key = made.by.PublicKey()
	if len(services.TimestampAuthorities)+len(services.Logs) > 0 {
		made.witness = services
	}
	var err error
	if p.root != nil {
		made.trust, err = p.trust(made.by)
	}
	return made, err
}

// witnessed says whether a bundle will carry more than a signature.
func (p *preparedSigner) witnessed() bool {
	return p.own == nil || len(p.endpoints.Services.TimestampAuthorities)+len(p.endpoints.Services.Logs) > 0
}

// files are what was read, and is not to be written over.
func (p *preparedSigner) files() []string {
	var all []string
	for _, path := range []string{p.flags.key, p.flags.token, p.flags.config, p.flags.root} {
		if path != "" {
			all = append(all, path)
		}
	}
	return all
}

// endpoints are the services of the flags, and else those of the signing config.
func (s *signerFlags) endpoints() (sigstore.Endpoints, error) {
	var e sigstore.Endpoints
	if s.config != "" {
		data, err := boundedfile.Read(s.config, limits.SigningConfig)
		if err != nil {
			return e, err
		}
		config, err := sigstore.ParseSigningConfig(data)
		if err == nil {
			e, err = config.Select(time.Now())
		}
		if err != nil {
			return e, fmt.Errorf("%s: %w", s.config, err)
		}
	}
	if s.fulcio != "" {
		e.Fulcio = s.fulcio
	}
	if len(s.timestampers) > 0 {
		e.Services.TimestampAuthorities = s.timestampers
	}
	if len(s.rekors) > 0 {
		e.Services.Logs = nil
	}
	for _, url := range s.rekors {
		version := 2
		if s.rekorVersion.value == "1" {
			version = 1
		}
		e.Services.Logs = append(e.Services.Logs, sigstore.Log{URL: url, Version: version})
	}
	return e, nil
}

// identityToken is the token given, or the environment's, or that of a person who logs in.
func (s *signerFlags) identityToken(cmd *cobra.Command, e sigstore.Endpoints) (string, error) {
	if s.token != "" {
		return s.givenToken()
	}
	sources := idtoken.Ambient(nil)
	if isTerminal(cmd.InOrStdin()) && isTerminal(cmd.ErrOrStderr()) {
		login := idtoken.LoginOptions{Issuer: cmp.Or(s.issuer, e.OIDCIssuer), ClientID: s.client, Out: cmd.ErrOrStderr()}
		if s.login.value == "device" {
			sources = append(sources, idtoken.Device(login))
		} else {
			sources = append(sources, idtoken.Browser(login))
		}
	}
	token, _, err := idtoken.First(cmd.Context(), s.client, sources...)
	switch {
	case errors.Is(err, idtoken.ErrNoIdentity):
		return "", withHint(err, "give --identity-token, set SIGSTORE_ID_TOKEN, or sign at a terminal to log in")
	case err != nil && os.Getenv("SIGSTORE_ID_TOKEN") == "": // which would have been given by hand
		return "", &tokenSourceError{err}
	}
	return token.Raw(), err
}

// tokenSourceError says that a CI, a cloud or a login gave no good token: the world failed.
type tokenSourceError struct{ error }

func (e *tokenSourceError) Unwrap() error { return e.error }

// givenToken reads --identity-token, and says what is wrong with it before anybody else is asked.
func (s *signerFlags) givenToken() (string, error) {
	text := s.token
	if strings.Count(text, ".") != 2 || strings.ContainsAny(text, `/\`) { // a JWT has neither
		data, err := boundedfile.Read(text, limits.Key)
		if _, missing := os.Stat(text); err != nil && missing == nil {
			return "", fmt.Errorf("--identity-token %w", err)
		}
		if err != nil { // the text may be a token, which is not printed
			return "", errors.New("--identity-token: neither a JWT nor a file that can be read")
		}
		text = strings.TrimSpace(string(data))
	}
	token, err := idtoken.Parse(text)
	if err == nil {
		err = token.Check(s.client, time.Now())
	}
	if err != nil {
		return "", fmt.Errorf("--identity-token: %w", err)
	}
	return text, nil
}

// warn says what will keep a verifier from saying yes.
func (p *preparedSigner) warn(o *output) error {
	services := p.endpoints.Services
	timed := len(services.TimestampAuthorities) > 0
	for _, l := range services.Logs {
		timed = timed || l.Version == 1
	}
	if p.own == nil && !timed {
		return withHint(errors.New("a certificate without trusted time is worth nothing once it has expired, in minutes"),
			"add --timestamp-server URL")
	}
	for _, l := range services.Logs {
		if l.Version == 1 {
			o.info("note: Rekor v1 is given the whole statement, with the declaration unless it is --detached")
			break
		}
	}
	if p.root != nil && p.own == nil && len(services.Logs) == 0 && p.root.NamesLogs() {
		o.info("note: the trusted root names transparency logs and no --rekor was given: verify will want --require-log none")
	}
	if p.root == nil && p.witnessed() {
		o.info("note: without --trusted-root nobody has checked that a verifier will believe the services")
	}
	return nil
}

// trust is a verifier for what is about to be made: the signer, with all the evidence that was
// asked for. Before there is a signer it only says whether the trusted root could vouch for that.
func (p *preparedSigner) trust(by signer.Signer) (attest.Trust, error) {
	services := p.endpoints.Services
	o := sigstore.TrustOptions{
		Root:              p.root,
		RequireTimestamps: len(services.TimestampAuthorities),
		RequireLogEntries: len(services.Logs),
	}
	if len(services.Logs) == 0 {
		o.RequireLogEntries = sigstore.NoLogEntries
	}
	name, issuer := "nobody", "nobody"
	switch c, certified := by.(signer.Certified); {
	case certified:
		var err error
		if name, issuer, err = sigstore.IdentityOf(c.Certificate()); err != nil {
			return nil, err
		}
	case p.own != nil:
		o.Keys = []attest.TrustedKey{{Name: p.flags.key, Key: p.own.PublicKey()}}
		return sigstore.NewTrust(o)
	}
	o.Identities = []sigstore.CertificateIdentity{{SubjectAlternativeName: sigstore.Exactly(name), Issuer: sigstore.Exactly(issuer)}}
	return sigstore.NewTrust(o)
}
