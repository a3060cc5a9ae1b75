package idtoken

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// LoginOptions name the issuer with which a person signs in. The zero value is Sigstore's public service.
type LoginOptions struct {
	// Issuer is the OpenID Connect provider's URL; https://oauth2.sigstore.dev/auth when empty.
	Issuer string
	// ClientID identifies this program to the issuer, and is the audience of its tokens; "sigstore" when empty.
	ClientID string
	// ClientSecret is for the few issuers that require one.
	ClientSecret string
	// RedirectURL is where Browser listens, http on a loopback address with a port;
	// http://localhost:PORT/auth/callback with a free port when empty.
	RedirectURL string
	// Out is where instructions for the person go; standard error when nil.
	Out io.Writer
	// Open shows a page to the person; the system's browser does when nil.
	Open func(url string) error

	patience patience // the tests'
}

// login is one login in progress.
type login struct {
	LoginOptions
	ctx      context.Context // with the client that all requests go through
	client   *http.Client
	provider *oidc.Provider
	config   oauth2.Config
	pkce     string
	nonce    string // that the token has to carry, if any
}

// source makes a Source of a way to sign in.
func (o LoginOptions) source(name string, signIn func(*login) (*oauth2.Token, error)) Source {
	o.Issuer = cmp.Or(o.Issuer, "https://oauth2.sigstore.dev/auth")
	o.ClientID = cmp.Or(o.ClientID, "sigstore")
	if o.Out == nil {
		o.Out = os.Stderr
	}
	if o.Open == nil {
		o.Open = openBrowser
	}
	if o.patience.attempt == 0 {
		o.patience = defaultPatience
	}
	return &source{name, func(ctx context.Context, audience string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, loginTimeout)
		defer cancel()
		l, err := o.discover(ctx)
		if err != nil {
			return "", err
		}
		answer, err := signIn(l)
		if err != nil {
			return "", l.explain(err)
		}
		raw, ok := answer.Extra("id_token").(string)
		if !ok {
			return "", fmt.Errorf("%s: the answer: no id_token in it", l.Issuer)
		}
		return raw, l.verify(raw, audience)
	}}
}

// discover asks the issuer for its endpoints (OpenID Connect Discovery 1.0), each of which is checked before it is used.
func (o LoginOptions) discover(ctx context.Context) (*login, error) {
	l := &login{LoginOptions: o, client: newClient(ctx, o.patience), pkce: oauth2.GenerateVerifier()}
	l.ctx = oidc.ClientContext(ctx, l.client)
	var err error
	if l.provider, err = oidc.NewProvider(l.ctx, o.Issuer); err != nil {
		return nil, fmt.Errorf("%s: cannot learn how to sign in: %w", o.Issuer, safe(err))
	}
	var said struct {
		Methods []string `json:"code_challenge_methods_supported"`
	}
	if err := l.provider.Claims(&said); err != nil {
		return nil, fmt.Errorf("%s: code_challenge_methods_supported: want a list of strings", o.Issuer)
	}
	// Some issuers support PKCE without listing it (Entra ID), and one without support must ignore it.
	if said.Methods != nil && !slices.Contains(said.Methods, "S256") {
		return nil, fmt.Errorf("%s: does not support PKCE with S256, without which another program on this machine could take over the login", o.Issuer)
	}
	l.config = oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret,
		Endpoint: l.provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email"},
	}
	if o.ClientSecret == "" {
		l.config.Endpoint.AuthStyle = oauth2.AuthStyleInParams // RFC 6749 section 3.2.1: a public client says who it is
	}
	return l, nil
}

// verify implements section 3.1.3.7 of OpenID Connect Core. Audience and expiry come first, because their
// errors say what to do.
func (l *login) verify(raw, audience string) error {
	token, err := Parse(raw)
	if err == nil {
		err = token.Check(audience, time.Now())
	}
	if err != nil {
		return err
	}
	rules := &oidc.Config{ClientID: l.ClientID, SkipExpiryCheck: true}
	verified, err := l.provider.VerifierContext(l.ctx, rules).Verify(l.ctx, raw)
	switch {
	case err != nil:
		return fmt.Errorf("%s: its token does not verify: %w", l.Issuer, safe(err, l.ClientSecret))
	case subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(l.nonce)) != 1 && l.nonce != "":
		return fmt.Errorf("%s: its token is not for this login: the nonce differs", l.Issuer)
	}
	return nil
}

// explain returns the reason that an issuer gives for a refusal, without its whole answer.
func (l *login) explain(err error) error {
	if l.ctx.Err() != nil {
		err = l.ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no sign-in before the time ran out: %w", err)
	}
	if no := (*oauth2.RetrieveError)(nil); errors.As(err, &no) {
		return l.refusal(no.ErrorCode, cmp.Or(no.ErrorDescription, http.StatusText(no.Response.StatusCode)))
	}
	return safe(err, l.ClientSecret, l.pkce)
}

func (l *login) refusal(code, description string) error {
	text := "refused"
	for _, part := range []string{code, description} {
		if part = printable(part, l.ClientSecret, l.pkce); part != "" {
			text += ": " + part
		}
	}
	return fmt.Errorf("%s: %s", l.Issuer, text)
}

// checkPage refuses an address that should be neither shown to a person nor opened.
func checkPage(address string) error {
	u, err := url.Parse(address)
	if err != nil || !isPrintable(address) {
		return errors.New("not a URL")
	}
	return checkURL(u, "")
}
