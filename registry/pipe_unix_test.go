//go:build unix

package registry_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runattest/runattest/registry"
)

// TestCredentialsPipe: a file of credentials that does not answer is waited for as long as the registry is.
func TestCredentialsPipe(t *testing.T) {
	s := newServer(t, true)
	s.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	config := filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json")
	if err := syscall.Mkfifo(config, 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Resolve(context.Background())
	var failed *registry.Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), config) || failed.Hint == "" {
		t.Errorf("%v, hint %q", err, failed)
	}
	w, err := os.OpenFile(config, os.O_RDWR, 0) // the reader ends
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Error(err)
	}
}
