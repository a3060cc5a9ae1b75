package kms

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// Error says that a plugin did not do what it was asked: it failed, reported an error, took
// too long, or gave a wrong answer.
type Error struct {
	Program string // sigstore-kms-NAME
	Err     error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Program, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// MissingError says that there is no plugin for a reference that can be executed. It unwraps to the error of the
// PATH search, usually exec.ErrNotFound.
type MissingError struct {
	Program string
	Err     error
	name    string
	file    string // of that name on PATH, which cannot be executed; "" if there is none
}

// newMissing finds out why the search failed.
func newMissing(r reference, err error) *MissingError {
	e := &MissingError{Program: r.program(), Err: err, name: r.name}
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		file := filepath.Join(folder, e.Program)
		if info, wrong := os.Stat(file); errors.Is(err, exec.ErrNotFound) && filepath.IsAbs(folder) && wrong == nil && info.Mode().IsRegular() {
			e.file = file
			break
		}
	}
	return e
}

func (e *MissingError) Error() string {
	switch {
	case e.file != "":
		return e.file + ": is not executable"
	case errors.Is(e.Err, exec.ErrDot):
		return fmt.Sprintf("%s is found by a relative path in PATH alone, from where it is not executed", e.Program)
	}
	return fmt.Sprintf("no program %s on PATH", e.Program)
}
func (e *MissingError) Unwrap() error { return e.Err }

// Hint returns what to install or to change.
func (e *MissingError) Hint() string {
	build := "go install github.com/runattest/runattest/plugins/cmd/" + e.Program + "@latest"
	switch {
	case e.file != "" && runtime.GOOS == "windows": // where the name says so
		return "give it a name that ends in .exe, or another ending of PATHEXT"
	case e.file != "":
		return "chmod +x makes it executable"
	case errors.Is(e.Err, exec.ErrDot):
		return "have its folder on PATH with its whole path"
	case e.name == withCLibrary:
		return "it is in the package runattest-pkcs11 of each release (deb, rpm), and for pip, npm and all others on Linux with glibc in the " +
			"archive runattest-pkcs11_..., whose folder belongs on PATH; or build it, with a C compiler: CGO_ENABLED=1 " + build
	case slices.Contains(ours, e.name):
		return "it is in the package runattest-kms of each release (deb, rpm), in the image whose tag ends in -kms, and for pip, npm and " +
			"all others in the archive runattest-kms_..., whose folder belongs on PATH; or build it: " + build
	}
	return fmt.Sprintf("keys %s://... need a KMS plugin of that name; a key without one is a file or env://NAME", e.name)
}
