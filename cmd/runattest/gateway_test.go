package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/signer"
)

// A lineReader has what the command writes, by line.
type lineReader struct {
	lines chan string
	io.Writer
}

func newLineReader() *lineReader {
	r, w := io.Pipe()
	l := &lineReader{make(chan string, 100), w}
	go func() {
		for s := bufio.NewScanner(r); s.Scan(); {
			l.lines <- s.Text()
		}
	}()
	return l
}

// TestGateway: the command serves, says where, and at the end of standard input closes a journal that verifies offline.
func TestGateway(t *testing.T) {
	var got []byte
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		io.WriteString(w, "{}")
	}))
	defer upstream.Close()
	dir := t.TempDir()
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, folder := filepath.Join(dir, "gateway.key"), filepath.Join(dir, "journal")
	if err := os.WriteFile(key, pair.Private, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GATEWAY_SECRET", "0123456789abcdef")
	args := []string{"gateway", "--key", key, "--journal", folder, "--upstream", upstream.URL, "--provider", "openai", "--listen", "127.0.0.1:0",
		"--operations", "127.0.0.1:0", "--url-secret", "env://GATEWAY_SECRET", "--until-stdin-ends", "--format", "json"}
	defer endsItself.Store(false)
	root := newRoot(args...)
	stdin, end := io.Pipe()
	stdout, stderr := newLineReader(), &bytes.Buffer{}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	status := make(chan int, 1)
	go func() { status <- run(ctx, root, args) }()
	var says gateway.Ready
	select {
	case line := <-stdout.lines:
		if err := json.Unmarshal([]byte(line), &says); err != nil || says.URL == "" || says.Operations == "" {
			t.Fatal(line, err)
		}
	case <-status:
		t.Fatal(stderr)
	}
	body := `{"model": "m", "messages": [{"role": "user", "content": "hi"}]}`
	post := func(path string) *http.Response {
		res, err := http.Post(says.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	if res := post("/v1/chat/completions"); res.StatusCode != 401 {
		t.Errorf("without the secret: %s", res.Status)
	}
	if res := post("/0123456789abcdef/v1/chat/completions"); res.StatusCode != 200 || res.Header.Get("Airun-Identity") == "" || string(got) != body {
		t.Errorf("%s %v, the upstream got %q", res.Status, res.Header, got)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": `outcome="forwarded"} 1`} {
		text := ""
		for range 1000 { // a call is counted when it has been answered
			res, err := http.Get("http://" + says.Operations + path)
			if err != nil {
				t.Fatal(err)
			}
			data, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if text = string(data); res.StatusCode == 200 && strings.Contains(text, want) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", path, text)
		}
	}
	end.Close()
	if s := <-status; s != 0 || strings.Contains(stderr.String(), "0123456789abcdef") {
		t.Fatalf("status %d: %s", s, stderr)
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "gateway", Key: pair.Key})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	result, err := journal.Verify(t.Context(), verifier, folder, journal.VerifyOptions{})
	if err != nil || !result.Verified || result.Lines != 1 || result.Open != 0 {
		t.Errorf("%+v %v", result, err)
	}
}
