package sigstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// ErrNoSigner says that a session was given neither a key nor a certificate authority.
var ErrNoSigner = errors.New("no key given")

// ErrNoTime says that a session would sign with a certificate, and that none of its services signs a time:
// a verifier could not tell whether the certificate was valid when it signed.
var ErrNoTime = errors.New("a certificate without trusted time cannot be verified once it has expired, in minutes")

// SessionOptions are who signs, which services witness the signatures, and what the bundles must withstand.
type SessionOptions struct {
	// Signer is the key that signs. If it is nil, Endpoints.Fulcio issues a certificate for a new key, which is never stored; if
	// it is given, Endpoints.Fulcio is not asked. A signer.Certified signs with its certificate, which is not renewed.
	Signer signer.Signer
	// Name is what errors call the key of Signer; "the signer's key" if empty.
	Name string
	// Endpoints are the certificate authority and the services, for example those that SigningConfig.Select chooses.
	// Services.Key is set by the session. Services.Timeout is the time for one certificate, too; DefaultTimeout if zero.
	Endpoints Endpoints
	// Token gives the OIDC identity token, a JWT, for a certificate. It is called once for each certificate, in Open or
	// Sign, or while Sign goes on with the certificate before, and may ask a person: Services.Timeout does not include it. It
	// is required without Signer.
	Token func(ctx context.Context) (string, error)
	// Root, if it is given, must vouch for the signer and all evidence of a bundle before Sign returns the bundle. Each
	// service counts, also where several are of one operator, which count as one for a verifier.
	Root *TrustedRoot
	// Format is how bundles are carried; attest.SigstoreBundle if empty. attest.DSSE has no place for certificates,
	// timestamps and log entries.
	Format attest.Format
	// Certified, if it is given, is called with the names in each new certificate before it signs anything.
	Certified func(subject, issuer string)
	// Unrenewed, if it is given, is called with why a certificate could not be renewed ahead of its end. Sign goes on with the
	// one before, and tries again.
	Unrenewed func(error)
}

// Session signs statements by one signer. NewSession checks everything that can be checked without publishing
// anything; Open requests a certificate where one is needed; Sign signs a statement, has the services witness
// the signature, and verifies the bundle. A Session is safe for concurrent use where its signer is.
type Session struct {
	o   SessionOptions
	now func() time.Time

	mu       sync.Mutex // guards what follows; is held while a certificate is requested that Sign waits for
	current  *signing
	renewing chan struct{} // closed when the certificate is renewed ahead of its end, or is not; nil if that is not going on
	retry    time.Time     // it is not renewed ahead of its end before
}

// signing is a signer with what goes with each of its signatures.
type signing struct {
	by      signer.Signer
	ahead   time.Time        // when its certificate is renewed while it signs
	until   time.Time        // when its certificate is not used any more; zero if it is not renewed
	witness evidence.Witness // nil without services
	trust   attest.Trust     // nil without a trusted root
}

const (
	// spare is how long before its end a certificate is not used any more: its signatures need timestamps before it ends.
	spare = time.Minute
	// renewAgain is how long after a failure a certificate is renewed again while the one before can be used.
	renewAgain = 10 * time.Second
)

// NewSession checks the options, and opens no connection. The error is ErrNoSigner, ErrNoTime or attest.ErrNoPlace, a
// *LogAlgorithmError where a log does not take the key's signatures, or says which option is wrong. If a trusted
// root is given, it must be able to vouch for all evidence that the services give.
func NewSession(o SessionOptions) (*Session, error) {
	s := &Session{o: o, now: time.Now}
	if err := s.checkSigner(); err != nil {
		return nil, err
	}
	switch o.Format {
	case "", attest.SigstoreBundle:
	case attest.DSSE:
		if s.Witnessed() {
			return nil, fmt.Errorf("%w: want format %s", attest.ErrNoPlace, attest.SigstoreBundle)
		}
	default:
		return nil, fmt.Errorf("unknown bundle format %q: want %s or %s", o.Format, attest.SigstoreBundle, attest.DSSE)
	}
	if err := s.o.Endpoints.Services.Check(); err != nil {
		return nil, err
	}
	if o.Root != nil {
		if _, err := s.trust(o.Signer); err != nil {
			return nil, err
		}
	}
	if s.byCertificate() && !o.Endpoints.Services.time() {
		return nil, ErrNoTime
	}
	return s, nil
}

func (s *Session) checkSigner() error {
	switch own := s.o.Signer; {
	case own != nil:
		if zero.IsNil(own) {
			return fmt.Errorf("the signer is a nil %T", own)
		}
		if s.o.Endpoints.Services.Key = own.PublicKey(); s.o.Endpoints.Services.Key == nil {
			return errors.New("the signer has no public key")
		}
		return nil
	case s.o.Endpoints.Fulcio == "":
		return ErrNoSigner
	case s.o.Token == nil:
		return errors.New("no source of identity tokens is given, which a certificate authority asks for")
	}
	s.o.Endpoints.Services.Key = nil
	if err := checkURL(s.o.Endpoints.Fulcio, true); err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	return nil
}

// byCertificate says that the session signs with a certificate, its own or one that is requested.
func (s *Session) byCertificate() bool {
	_, certified := s.o.Signer.(signer.Certified)
	return certified || s.o.Signer == nil
}

// PublicKey is that of SessionOptions.Signer, by which a policy can decide before it signs; nil where a certificate says who signs.
func (s *Session) PublicKey() *signer.PublicKey {
	if s == nil || s.byCertificate() {
		return nil
	}
	return s.o.Signer.PublicKey()
}

// Witnessed says whether bundles carry more than a signature: a certificate, timestamps or log entries.
func (s *Session) Witnessed() bool {
	return s != nil && (s.byCertificate() || s.o.Endpoints.Services.any())
}

// Open requests a certificate, unless the session signs with a key or holds a certificate that is valid for
// another minute. Sign does the same; Open tells errors of the certificate from those of a statement. Errors of
// the certificate authority are a *ServiceError; those of SessionOptions.Token are returned as they are.
//
// When half of a certificate's time is over, Open and Sign begin to renew it and go on with it, so that they do not wait for an
// authority that is slow or down before the certificate's last minute.
func (s *Session) Open(ctx context.Context) error {
	_, err := s.open(ctx)
	return err
}

func (s *Session) open(ctx context.Context) (*signing, error) {
	if s == nil || s.now == nil {
		return nil, errors.New("no session: it is nil or a zero value")
	}
	for {
		with, wait, err := s.find(ctx)
		if wait == nil {
			return with, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// find gives what signs now, or what to wait for.
func (s *Session) find(ctx context.Context) (with *signing, wait <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if c := s.current; c != nil && (c.until.IsZero() || now.Before(c.until)) {
		if !c.until.IsZero() && now.After(c.ahead) && s.renewing == nil && !now.Before(s.retry) {
			s.renewing = make(chan struct{})
			go s.renew(context.WithoutCancel(ctx))
		}
		return c, nil, nil
	}
	if s.renewing != nil {
		return nil, s.renewing, nil
	}
	made, err := s.make(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.current = made
	return made, nil, nil
}

// renew replaces the certificate while the one before signs.
func (s *Session) renew(ctx context.Context) {
	made, err := s.make(ctx)
	s.mu.Lock()
	if err == nil {
		s.current = made
	} else {
		s.retry = s.now().Add(renewAgain)
	}
	close(s.renewing)
	s.renewing = nil
	s.mu.Unlock()
	if err != nil && s.o.Unrenewed != nil {
		s.o.Unrenewed(err)
	}
}

// make gives a signer with what goes with its signatures.
func (s *Session) make(ctx context.Context) (*signing, error) {
	made := &signing{by: s.o.Signer}
	if made.by == nil {
		certified, err := s.certify(ctx)
		if err != nil {
			return nil, err
		}
		from, until := certified.leaf.leaf.NotBefore, certified.leaf.leaf.NotAfter
		made.by, made.ahead, made.until = certified, from.Add(until.Sub(from)/2), until.Add(-spare)
	}
	if services := s.o.Endpoints.Services; services.any() {
		services.Key = made.by.PublicKey()
		made.witness = services
	}
	if s.o.Root != nil {
		var err error
		if made.trust, err = s.trust(made.by); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (s *Session) certify(ctx context.Context) (*certifiedSigner, error) {
	token, err := s.o.Token(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.o.Endpoints.Services.Timeout, DefaultTimeout))
	defer cancel()
	certified, err := requestCertificate(ctx, s.o.Endpoints.Fulcio, token)
	if err != nil {
		return nil, err
	}
	if s.o.Certified != nil {
		s.o.Certified(certified.leaf.summary.SubjectAlternativeName, certified.leaf.summary.Issuer)
	}
	return certified, nil
}

// trust is a verifier of what the session makes: the signer, with all evidence that the services are asked for,
// also where several services of one operator count as one for other verifiers.
// Without a signer it says whether the trusted root could vouch for that.
func (s *Session) trust(by signer.Signer) (attest.Trust, error) {
	services := s.o.Endpoints.Services
	o := TrustOptions{Root: s.o.Root.withoutOperators(), RequireTimestamps: len(services.TimestampAuthorities), RequireLogEntries: len(services.Logs)}
	if len(services.Logs) == 0 {
		o.RequireLogEntries = NoLogEntries
	}
	subject, issuer := "not known yet", "not known yet"
	switch c, certified := by.(signer.Certified); {
	case certified:
		var err error
		if subject, issuer, err = IdentityOf(c.Certificate()); err != nil {
			return nil, err
		}
	case by != nil:
		o.Keys = []attest.TrustedKey{{Name: cmp.Or(s.o.Name, "the signer's key"), Key: by.PublicKey()}}
		return NewTrust(o)
	}
	o.Identities = []CertificateIdentity{{SubjectAlternativeName: Exactly(subject), Issuer: Exactly(issuer)}}
	return NewTrust(o)
}

// Sign signs one statement. The statement is held against in-toto's own library before a certificate is requested
// and before anything is signed. The bundle is verified with the signer's public key, and with the trusted root
// where one is given, before it is returned: if the root does not vouch for it, the error is an
// *attest.VerificationError. Errors of the services are a *ServiceError.
func (s *Session) Sign(ctx context.Context, statement attest.Signable) (*attest.Bundle, error) {
	if statement == nil {
		return nil, errors.New("sign: no statement")
	}
	if err := checkStatement(statement.Bytes()); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	with, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	return attest.Sign(ctx, statement, with.by, attest.SignOptions{Format: s.o.Format, Witness: with.witness, Trust: with.trust})
}
