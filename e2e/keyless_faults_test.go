package e2e

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

const retries = 3 // besides the first request: docs/cli

// A service that misbehaves and gets well is asked again; one that does not ends in exit status 3 and a reason, after a bounded number of
// requests, and what lay on the desk lies there unchanged.
func TestFaults(t *testing.T) {
	faults := []struct {
		name     string
		fault    services.Fault
		timeout  string
		reason   string // "" if it has to succeed
		requests int
	}{
		{"503 twice", services.Unavailable(2), "30s", "", 3},
		{"429 once", services.Failing(http.StatusTooManyRequests, 1), "30s", "", 2},
		{"cut once", first(1, services.Cut), "30s", "", 2}, // but for the log: TestLostLogEntry
		{"503 for ever", services.Unavailable(1000), "30s", "answered 503 Service Unavailable", 1 + retries},
		{"503 past the deadline", services.Unavailable(1000), "500ms", "no good answer in time: answered 503 Service Unavailable", 2},
		{"cut for ever", services.Cut, "30s", "the answer breaks off", 1 + retries},
		{"400", services.Failing(http.StatusBadRequest, 1000), "30s", "answered 400 Bad Request", 1},
		{"404", services.Failing(http.StatusNotFound, 1000), "30s", "answered 404 Not Found", 1},
		{"a page", services.HTML, "30s", "the answer is a page of HTML: is the URL that of the service?", 1},
		{"nothing", always(func(http.ResponseWriter) {}), "30s", "{service} {url}: ", 1},
		{"redirect", always(func(w http.ResponseWriter) {
			w.Header().Set("Location", unreachable)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}), "30s", "redirects are not followed", 1},
		{"too much", always(flood), "30s", "the answer is longer than", 1},
		{"slow", services.Slow(time.Minute), "500ms", "no answer in time", 1},
		{"drips", drip, "500ms", "no answer in time", 1},
	}
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	for _, service := range allAsked(s) {
		for _, f := range faults {
			if service.flag == "--rekor" && f.name == "cut once" {
				continue
			}
			t.Run(service.name+"/"+f.name, func(t *testing.T) {
				d := d.alone(t)
				front := startFront(t, service.url, f.fault)
				sign := func() outcome { return d.signsKeyless(ours, service.flag, front.URL, "--timeout", f.timeout) }
				if f.reason == "" {
					d.replaces(ours, sign)
					d.believesAs("trusted_root.json", ada, s.Issuer.URL, ours).yes()
				} else {
					d.touchesNothing(func() { failedIn(sign(), service, front.URL, f.reason) })
				}
				if n := front.Requests(); n != f.requests {
					t.Errorf("%d requests, want %d", n, f.requests)
				}
			})
		}
	}
}

// replaces demands that signing succeeds with another bundle.
func (d *desk) replaces(bundle string, sign func() outcome) {
	d.t.Helper()
	before := d.read(bundle)
	sign().ok()
	if bytes.Equal(before, d.read(bundle)) {
		d.t.Errorf("%s is the old one", bundle)
	}
}

// failedIn demands that the service is named, where it is and what is wrong with it.
func failedIn(o outcome, service asked, url, reason string) {
	o.t.Helper()
	o.failed(service.name + " " + url + ": ")
	o.failed(strings.NewReplacer("{service}", service.name, "{url}", url).Replace(reason))
}

// The log has the entry, and its answer was lost. It says so of the same signature for ever (409), and has no other
// answer; another signature is another entry.
func TestLostLogEntry(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	front := startFront(t, s.Rekor.URL, first(1, services.Cut))
	d.replaces(ours, func() outcome { return d.signsKeyless(ours, "--rekor", front.URL) })
	d.believesAs("trusted_root.json", ada, s.Issuer.URL, ours).yes()
	if n := front.Requests(); n > 1+retries {
		t.Errorf("%d requests, want %d at most", n, 1+retries)
	}
}

// The service refuses connections.
func TestServiceIsDown(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	for _, service := range allAsked(s) {
		t.Run(service.name, func(t *testing.T) {
			d := d.alone(t)
			down, err := services.Down(service.url)
			if err != nil {
				t.Fatal(err)
			}
			d.touchesNothing(func() {
				failedIn(d.signsKeyless(ours, service.flag, down, "--timeout", "300ms"), service, down, "connection refused")
			})
		})
	}
}

// A good answer to another request is none to this one.
func TestReplayedAnswers(t *testing.T) {
	d, s := useOurs(t)
	reasons := map[string]string{
		"--fulcio":           "the certificate is for another key than the one that was sent",
		"--timestamp-server": "the timestamp is over something else than the signature",
		"--rekor":            "the entry is about another signature",
	}
	for _, service := range allAsked(s) {
		t.Run(service.name, func(t *testing.T) {
			d := d.alone(t)
			front := startFront(t, service.url, replay)
			d.signsKeyless(ours, service.flag, front.URL).ok()
			d.touchesNothing(func() {
				failedIn(d.signsKeyless(ours, service.flag, front.URL), service, front.URL, reasons[service.flag])
			})
		})
	}
}

// An interrupt ends the wait, and leaves nothing behind.
func TestInterruptedSigning(t *testing.T) {
	d, s := useOurs(t)
	front := startFront(t, s.Timestamper.URL, services.Slow(time.Minute))
	d.touchesNothing(func() {
		ctx, cancel := context.WithTimeout(t.Context(), processTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, runattestPath, "sign", "--signing-config", "signing_config.json", "--identity-token", "token",
			"--timestamp-server", front.URL, "--bundle", ours, "run.json")
		cmd.Dir, cmd.Env = d.dir, d.env
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for front.Requests() == 0 && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		interrupted := time.Now()
		cancel()
		cmd.Wait()
		if code, took := cmd.ProcessState.ExitCode(), time.Since(interrupted); code != 3 || took > 5*time.Second {
			t.Errorf("exit status %d after %s, want 3 at once", code, took)
		}
	})
}
