package sigstore

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/oauthflow"

	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// clockSkew is how far this machine's clock may be from the certificate authority's.
const clockSkew = 5 * time.Minute

// RequestCertificate makes a key and gets a certificate for it from the certificate authority (Fulcio) at the
// URL, in the name of the OIDC identity token. The certificate is valid for minutes. The key is never stored. It takes DefaultTimeout at most, or
// until ctx ends. Errors of the authority are a *ServiceError.
func RequestCertificate(ctx context.Context, fulcio, token string) (signer.Certified, error) {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	certified, err := requestCertificate(ctx, fulcio, token)
	if err != nil {
		return nil, err
	}
	return certified, nil
}

func requestCertificate(ctx context.Context, fulcio, token string) (*certifiedSigner, error) {
	fulcio = strings.TrimRight(fulcio, "/")
	if err := checkURL(fulcio, true); err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	if err := checkToken(token); err != nil {
		return nil, fmt.Errorf("identity token: %w", err)
	}
	pair, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		return nil, err
	}
	client := sign.NewFulcio(&sign.FulcioOptions{BaseURL: fulcio, Timeout: -1, Transport: newClient(ctx).Transport})
	var der []byte
	err = guard(func() (err error) {
		der, err = client.GetCertificate(ctx, pair, &sign.CertificateProviderOptions{IDToken: token})
		return err
	})
	if err != nil {
		return nil, &ServiceError{"certificate authority", fulcio, err}
	}
	certified, err := newCertified(pair, der)
	if err != nil {
		return nil, &ServiceError{"certificate authority", fulcio, err}
	}
	return certified, nil
}

// checkToken refuses a token without an identity before an authority is asked: to the library it is
// an error like those of the authority.
func checkToken(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("not a JWT, which has three parts between dots")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return fmt.Errorf("its claims are not base64url: %w", err)
	}
	if _, err := oauthflow.SubjectFromUnverifiedToken(claims); err != nil {
		return fmt.Errorf("names no identity for which an authority would issue a certificate: %w", err)
	}
	return nil
}

// certifiedSigner is a key that lives as long as its certificate.
type certifiedSigner struct {
	pair   *sign.EphemeralKeypair
	public *signer.PublicKey
	leaf   *leafCertificate
}

var _ signer.Certified = (*certifiedSigner)(nil)

func newCertified(pair *sign.EphemeralKeypair, der []byte) (*certifiedSigner, error) {
	public, err := signer.NewPublicKey(pair.GetPublicKey())
	if err != nil {
		return nil, err
	}
	leaf, err := parseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("the certificate cannot be used: %w", err)
	}
	if own, ok := pair.GetPublicKey().(*ecdsa.PublicKey); !ok || !own.Equal(leaf.leaf.PublicKey) {
		return nil, errors.New("the certificate is for another key than the one that was sent")
	}
	if leaf.summary.Issuer == "" {
		return nil, errors.New("the certificate names no OIDC issuer, so no verifier could trust it")
	}
	s := &certifiedSigner{pair, public, leaf}
	return s, s.checkTime(time.Now())
}

func (s *certifiedSigner) checkTime(now time.Time) error {
	from, until := s.leaf.leaf.NotBefore, s.leaf.leaf.NotAfter
	switch {
	case now.Add(clockSkew).Before(from):
		return fmt.Errorf("the certificate is valid from %s, but it is %s here: is this machine's clock right?", visible.Time(from), visible.Time(now.Truncate(time.Second)))
	case now.Add(-clockSkew).After(until):
		return fmt.Errorf("the certificate was valid until %s, and it is %s here", visible.Time(until), visible.Time(now.Truncate(time.Second)))
	}
	return nil
}

func (s *certifiedSigner) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if err := s.checkTime(time.Now()); err != nil {
		return nil, err
	}
	sig, _, err := s.pair.SignData(ctx, message)
	return sig, err
}

func (s *certifiedSigner) PublicKey() *signer.PublicKey { return s.public }

func (s *certifiedSigner) Certificate() []byte { return bytes.Clone(s.leaf.leaf.Raw) }

// IdentityOf returns the identity in a certificate, which is not verified.
func IdentityOf(certificate []byte) (subject, issuer string, err error) {
	c, err := parseCertificate(certificate)
	if err != nil {
		return "", "", err
	}
	return c.summary.SubjectAlternativeName, c.summary.Issuer, nil
}
