package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// startMost are the bytes that one package of this module may allocate before main begins. Every command pays for them: what is
// compiled, indexed or parsed is so when it is first needed.
const startMost = 32 << 10

// tablesMost are those of package capture, whose tables are data.
const tablesMost = 512 << 10

// TestStart holds what the packages of this module do before main begins.
func TestStart(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &trace)
	}
	line := regexp.MustCompile(`(?m)^init github\.com/runattest/runattest/(\S+) .* ([0-9]+) bytes,`)
	found := line.FindAllSubmatch(trace.Bytes(), -1)
	if len(found) < 10 {
		t.Fatalf("%d packages of ours in the trace, want ten or more:\n%s", len(found), &trace)
	}
	for _, m := range found {
		most := startMost
		if string(m[1]) == "capture" {
			most = tablesMost
		}
		if n, err := strconv.Atoi(string(m[2])); err != nil || n > most {
			t.Errorf("%s allocates %s bytes before main begins, want %d at most", m[1], m[2], most)
		}
	}
}
