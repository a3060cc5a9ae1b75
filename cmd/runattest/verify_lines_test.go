package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// TestVerifyLinesAnswers holds a conversation: no line is written before the answer to the one before it has ended. A policy
// decides as of each line, not as of the start.
func TestVerifyLinesAnswers(t *testing.T) {
	t.Chdir(t.TempDir())
	end := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	var now atomic.Int64
	usual := clock
	t.Cleanup(func() { clock = usual })
	clock = func() time.Time { return time.Unix(now.Load(), 0) }
	for name, text := range map[string]string{"run.json": smallest, "policy.yaml": policyUntilJune} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"keygen", "--no-password"}, {"sign", "--key", "runattest.key", "run.json"}} {
		if status, _, stderr := inProcess(t, args...); status != exitYes {
			t.Fatal(stderr)
		}
	}
	talk := startVerifyLines(t, "--policy", "policy.yaml")
	for _, c := range []struct {
		line   string
		now    time.Time
		status int
	}{
		{`"run.json.sigstore.json"`, end.Add(-time.Minute), exitYes}, {"", end, exitMalformed},
		{`"run.json.sigstore.json"`, end.Add(time.Minute), exitNo}, {strings.Repeat("x", limits.Bundle+1), end, exitMalformed},
		{`"run.json.sigstore.json"`, end.Add(-time.Minute), exitYes},
	} {
		now.Store(c.now.Unix())
		talk.answers(c.line, c.status)
	}
	if status := talk.end(); status != exitMalformed {
		t.Errorf("status %d", status)
	}
}

// verifyLines is a running verify --jsonl.
type verifyLines struct {
	t     *testing.T
	ask   *io.PipeWriter
	read  *bufio.Reader
	asked int
	ended chan int
}

func startVerifyLines(t *testing.T, args ...string) *verifyLines {
	t.Helper()
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	args = append(append([]string{"verify"}, args...), "--jsonl", "--format", "json", "-")
	root := newRoot(args...)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(io.Discard)
	v := &verifyLines{t, ask, bufio.NewReader(answers), 0, make(chan int)}
	go func() { v.ended <- run(t.Context(), root, args); out.Close() }()
	return v
}

// answers asks for a line, and reads its answer to the end.
func (v *verifyLines) answers(line string, status int) {
	v.t.Helper()
	v.asked++
	go func() { _, _ = io.WriteString(v.ask, line+"\n") }()
	for ended := false; !ended; {
		text, err := v.read.ReadBytes('\n')
		got := struct {
			Line     int
			Verified *bool
			Status   *int
		}{}
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if ended = got.Status != nil; err != nil || got.Line != v.asked ||
			ended && *got.Status != status || !ended && (got.Verified == nil || *got.Verified != (status == exitYes)) {
			v.t.Fatalf("line %d: %v, %.300s", v.asked, err, text)
		}
	}
}

func (v *verifyLines) end() (status int) {
	v.ask.Close()
	return <-v.ended
}

// A rejection that is attached between two lines counts for the second.
func TestVerifyLinesRejected(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"run.json": smallest, "policy.yaml": policyOfAlice} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := func(args ...string) string {
		t.Helper()
		status, stdout, stderr := inProcess(t, args...)
		if status != exitYes {
			t.Fatalf("%v: %s", args, stderr)
		}
		return string(stdout)
	}
	command("keygen", "--no-password")
	command("keygen", "--no-password", "-o", "alice")
	command("sign", "--key", "runattest.key", "run.json")
	command("push", "oci-layout://runs", "run.json.sigstore.json")
	id, _, _ := strings.Cut(strings.TrimSpace(command("id", "run.json")), " ")
	decide := func(decision string) {
		t.Helper()
		command("approve", "--key", "alice.key", "--decision", decision, "--reason", "so", "--bundle", decision+".json", "run.json.sigstore.json")
		command("attach", "oci-layout://runs@"+id, decision+".json")
	}
	decide("approved")
	talk := startVerifyLines(t, "--policy", "policy.yaml", "--approvals", "oci-layout://runs@"+id)
	talk.answers(`"run.json.sigstore.json"`, exitYes)
	decide("rejected")
	talk.answers(`"run.json.sigstore.json"`, exitNo)
	if status := talk.end(); status != exitNo {
		t.Errorf("status %d", status)
	}
}

const policyOfAlice = `schema: https://github.com/runattest/runattest/policy/v1
signers: {keys: [{name: ci, key: runattest.pub}]}
approvals: {required: 1, evidence: none, approvers: [{name: alice, keys: [{key: alice.pub}]}]}
`

const policyUntilJune = `schema: https://github.com/runattest/runattest/policy/v1
signers: {keys: [{name: ci, key: runattest.pub}]}
rules: [{name: until-june, expr: 'now < timestamp("2026-06-01T00:00:00Z")'}]
`
