package runset

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

const mostMemory = 64 << 20 // of a process, in bytes

// A process that signs a set, verifies it or proves all of its runs stays under 64 MiB, however large the set is: here one run
// of 20 KB 3,500 times, and 10^6 runs of a kilobyte with RUNSET_RUNS=1000000.
func TestMemoryOfProcess(t *testing.T) {
	if step := os.Getenv("RUNSET_STEP"); step != "" {
		inProcess(t, step)
		if err := os.WriteFile(os.Getenv("RUNSET_FILE")+".memory", []byte(strconv.Itoa(ownPeak(t))), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	file := filepath.Join(t.TempDir(), "set")
	for _, step := range []string{"sign", "verify", "prove"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryOfProcess$", "-test.timeout=2h")
		cmd.Env = append(os.Environ(), "RUNSET_STEP="+step, "RUNSET_FILE="+file, "GOMEMLIMIT=40MiB") // what is needed
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", step, err, out)
		}
		text, err := os.ReadFile(file + ".memory")
		if err != nil {
			t.Fatal(err)
		}
		most, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d KiB, %v", step, most>>10, cmd.ProcessState.UserTime())
		if most < 1<<20 || most > mostMemory {
			t.Errorf("%s takes %d bytes, want at most %d", step, most, mostMemory)
		}
	}
}

// ownPeak is the most memory, in bytes, that this process took since its program was started: getrusage counts what its parent had
// then, too.
func ownPeak(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kib int
	if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// inProcess does one step, and leaves the key beside the set.
func inProcess(t *testing.T, step string) {
	path, runs, size := os.Getenv("RUNSET_FILE"), 3_500, 20_000
	if text := os.Getenv("RUNSET_RUNS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		runs, size = n, 500
	}
	if step == "sign" {
		signLarge(t, path, runs, strings.Repeat("x", size))
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	set, err := Open(f)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.TrustKeyFiles(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	if step == "verify" {
		if r, err := Verify(ctx, verifier, set, VerifyOptions{}); err != nil || !r.Verified || r.Head.Size != uint64(runs) {
			t.Fatal(r, err)
		}
		return
	}
	n := 0
	for _, err := range set.Proofs(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != runs {
		t.Fatalf("%d proofs of %d runs", n, runs)
	}
}

func signLarge(t *testing.T, path string, runs int, pad string) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".pub", pair.Public, 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := signer.Parse(pair.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	statements := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			var one *attest.Statement
			for i := range runs {
				if one != nil && len(pad) > 1_000 { // to make each would take too long
					if !yield(one, nil) {
						return
					}
					continue
				}
				d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"other","model":{"name":"m"},"prompt":{"text":%q},"parameters":{"seed":%d},"context":[],"constraints":{}}`, identity.Schema, pad, i))
				if err != nil {
					yield(nil, err)
					return
				}
				if one, err = attest.New(d, attest.StatementOptions{}); !yield(one, err) {
					return
				}
			}
		}
	}
	_, err = Write(ctx, io.Writer(w), statements, WriteOptions{Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, key, attest.SignOptions{})
	}})
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}
