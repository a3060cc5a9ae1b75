package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestSignMemory signs declarations of 100 MB in all in memory that does not grow with their number: those of a file, and lines that
// are answered. TEST_SIGN_MEMORY=20000 signs 2 GB, in each way that takes many, which takes minutes. GOMEMLIMIT makes what is
// counted what is needed, whatever the machine has to do.
func TestSignMemory(t *testing.T) {
	const limit = 112 << 20
	many := os.Getenv("TEST_SIGN_MEMORY")
	if os.Getenv("TEST_SIGN_MEMORY_MODE") == "" { // processes of their own, since memory is counted by the process
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		modes := []string{"file", "lines"}
		if many != "" {
			modes = append(modes, "files", "set", "stdout")
		}
		for _, mode := range modes {
			t.Run(mode, func(t *testing.T) {
				cmd := exec.Command(program, "-test.run=^TestSignMemory$")
				cmd.Env = append(os.Environ(), "TEST_SIGN_MEMORY_MODE="+mode, "GOMAXPROCS=2", "GOMEMLIMIT=48MiB")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
		return
	}
	runs := 1000
	if many != "" {
		var err error
		if runs, err = strconv.Atoi(many); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	if status, _, stderr := command(nil, "keygen", "--no-password", "-o", "k"); status != exitYes {
		t.Fatal(stderr)
	}
	args := []string{"sign", "--key", "k.key"}
	switch mode := os.Getenv("TEST_SIGN_MEMORY_MODE"); mode {
	case "file":
		args = append(args, writeRuns(t, runs, "runs.jsonl"))
	case "files":
		for i := range runs {
			name := fmt.Sprintf("%d.json", i)
			if err := os.WriteFile(name, longRun(i), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, name)
		}
	case "lines":
		args = append(args, "--jsonl", "-")
	case "set":
		args = append(args, "--set", "runs.runset.jsonl", writeRuns(t, runs, "runs.jsonl"))
	case "stdout":
		args = append(args, "--bundle", "-", "--format", "json", writeRuns(t, runs, "runs.jsonl"))
	}
	root := newRoot(args...)
	root.SetIn(&manyRuns{runs: runs})
	var errors bytes.Buffer
	root.SetOut(io.Discard)
	root.SetErr(&errors)
	if status := run(t.Context(), root, args); status != exitYes {
		t.Fatalf("status %d, %.300s", status, &errors)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d MiB", m.Sys>>20)
	if m.Sys > limit {
		t.Errorf("%d MiB of memory, want at most %d", m.Sys>>20, limit>>20)
	}
}

// longRun is a declaration of 100 KB.
func longRun(i int) []byte {
	return fmt.Appendf(nil, `%s,"extensions":{"urn:x":"%d%s"}}`, strings.TrimSuffix(smallest, "}"), i, strings.Repeat("x", 100_000))
}

func writeRuns(t *testing.T, runs int, name string) string {
	t.Helper()
	f, err := os.Create(name)
	if err == nil {
		_, err = io.Copy(f, &manyRuns{runs: runs})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// manyRuns are declarations as JSON Lines.
type manyRuns struct {
	runs, given int
	rest        []byte
}

func (m *manyRuns) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		if m.given == m.runs {
			return 0, io.EOF
		}
		m.rest = append(longRun(m.given), '\n')
		m.given++
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}
