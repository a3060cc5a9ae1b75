package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGatewayDrains: SIGTERM to the launcher of the npm package drains the gateway that it started. The call in flight ends
// whole, no other is taken, the journal verifies, and the exit status is the program's.
func TestGatewayDrains(t *testing.T) {
	dir, r := dist(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(w, "first,")
		w.(http.Flusher).Flush()
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "last")
	}))
	defer upstream.Close()

	room := newRoom(t, dir, "npm_config_registry="+registry(t, dir, r))
	room.want(t, "npm install -g runattest && runattest keygen --no-password")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(room.dir, "home", "npm", "bin", "runattest"), "gateway", "--key", "runattest.key",
		"--journal", "journal", "--upstream", upstream.URL, "--provider", "openai", "--listen", "127.0.0.1:0", "--format", "json")
	cmd.Dir, cmd.Env = room.dir, room.env
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	defer func() { // whatever failed, the upstream answers and the gateway is gone
		select {
		case <-release:
		default:
			close(release)
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	var says struct{ Address, URL string }
	if err := errors.Join(err, json.Unmarshal(line, &says)); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	type answer struct {
		status int
		body   string
		err    error
	}
	first := make(chan answer, 1)
	go func() {
		resp, err := http.Post(says.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			first <- answer{err: err}
			return
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		first <- answer{resp.StatusCode, string(data), err}
	}()
	select {
	case <-arrived:
	case a := <-first:
		t.Fatalf("the call did not reach the upstream: %+v", a)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for { // until the signal has arrived
		conn, err := net.Dial("tcp", says.Address)
		if err != nil {
			break
		}
		_ = conn.Close()
		if ctx.Err() != nil {
			t.Fatal("connections are still accepted after SIGTERM")
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case <-ended:
		t.Fatal("the launcher ended before the call in flight")
	default:
	}
	close(release)
	if a := <-first; a.err != nil || a.status != http.StatusOK || a.body != "first,last" {
		t.Errorf("the call in flight: %+v, want all of its answer", a)
	}
	<-ended
	if state := cmd.ProcessState; state.ExitCode() != 0 {
		t.Errorf("%v, want exit status 0\n%s", state, &log)
	}
	room.want(t, "runattest journal verify --key runattest.pub journal", "verified")
}
