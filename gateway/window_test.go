package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

// windowed makes a world whose calls are signed in windows, by sign.
func windowed(t *testing.T, every time.Duration, most int, sign func(context.Context, attest.Signable) (*attest.Bundle, error)) *world {
	t.Helper()
	return newWorld(t, func(o *Options) {
		key := o.Signer
		if sign == nil {
			sign = func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
				return attest.Sign(ctx, s, key, attest.SignOptions{})
			}
		}
		o.Signer, o.Window = nil, &Window{Sign: sign, Key: key.PublicKey(), Every: every, Most: most}
	})
}

// together posts n different calls at once and gives their statuses.
func (w *world) together(n int) []got {
	answers := make([]got, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = w.post("/v1/chat/completions", strings.Replace(chat, "7", fmt.Sprint(i), 1)) })
	}
	all.Wait()
	return answers
}

// TestWindow: calls that come together share one signature, and the proof of each verifies alone, as the run that its answer
// names.
func TestWindow(t *testing.T) {
	signatures := 0
	w := windowed(t, 100*time.Millisecond, 0, nil)
	sign := w.gateway.issuer.(*windows).of.Sign
	w.gateway.issuer.(*windows).of.Sign = func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		signatures++
		return sign(ctx, s)
	}
	w.journal.before = func() {
		if len(w.requests()) > 0 && len(w.journal.all()) == 0 {
			t.Error("a call was forwarded before it was journaled")
		}
	}
	answers := w.together(8)
	entries := w.journal.all()
	if len(entries) != 8 || signatures >= 8 || len(w.requests()) != 8 {
		t.Fatalf("%d entries, %d signatures, %d requests", len(entries), signatures, len(w.requests()))
	}
	ids := map[string]bool{}
	for _, e := range entries {
		if e.Bundle.Format() != attest.RunProof {
			t.Error("a call has a bundle of its own")
		}
		if id := w.verify(e).ID(); id != e.Identity {
			t.Errorf("the proof is of %s, want %s", id, e.Identity)
		}
		ids[e.Identity.String()] = true
	}
	for _, a := range answers {
		if a.status != 200 || !ids[a.header.Get(headerIdentity)] {
			t.Errorf("%v", a)
		}
	}
	if len(ids) != 8 {
		t.Errorf("%d identities", len(ids))
	}
}

// TestWindowFails: the calls of a window that is not signed are refused, and none is forwarded; the next window is tried anew.
func TestWindowFails(t *testing.T) {
	w := windowed(t, 0, 0, func(context.Context, attest.Signable) (*attest.Bundle, error) {
		return nil, errors.New("the KMS does not answer")
	})
	for _, a := range w.together(3) {
		w.refused(a, signingFailed)
		if a.header.Get("Retry-After") == "" || strings.Contains(a.body, "KMS") {
			t.Errorf("%v", a)
		}
	}
	key := w.key
	w.gateway.issuer.(*windows).of.Sign = func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, key, attest.SignOptions{})
	}
	if a := w.post("/v1/chat/completions", chat); a.status != 200 {
		t.Error(a)
	}
}

// TestWindowKey: a set that is signed by another key than the policy was asked about is of no use, and a panic of what signs ends no more
// than its window.
func TestWindowKey(t *testing.T) {
	other := keytest.New(t, signer.ECDSAP256)
	panics := true
	w := windowed(t, 0, 0, func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		if panics {
			panic("no client")
		}
		return attest.Sign(ctx, s, other, attest.SignOptions{})
	})
	w.refused(w.post("/v1/chat/completions", chat), signingFailed)
	panics = false
	w.refused(w.post("/v1/chat/completions", chat), signingFailed)
	if len(w.requests()) != 0 {
		t.Error("a call was forwarded")
	}
}

// TestWindowFull: a call for which the window has no room is refused at once, while another window is signed.
func TestWindowFull(t *testing.T) {
	signing := make(chan bool, 3)
	w := windowed(t, 0, 1, nil)
	wait, goOn := w.barrier()
	of := &w.gateway.issuer.(*windows).of
	sign := of.Sign
	of.Sign = func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		signing <- true
		wait()
		return sign(ctx, s)
	}
	answers := make(chan got, 2)
	post := func(seed string) { answers <- w.post("/v1/chat/completions", strings.Replace(chat, "7", seed, 1)) }
	go post("1")
	<-signing
	go post("2")
	ws := w.gateway.issuer.(*windows)
	w.waitFor(func() bool { ws.mu.Lock(); defer ws.mu.Unlock(); return ws.open != nil })
	w.refused(w.post("/v1/chat/completions", chat), signingFailed)
	goOn()
	for range 2 {
		if a := <-answers; a.status != 200 {
			t.Error(a)
		}
	}
}

// TestWindowHangs: a signature that does not return holds no call, nor do calls that gave up fill the window behind it.
func TestWindowHangs(t *testing.T) {
	hang := make(chan bool)
	defer close(hang)
	w := windowed(t, 0, 1, func(context.Context, attest.Signable) (*attest.Bundle, error) {
		<-hang
		return nil, errors.New("too late")
	})
	w.gateway.issuer.(*windows).of.Timeout = 100 * time.Millisecond
	for range 3 {
		w.refused(w.post("/v1/chat/completions", chat), signingFailed)
	}
	if log := w.log(); strings.Contains(log, errWindowFull.Error()) || !strings.Contains(log, errWindowLate.Error()) {
		t.Error(log)
	}
}

// TestWindowLeft: a call whose client leaves gives its place in the window to another.
func TestWindowLeft(t *testing.T) {
	w := windowed(t, 200*time.Millisecond, 1, nil)
	ws := w.gateway.issuer.(*windows)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := ws.issue(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if a := w.post("/v1/chat/completions", chat); a.status != 200 {
		t.Error(a)
	}
}

// TestWindowOptions: a window is complete, alone, and without a policy where a certificate signs.
func TestWindowOptions(t *testing.T) {
	w := newWorld(t, nil)
	sign := func(context.Context, attest.Signable) (*attest.Bundle, error) { return nil, nil }
	for _, o := range []Options{
		{Window: &Window{}}, {Window: &Window{Sign: sign, Most: -1}},
		{Window: &Window{Sign: sign, Every: time.Millisecond}}, {Window: &Window{Sign: sign, Every: time.Hour}}, {Window: &Window{Sign: sign, Every: -time.Second}},
		{Window: &Window{Sign: sign}, Signer: w.key}, {},
		{Window: &Window{Sign: sign}, Policy: newPolicy(t, w.key, "true", "")},
	} {
		o.Config, o.Journal = w.gateway.config, w.journal
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	c := w.gateway.config
	c.Window, c.WindowMax = "2s", 7
	g, err := New(Options{Window: &Window{Sign: sign}, Config: c, Journal: w.journal})
	if err != nil {
		t.Fatal(err)
	}
	if of := g.issuer.(*windows).of; of.Every != 2*time.Second || of.Most != 7 {
		t.Errorf("%+v, want the window of the configuration", of)
	}
	if err := g.SetPolicy(newPolicy(t, w.key, "true", "")); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
}

// TestPolicyReplaced: a policy that is put in force while a call waits in a window, or while its body still arrives, decides about it.
func TestPolicyReplaced(t *testing.T) {
	for name, arrives := range map[string]bool{"in a window": false, "in its body": true} {
		for _, expr := range []string{"false", "declaration.kind == 'inference'"} {
			var once sync.Once
			var w *world // one for each case: what sends the body may outlive it
			replace := func() {
				if err := w.gateway.SetPolicy(newPolicy(t, w.key, expr, "closed")); err != nil {
					t.Error(err)
				}
			}
			w = newWorld(t, func(o *Options) {
				key := o.Signer
				o.Policy, o.Signer = newPolicy(t, key, "true", ""), nil
				o.Window = &Window{Key: key.PublicKey(), Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
					if !arrives {
						once.Do(replace)
					}
					return attest.Sign(ctx, s, key, attest.SignOptions{})
				}}
			})
			r := w.request("/v1/chat/completions", chat)
			if arrives {
				r.Header.Set("Expect", "100-continue") // the body is asked for once the call has begun
				body := strings.NewReader(chat)
				r.GetBody, r.Body = nil, io.NopCloser(readerFunc(func(p []byte) (int, error) {
					once.Do(replace)
					return body.Read(p)
				}))
				r.ContentLength = int64(len(chat))
			}
			switch a := w.do(r); {
			case expr == "false":
				if w.refused(a, policyDenied); !strings.Contains(a.body, "closed") {
					t.Errorf("%s: %v", name, a)
				}
			case a.status != 200 || len(w.journal.all()) != 1 || w.journal.all()[0].Policy != fmt.Sprintf("%x", w.gateway.policy.Load().Digest()):
				t.Errorf("%s: %v, %+v", name, a, w.journal.all())
			default:
				w.verify(w.journal.all()[0])
			}
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
