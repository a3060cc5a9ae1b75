//go:build unix

package gate

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// TestIgnoredSignals: what a shell has the gate ignore, its command ignores, though the gate itself asks for the signal.
func TestIgnoredSignals(t *testing.T) {
	if os.Getenv("GATE_EXEC") != "" {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGHUP)
		t.Fatal(replaceProcess("/bin/sh", []string{"sh", "-c", "kill -INT $$; kill -HUP $$; exit 7"}, os.Environ()))
	}
	for script, want := range map[string]int{`trap '' INT HUP; exec "$0" "$@"`: 7, `exec "$0" "$@"`: -1} {
		cmd := exec.Command("/bin/sh", "-c", script, os.Args[0], "-test.run=^TestIgnoredSignals$")
		cmd.Env = append(os.Environ(), "GATE_EXEC=1")
		_ = cmd.Run() // its status is what it ends with
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit status %d, want %d", script, got, want)
		}
	}
}
