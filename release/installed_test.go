package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// tool is the path of a program that these tests need, without which they are skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil || hostTarget() != built[0] {
		t.Skipf("wants %s on %s: %v", name, built[0], err)
	}
	return path
}

// writeProgram writes an executable file.
func writeProgram(t *testing.T, path string, data []byte) {
	t.Helper()
	writeFile(t, path, string(data))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

// older writes the program of the release before.
func older(t *testing.T, path string) {
	t.Helper()
	files, err := unpack(built[0], "runattest_0.0.9_linux_amd64", made.old["runattest_0.0.9_linux_amd64.tar.gz"])
	if err != nil {
		t.Fatal(err)
	}
	writeProgram(t, path, files["runattest"])
}

// site lays the files of the wheel out as pip install --target does: the program is in bin beside the package, and RECORD
// says that it is two folders above.
func site(t *testing.T) (dir string) {
	t.Helper()
	_, wheel, _, _ := contents(t)
	dir = filepath.Join(t.TempDir(), "a b", "c", "site")
	const script = "runattest-0.1.0.data/scripts/runattest"
	for name, data := range wheel {
		if name != script {
			writeFile(t, filepath.Join(dir, name), string(data))
		}
	}
	list := filepath.Join(dir, "runattest-0.1.0.dist-info", "RECORD")
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, list, strings.Replace(string(data), script, "../../bin/runattest", 1))
	writeProgram(t, filepath.Join(dir, "bin", "runattest"), wheel[script])
	return dir
}

func TestPythonProgram(t *testing.T) {
	python := tool(t, "python3")
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string) (chosen string)
		path   string // below dir
		refuse string
	}{
		"beside the package": {func(*testing.T, string) string { return "" }, "bin/runattest", ""},
		"a decoy where RECORD points": {func(t *testing.T, dir string) string {
			older(t, filepath.Join(dir, "../../bin/runattest"))
			return ""
		}, "bin/runattest", ""},
		"where RECORD points": {func(t *testing.T, dir string) string {
			if err := os.MkdirAll(filepath.Join(dir, "../../bin"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "bin/runattest"), filepath.Join(dir, "../../bin/runattest")); err != nil {
				t.Fatal(err)
			}
			return ""
		}, "../../bin/runattest", ""},
		"missing, and a decoy": {func(t *testing.T, dir string) string {
			older(t, filepath.Join(dir, "../../bin/runattest"))
			if err := os.Remove(filepath.Join(dir, "bin/runattest")); err != nil {
				t.Fatal(err)
			}
			return ""
		}, "", "bin/runattest: is another program"},
		"missing": {func(t *testing.T, dir string) string {
			if err := os.Remove(filepath.Join(dir, "bin/runattest")); err != nil {
				t.Fatal(err)
			}
			return ""
		}, "", "bin/runattest: no such file or directory"},
		"another version": {func(t *testing.T, dir string) string { older(t, filepath.Join(dir, "bin/runattest")); return "" }, "", "bin/runattest: is another program"},
		"not executable":  {func(t *testing.T, dir string) string { chmod(t, filepath.Join(dir, "bin/runattest"), 0o644); return "" }, "", "bin/runattest: is not executable"},
		"chosen":          {func(_ *testing.T, dir string) string { return filepath.Join(dir, "bin/../bin/runattest") }, "bin/runattest", ""},
		"chosen, a script that starts this package": {func(t *testing.T, dir string) string {
			writeProgram(t, dir+"/x", []byte("#!/bin/sh\nexec "+python+" -s -B -m runattest \"$@\"\n"))
			return dir + "/x"
		}, "x", ""},
		"chosen, missing": {func(_ *testing.T, dir string) string { return filepath.Join(dir, "x") }, "", "RUNATTEST_BIN: DIR/x: no such file"},
		"chosen, older":   {func(t *testing.T, dir string) string { older(t, dir+"/x"); return dir + "/x" }, "", "RUNATTEST_BIN: DIR/x: is v0.0.9, want v0.1.0"},
		"chosen, not executable": {func(t *testing.T, dir string) string {
			older(t, dir+"/x")
			chmod(t, dir+"/x", 0o644)
			return dir + "/x"
		}, "", "RUNATTEST_BIN: DIR/x: permission denied"},
		"chosen, another tool": {func(*testing.T, string) string { return "/bin/true" }, "", "RUNATTEST_BIN: /bin/true: is not a runattest"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := site(t)
			chosen := c.change(t, dir)
			run := func(args ...string) (string, string, error) {
				cmd := exec.Command(python, append([]string{"-s", "-B"}, args...)...)
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PYTHONPATH=" + dir, "RUNATTEST_BIN=" + chosen}
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				err := cmd.Run()
				return strings.TrimSpace(stdout.String()), strings.ReplaceAll(stderr.String(), dir, "DIR"), err
			}
			if c.refuse != "" {
				_, message, err := run("-m", "runattest", "exit", "5")
				if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(message, c.refuse) || !strings.Contains(message, "\nhint: ") {
					t.Errorf("%v: %s: want %q, a hint, and exit status 3", err, message, c.refuse)
				}
				return
			}
			out, message, err := run("-c", "import runattest; print(runattest.program())")
			if want := filepath.Join(dir, c.path); err != nil || out != want {
				t.Errorf("%v: %s: got %q, want %q", err, message, out, want)
			}
			_, _, err = run("-m", "runattest", "exit", "5")
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 5 {
				t.Errorf("python -m runattest exit 5: %v", err)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// nodeModules lays the npm packages out as npm does.
func nodeModules(t *testing.T) (dir string) {
	t.Helper()
	_, _, npm, main := contents(t)
	dir = filepath.Join(t.TempDir(), "a b", "node_modules")
	for name, data := range main {
		writeFile(t, filepath.Join(dir, "runattest", name), string(data))
	}
	for name, data := range npm {
		writeFile(t, filepath.Join(dir, "@runattest/linux-x64", name), string(data))
	}
	chmod(t, filepath.Join(dir, "@runattest/linux-x64/bin/runattest"), 0o755)
	return dir
}

func launcher(t *testing.T, dir, chosen string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(tool(t, "node"), append([]string{filepath.Join(dir, "runattest/bin/runattest.js")}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "RUNATTEST_BIN=" + chosen}
	return cmd
}

func TestLauncher(t *testing.T) {
	const platform = "@runattest/linux-x64"
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string) (chosen string)
		refuse string
	}{
		"installed": {func(*testing.T, string) string { return "" }, ""},
		"chosen":    {func(_ *testing.T, dir string) string { return filepath.Join(dir, platform, "bin/runattest") }, ""},
		"chosen, this launcher": {func(t *testing.T, dir string) string {
			chmod(t, filepath.Join(dir, "runattest/bin/runattest.js"), 0o755)
			return filepath.Join(dir, "runattest/bin/runattest.js")
		}, ""},
		"platform package missing": {func(t *testing.T, dir string) string {
			if err := os.RemoveAll(filepath.Join(dir, platform)); err != nil {
				t.Fatal(err)
			}
			return ""
		}, "the package " + platform + ", which has the program for this system, is not installed"},
		"platform package of another version": {func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, platform, "package.json"), `{"version":"0.0.9"}`)
			return ""
		}, "the package " + platform + " is version 0.0.9, want 0.1.0"},
		"program not executable": {func(t *testing.T, dir string) string {
			chmod(t, filepath.Join(dir, platform, "bin/runattest"), 0o644)
			return ""
		}, "bin/runattest: is not executable"},
		"program missing": {func(t *testing.T, dir string) string {
			if err := os.Remove(filepath.Join(dir, platform, "bin/runattest")); err != nil {
				t.Fatal(err)
			}
			return ""
		}, "bin/runattest: is not there"},
		"system without a package": {func(t *testing.T, dir string) string {
			name := filepath.Join(dir, "runattest/package.json")
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, name, strings.Replace(string(data), platform, "@runattest/linux-s390x", 1))
			return ""
		}, "there is no program for linux-x64"},
		"chosen, missing": {func(_ *testing.T, dir string) string { return dir + "/x" }, "RUNATTEST_BIN: DIR/x: is not there"},
		"chosen, not executable": {func(t *testing.T, dir string) string {
			older(t, dir+"/x")
			chmod(t, dir+"/x", 0o644)
			return dir + "/x"
		}, "RUNATTEST_BIN: DIR/x: is not executable"},
		"chosen, older":        {func(t *testing.T, dir string) string { older(t, dir+"/x"); return dir + "/x" }, "RUNATTEST_BIN: DIR/x: is v0.0.9, want v0.1.0"},
		"chosen, another tool": {func(*testing.T, string) string { return "/bin/true" }, "RUNATTEST_BIN: /bin/true: is not a runattest"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := nodeModules(t)
			cmd := launcher(t, dir, c.change(t, dir), "exit", "5")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			message, status := strings.ReplaceAll(stderr.String(), dir, "DIR"), 5
			if c.refuse != "" {
				status = 3
			}
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != status || !strings.Contains(message, c.refuse) {
				t.Errorf("%v: %s: want %q and exit status %d", err, message, c.refuse, status)
			}
			if c.refuse != "" && !strings.Contains(message, "\nhint: ") {
				t.Errorf("%s: has no hint", message)
			}
		})
	}
}

// TestLauncherSignals: the program gets the launcher's signals and decides how it ends; the launcher ends in the same way.
func TestLauncherSignals(t *testing.T) {
	dir := nodeModules(t)
	for _, c := range []struct {
		send     syscall.Signal
		program  bool // the signal goes to the program
		status   int
		signaled syscall.Signal
	}{{syscall.SIGTERM, false, 7, 0}, {syscall.SIGINT, false, 7, 0}, {syscall.SIGKILL, true, -1, syscall.SIGKILL}, {syscall.SIGHUP, false, -1, syscall.SIGHUP}} {
		cmd := launcher(t, dir, "", "drain")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		to := cmd.Process.Pid
		if c.program {
			if to, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Kill(to, c.send); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		state := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if state.ExitStatus() != c.status || c.signaled != 0 && state.Signal() != c.signaled {
			t.Errorf("%v: exit status %d, signal %v; want %d, %v", c.send, state.ExitStatus(), state.Signal(), c.status, c.signaled)
		}
	}
}
