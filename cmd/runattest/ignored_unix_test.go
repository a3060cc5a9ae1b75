//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// TestIgnoredInterrupt: a command that was started to ignore SIGINT goes on, and one that was not ends.
func TestIgnoredInterrupt(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "k.key")
	if err := os.WriteFile(key, pair.Private, 0o600); err != nil {
		t.Fatal(err)
	}
	const line = `{"schema":"` + identity.Schema + `","kind":"inference","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}` + "\n"
	if signal.Ignored(os.Interrupt) { // as a shell starts what it starts in the background; what the tests start would ignore it, too
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	for trap, want := range map[string]int{"trap '' INT; ": 0, "": exitFailed} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, "sh", "-c", trap+`exec runattest sign --key "$1" --format json --jsonl -`, "sh", key)
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		answers := bufio.NewReader(out)
		ask := func() bool {
			if _, err := io.WriteString(in, line); err != nil {
				return false
			}
			answer, err := answers.ReadBytes('\n')
			return err == nil && json.Valid(answer)
		}
		if !ask() {
			t.Errorf("%q: no answer", trap)
		}
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		if want == 0 && !ask() {
			t.Errorf("%q: no answer after SIGINT", trap)
		}
		if want == 0 {
			in.Close()
		}
		_, _ = io.Copy(io.Discard, answers)
		status := 0
		if failed, ok := errors.AsType[*exec.ExitError](c.Wait()); ok {
			status = failed.ExitCode()
		}
		if status != want {
			t.Errorf("%q: exit status %d, want %d", trap, status, want)
		}
	}
}

// TestInterruptedPipe: a gate that is interrupted while it waits for a pipe refuses and records it, as with every other reason.
func TestInterruptedPipe(t *testing.T) {
	dir := t.TempDir()
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	policy := "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: ci, key: ci.pub}]}\n"
	if err := errors.Join(os.WriteFile(at("ci.pub"), pair.Public, 0o600), os.WriteFile(at("policy.yaml"), []byte(policy), 0o600), syscall.Mkfifo(at("pipe"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), "runattest", "exec", "--policy", at("policy.yaml"), "--bundle", at("pipe"), "--decision-log", at("log"), "--", "true")
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait() // its status is what it ends with
		close(ended)
		if reader, err := os.OpenFile(at("pipe"), os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil { // lets go who waits for a gate that failed before it read
			<-t.Context().Done()
			_ = reader.Close()
		}
	}()
	pipe, err := os.OpenFile(at("pipe"), os.O_WRONLY, 0) // it is open once the gate reads it
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	line, err := os.ReadFile(at("log"))
	if err != nil || !bytes.Contains(line, []byte(`"allowed":false`)) {
		t.Errorf("in the log %q, %v", line, err)
	}
	if status := c.ProcessState.ExitCode(); status != exitNo || !strings.Contains(stderr.String(), "not executed: interrupted") {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
}
