// Package recapture holds what a bundle declares against the source that its declaration was captured from: a request's body, or
// a folder. It captures the source again, and compares the identities.
package recapture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
)

// A Source is what declarations are held against.
type Source struct {
	Format capture.Format             // the zero value is the one that a bundle says it was captured by
	Source capture.Source             // its body is nil where Path is a folder
	Path   string                     // of the file or folder
	Folder string                     // beside the file; "" for none
	Fits   func(capture.Format) error // refuses a format to which the source does not belong; nil refuses none

	Open func(folder string) (fsys fs.FS, closeFolder func(), err error) // opens a folder; nil opens all of it
}

// NoFormatError says that a bundle does not name the format by which its declaration was captured, or names none of this version.
type NoFormatError struct{ Name string }

func (e *NoFormatError) Error() string {
	if e == nil || e.Name == "" {
		return "does not say how it was captured: it has no annotation capture"
	}
	return fmt.Sprintf("its annotation capture names %q, which is not a format of this version", e.Name)
}

// SourceError says that the source cannot be captured.
type SourceError struct{ Err error }

func (e *SourceError) Error() string {
	if e == nil || e.Err == nil {
		return "the source cannot be captured"
	}
	return e.Err.Error()
}

// Unwrap is that of package capture, most often a *capture.Error.
func (e *SourceError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Read reads the source's body from the file that Path names, "-" for stdin. A folder has none: it is read each time that it is captured.
// A file that cannot be read, is empty or is larger than 64 MiB is an error that names it; of one that is not there it is fs.ErrNotExist.
func (s *Source) Read(stdin io.Reader) (isFolder bool, err error) {
	if s == nil {
		return false, errors.New("no source: it is nil")
	}
	if info, err := os.Stat(s.Path); err == nil && info.IsDir() {
		return true, nil
	}
	for t, err := range input.Whole(s.Path, stdin) { // one
		s.Source.Body = t.Data
		return false, err
	}
	return false, fmt.Errorf("%s: cannot be read", input.Name(s.Path))
}

// HintBesideBody is of a check that failed without a declaration to compare with.
const HintBesideBody evidence.Hint = "the declaration is not in the bundle: give all that the request had beside its body"

// Check captures the source again for a bundle, and says whether the declaration is that; the check proves nothing about who has signed.
// Its details name what the check does not compare: what is taken from the declaration, headers that the format does not read, and
// secrets of the source, which a declaration leaves out, by their places in the source.
// declared is what the source declares; nil where the bundle states no run. Its errors are *NoFormatError, *SourceError and those
// of Fits.
func (s Source) Check(ctx context.Context, b *attest.Bundle) (declared *identity.Declaration, c evidence.Check, err error) {
	if b == nil {
		return nil, c, errors.New("no bundle: it is nil")
	}
	claim, err := b.UnverifiedStatement()
	if err != nil {
		return nil, evidence.Skipped(evidence.CheckSource, evidence.CodeNotReached, "without a statement there is no declaration to hold the source against"), nil
	}
	format, by := s.Format, ""
	if format == (capture.Format{}) {
		if format, err = claimedFormat(claim.Annotations); err != nil {
			return nil, c, err
		}
		if s.Fits != nil {
			if err := s.Fits(format); err != nil {
				return nil, c, err
			}
		}
		by = ", the table that the signer claims"
	}
	d, _ := identity.Parse(claim.Declaration) // why it cannot be read the other checks say
	r, err := s.recompute(ctx, format, d)
	if err != nil {
		return nil, c, &SourceError{err}
	}
	by = format.Name() + by
	switch {
	case r.Declaration.ID() == claim.Identity:
		c = evidence.Passed(evidence.CheckSource, "it declares the run by %s", by)
	case r.Difference == "/":
		c = evidence.Failed(evidence.CheckSource, evidence.CodeSourceDiffers, "it declares %s by %s", r.Declaration.ID(), by).WithHint(HintBesideBody)
	default:
		c = evidence.Failed(evidence.CheckSource, evidence.CodeSourceDiffers, "it declares another run by %s: %s differs", by, r.Difference)
	}
	if len(r.Taken) > 0 {
		c.Details = append(c.Details, "taken from the declaration, and not from the source: "+strings.Join(r.Taken, ", "))
	}
	if len(r.Unread) > 0 {
		c.Details = append(c.Details, fmt.Sprintf("given, and not held against the declaration, since %s does not read it: header %s", format.Name(), strings.Join(r.Unread, ", ")))
	}
	if withheld := r.Withheld(); len(withheld) > 0 {
		c.Details = append(c.Details, "secret, and not compared: "+strings.Join(withheld, ", "))
	}
	return r.Declaration, c, nil
}

// ErrNotOneRun says that a bundle is not about one run, so that a source cannot be held against it.
var ErrNotOneRun = errors.New("is not about one run: a source cannot be held against it")

// Verify has verify verify a bundle with the declaration of the source as the one that is expected, and adds Check's check to the
// report: a source of another run is refused, whatever the check says. A declaration in want is expected besides: where it is
// another run's than the source, the bundle is not verified. A bundle with which the source cannot be compared is not
// verified, but ErrNotOneRun: it must not look as if it had been.
func (s Source) Verify(ctx context.Context, b *attest.Bundle, want attest.Expect, verify func(context.Context, *attest.Bundle, attest.Expect) (attest.Report, error)) (attest.Report, error) {
	if verify == nil {
		return attest.Report{}, errors.New("nothing verifies the bundle: it is nil")
	}
	declared, check, err := s.Check(ctx, b)
	if err != nil {
		return attest.Report{}, err
	}
	if want.Declaration == nil || check.Verdict != evidence.Pass { // else the bundle is about the source's run, and held against want
		want.Declaration = declared
	}
	report, err := verify(ctx, b, want)
	switch {
	case err != nil:
		return attest.Report{}, err
	case declared == nil && report.Verified:
		return attest.Report{}, ErrNotOneRun
	}
	report.Checks = append(report.Checks, check)
	return report, nil
}

func (s Source) recompute(ctx context.Context, format capture.Format, d *identity.Declaration) (*capture.Recomputed, error) {
	folder := s.Folder
	switch {
	case format.ReadsFolder():
		folder = s.Path
	case s.Source.Body == nil:
		return nil, fmt.Errorf("is a folder, and %s reads a file", format.Name())
	case folder == "":
		return format.Recompute(s.Source, d)
	}
	if folder == "" {
		return nil, errors.New("no folder is given")
	}
	open := s.Open
	if open == nil {
		open = input.Folder
	}
	fsys, closeFolder, err := open(folder)
	if err != nil {
		return nil, err
	}
	defer closeFolder()
	return format.RecomputeFolder(ctx, fsys, s.Source, d)
}

// claimedFormat is the table by which a signer says that the declaration was captured.
func claimedFormat(annotations map[string]string) (capture.Format, error) {
	name := annotations[capture.Annotation]
	f, err := capture.Lookup(name)
	if err != nil || f.Name() != name {
		return capture.Format{}, &NoFormatError{name}
	}
	return f, nil
}
