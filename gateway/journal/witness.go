package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// A Witness keeps the bundles of closed segments where the holder of the journal's folder and key cannot change them. It may be
// one for many journals, which it knows by their ids: Result.Gateway. A bundle is the file NNNNNNNN.sigstore.json.
type Witness interface {
	// Last is the number of the last segment of a journal whose bundle it has, 0 for none.
	Last(ctx context.Context, journal [sha256.Size]byte) (int, error)
	// Bundle is what it has of a segment. An error that is fs.ErrNotExist says that it has nothing of it.
	Bundle(ctx context.Context, journal [sha256.Size]byte, number int) ([]byte, error)
	// Keep keeps the bundle of a segment, and replaces none: if it has one of that number with another Statement, or one of the
	// number before with another file than the bundle names as the previous, that is an error. One with the same Statement is kept
	// by now. Keep is called in the order of the segments.
	Keep(ctx context.Context, journal [sha256.Size]byte, number int, bundle []byte) error
}

// WitnessFolder is a Witness that is a folder, such as one of another machine: in it, each journal has a folder that is named by
// its id in hex, with the files of bundles as they are in the journal. The folder itself must be there.
type WitnessFolder string

var _ Witness = WitnessFolder("")

// Check finds that the folder is not there, or is a journal.
func (w WitnessFolder) Check() error {
	info, err := os.Stat(string(w))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the witness %s: there is no such folder", string(w))
	case err != nil:
		return fmt.Errorf("the witness: %w", err)
	case !info.IsDir():
		return fmt.Errorf("the witness %s: is not a folder", string(w))
	case Is(string(w)):
		return fmt.Errorf("the witness %s: is a journal, want a folder apart from it", string(w))
	}
	return nil
}

func (w WitnessFolder) folder(journal [sha256.Size]byte) string {
	return pathname.In(string(w), hex.EncodeToString(journal[:]))
}

// Last implements Witness.
func (w WitnessFolder) Last(_ context.Context, journal [sha256.Size]byte) (int, error) {
	if err := w.Check(); err != nil {
		return 0, err
	}
	l, err := list(w.folder(journal))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("the witness: %w", err)
	}
	return l.lastClosed(), nil
}

// Bundle implements Witness.
func (w WitnessFolder) Bundle(_ context.Context, journal [sha256.Size]byte, number int) ([]byte, error) {
	text, err := readFile(pathname.In(w.folder(journal), bundleName(number)), limits.Bundle)
	if errors.Is(err, fs.ErrNotExist) {
		if missing := w.Check(); missing != nil { // the whole witness
			return nil, missing
		}
	}
	return text, err
}

// Keep implements Witness.
func (w WitnessFolder) Keep(ctx context.Context, journal [sha256.Size]byte, number int, bundle []byte) error {
	if err := w.Check(); err != nil {
		return err
	}
	if err := os.Mkdir(w.folder(journal), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the witness: %w", err)
	}
	if err := w.checkBefore(ctx, journal, number, bundle); err != nil {
		return err
	}
	err := atomicfile.Create(pathname.In(w.folder(journal), bundleName(number)), bundle, 0o644)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	has, err := w.Bundle(ctx, journal, number)
	if err != nil {
		return err
	}
	return sameSegment(has, bundle)
}

// checkBefore finds that a bundle does not follow the one of the segment before, where that is there.
func (w WitnessFolder) checkBefore(ctx context.Context, journal [sha256.Size]byte, number int, bundle []byte) error {
	h, err := unverifiedHead(bundle)
	if err == nil {
		err = h.checkPlace(journal, number)
	}
	if err != nil || number == 1 {
		return err
	}
	text, err := w.Bundle(ctx, journal, number-1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := unverifiedHead(text)
	if err != nil {
		return fmt.Errorf("what the witness has of segment %08d: %w", number-1, err)
	}
	if !h.follows(before.File) {
		return errUnlinked
	}
	return nil
}

var errUnlinked = errors.New("the segment does not follow the one before it that the witness has")

var errForked = errors.New("the witness has another segment of this number")

// sameSegment says that two bundles are of the same Statement about a segment; signatures may differ.
func sameSegment(a, b []byte) error {
	one, err := unverifiedHead(a)
	if err != nil {
		return fmt.Errorf("what the witness has: %w", err)
	}
	other, err := unverifiedHead(b)
	if err == nil && !one.equal(other) {
		err = errForked
	}
	return err
}
