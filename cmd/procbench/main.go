//go:build unix

// Command procbench measures runattest as a whole process, as an orchestrator starts it:
// wall time and peak memory of signing and verifying one declaration of about 2 KB, and of the gate with
// a policy of ten rules, of signing for a program that goes on, and the size of the binary, beside cosign where the path has one.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const runs = 41

func main() {
	var err error
	switch {
	case len(os.Args) > 2 && os.Args[1] == "-plugins":
		err = measurePlugins(os.Args[2:])
	case len(os.Args) == 4 && os.Args[1] == "-beside":
		err = measureBeside(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "-installed":
		err = measureInstalled(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "-lines":
		err = measureLinesAlone(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "-answer":
		err = answer(os.Args[2])
	case len(os.Args) == 2:
		err = measure(os.Args[1])
	default:
		fmt.Fprintln(os.Stderr, "usage: procbench BINARY | procbench -beside OTHER BINARY | procbench -lines BINARY | procbench -installed DIST | procbench -plugins FILE...")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "procbench:", err)
		os.Exit(1)
	}
}

func measure(binary string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	dir, declaration, err := prepare()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	fmt.Printf("binary %.1f MB, declaration %d bytes, median of %d runs\n", float64(info.Size())/1e6, len(declaration), runs)
	for _, args := range [][]string{{"keygen", "--no-password"}, {"keygen", "-o", "encrypted"}} {
		if _, err := once(dir, binary, args...); err != nil {
			return err
		}
	}
	if _, err := report(dir, "runattest", "sign, key with a password", binary, "sign", "--key", "encrypted.key", "run.json"); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"sign", "--key", "runattest.key", "run.json"},
		{"verify", "--key", "runattest.pub", "run.json.sigstore.json"},
		{"id", "run.json"},
		{"--help"},
	} {
		if _, err := report(dir, "runattest", args[0], binary, args...); err != nil {
			return err
		}
	}
	if err := measureLines(dir, binary, declaration); err != nil {
		return err
	}
	if err := measureExec(dir, binary); err != nil {
		return err
	}
	return measureCosign(dir, binary)
}

// prepare makes a folder with the declaration that is measured, run.json, and a policy for it, policy.yaml.
func prepare() (dir string, declaration []byte, err error) {
	if declaration, err = os.ReadFile("testdata/declarations/openai-tools.json"); err != nil {
		return "", nil, fmt.Errorf("run it from the project's root: %w", err)
	}
	if dir, err = os.MkdirTemp("", "procbench"); err != nil {
		return "", nil, err
	}
	for name, text := range map[string][]byte{"run.json": declaration, "policy.yaml": []byte(tenRules)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	return dir, declaration, nil
}

// measureCosign verifies the same bundle with cosign, for the ratio.
func measureCosign(dir, binary string) error {
	cosign, err := exec.LookPath("cosign")
	if err != nil {
		cosign, err = filepath.Abs("e2e/bin/cosign")
		if err == nil {
			_, err = os.Stat(cosign)
		}
	}
	if err != nil {
		fmt.Println("cosign: not found on PATH nor in e2e/bin (make e2e installs it there): no comparison")
		return nil
	}
	canonical, err := exec.Command(binary, "canonicalize", "--declaration", filepath.Join(dir, "run.json")).Output()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "canonical"), canonical, 0o600); err != nil {
		return err
	}
	_, err = report(dir, "cosign", "verify-blob-attestation", cosign, "verify-blob-attestation", "--insecure-ignore-tlog=true", "--key", "runattest.pub",
		"--bundle", "run.json.sigstore.json", "--type", "https://github.com/runattest/runattest/run-identity/v1", "canonical")
	return err
}

type sample struct {
	wall time.Duration
	peak int64 // KiB
}

func once(dir, binary string, args ...string) (sample, error) {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "RUNATTEST_PASSWORD=secret")
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	if err != nil {
		return sample{}, fmt.Errorf("%s %v: %w\n%s", binary, args, err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, errors.New("no resource usage on this platform")
	}
	return sample{wall, usage.Maxrss}, nil
}

// times are those of a row.
type times struct{ least, median time.Duration }

// report prints a row.
func report(dir, name, what, binary string, args ...string) (times, error) {
	var walls []time.Duration
	var peaks []int64
	for i := range runs + 1 {
		s, err := once(dir, binary, args...)
		if err != nil {
			return times{}, err
		}
		if i > 0 { // the first warms the caches
			walls, peaks = append(walls, s.wall), append(peaks, s.peak)
		}
	}
	slices.Sort(walls)
	slices.Sort(peaks)
	fmt.Printf("%-10s %-26s %6.1f ms (min %.1f, max %.1f)  %5.1f MiB\n", name, what,
		ms(walls[runs/2]), ms(walls[0]), ms(walls[runs-1]), float64(peaks[runs/2])/1024)
	return times{walls[0], walls[runs/2]}, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
