package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// Window is how calls are signed together, as a run set: with one signature by a key in a KMS or a certificate, and one timestamp,
// where signing each call would be too slow. A call waits until its window is signed. While one window is signed the next one
// gathers calls.
type Window struct {
	// Sign signs the Statement of a set, and gives it as a Sigstore bundle. It is required, and called for one window at a time.
	Sign func(context.Context, attest.Signable) (*attest.Bundle, error)
	// Key is the key that signs, for the policy to decide about; nil where a certificate does, and then there is no policy. A
	// signature that is not by it is an error of the window.
	Key *signer.PublicKey

	Every   time.Duration // how long a window gathers calls at least, 25 milliseconds to a minute; that of the Config, or 25 milliseconds
	Most    int           // how many calls a window has; that of the Config, or 1,000
	Timeout time.Duration // how long signing may take; 30 seconds. Sign should return when its context ends
}

const (
	shortestWindow = limits.GatewayWindowShortest * time.Millisecond
	longestWindow  = limits.GatewayWindowLongest * time.Millisecond
)

var windowRange = fmt.Sprintf("a duration from %s to %s, such as 1s", shortestWindow, longestWindow)

// isWindow says that a window may gather calls for so long: a call waits for all of it.
func isWindow(d time.Duration) bool { return d >= shortestWindow && d <= longestWindow }

// withDefaults has what the configuration says, or nothing does.
func (w Window) withDefaults(c Config) (Window, error) {
	switch {
	case w.Sign == nil:
		return w, errors.New("gateway: a window without Sign")
	case w.Every != 0 && !isWindow(w.Every):
		return w, fmt.Errorf("gateway: a window of %s, want %s", w.Every, windowRange)
	case w.Most < 0 || w.Timeout < 0 || w.Most > limits.GatewayWindowMost:
		return w, errors.New("gateway: a window's numbers must be positive, and its calls at most 100,000")
	}
	every, err := c.WindowEvery()
	w.Every = cmp.Or(w.Every, every, shortestWindow)
	w.Most = cmp.Or(w.Most, int(c.WindowMax), 1000)
	w.Timeout = cmp.Or(w.Timeout, 30*time.Second)
	return w, err
}

// errWindowFull is for a call for which the window that gathers has no room.
var errWindowFull = errors.New("too many calls wait for a signature")

// errWindowLate is for a call that has waited as long as two signatures may take: that of the window before, and its own.
var errWindowLate = errors.New("the signature took too long")

// windows signs Statements in windows.
type windows struct {
	of Window

	busy sync.Mutex // is held while a window is signed
	mu   sync.Mutex // guards what follows
	open *window    // gathers calls; nil until one comes
}

// A window is calls that are signed together.
type window struct {
	calls []*waiting
	done  chan struct{} // is closed when proofs or err are there
	err   error
}

// A waiting is a call in a window.
type waiting struct {
	statement *attest.Statement
	proof     *attest.Bundle
}

func (ws *windows) key() *signer.PublicKey { return ws.of.Key }

// issue waits until the window with the Statement is signed, and gives the Statement's proof. If ctx ends before the window is
// signed, or Sign holds it up, it waits no longer.
func (ws *windows) issue(ctx context.Context, s *attest.Statement) (*attest.Bundle, error) {
	w, c, err := ws.join(s)
	if err != nil {
		return nil, err
	}
	late := time.NewTimer(ws.of.Every + 2*ws.of.Timeout)
	defer late.Stop()
	select {
	case <-w.done:
		return c.proof, w.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = errWindowLate
	}
	ws.leave(w, c)
	return nil, err
}

// join puts a call into the window that gathers.
func (ws *windows) join(s *attest.Statement) (*window, *waiting, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	w := ws.open
	if w == nil {
		w = &window{done: make(chan struct{})}
		ws.open = w
		go ws.close(w)
	}
	if len(w.calls) >= ws.of.Most {
		return nil, nil, errWindowFull
	}
	c := &waiting{statement: s}
	w.calls = append(w.calls, c)
	return w, c, nil
}

// leave takes a call out of its window, if that still gathers: the place is for another.
func (ws *windows) leave(w *window, c *waiting) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.open == w {
		w.calls = slices.DeleteFunc(w.calls, func(other *waiting) bool { return other == c })
	}
}

// close lets a window gather calls, for its time and for as long as the one before is signed, and signs it.
func (ws *windows) close(w *window) {
	time.Sleep(ws.of.Every)
	ws.busy.Lock()
	defer ws.busy.Unlock()
	ws.mu.Lock()
	ws.open = nil
	ws.mu.Unlock()
	defer close(w.done)
	if len(w.calls) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), ws.of.Timeout)
	defer cancel()
	var statements []*attest.Statement
	for _, c := range w.calls {
		statements = append(statements, c.statement)
	}
	all, err := proofs(ctx, statements, ws.of.signed)
	if err != nil {
		w.err = err
		return
	}
	for i, c := range w.calls {
		c.proof = all[i]
	}
}

// signed is what Sign gives, if it is by the key that the policy has decided about. A panic of Sign is its error: no call's goroutine
// would recover it.
func (w Window) signed(ctx context.Context, s attest.Signable) (b *attest.Bundle, err error) {
	defer func() {
		if v := recover(); v != nil {
			b, err = nil, fmt.Errorf("signing panicked: %v", v)
		}
	}()
	b, err = w.Sign(ctx, s)
	if err != nil || w.Key == nil {
		return b, err
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "window", Key: w.Key})
	if err != nil {
		return nil, err
	}
	if found := b.CheckTrust(ctx, trust); found.Signature.Verdict != evidence.Pass || found.Signer.Verdict != evidence.Pass {
		return nil, errors.New("the set is signed by another key than that of the window")
	}
	return b, nil
}

// proofs signs Statements as a run set, and gives the proof of each.
func proofs(ctx context.Context, statements []*attest.Statement, sign func(context.Context, attest.Signable) (*attest.Bundle, error)) ([]*attest.Bundle, error) {
	var file bytes.Buffer
	runs := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for _, s := range statements {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
	if _, err := runset.Write(ctx, &file, runs, runset.WriteOptions{Sign: sign}); err != nil {
		return nil, err
	}
	set, err := runset.Open(bytes.NewReader(file.Bytes()))
	if err != nil {
		return nil, err
	}
	var all []*attest.Bundle
	for proof, err := range set.Proofs(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, proof)
	}
	if len(all) != len(statements) {
		return nil, errors.New("the set has other runs than the window")
	}
	return all, nil
}
