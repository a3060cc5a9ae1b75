//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/runattest/runattest/signer"
)

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestGatewayHangup: SIGHUP reads the policy again, and one that cannot be read leaves the one before in force.
func TestGatewayHangup(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	defer upstream.Close()
	dir := t.TempDir()
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := write("gateway.key", string(pair.Private))
	write("gateway.pub", string(pair.Public))
	const head = "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: gateway, key: gateway.pub}]}\n"
	policy := write("policy.yaml", head)
	args := []string{"gateway", "--key", key, "--journal", filepath.Join(dir, "journal"), "--upstream", upstream.URL, "--provider", "openai",
		"--listen", "127.0.0.1:0", "--policy", policy, "--until-stdin-ends", "--format", "json"}
	defer endsItself.Store(false)
	root := newRoot(args...)
	stdin, end := io.Pipe()
	stdout, log := newLineReader(), &lockedBuffer{}
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(log)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	status := make(chan int, 1)
	go func() { status <- run(ctx, root, args) }()
	var says struct {
		URL string `json:"url"`
	}
	select {
	case line := <-stdout.lines:
		if err := json.Unmarshal([]byte(line), &says); err != nil {
			t.Fatal(line, err)
		}
	case <-status:
		t.Fatal(log)
	}
	call := func() int {
		res, err := http.Post(says.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"model": "m", "messages": [{"role": "user", "content": "hi"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := call(); got != 200 {
		t.Errorf("status %d: %s", got, log)
	}
	for _, c := range []struct{ text, said string }{
		{head + "rules: [{name: never, expr: 'declaration.model.name != \"m\"'}]\n", "the policy was read again"},
		{head + "rules: [{name: never, expr: 'x'}]\n", "the policy was not read again"},
	} {
		write("policy.yaml", c.text)
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for ctx.Err() == nil && !strings.Contains(log.String(), c.said) {
			time.Sleep(5 * time.Millisecond)
		}
		if got := call(); got != 403 {
			t.Errorf("%s: status %d, want 403: %s", c.said, got, log)
		}
	}
	end.Close()
	if s := <-status; s != 0 {
		t.Errorf("status %d: %s", s, log)
	}
}

// TestGatewayHangupAtStart: SIGHUP that comes before the gateway serves does not end it, and has it read the policy again when it does.
func TestGatewayHangupAtStart(t *testing.T) {
	dir := t.TempDir()
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, pipe := filepath.Join(dir, "gateway.key"), filepath.Join(dir, "policy.yaml")
	err = errors.Join(os.WriteFile(key, pair.Private, 0o600), os.WriteFile(filepath.Join(dir, "gateway.pub"), pair.Public, 0o600), syscall.Mkfifo(pipe, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"gateway", "--key", key, "--journal", filepath.Join(dir, "journal"), "--upstream", "http://127.0.0.1:1", "--provider", "openai",
		"--listen", "127.0.0.1:0", "--policy", pipe, "--until-stdin-ends"}
	defer endsItself.Store(false)
	root := newRoot(args...)
	stdin, end := io.Pipe()
	log := &lockedBuffer{}
	root.SetIn(stdin)
	root.SetOut(io.Discard)
	root.SetErr(log)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	status := make(chan int, 1)
	go func() { status <- run(ctx, root, args) }()
	opened := make(chan *os.File, 1)
	go func() {
		f, err := os.OpenFile(pipe, os.O_WRONLY, 0) // as soon as it is read
		if err != nil {
			t.Error(err)
		}
		opened <- f
	}()
	select {
	case f := <-opened:
		const text = "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: gateway, key: gateway.pub}]}\n"
		_, wrote := f.WriteString(text)
		err := errors.Join(wrote, syscall.Kill(os.Getpid(), syscall.SIGHUP), os.Remove(pipe), os.WriteFile(pipe, []byte(text), 0o600), f.Close())
		if err != nil {
			t.Fatal(err)
		}
	case s := <-status:
		t.Fatalf("status %d: %s", s, log)
	case <-ctx.Done():
		t.Fatalf("the policy is not read: %s", log)
	}
	for ctx.Err() == nil && !strings.Contains(log.String(), "the policy was read again") {
		time.Sleep(5 * time.Millisecond)
	}
	end.Close()
	if s := <-status; s != 0 || ctx.Err() != nil {
		t.Errorf("status %d: %s", s, log)
	}
}
