package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
)

// A ProofsError says that a folder has proofs already: those of two sets would look like those of one.
type ProofsError struct{ Folder, Name string }

func (e *ProofsError) Error() string {
	e = zero.IfNil(e)
	return fmt.Sprintf("%s: proofs are there already, such as %s", e.Folder, e.Name)
}

const proofSuffix = ".runproof.json"

// WriteProofs writes the proof of every run of a set as INDEX.runproof.json into a folder, which is made if it is not there, and
// says how many. each is told of every run: nil, or the *runset.LineError that keeps it from being proved, after which the
// others are written. A folder with proofs in it is a *ProofsError.
func WriteProofs(ctx context.Context, set *runset.Set, dir string, each func(error)) (written int, err error) {
	if set == nil {
		return 0, errors.New("no run set: it is nil")
	}
	if err := atomicfile.MakeFolder(dir); err != nil {
		return 0, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), proofSuffix) {
			return 0, &ProofsError{dir, e.Name()}
		}
	}
	index := 0
	for proof, err := range set.Proofs(ctx) {
		path := pathname.In(dir, fmt.Sprint(index)+proofSuffix)
		index++
		bad := errors.As(err, new(*runset.LineError))
		var text []byte
		if err == nil {
			text, err = proof.Marshal()
		}
		if err == nil {
			err = atomicfile.Create(path, append(text, '\n'), 0o644)
		}
		if err != nil && !bad {
			return written, err
		}
		if err == nil {
			written++
		}
		if each != nil {
			each(err)
		}
	}
	return written, nil
}
