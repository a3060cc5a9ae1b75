package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// TestFetchBreaksOff: a registry that fails half-way leaves the file of last time, and says of no folder that it is all there.
func TestFetchBreaksOff(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	var broken string
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken != "" && r.Method == http.MethodGet && strings.Contains(r.URL.Path, broken) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	put := func(method, path, body string) {
		req, _ := http.NewRequest(method, server.URL+"/v2/app/"+path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusCreated {
			t.Fatal(path, err)
		}
		resp.Body.Close()
	}
	put(http.MethodPost, "blobs/uploads/?digest="+digestOf(emptyConfig), emptyConfig)
	put(http.MethodPut, "manifests/v1", appManifest)
	if err := os.WriteFile("run.json", []byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := strings.TrimPrefix(server.URL, "http://") + "/app:v1"
	for _, args := range [][]string{
		{"keygen", "--no-password"},
		{"sign", "--key", "runattest.key", "--annotation", "n=1", "--bundle", "1.sigstore.json", "--attach", ref, "run.json"},
		{"sign", "--key", "runattest.key", "--annotation", "n=2", "--bundle", "2.sigstore.json", "--attach", ref, "run.json"},
		{"fetch", "-o", "all.sigstore.jsonl", ref},
		{"fetch", "-o", "out", ref},
	} {
		if status, _, stderr := inProcess(t, args...); status != exitYes {
			t.Fatalf("%v: %d %s", args, status, stderr)
		}
	}
	before, _ := os.ReadFile("all.sigstore.jsonl")
	lines := bytes.SplitAfter(bytes.TrimSpace(before), []byte("\n"))
	last := lines[len(lines)-1]
	files, _ := filepath.Glob("out/*.sigstore.json")
	for _, name := range files {
		if data, _ := os.ReadFile(name); bytes.Equal(bytes.TrimSpace(data), bytes.TrimSpace(last)) {
			broken = "sha256:" + strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "sha256-"), ".sigstore.json")
		}
	}
	if broken == "" || len(lines) != 2 {
		t.Fatal("no last bundle")
	}
	status, stdout, stderr := inProcess(t, "fetch", "-o", "all.sigstore.jsonl", ref)
	after, _ := os.ReadFile("all.sigstore.jsonl")
	if status != exitFailed || !bytes.Equal(before, after) || stdout != "" {
		t.Errorf("status %d, %d bytes were, %d are, %q: %s", status, len(before), len(after), stdout, stderr)
	}
	if status, _, stderr := inProcess(t, "fetch", "--air-gap", "usb", ref); status != exitFailed || strings.Contains(stderr, "there: ") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
