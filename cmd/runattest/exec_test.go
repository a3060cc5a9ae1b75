package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/internal/loader"
)

// inProcess is one call of the command line.
func inProcess(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	root := newRoot(args...)
	var out, err bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&err)
	status = run(t.Context(), root, args)
	return status, out.String(), err.String()
}

// TestDecisionEnds: what was allowed when the hashing of files began may have ended when it is done.
func TestDecisionEnds(t *testing.T) {
	t.Chdir(t.TempDir())
	begin := time.Date(2026, 5, 31, 23, 0, 0, 0, time.UTC)
	var passed time.Duration // between one look at the clock and the next
	looks := 0
	usual := clock
	t.Cleanup(func() { clock = usual })
	clock = func() time.Time { looks++; return begin.Add(time.Duration(looks) * passed) }
	command := func(args ...string) (status int, stderr string) {
		looks = 0
		status, _, stderr = inProcess(t, args...)
		return status, stderr
	}
	for name, text := range map[string]string{
		"run.json": `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`,
		"policy.yaml": "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: ci, key: runattest.pub}]}\n" +
			"rules: [{name: may, expr: 'now < timestamp(\"2026-06-01T00:00:00Z\")'}]\n",
	} {
		if err := os.WriteFile(filepath.Join(".", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"keygen", "--no-password"}, {"sign", "--key", "runattest.key", "run.json"}} {
		if status, stderr := command(args...); status != exitYes {
			t.Fatalf("%v: %d %s", args, status, stderr)
		}
	}
	gate := []string{"exec", "--dry-run", "--policy", "policy.yaml", "--bundle", "run.json.sigstore.json"}
	for _, c := range []struct {
		passed time.Duration
		flags  []string
		want   int
	}{
		{0, nil, exitYes},
		{10 * time.Minute, nil, exitYes},
		{40 * time.Minute, nil, exitNo},
		{40 * time.Minute, []string{"--at", "2026-05-31T23:00:00Z"}, exitYes},
	} {
		passed = c.passed
		status, stderr := command(append(append(gate, c.flags...), "--", "true")...)
		if status != c.want || status == exitNo && !strings.Contains(stderr, "not executed: policy: denied by may: ") {
			t.Errorf("%v %v: status %d, want %d: %s", c.passed, c.flags, status, c.want, stderr)
		}
	}
}

// TestInterruptedGate: what is interrupted once everything was checked does not start. The command is one that no system
// executes, which would be the reason otherwise.
func TestInterruptedGate(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"run.json":    `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`,
		"policy.yaml": "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: ci, key: runattest.pub}]}\n",
		"broken":      "no program\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"keygen", "--no-password"}, {"sign", "--key", "runattest.key", "run.json"}} {
		if status, _, stderr := inProcess(t, args...); status != exitYes {
			t.Fatalf("%v: %d %s", args, status, stderr)
		}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	usual, looks := clock, 0
	t.Cleanup(func() { clock = usual })
	clock = func() time.Time {
		if looks++; looks == 3 { // behind the files
			interrupt()
		}
		return usual()
	}
	args := []string{"exec", "--policy", "policy.yaml", "--bundle", "run.json.sigstore.json", "--", "./broken"}
	root := newRoot(args...)
	var stderr bytes.Buffer
	root.SetErr(&stderr)
	if status := run(ctx, root, args); status != exitNo || looks != 3 || !strings.Contains(stderr.String(), "not executed: interrupted") {
		t.Errorf("status %d, the clock was asked %d times: %s", status, looks, &stderr)
	}
}

// TestDynamicallyLinked: a gate that the loader's variables can change executes nothing and allows nothing.
func TestDynamicallyLinked(t *testing.T) {
	usual := loader.Check
	t.Cleanup(func() { loader.Check = usual })
	loader.Check = func() error { return gate.ErrLoader }
	for _, flags := range [][]string{nil, {"--dry-run"}, {"--format", "json"}} {
		log := filepath.Join(t.TempDir(), "log")
		args := append(append([]string{"exec", "--policy", "p", "--bundle", "b", "--decision-log", log}, flags...), "--", "true")
		status, stdout, stderr := inProcess(t, args...)
		line, err := os.ReadFile(log)
		if err != nil || !strings.Contains(string(line), `"allowed":false`) {
			t.Errorf("%v: in the log %q, %v", flags, line, err)
		}
		if status != exitNo || strings.Contains(stdout, "true,") || !strings.Contains(stderr, "not executed: the environment could make this build of the program load other code") ||
			!strings.Contains(stderr, "hint: CGO_ENABLED=0 go install ") {
			t.Errorf("%v: status %d: %s%s", flags, status, stdout, stderr)
		}
	}
}

// TestRejectedMeanwhile: a rejection that is attached while files are hashed counts, wherever --approvals finds it.
func TestRejectedMeanwhile(t *testing.T) {
	t.Chdir(t.TempDir())
	usual := clock
	t.Cleanup(func() { clock = usual })
	if err := writeLayout("l"); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) (int, string) {
		status, _, stderr := inProcess(t, args...)
		return status, stderr
	}
	for name, text := range map[string]string{
		"run.json":    `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`,
		"policy.yaml": "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: ci, key: runattest.pub}]}\napprovals: {required: 0, approvers: [{name: bob, keys: [{key: bob.pub}]}]}\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"keygen", "--no-password"}, {"keygen", "--no-password", "-o", "bob"},
		{"sign", "--key", "runattest.key", "--attach", "oci-layout://l:v1", "run.json"},
		{"push", "oci-layout://l", "run.json.sigstore.json"},
	} {
		if status, stderr := command(args...); status != exitYes {
			t.Fatalf("%v: %d %s", args, status, stderr)
		}
	}
	_ = os.Rename("run.json.sigstore.json", "b.sigstore.json")
	looks, now := 0, usual()
	clock = func() time.Time {
		if looks++; looks == 2 {
			if status, stderr := command("approve", "--key", "bob.key", "--decision", "rejected", "--reason", "no", "--bundle", "no.json", "b.sigstore.json"); status != exitYes {
				t.Fatal(stderr)
			}
			if status, stderr := command("push", "oci-layout://l", "no.json"); status != exitYes {
				t.Fatal(stderr)
			}
			now = now.Add(time.Minute)
		}
		return now
	}
	_, id, _ := inProcess(t, "id", "run.json")
	looks = 0
	ref := "oci-layout://l@" + strings.TrimSpace(id)
	status, stderr := command("exec", "--dry-run", "--policy", "policy.yaml", "--approvals", ref, "--bundle", "b.sigstore.json", "--", "true")
	if status != exitNo || !strings.Contains(stderr, "rejected by bob") {
		t.Errorf("%d: %s", status, stderr)
	}
}
