// Package plugin is the main function that the KMS plugins share: one call of sigstore's KMS
// plugin protocol a process. The argument after "v1" is a JSON object that names the key and
// the method, standard input is the message, standard output gets one JSON object, and
// whatever goes wrong is said in it.
package plugin

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/encoding"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"
)

// Load opens the key that a reference SCHEME://KEY names.
type Load func(ctx context.Context, ref string, hash crypto.Hash, options ...signature.RPCOption) (kms.SignerVerifier, error)

// Main answers the call on the command line and ends the process. It serves references of
// the scheme by whatever name the program is called, since the call does not repeat it.
func Main(scheme string, load Load) {
	os.Exit(run(scheme, load, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// grace is how long after its deadline a call may still say that it is over.
const grace = time.Second

func run(scheme string, load Load, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) != 3 {
		fmt.Fprintf(stderr, usage, scheme, version())
		if len(args) == 2 && (args[1] == "--help" || args[1] == "--version") {
			return 0
		}
		return 2
	}
	err := answer(scheme, load, args, stdin, stdout)
	if err == nil {
		return 0
	}
	if err := handler.WriteErrorResponse(stdout, err); err != nil {
		fmt.Fprintln(stderr, err)
	}
	return 1
}

const usage = `This is a KMS plugin: runattest and cosign start it for keys %s://...
version %s, protocol ` + common.ProtocolVersion + `
`

// version is that of the module, as go install stamps it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

func answer(scheme string, load Load, args []string, stdin io.Reader, stdout io.Writer) (err error) {
	defer func() {
		if p := recover(); p != nil { // sigstore's handlers dereference what a caller may have left out
			err = fmt.Errorf("malformed call: %v", p)
		}
	}()
	if args[1] != common.ProtocolVersion {
		return fmt.Errorf("protocol %q, want %q", args[1], common.ProtocolVersion)
	}
	call, err := handler.GetPluginArgs(args)
	if err != nil {
		return fmt.Errorf("malformed call: %w", err)
	}
	if call.InitOptions == nil || call.MethodArgs == nil {
		return errors.New("malformed call: want initOptions and methodName")
	}
	ctx := context.Background()
	if deadline := call.InitOptions.CtxDeadline; deadline != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, *deadline)
		defer cancel()
		// Not every provider stops with its context, and the caller no longer waits.
		defer time.AfterFunc(time.Until(*deadline)+grace, func() { os.Exit(1) }).Stop()
	}
	var options []signature.RPCOption
	if call.InitOptions.RPCOptions != nil {
		options = encoding.UnpackRPCOptions(call.InitOptions.RPCOptions)
	}
	key, err := load(ctx, scheme+"://"+call.InitOptions.KeyResourceID, call.InitOptions.HashFunc, options...)
	if err != nil {
		return err
	}
	_, err = handler.Dispatch(stdout, stdin, call, key)
	return err
}
