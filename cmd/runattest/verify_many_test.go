package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestVerifyMany verifies bundles at once, and answers in their order; with --fail-fast up to the first that is not verified.
func TestVerifyMany(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	t.Chdir(t.TempDir())
	if status, _, stderr := command(nil, "keygen", "--algorithm", "ed25519", "--no-password", "-o", "k"); status != exitYes {
		t.Fatal(stderr)
	}
	const runs, bad = 60, 17
	var declarations bytes.Buffer
	for i := range runs {
		fmt.Fprintln(&declarations, strings.Replace(smallest, `"m"`, fmt.Sprintf(`"m%d"`, i), 1))
	}
	status, bundles, stderr := command(&declarations, "sign", "--key", "k.key", "--jsonl", "-")
	if status != exitYes {
		t.Fatal(stderr)
	}
	lines := strings.SplitAfter(bundles, "\n")
	lines[bad-1] = strings.Replace(lines[bad-1], `"sig":"`, `"sig":"AAAA`, 1)
	var want, wantFast []string
	for i := range runs {
		verdict := "verified"
		if i+1 == bad {
			verdict = "NOT VERIFIED"
		}
		want = append(want, fmt.Sprintf("all.sigstore.jsonl:%d: %s", i+1, verdict))
	}
	wantFast = want[:bad]
	for name, text := range map[string]string{"all.sigstore.jsonl": strings.Join(lines, ""), "one.sigstore.json": lines[0]} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want = append(want, "one.sigstore.json: verified")
	for _, c := range []struct {
		args, want []string
		said       string
	}{
		{nil, want, "60 of 61 verified"},
		{[]string{"--fail-fast"}, wantFast, "stopped at the first that is not verified"},
	} {
		status, stdout, stderr := command(nil, append(append([]string{"verify", "--key", "k.pub"}, c.args...), "all.sigstore.jsonl", "one.sigstore.json")...)
		var got []string
		for line := range strings.Lines(stdout) {
			if !strings.HasPrefix(line, " ") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		if status != exitNo || strings.Join(got, "\n") != strings.Join(c.want, "\n") || !strings.Contains(stderr, c.said) {
			t.Errorf("%q: status %d, %s\n%s\nwant\n%s", c.args, status, stderr, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if status, _, stderr := command(nil, "verify", "--key", "k.pub", "--fail-fast", "one.sigstore.json", "one.sigstore.json"); status != exitYes || !strings.Contains(stderr, "2 of 2") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if status, _, stderr := command(nil, "verify", "--key", "k.pub", "--jsonl", "--format", "json", "--fail-fast", "-"); status != exitMalformed || !strings.Contains(stderr, "want one of them") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
