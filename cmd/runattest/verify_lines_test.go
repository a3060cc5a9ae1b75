package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// TestVerifyLinesAnswers holds a conversation: no line is written before the answer to the one before it has ended. A policy
// decides as of each line, not as of the start.
func TestVerifyLinesAnswers(t *testing.T) {
	t.Chdir(t.TempDir())
	end := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	now := end.Add(-time.Hour)
	usual := clock
	t.Cleanup(func() { clock = usual })
	clock = func() time.Time { return now }
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
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	args := []string{"verify", "--policy", "policy.yaml", "--jsonl", "--format", "json", "-"}
	root := newRoot(args...)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(io.Discard)
	ended := make(chan int)
	go func() { ended <- run(t.Context(), root, args); out.Close() }()
	read := bufio.NewReader(answers)
	for i, c := range []struct {
		line   string
		now    time.Time
		status int
	}{
		{`"run.json.sigstore.json"`, end.Add(-time.Minute), exitYes}, {"", end, exitMalformed},
		{`"run.json.sigstore.json"`, end.Add(time.Minute), exitNo}, {strings.Repeat("x", limits.Bundle+1), end, exitMalformed},
		{`"run.json.sigstore.json"`, end.Add(-time.Minute), exitYes},
	} {
		now = c.now
		go func() { _, _ = io.WriteString(ask, c.line+"\n") }()
		for ended := false; !ended; {
			text, err := read.ReadBytes('\n')
			got := struct {
				Line     int
				Verified *bool
				Status   *int
			}{}
			if err == nil {
				err = json.Unmarshal(text, &got)
			}
			if ended = got.Status != nil; err != nil || got.Line != i+1 ||
				ended && *got.Status != c.status || !ended && (got.Verified == nil || *got.Verified != (c.status == exitYes)) {
				t.Fatalf("line %d: %v, %.300s", i+1, err, text)
			}
		}
	}
	ask.Close()
	if status := <-ended; status != exitMalformed {
		t.Errorf("status %d", status)
	}
}

const policyUntilJune = `schema: https://github.com/runattest/runattest/policy/v1
signers: {keys: [{name: ci, key: runattest.pub}]}
rules: [{name: until-june, expr: 'now < timestamp("2026-06-01T00:00:00Z")'}]
`
