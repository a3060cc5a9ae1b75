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
	var (
		status       statusError
		verification *attest.VerificationError
		path         *fs.PathError
		link         *os.LinkError
		errno        syscall.Errno
		missing      *kms.MissingError
		plugin       *kms.Error
		service      *sigstore.ServiceError
		source       *tokenSourceError
		repository   *sigstore.RepositoryError
		refused      *policy.SignatureError
		approvals    *unreadableApprovalsError
		weak         *signer.WeakKeyError
	)
	if errors.As(err, &approvals) {
		return exitFailed
	}
	if status, ok := registryStatus(err); ok {
		return status
	}
	switch {
	case err == nil:
		return exitYes
	case errors.As(err, &weak): // a plugin's answer, too
		return exitMalformed
	case errors.As(err, &missing), errors.As(err, &plugin), errors.As(err, &service), errors.As(err, &source):
		return exitFailed
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &verification), errors.As(err, &repository), errors.As(err, &refused):
		return exitNo
	case errors.Is(err, boundedfile.ErrInput), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
		return exitMalformed
	case errors.As(err, &path), errors.As(err, &link), errors.As(err, &errno),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return exitFailed
	}
	return exitMalformed
}

// errorCode is what keeps an input from a verdict, for programs: it says in a word what the exit status says.
func errorCode(err error) string {
	if exitStatus(err) == exitFailed {
		return "unreadable"
	}
	return "malformed"
}
