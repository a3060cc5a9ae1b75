package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/runattest/runattest/internal/loader"
)

func TestMain(m *testing.M) {
	loader.Check = func() error { return nil } // a test's program is linked as go test likes
	testscript.Main(m, map[string]func(){"runattest": main, "sigstore-kms-local": localPlugin})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, params("testdata/script"))
}

// params adds commands to the scripts: `exits STATUS COMMAND...` wants that exit status; pki and tuf
// are for trusted roots. $CLIENTS is the folder of bundles that other clients have made.
func params(dir string) testscript.Params {
	clients, err := filepath.Abs("../../testdata/clients")
	if err != nil {
		panic(err)
	}
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "pki": pki, "tuf": tuf},
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("CLIENTS", clients)
			env.Values[tufKey{}] = new(tufState)
			return startRegistries(env)
		},
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}
