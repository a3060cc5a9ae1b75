package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/folder"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/kms"
	"github.com/runattest/runattest/sigstore"
)

// The exit statuses, as the root command's help documents them.
const (
	exitYes       = 0
	exitNo        = 1
	exitMalformed = 2
	exitFailed    = 3
)

// statusError ends a command that has said everything already.
type statusError int

func (e statusError) Error() string { return "" }

// exitStatus returns the exit status of an error: no, malformed or failed. An error of no class is wrong usage or
// malformed input: flags, arguments and parsers.
func exitStatus(err error) int {
	status, said := errors.AsType[statusError](err)
	switch {
	case err == nil:
		return exitYes
	case is[*unreadableApprovalsError](err):
		return exitFailed
	case is[*registry.MalformedError](err):
		return exitNo
	case errors.Is(err, registry.ErrLayout):
		return exitMalformed
	case is[*registry.Error](err):
		return exitFailed
	case errors.Is(err, folder.ErrNothing), errors.Is(err, registry.ErrNotSubject), errors.Is(err, registry.ErrMismatch):
		return exitNo
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrReference):
		return exitMalformed
	case is[*signer.WeakKeyError](err): // a plugin's answer, too
		return exitMalformed
	case is[*kms.MissingError](err), is[*kms.Error](err), is[*sigstore.ServiceError](err), is[*tokenSourceError](err):
		return exitFailed
	case said:
		return int(status)
	case is[*attest.VerificationError](err), is[*sigstore.RepositoryError](err), is[*policy.SignatureError](err),
		errors.Is(err, policy.ErrSignatureChecks):
		return exitNo
	case errors.Is(err, boundedfile.ErrInput), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
		return exitMalformed
	case is[*fs.PathError](err), is[*os.LinkError](err), is[syscall.Errno](err),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exitFailed
	}
	return exitMalformed
}

// is says that an error of this type is in err's chain.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// errorCode is what keeps an input from a verdict, for programs: it says in a word what the exit status says.
func errorCode(err error) string {
	if exitStatus(err) == exitFailed {
		return "unreadable"
	}
	return "malformed"
}
