package sigstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/sigstore"
	"github.com/runattest/runattest/sigstore/internal/sigstoretest"
)

// A renewing is a session whose clock a test sets, and that has signed once: it has a certificate of ten minutes.
type renewing struct {
	t          *testing.T
	services   *sigstoretest.Sigstore
	session    *sigstore.Session
	past       atomic.Int64                                // how far the clock is ahead
	token      atomic.Pointer[func(context.Context) error] // is called before a token is given
	certified  chan struct{}                               // a certificate is there
	unrenewed  chan error                                  // a renewal has failed
	identities []sigstore.CertificateIdentity              // of the signer
}

func newRenewing(t *testing.T) *renewing {
	t.Helper()
	r := &renewing{t: t, services: start(t), certified: make(chan struct{}, 100), unrenewed: make(chan error, 100)}
	var err error
	r.session, err = sigstore.NewSession(sigstore.SessionOptions{
		Endpoints: r.services.Endpoints(), Root: r.services.Root,
		Token: func(ctx context.Context) (string, error) {
			if before := r.token.Load(); before != nil {
				if err := (*before)(ctx); err != nil {
					return "", err
				}
			}
			return token(ctx)
		},
		Certified: func(string, string) { r.certified <- struct{}{} },
		Unrenewed: func(err error) { r.unrenewed <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.session.SetClock(func() time.Time { return time.Now().Add(time.Duration(r.past.Load())) })
	r.identities = []sigstore.CertificateIdentity{{SubjectAlternativeName: sigstore.Exactly("ci@acme.example"), Issuer: sigstore.Exactly(sigstoretest.Issuer)}}
	r.signs()
	<-r.certified
	return r
}

func (r *renewing) at(d time.Duration) { r.past.Store(int64(d)) }

// signs demands a bundle that verifies.
func (r *renewing) signs() {
	r.t.Helper()
	b, err := r.session.Sign(r.t.Context(), newStatement(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	trust, err := sigstore.NewTrust(sigstore.TrustOptions{Root: r.services.Root, Identities: r.identities})
	if err != nil {
		r.t.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := v.Verify(r.t.Context(), b, attest.Expect{}); err != nil {
		r.t.Error(err)
	}
}

// asked demands that so many certificates were asked for, answered or refused.
func (r *renewing) asked(want int32) {
	r.t.Helper()
	if got := r.services.Certified.Load() + r.services.Refused.Load(); got != want {
		r.t.Errorf("asked for %d certificates, want %d", got, want)
	}
}

// wait gives what comes, or fails the test.
func wait[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(time.Minute):
		t.Fatal("nothing comes")
	}
	return v
}

// TestRenewedAhead: from the middle of its time on a certificate is renewed, and signatures do not wait for that.
func TestRenewedAhead(t *testing.T) {
	r := newRenewing(t)
	r.at(4 * time.Minute)
	r.signs()
	r.asked(1)

	held := make(chan struct{})
	hold := func(context.Context) error { <-held; return nil }
	r.token.Store(&hold)
	r.at(6 * time.Minute)
	r.signs()
	r.signs()
	r.asked(1)
	close(held)
	wait(t, r.certified)
	r.asked(2)
}

// TestAuthorityDown: while the authority is down, the certificate signs until its last minute; then nothing does.
func TestAuthorityDown(t *testing.T) {
	r := newRenewing(t)
	r.services.Refusing.Store(true)
	r.at(6 * time.Minute)
	r.signs()
	var failed *sigstore.ServiceError
	if err := wait(t, r.unrenewed); !errors.As(err, &failed) {
		t.Errorf("got %v, want a *ServiceError", err)
	}
	r.asked(2)
	r.at(6*time.Minute + sigstore.RenewAgain/2)
	r.signs()
	r.asked(2) // not before its time
	r.at(8 * time.Minute)
	r.signs()
	wait(t, r.unrenewed)
	r.asked(3)
	r.at(9*time.Minute + 30*time.Second)
	if b, err := r.session.Sign(t.Context(), newStatement(t)); b != nil || !errors.As(err, &failed) {
		t.Errorf("got %v, %v, want a *ServiceError", b, err)
	}
	r.asked(4)
	r.services.Refusing.Store(false)
	if err := r.session.Open(t.Context()); err != nil {
		t.Error(err)
	}
	r.asked(5)
}

// TestRenewalWaitedFor: in its last minute a certificate is not used, and who signs then waits for the renewal that is going on,
// or until its context ends.
func TestRenewalWaitedFor(t *testing.T) {
	r := newRenewing(t)
	begun, held := make(chan struct{}), make(chan struct{})
	hold := func(context.Context) error { close(begun); <-held; return nil }
	r.token.Store(&hold)
	r.at(6 * time.Minute)
	r.signs()
	wait(t, begun)
	r.token.Store(nil)
	r.at(9*time.Minute + 30*time.Second)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.session.Sign(ended, newStatement(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that of the context", err)
	}
	looked := make(chan struct{})
	var once sync.Once
	r.session.SetClock(func() (now time.Time) {
		now = time.Now()
		once.Do(func() { // for the first look at the clock the certificate is in its last minute
			now = now.Add(9*time.Minute + 30*time.Second)
			close(looked)
		})
		return now
	})
	signed := make(chan error, 1)
	go func() {
		_, err := r.session.Sign(t.Context(), newStatement(t))
		signed <- err
	}()
	wait(t, looked)
	r.asked(1)
	close(held)
	if err := wait(t, signed); err != nil {
		t.Error(err)
	}
	r.asked(2)
}

// TestRenewalUnended: a renewal does not end with the context of the signature that began it.
func TestRenewalUnended(t *testing.T) {
	r := newRenewing(t)
	held := make(chan struct{})
	hold := func(ctx context.Context) error { <-held; return ctx.Err() }
	r.token.Store(&hold)
	r.at(6 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := r.session.Sign(ctx, newStatement(t)); err != nil {
		t.Fatal(err)
	}
	cancel()
	close(held)
	wait(t, r.certified)
	r.asked(2)
}
