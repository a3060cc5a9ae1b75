package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"
)

const startTimeout = time.Minute

// startProcess starts a server that prints one JSON object once it is ready, read into ready,
// and that ends with its standard input, which the end of the test closes.
func startProcess(t *testing.T, program string, ready any) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir, cmd.Env, cmd.WaitDelay = t.TempDir(), []string{"HOME=" + t.TempDir()}, time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, stdout := start(t, cmd)
	late := time.AfterFunc(startTimeout, cancel)
	t.Cleanup(func() {
		_ = stdin.Close() // the process may be gone
		patience := time.AfterFunc(10*time.Second, cancel)
		defer patience.Stop()
		defer cancel()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", program, err, &stderr)
		}
	})
	err := json.NewDecoder(stdout).Decode(ready)
	late.Stop()
	if err != nil {
		t.Fatalf("%s is not ready: %v", program, err)
	}
}
