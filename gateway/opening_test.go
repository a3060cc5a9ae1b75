package gateway

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
)

// newOpeningWorld is a world whose gateway opens the journal in a folder.
func newOpeningWorld(t *testing.T, dir string, change func(*Options)) *world {
	t.Helper()
	return newWorld(t, func(o *Options) {
		key := o.Signer
		o.Journal, o.Config.Journal, o.Config.Listen = nil, dir, "127.0.0.1:0"
		o.OpenJournal = &journal.Options{Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
			return attest.Sign(ctx, s, key, attest.SignOptions{})
		}}
		if change != nil {
			change(o)
		}
	})
}

// TestRunOpensJournal: nothing is made and no call taken before Run, which closes the journal that it opened.
func TestRunOpensJournal(t *testing.T) {
	dir, witness := filepath.Join(t.TempDir(), "journal"), t.TempDir()
	w := newOpeningWorld(t, dir, func(o *Options) { o.Config.Witness = witness })
	if err := w.gateway.Check(); err != nil {
		t.Error(err)
	}
	const body = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	w.refused(w.post("/v1/chat/completions", body), journalFailed)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("there is a journal before Run: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err := w.gateway.Run(ctx, func(r Ready) error {
		defer stop()
		if got := w.post("/v1/chat/completions", body); got.status != http.StatusOK || len(w.requests()) != 1 {
			t.Errorf("%+v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.TrustKeys(newSpecKeys(w)...)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	r, err := journal.Verify(t.Context(), verifier, dir, journal.VerifyOptions{Closed: true, Witness: journal.WitnessFolder(witness)})
	if err != nil || !r.Verified || r.Lines != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := w.post("/v1/chat/completions", body); got.status == http.StatusOK {
		t.Error("a call is taken after Run has ended")
	}
}

// TestJournalError: a journal that cannot be opened is told from an address that cannot be served, and comes first.
func TestJournalError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newOpeningWorld(t, file, func(o *Options) { o.Config.Listen = "nowhere" })
	for _, err := range []error{w.gateway.Check(), w.gateway.Run(t.Context(), nil)} {
		if failed, ok := errors.AsType[*JournalError](err); !ok || !strings.HasPrefix(err.Error(), "journal: ") || failed.Err == nil {
			t.Errorf("%v", err)
		}
	}
	w = newOpeningWorld(t, filepath.Join(t.TempDir(), "journal"), func(o *Options) { o.Config.Listen = "nowhere" })
	if err := w.gateway.Run(t.Context(), nil); !errors.As(err, new(*AddressError)) {
		t.Error(err)
	}
	key := newKey(t)
	for want, change := range map[string]func(*Options){
		"want one of them": func(o *Options) { o.Journal = &memory{} },
		"names no journal": func(o *Options) { o.Config.Journal = "" },
	} {
		o := Options{Signer: key, OpenJournal: &journal.Options{}}
		o.Config.Journal, o.Config.Upstreams = "journal", []Upstream{{URL: "https://api.openai.com", Provider: "openai"}}
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
