package sigstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/testing/tuftest"
)

// newRepository serves a real trusted root and signing config. Sigstore's own mirror is out of
// reach of tests: what is not run is its name resolution, its TLS and the chain from the root that
// this program carries.
func newRepository(t *testing.T) (*tuftest.Repository, map[string][]byte) {
	t.Helper()
	r := tuftest.New()
	t.Cleanup(r.Close)
	targets := map[string][]byte{
		trustedRootTarget:   libraryFile(t, "pkg/testing/data/trusted-roots/public-good.json"),
		signingConfigTarget: libraryFile(t, "examples/signing_config.v0.2.json"),
	}
	r.Publish(targets)
	return r, targets
}

func TestFetch(t *testing.T) {
	r, targets := newRepository(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("HOME", t.TempDir())
	t.Chdir(t.TempDir())
	r.Rotate() // the newest root is reached through the one that clients begin with
	r.Rotate()
	got, err := FetchTrustedRoot(t.Context(), FetchOptions{Mirror: r.URL + "/", Root: r.Root, SigningConfig: true})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.TrustedRoot, targets[trustedRootTarget]) || !bytes.Equal(got.SigningConfig, targets[signingConfigTarget]) {
		t.Error("not what was published")
	}
	for _, asked := range []string{"2.root.json", "3.root.json", "4.root.json", "timestamp.json"} {
		if !slices.Contains(r.Requests(), asked) {
			t.Errorf("did not ask for %s: %q", asked, r.Requests())
		}
	}
	got, err = FetchTrustedRoot(t.Context(), FetchOptions{Mirror: r.URL, Root: r.Root})
	if err != nil || got.SigningConfig != nil {
		t.Errorf("%v, %d bytes of a signing config that was not requested", err, len(got.SigningConfig))
	}
	for _, folder := range []string{temporary, os.Getenv("HOME"), "."} {
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, %v", folder, left, err)
		}
	}
}

// TestFetchNo are repositories that are not to be believed, and such that cannot be asked.
func TestFetchNo(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in</title>")
	})
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) })
	}
	swap := func(r *tuftest.Repository, prefix string, edit func([]byte) []byte) {
		for name, data := range r.Files() {
			if strings.HasPrefix(name, prefix) {
				r.Put(name, edit(bytes.Clone(data)))
			}
		}
	}
	flip := func(data []byte) []byte { data[len(data)/2] ^= 1; return data }
	for name, c := range map[string]struct {
		edit   func(*tuftest.Repository)
		answer bool // the answer is no, rather than that there is none
		says   string
	}{
		"tampered target":        {func(r *tuftest.Repository) { swap(r, "targets/", flip) }, true, "hash"},
		"longer target":          {func(r *tuftest.Repository) { swap(r, "targets/", func(d []byte) []byte { return append(d, ' ') }) }, true, "bytes, want at most"},
		"shorter target":         {func(r *tuftest.Repository) { swap(r, "targets/", func(d []byte) []byte { return d[1:] }) }, true, "length"},
		"target of another name": {func(r *tuftest.Repository) { r.Put("timestamp.json", tuftest.New().Get("timestamp.json")) }, true, ""},
		"tampered targets": {func(r *tuftest.Repository) {
			swap(r, "1.targets", func(d []byte) []byte { return bytes.Replace(d, []byte(`"length":`), []byte(`"length":1`), 1) })
		}, true, ""},
		"tampered snapshot": {func(r *tuftest.Repository) {
			swap(r, "1.snapshot", func(d []byte) []byte { return bytes.Replace(d, []byte(`"version":1`), []byte(`"version":2`), 1) })
		}, true, ""},
		"expired": {func(r *tuftest.Repository) { r.PublishTimestamp(time.Now().Add(-time.Minute)) }, true, "expired"},
		"unsigned root": {func(r *tuftest.Repository) {
			other := tuftest.New()
			other.Rotate()
			r.Put("2.root.json", other.Get("2.root.json"))
		}, true, ""},
		"older snapshot": {func(r *tuftest.Repository) {
			old := r.Get("1.snapshot.json")
			r.Publish(nil)
			r.Put("2.snapshot.json", old)
		}, true, "version"},
		"older targets": {func(r *tuftest.Repository) {
			old := r.Get("1.targets.json")
			r.Publish(nil)
			r.Put("2.targets.json", old)
		}, true, "version"},
		"garbage":      {func(r *tuftest.Repository) { r.Put("timestamp.json", []byte("garbage")) }, true, ""},
		"no timestamp": {func(r *tuftest.Repository) { r.Answer(status(404)) }, false, "answered 404 Not Found for timestamp.json"},
		"no target":    {func(r *tuftest.Repository) { swapOut(r) }, false, "answered 404 Not Found for targets/"},
		"page":         {func(r *tuftest.Repository) { r.Answer(page) }, false, "a page of HTML"},
		"refused":      {func(r *tuftest.Repository) { r.Answer(status(403)) }, false, "answered 403"},
		"gone":         {func(r *tuftest.Repository) { r.Close() }, false, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRepository(t)
			c.edit(r)
			got, err := FetchTrustedRoot(t.Context(), FetchOptions{Mirror: r.URL, Root: r.Root})
			var no *RepositoryError
			var service *ServiceError
			if got != nil || c.answer != errors.As(err, &no) || c.answer == errors.As(err, &service) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%T %v, want %q", err, err, c.says)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %q", err)
			}
		})
	}
}

// swapOut takes the targets away and leaves the metadata.
func swapOut(r *tuftest.Repository) {
	files := r.Files()
	for name := range files {
		if strings.HasPrefix(name, "targets/") {
			delete(files, name)
		}
	}
	r.Restore(files)
}

func TestFetchNotThere(t *testing.T) {
	r := tuftest.New()
	defer r.Close()
	r.Publish(map[string][]byte{"other.json": []byte("{}")})
	_, err := FetchTrustedRoot(t.Context(), FetchOptions{Mirror: r.URL, Root: r.Root})
	if no := (*RepositoryError)(nil); !errors.As(err, &no) || !strings.Contains(err.Error(), "trusted_root.json not found") {
		t.Errorf("%v", err)
	}
	r.Publish(map[string][]byte{trustedRootTarget: []byte(`{"mediaType":"other"}`)})
	_, err = FetchTrustedRoot(t.Context(), FetchOptions{Mirror: r.URL, Root: r.Root})
	if no := (*RepositoryError)(nil); err == nil || errors.As(err, &no) || !strings.Contains(err.Error(), "mediaType") {
		t.Errorf("well signed, and no trusted root: %v", err)
	}
}

// TestFetchRollback goes back to an older state, well signed and not expired: only who
// remembers the newer one can tell.
func TestFetchRollback(t *testing.T) {
	r, targets := newRepository(t)
	before := r.Files()
	r.Publish(map[string][]byte{trustedRootTarget: append(bytes.Clone(targets[trustedRootTarget]), '\n')})
	o := FetchOptions{Mirror: r.URL, Root: r.Root, Cache: filepath.Join(t.TempDir(), "cache")}
	for range 2 {
		if _, err := FetchTrustedRoot(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	r.Restore(before)
	_, err := FetchTrustedRoot(t.Context(), o)
	if no := (*RepositoryError)(nil); !errors.As(err, &no) || !strings.Contains(err.Error(), "version") {
		t.Errorf("%v", err)
	}
	o.Cache = ""
	if _, err := FetchTrustedRoot(t.Context(), o); err != nil {
		t.Errorf("who remembers nothing cannot tell: %v", err)
	}
}

func TestFetchEnds(t *testing.T) {
	r, _ := newRepository(t)
	r.Answer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := FetchTrustedRoot(ctx, FetchOptions{Mirror: r.URL, Root: r.Root})
	if service := (*ServiceError)(nil); !errors.As(err, &service) || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("%v", err)
	}
}

func TestFetchOptions(t *testing.T) {
	for name, o := range map[string]FetchOptions{
		"no URL":        {Mirror: "mirror"},
		"no host":       {Mirror: "https://"},
		"a file":        {Mirror: "file:///tmp/repository"},
		"empty root":    {Mirror: "http://127.0.0.1:9", Root: []byte{}},
		"root of other": {Mirror: "http://127.0.0.1:9", Root: []byte(`{"signed":{"_type":"targets"}}`)},
	} {
		_, err := FetchTrustedRoot(t.Context(), o)
		service, no := (*ServiceError)(nil), (*RepositoryError)(nil)
		if err == nil || errors.As(err, &service) || errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, b := (FetchOptions{}).URL(), (FetchOptions{Staging: true}).URL(); a != "https://tuf-repo-cdn.sigstore.dev" || b != "https://tuf-repo-cdn.sigstage.dev" {
		t.Errorf("%s, %s", a, b)
	}
}
