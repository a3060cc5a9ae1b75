package overwrite

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// NoPlaceError says that an input is not a file beside which a result could be written.
type NoPlaceError struct{ Input, Kind string }

func (e *NoPlaceError) Error() string {
	return fmt.Sprintf("%s: is %s: no bundle can be written beside it", e.Input, e.Kind)
}

// Beside is the name of a result that goes beside an input: the input's with a suffix. A pipe, as <(COMMAND) is one, has no
// place beside it: that is a *NoPlaceError before anything is read.
func Beside(input, suffix string) (string, error) {
	kind := "a pipe or device"
	info, err := os.Stat(input)
	switch {
	case err != nil: // reading it says why
		return input + suffix, nil
	case info.Mode().IsRegular():
		folder, err := filepath.EvalSymlinks(filepath.Dir(input))
		if err != nil || !within(folder, "/dev") && !within(folder, "/proc") {
			return input + suffix, nil
		}
		kind = "an open file without a folder"
	case info.Mode()&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case info.IsDir(): // beside it and never in it, whichever way it is named
		folder, err := filepath.Abs(input)
		if err != nil || filepath.Dir(folder) == folder {
			return "", &NoPlaceError{input, "a folder without a name"}
		}
		if name := filepath.Clean(input); name != "." && filepath.Base(name) != ".." {
			folder = name
		}
		return folder + suffix, nil
	}
	return "", &NoPlaceError{input, kind}
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
