package sigstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
	"github.com/runattest/runattest/sigstore/internal/sigstoretest"
)

func newStatement(t testing.TB) *attest.Statement {
	t.Helper()
	d, err := identity.Parse([]byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference","model":{"name":"m"},"prompt":{"text":"hello"},"parameters":{},"context":[],"constraints":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSigner(t testing.TB, algorithm signer.Algorithm) signer.Signer {
	t.Helper()
	return keytest.New(t, algorithm)
}

func start(t testing.TB) *sigstoretest.Sigstore {
	t.Helper()
	s := sigstoretest.Start()
	t.Cleanup(s.Close)
	return s
}

func token(context.Context) (string, error) { return sigstoretest.Token("ci@acme.example"), nil }

func TestSessionByCertificate(t *testing.T) {
	for name, c := range map[string]struct {
		lifetime     time.Duration
		certificates int32 // for two statements
	}{
		"valid":       {10 * time.Minute, 1},
		"ending soon": {50 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			services := start(t)
			services.Lifetime = c.lifetime
			var names []string
			session, err := sigstore.NewSession(sigstore.SessionOptions{
				Endpoints: services.Endpoints(), Token: token, Root: services.Root,
				Certified: func(subject, issuer string) { names = append(names, subject+" "+issuer) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if n := services.Certified.Load(); n != 0 {
				t.Errorf("NewSession asks for %d certificates, want none", n)
			}
			trust, err := sigstore.NewTrust(sigstore.TrustOptions{Root: services.Root, Identities: []sigstore.CertificateIdentity{{
				SubjectAlternativeName: sigstore.Exactly("ci@acme.example"), Issuer: sigstore.Exactly(sigstoretest.Issuer),
			}}})
			if err != nil {
				t.Fatal(err)
			}
			verifier, err := attest.NewVerifier(trust)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				b, err := session.Sign(t.Context(), newStatement(t))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := verifier.Verify(t.Context(), b, attest.Expect{}); err != nil {
					t.Error(err)
				}
			}
			if n := services.Certified.Load(); n != c.certificates {
				t.Errorf("%d certificates, want %d", n, c.certificates)
			}
			if len(names) != int(c.certificates) || names[0] != "ci@acme.example "+sigstoretest.Issuer {
				t.Errorf("Certified was told %q", names)
			}
		})
	}
}

// TestSessionPublicKey: a policy can be told who is going to sign where a key does, and not before a certificate is there.
func TestSessionPublicKey(t *testing.T) {
	by := newSigner(t, signer.Ed25519)
	session, err := sigstore.NewSession(sigstore.SessionOptions{Signer: by})
	if err != nil {
		t.Fatal(err)
	}
	if got := session.PublicKey(); got == nil || got.Hint() != by.PublicKey().Hint() {
		t.Errorf("%v, want that of the signer", got)
	}
	services := start(t)
	session, err = sigstore.NewSession(sigstore.SessionOptions{Endpoints: services.Endpoints(), Token: token, Root: services.Root})
	if err != nil {
		t.Fatal(err)
	}
	if got := session.PublicKey(); got != nil {
		t.Errorf("%v, want none: a certificate signs", got)
	}
}

// TestSessionPublishesNothingInVain: what is wrong is found before a service is asked.
func TestSessionPublishesNothingInVain(t *testing.T) {
	services := start(t)
	by := newSigner(t, signer.ECDSAP256)
	valid := sigstore.SessionOptions{Endpoints: services.Endpoints(), Token: token, Root: services.Root}
	for name, c := range map[string]struct {
		edit func(*sigstore.SessionOptions)
		is   error
		says string
	}{
		"no signer":       {func(o *sigstore.SessionOptions) { o.Endpoints.Fulcio = "" }, sigstore.ErrNoSigner, "no key given"},
		"no time":         {func(o *sigstore.SessionOptions) { o.Endpoints.Services = sigstore.Services{} }, sigstore.ErrNoTime, "without trusted time"},
		"no token":        {func(o *sigstore.SessionOptions) { o.Token = nil }, nil, "identity tokens"},
		"bare envelope":   {func(o *sigstore.SessionOptions) { o.Format = attest.DSSE }, attest.ErrNoPlace, "has no place for"},
		"bare, by a key":  {func(o *sigstore.SessionOptions) { o.Signer, o.Format = by, attest.DSSE }, attest.ErrNoPlace, "has no place for"},
		"unknown format":  {func(o *sigstore.SessionOptions) { o.Format = "pem" }, nil, `unknown bundle format "pem"`},
		"authority's URL": {func(o *sigstore.SessionOptions) { o.Endpoints.Fulcio = "http://fulcio.acme.example" }, nil, "want https"},
		"stamper's URL":   {func(o *sigstore.SessionOptions) { o.Endpoints.Services.TimestampAuthorities = []string{"tsa"} }, nil, "timestamp authority"},
		"two stampers": {func(o *sigstore.SessionOptions) {
			o.Endpoints.Services.TimestampAuthorities = []string{services.Timestamps, "https://b.example"}
		}, nil, "2 timestamps required"},
		"a log of no root": {func(o *sigstore.SessionOptions) {
			o.Endpoints.Services.Logs = []sigstore.Log{{URL: "https://log.example", Version: 2}}
		}, nil, "1 log entries required"},
		"a log not for key": {func(o *sigstore.SessionOptions) {
			o.Signer, o.Endpoints.Services.Logs = newSigner(t, signer.Ed25519), []sigstore.Log{{URL: "https://log.example", Version: 2}}
		}, nil, "takes no Ed25519"},
	} {
		o := valid
		c.edit(&o)
		s, err := sigstore.NewSession(o)
		if err == nil || s != nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
	session, err := sigstore.NewSession(valid)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]attest.Signable{"nil": nil, "nil statement": (*attest.Statement)(nil), "zero claim": &attest.Claim{}} {
		if b, err := session.Sign(t.Context(), s); err == nil || b != nil {
			t.Errorf("%s: got %v, %v", name, b, err)
		}
	}
	if n := services.Certified.Load() + services.Stamped.Load(); n != 0 {
		t.Errorf("the services were asked %d times", n)
	}
}

// TestSessionVerifiesWhatItMade: a bundle that the trusted root does not vouch for is not returned.
func TestSessionVerifiesWhatItMade(t *testing.T) {
	services, other := start(t), start(t)
	session, err := sigstore.NewSession(sigstore.SessionOptions{
		Signer: newSigner(t, signer.ECDSAP256), Endpoints: services.Endpoints(), Root: other.Root,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := session.Sign(t.Context(), newStatement(t))
	var no *attest.VerificationError
	if !errors.As(err, &no) || b != nil {
		t.Errorf("got %v, %v, want an *attest.VerificationError", b, err)
	}
	if n := services.Certified.Load(); n != 0 {
		t.Errorf("%d certificates for a key of one's own", n)
	}
}

// TestSessionToken: errors of the token's source are the caller's own.
func TestSessionToken(t *testing.T) {
	services := start(t)
	failed := errors.New("no login")
	session, err := sigstore.NewSession(sigstore.SessionOptions{
		Endpoints: services.Endpoints(), Token: func(context.Context) (string, error) { return "", failed },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Open(t.Context()); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}
