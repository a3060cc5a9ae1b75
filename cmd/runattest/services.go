package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer/idtoken"
	"github.com/runattest/runattest/signer/kms"
	"github.com/runattest/runattest/sigstore"
)

// signerFlags are who signs and who witnesses the signature.
type signerFlags struct {
	key          string
	fulcio       string
	token        string
	issuer       string
	client       string
	login        *cli.Word
	timestampers []string
	rekors       []string
	rekorVersion *cli.Word
	config       string
	root         string
	timeout      time.Duration
}

// newSignerFlags declares the flags of every command that signs.
func newSignerFlags(cmd *cobra.Command) *signerFlags {
	var s signerFlags
	f := cmd.Flags()
	f.StringVar(&s.key, "key", "", "the private `KEY`: a file, env://NAME or a KMS key")
	f.StringVar(&s.fulcio, "fulcio", "", "sign without a key of your own: the certificate authority's `URL`")
	f.StringVar(&s.token, "identity-token", "", "the OIDC `TOKEN` that says who you are: a file or the token itself (default: SIGSTORE_ID_TOKEN, what the CI or cloud gives, a login)")
	f.StringVar(&s.issuer, "oidc-issuer", "", "the `URL` where you log in, when there is no token (default: the signing config's, or Sigstore's)")
	f.StringVar(&s.client, "oidc-client-id", "sigstore", "the `AUDIENCE` of the token")
	s.login = cli.WordFlag(cmd, "login", "how you log in: with a browser here, or on another device", "browser", "device")
	f.StringArrayVar(&s.timestampers, "timestamp-server", nil, "an RFC 3161 timestamp authority's `URL` (repeatable)")
	f.StringArrayVar(&s.rekors, "rekor", nil, "a transparency log's `URL` (repeatable)")
	s.rekorVersion = cli.WordFlag(cmd, "rekor-version", "the version of the API of each --rekor", "2", "1")
	f.StringVar(&s.config, "signing-config", "", "the services in one `FILE`, as cosign signing-config writes it; flags above go before it")
	f.StringVar(&s.root, "trusted-root", "", "verify what was made with this Sigstore TrustedRoot `FILE` before it is written")
	f.DurationVar(&s.timeout, "timeout", sigstore.DefaultTimeout, "the `DURATION` that the services have to answer, retries included")
	completeKeys(cmd, "key")
	_ = cmd.MarkFlagFilename("signing-config", "json")
	_ = cmd.MarkFlagFilename("trusted-root", "json")
	return &s
}

// session checks everything that signing takes. Nothing is published before it signs.
func (s *signerFlags) session(cmd *cobra.Command, format attest.Format) (*sigstore.Session, error) {
	if s.timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: must be positive", s.timeout)
	}
	if s.key != "" && (s.fulcio != "" || s.token != "") {
		return nil, errors.New("--key signs with a key of your own, --fulcio and --identity-token without one: give one of them")
	}
	if err := s.checkIdle(cmd); err != nil {
		return nil, err
	}
	o := newOutput(cmd)
	options := sigstore.SessionOptions{
		Name:      s.key,
		Format:    format,
		Certified: func(name, issuer string) { o.Info("signing as %s, as %s says", name, issuer) },
		Unrenewed: func(err error) {
			o.Info("the certificate is not renewed yet, and signs until its last minute: %v", err)
		},
	}
	var issuer func() (string, error)
	var err error
	if options.Endpoints, issuer, err = s.endpoints(); err != nil {
		return nil, err
	}
	options.Endpoints.Services.Ahead = sayAhead(o)
	options.Token = func(ctx context.Context) (string, error) { return s.identityToken(ctx, cmd, issuer) }
	if s.key != "" {
		if options.Signer, err = loadSigner(cmd, s.key); err != nil {
			return nil, err
		}
	}
	if s.root != "" {
		if options.Root, err = loadTrustedRoot(s.root); err != nil {
			return nil, err
		}
	}
	session, err := sigstore.NewSession(options)
	if errors.Is(err, attest.ErrNoPlace) {
		return nil, fmt.Errorf("%w: want --bundle-format %s", attest.ErrNoPlace, attest.SigstoreBundle)
	}
	if err == nil {
		noteEvidence(o, options, session.Witnessed())
	}
	return session, err
}

// sayAhead warns once of each authority whose time is ahead of the clock.
func sayAhead(o *output) func(url string, at time.Time) {
	var said sync.Map
	return func(url string, at time.Time) {
		if _, before := said.LoadOrStore(url, true); !before {
			o.Info("warning: the time of %s, %s, is ahead of this machine's clock by %s: one of them is wrong", url, visible.Time(at), time.Until(at).Round(time.Second))
		}
	}
}

// asksServices says that a signature takes more than a key in memory.
func (s *signerFlags) asksServices() bool {
	return kms.IsReference(s.key) || s.fulcio != "" || s.config != "" || len(s.timestampers)+len(s.rekors) > 0
}

// checkIdle refuses flags that would have no effect.
func (s *signerFlags) checkIdle(cmd *cobra.Command) error {
	if cmd.Flags().Changed("rekor-version") && len(s.rekors) == 0 {
		return errors.New("--rekor-version goes with --rekor")
	}
	for _, name := range []string{"login", "oidc-issuer", "oidc-client-id"} {
		if s.key != "" && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for signing without a key of your own: give it or --key", name)
		}
	}
	return nil
}

// noteEvidence says what a verifier of the bundles should know.
func noteEvidence(o *output, options sigstore.SessionOptions, witnessed bool) {
	logs := options.Endpoints.Services.Logs
	if slices.ContainsFunc(logs, func(l sigstore.Log) bool { return l.Version == 1 }) {
		o.Info("note: Rekor v1 is given the whole statement, with the declaration unless it is --detached")
	}
	if options.Root != nil && options.Signer == nil && len(logs) == 0 && options.Root.NamesLogs() {
		o.Info("note: the trusted root names transparency logs and no --rekor was given: verify will want --require-log none")
	}
	if options.Root == nil && witnessed {
		o.Info("note: without --trusted-root it is not checked that a verifier will trust the services")
	}
}

// files are what was read, and is not to be written over.
func (s *signerFlags) files() []string {
	return slices.DeleteFunc([]string{s.key, s.token, s.config, s.root}, func(path string) bool { return path == "" })
}

// reads are the inputs and what the signer's flags name.
func (s *signerFlags) reads(inputs ...string) *overwrite.Files {
	return overwrite.NewFiles(append(s.files(), inputs...)...)
}

// notOver keeps what is signed from being written over what the command reads, and the public key beside the key.
func (s *signerFlags) notOver(target string, reads *overwrite.Files) error {
	if err := overwrite.CheckTarget(target); err != nil {
		return err
	}
	if err := reads.Check(target); err != nil {
		return err
	}
	return overwrite.CheckKey(target, s.key)
}

// endpoints are the services of the flags, and else those of the signing config; issuer is where a person logs in, which need
// not be valid where a token is there.
func (s *signerFlags) endpoints() (e sigstore.Endpoints, issuer func() (string, error), err error) {
	given := s.given()
	if s.config == "" {
		return given, func() (string, error) { return given.OIDCIssuer, nil }, nil
	}
	data, err := boundedfile.Read(s.config, limits.SigningConfig)
	if err != nil {
		return given, nil, err
	}
	config, err := sigstore.ParseSigningConfig(data)
	if err != nil {
		return e, nil, fmt.Errorf("%s: not a signing configuration: %w", s.config, files.Explain(err, data, "a signing configuration"))
	}
	selection := sigstore.Selection{Now: time.Now(), Given: given, Key: s.key != "", Token: true}
	e, err = config.Select(selection)
	if err == nil && s.key == "" && e.Fulcio == "" {
		err = cli.WithHint(errors.New("names no certificate authority (caUrls)"), "sign with --key FILE (runattest keygen makes one), or name the authority: --fulcio URL")
	}
	if err != nil {
		return e, nil, fmt.Errorf("%s: %w", s.config, err)
	}
	return e, func() (string, error) {
		selection.Token = false
		e, err := config.Select(selection)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.config, err)
		}
		return e.OIDCIssuer, nil
	}, nil
}

// given are the services of the flags.
func (s *signerFlags) given() sigstore.Endpoints {
	given := sigstore.Endpoints{Fulcio: s.fulcio, OIDCIssuer: s.issuer}
	given.Services.TimestampAuthorities, given.Services.Timeout = s.timestampers, s.timeout
	for _, url := range s.rekors {
		version := 2
		if s.rekorVersion.String() == "1" {
			version = 1
		}
		given.Services.Logs = append(given.Services.Logs, sigstore.Log{URL: url, Version: version})
	}
	return given
}

// identityToken is the token given, or the environment's, or that of a person who logs in.
func (s *signerFlags) identityToken(ctx context.Context, cmd *cobra.Command, issuer func() (string, error)) (string, error) {
	if s.token != "" {
		token, err := idtoken.Given(s.token, s.client, time.Now())
		if err != nil {
			return "", fmt.Errorf("--identity-token: %w", err)
		}
		return token.Raw(), nil
	}
	token, _, err := idtoken.First(ctx, s.client, idtoken.Ambient(nil)...)
	if errors.Is(err, idtoken.ErrNoIdentity) && terminal.Is(cmd.InOrStdin()) && terminal.Is(cmd.ErrOrStderr()) {
		url, bad := issuer()
		if bad != nil {
			return "", bad
		}
		login := idtoken.LoginOptions{Issuer: url, ClientID: s.client, Out: cmd.ErrOrStderr()}
		by := idtoken.Browser
		if s.login.String() == "device" {
			by = idtoken.Device
		}
		token, _, err = idtoken.First(ctx, s.client, by(login))
	}
	switch {
	case errors.Is(err, idtoken.ErrNoIdentity):
		return "", cli.WithHint(err, "give --identity-token, set SIGSTORE_ID_TOKEN, or sign at a terminal to log in")
	case err != nil && os.Getenv("SIGSTORE_ID_TOKEN") == "": // which would have been given by hand
		return "", &tokenSourceError{err}
	}
	return token.Raw(), err
}

// tokenSourceError says that a CI, a cloud or a login gave no good token: an operational failure.
type tokenSourceError struct{ error }

func (e *tokenSourceError) Unwrap() error { return e.error }

// claimFile is where a signed claim goes: a file, or standard output.
type claimFile struct {
	path string
	anew bool   // a file that is there is not replaced
	said string // what standard error says of a claim on standard output
}

// signClaim signs a claim and writes it as one line. wrote is called for a file, after it has been written.
func (s *signerFlags) signClaim(cmd *cobra.Command, claim *attest.Claim, format attest.Format, to claimFile, wrote func(*output) error) error {
	session, err := s.session(cmd, format)
	if err != nil {
		return err
	}
	bundle, err := session.Sign(cmd.Context(), claim)
	if err != nil {
		return err
	}
	data, err := bundle.Marshal()
	if err != nil {
		return err
	}
	data = append(data, '\n')
	o := newOutput(cmd)
	switch {
	case to.path == cli.Stdout:
		if err := o.WriteRaw(data); err != nil {
			return err
		}
		if to.said != "" {
			o.Info("%s", to.said)
		}
		return nil
	case to.anew:
		err = overwrite.Create(to.path, data, 0o644)
	default:
		err = atomicfile.Write(to.path, data, 0o644)
	}
	if err != nil {
		return err
	}
	return wrote(o)
}

// signingHint is what to do about what keeps a session from signing.
func signingHint(err error) string {
	var log *sigstore.LogAlgorithmError
	switch {
	case errors.Is(err, sigstore.ErrNoSigner):
		return "sign with --key FILE (runattest keygen makes one), or without a key with --fulcio URL or --signing-config FILE"
	case errors.Is(err, sigstore.ErrNoTime):
		return "add --timestamp-server URL"
	case errors.As(err, &log):
		return fmt.Sprintf("sign with an ecdsa-p256 key, as runattest keygen makes them, or have it logged by Rekor v%[1]d: --rekor URL --rekor-version %[1]d", 3-log.Log.Version)
	}
	return ""
}
