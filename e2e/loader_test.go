package e2e

import (
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoader: a binary from `go install` on a machine with a C compiler can be made to run other code through its
// environment, and so is not a gate. A binary from make build cannot.
func TestLoader(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler, so that no build is dynamically linked")
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	source := write("preload.c", "#include <unistd.h>\n__attribute__((constructor)) static void loaded(void) { (void)!write(2, \"LOADED\\n\", 7); }\n")
	library, dynamic := filepath.Join(dir, "preload.so"), filepath.Join(dir, "runattest")
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-o", library, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	build := exec.Command("go", "build", "-o", dynamic, "./cmd/runattest")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write("run.json", `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`)
	write("policy.yaml", "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: ci, key: runattest.pub}]}\n")
	call := func(program string, args ...string) (string, error) {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "LD_PRELOAD="+library)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, args := range [][]string{{"keygen", "--no-password"}, {"sign", "--key", "runattest.key", "run.json"}} {
		if out, err := call(runattestPath, args...); err != nil || strings.Contains(out, "LOADED") {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	gate := []string{"exec", "--policy", "policy.yaml", "--bundle", "run.json.sigstore.json", "--", "/bin/echo", "STARTED"}
	if out, err := call(runattestPath, gate...); err != nil || !strings.Contains(out, "STARTED") {
		t.Errorf("static: %v\n%s", err, out)
	}
	out, err := call(dynamic, gate...)
	if err == nil || strings.Contains(out, "STARTED") || !strings.Contains(out, "LOADED") || !strings.Contains(out, "not executed: the environment could make this build of the program load other code: it is dynamically linked") {
		t.Errorf("dynamically linked: %v\n%s", err, out)
	}
	loader := append([]string{dynamic}, gate...) // the loader as the program: the kernel sees no interpreter
	out, err = call(interpreter(t, dynamic), loader...)
	if err == nil || strings.Contains(out, "STARTED") || !strings.Contains(out, "LOADED") || !strings.Contains(out, "not executed: the environment could make this build of the program load other code: it is dynamically linked") {
		t.Errorf("started by the loader: %v\n%s", err, out)
	}
	if out, err := exec.Command(cc, "-static", "-o", filepath.Join(dir, "static"), write("main.c", "int main(void) { return 0; }\n")).CombinedOutput(); err != nil {
		t.Logf("no static C library, so that no build has one in it: %v\n%s", err, out)
		return
	}
	for _, flags := range [][]string{{"-static"}, {"-static-pie", "-buildmode=pie"}} { // what such a C library looks up, it loads others for
		static := filepath.Join(dir, "runattest"+flags[0])
		build := exec.Command("go", append(append([]string{"build", "-o", static, "-ldflags=-linkmode external -extldflags " + flags[0]}, flags[1:]...), "./cmd/runattest")...)
		build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=1")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out, err := call(static, gate...)
		if err == nil || strings.Contains(out, "STARTED") || !strings.Contains(out, "C code in it (cgo)") {
			t.Errorf("%v: %v\n%s", flags, err, out)
		}
	}
}

// interpreter is the dynamic loader that a program names.
func interpreter(t *testing.T, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name, err := io.ReadAll(p.Open())
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimRight(string(name), "\x00")
		}
	}
	t.Fatalf("%s names no dynamic loader", path)
	return ""
}
