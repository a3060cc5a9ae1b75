package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/idtoken"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
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
	witness attest.Witness // nil if nobody witnesses
	trust   attest.Trust   // nil if no trusted root was given
}

func (s *signerFlags) load(cmd *cobra.Command) (*signing, error) {
	if err := refuseEmpty(cmd, "key", "fulcio", "identity-token", "oidc-issuer", "oidc-client-id", "signing-config", "trusted-root"); err != nil {
		return nil, err
	}
	if s.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: want more than nothing", s.timeout)
	}
	endpoints, err := s.endpoints()
	if err != nil {
		return nil, err
	}
	var made signing
	if made.by, err = s.signer(cmd, endpoints); err != nil {
		return nil, err
	}
	services := endpoints.Services
	services.Key, services.Timeout = made.by.PublicKey(), s.timeout
	if err := services.Check(); err != nil {
		return nil, err
	}
	if len(services.TimestampAuthorities)+len(services.Logs) > 0 {
		made.witness = services
	}
	if err := s.warn(newOutput(cmd), made.by, services); err != nil {
		return nil, err
	}
	if s.root != "" {
		made.trust, err = s.ownTrust(made.by, services)
	}
	return &made, err
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

func (s *signerFlags) signer(cmd *cobra.Command, e sigstore.Endpoints) (signer.Signer, error) {
	switch {
	case s.key != "" && (s.fulcio != "" || s.token != ""):
		return nil, errors.New("--key signs with a key of your own, --fulcio and --identity-token without one: give one of them")
	case s.key != "":
		return loadSigner(cmd, s.key)
	case e.Fulcio == "":
		return nil, withHint(errors.New("no key given"), "sign with --key FILE (runattest keygen makes one), or without a key with --fulcio URL or --signing-config FILE")
	}
	token, err := s.identityToken(cmd, e)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), s.timeout)
	defer cancel()
	return sigstore.RequestCertificate(ctx, e.Fulcio, token)
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
	if errors.Is(err, idtoken.ErrNoIdentity) {
		return "", withHint(err, "give --identity-token, set SIGSTORE_ID_TOKEN, or sign at a terminal to log in")
	}
	return token.Raw(), err
}

// givenToken reads --identity-token, and says what is wrong with it before anybody else is asked.
func (s *signerFlags) givenToken() (string, error) {
	text := s.token
	if strings.Count(text, ".") != 2 || strings.ContainsAny(text, `/\`) { // a JWT has neither
		data, err := boundedfile.Read(text, limits.Key)
		if err != nil {
			return "", err
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
func (s *signerFlags) warn(o *output, by signer.Signer, services sigstore.Services) error {
	_, certified := by.(signer.Certified)
	timed := len(services.TimestampAuthorities) > 0
	for _, l := range services.Logs {
		timed = timed || l.Version == 1
	}
	if certified && !timed {
		return withHint(errors.New("a certificate without trusted time is worth nothing once it has expired, in minutes"),
			"add --timestamp-server URL")
	}
	if s.root == "" && (certified || timed || len(services.Logs) > 0) {
		o.info("note: without --trusted-root nobody has checked that a verifier will believe the services")
	}
	return nil
}

// ownTrust is a verifier for what is about to be made: the signer, with all the evidence that
// was asked for.
func (s *signerFlags) ownTrust(by signer.Signer, services sigstore.Services) (attest.Trust, error) {
	root, err := loadTrustedRoot(s.root)
	if err != nil {
		return nil, err
	}
	o := sigstore.TrustOptions{
		Root:              root,
		RequireTimestamps: len(services.TimestampAuthorities),
		RequireLogEntries: len(services.Logs),
	}
	if len(services.Logs) == 0 {
		o.RequireLogEntries = sigstore.NoLogEntries
	}
	if c, ok := by.(signer.Certified); ok {
		name, issuer, err := sigstore.IdentityOf(c.Certificate())
		if err != nil {
			return nil, err
		}
		o.Identities = []sigstore.CertificateIdentity{{SubjectAlternativeName: sigstore.Exactly(name), Issuer: sigstore.Exactly(issuer)}}
	} else {
		o.Keys = []attest.TrustedKey{{Name: s.key, Key: by.PublicKey()}}
	}
	return sigstore.NewTrust(o)
}
