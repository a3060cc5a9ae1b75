package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/testing/vectors"
)

// command runs a command line in this process.
func command(stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	root := newRoot()
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(&err)
	status = run(context.Background(), root, args)
	return status, out.String(), err.String()
}

// TestVectors puts every identity vector through the command line: id, lint, canonicalize,
// and sign with verify.
func TestVectors(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if status, _, stderr := command(nil, "keygen", "--no-password", "--algorithm", "ed25519", "-o", key); status != exitYes {
		t.Fatal(stderr)
	}
	for _, v := range vectors.Load(t, "identity/valid", "identity/invalid") {
		t.Run(v.Name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "declaration."+v.Header["format"])
			if err := os.WriteFile(file, v.Body, 0o600); err != nil {
				t.Fatal(err)
			}
			id, idOut, idErr := command(nil, "id", file)
			lint, lintOut, _ := command(nil, "lint", file)
			sign, signOut, _ := command(nil, "sign", "--key", key+".key", file)
			bundle := file + ".sigstore.json"
			if !v.IsValid() {
				if id != exitMalformed || idOut != "" || idErr == "" {
					t.Errorf("id: status %d, %s%s", id, idOut, idErr)
				}
				if len(v.Body) > 0 && (lint != exitNo || !strings.Contains(lintOut, "("+v.Header["expect"]+")")) {
					t.Errorf("lint: status %d, %s", lint, lintOut)
				}
				if _, err := os.Stat(bundle); sign != exitMalformed || signOut != "" || !os.IsNotExist(err) {
					t.Errorf("sign: status %d, %s, %v", sign, signOut, err)
				}
				return
			}
			if want := v.Header["id"] + "\n"; id != exitYes || idOut != want || signOut != want {
				t.Errorf("id: status %d, %s%s, sign %s, want %s", id, idOut, idErr, signOut, want)
			}
			if lint != exitYes {
				t.Errorf("lint: status %d, %s", lint, lintOut)
			}
			if _, out, stderr := command(nil, "canonicalize", "--declaration", file); out != v.Header["canonical"] {
				t.Errorf("canonicalize: %s%s", out, stderr)
			}
			verify, out, stderr := command(nil, "verify", "--key", key+".pub", "--identity", v.Header["id"], bundle)
			if verify != exitYes {
				t.Errorf("verify: status %d, %s%s", verify, out, stderr)
			}
		})
	}
}

// repeat is a stream of one text over and over, n bytes in all.
type repeat struct {
	text string
	n    int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), r.n)
	for i := range n {
		p[i] = r.text[(r.n-i)%len(r.text)]
	}
	r.n -= n
	return n, nil
}

// TestEndlessInput gives each command a gigabyte of nonsense on standard input: it stops at
// its cap, with exit status 2, soon and in bounded memory.
func TestEndlessInput(t *testing.T) {
	const limit = 600 << 20
	if os.Getenv("TEST_ENDLESS_INPUT") == "" { // a process of its own, since memory is counted by the process
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-test.run=^TestEndlessInput$")
		cmd.Env = append(os.Environ(), "TEST_ENDLESS_INPUT=1", fmt.Sprintf("GOMEMLIMIT=%d", limit))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	key := filepath.Join(t.TempDir(), "key")
	if status, _, stderr := command(nil, "keygen", "--no-password", "-o", key); status != exitYes {
		t.Fatal(stderr)
	}
	for _, text := range []string{"[", "{\"a\":", "- ", "\x00", "a: &a [*a]\n", "\n", "x"} {
		for _, args := range [][]string{
			{"id", "-"}, {"lint", "-"}, {"sign", "--key", key + ".key", "-"}, {"verify", "--key", key + ".pub", "-"}, {"inspect", "-"},
			{"graph", "--key", key + ".pub", "-"}, {"link", "verify", "--key", key + ".pub", "-"},
		} {
			start := time.Now()
			status, stdout, stderr := command(&repeat{text, 1 << 30}, args...)
			want, said := exitMalformed, stderr
			if args[0] == "lint" && status == exitNo { // it was read whole, and lint's result is what is wrong
				want, said = exitNo, stdout
			}
			if status != want || said == "" {
				t.Errorf("%q of %q: status %d, %.200s%.200s", args[0], text, status, stdout, stderr)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("%q of %q took %v", args[0], text, took)
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 2*limit {
		t.Errorf("%d MiB of memory", m.Sys>>20)
	}
}
