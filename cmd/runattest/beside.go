package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/runattest/runattest/internal/cli"
)

// beside is the file beside an input where its bundle goes unless --bundle names another. A pipe, as <(COMMAND) is
// one, has no place for a bundle beside it: that is found here, before anything is read or signed.
func beside(input, suffix string) (string, error) {
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
	case info.IsDir():
		return input + suffix, nil
	}
	return "", cli.WithHint(fmt.Errorf("%s: is %s: no bundle can be written beside it", input, kind), "name the bundle's file with --bundle FILE")
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
