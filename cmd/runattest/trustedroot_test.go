package main

import (
	"bytes"
	"os"
	"path"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/internal/testing/tuftest"
)

// pki writes what an operator of a private Sigstore might give us into the script's folder.
func pki(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: pki")
	}
	for name, data := range pkitest.Files() {
		ts.Check(os.WriteFile(ts.MkAbs(name), data, 0o600))
	}
}

// tufKey is where a script keeps its tufState.
type tufKey struct{}

// tufState is a script's TUF repository, and what it served when the script said keep.
type tufState struct {
	*tuftest.Repository
	kept map[string][]byte
}

// tuf serves a TUF repository at $MIRROR, whose first root is the file root.json:
//
//	tuf start              begin, without targets
//	tuf publish FILE...    sign a new state with these targets
//	tuf tamper PREFIX      change a byte in each file served under a name like that
//	tuf expire             sign a new state that has expired
//	tuf keep, tuf restore  remember what is served, and go back to it
//	tuf stop               close the port
func tuf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: tuf start|publish|tamper|expire|keep|restore|stop")
	}
	state := ts.Value(tufKey{}).(*tufState)
	if args[0] == "start" {
		state.Repository = tuftest.New()
		ts.Defer(state.Close)
		ts.Setenv("MIRROR", state.URL)
		ts.Check(os.WriteFile(ts.MkAbs("root.json"), state.Root, 0o600))
		return
	}
	switch args[0] {
	case "publish":
		targets := map[string][]byte{}
		for _, name := range args[1:] {
			targets[path.Base(name)] = []byte(ts.ReadFile(name))
		}
		state.Publish(targets)
	case "tamper":
		for name, data := range state.Files() {
			if strings.HasPrefix(name, args[1]) {
				data = bytes.Clone(data)
				data[len(data)/2] ^= 1
				state.Put(name, data)
			}
		}
	case "expire":
		state.PublishTimestamp(time.Now().Add(-time.Hour))
	case "keep":
		state.kept = state.Files()
	case "restore":
		state.Restore(state.kept)
	case "stop":
		state.Close()
	default:
		ts.Fatalf("tuf: unknown %s", args[0])
	}
}
