package signing

import (
	"iter"
	"slices"

	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
)

// Beside are the files for the bundles of what is in each of several files, whose sources are read: one beside each, of its name
// with a suffix such as .sigstore.json, and an l more for JSON Lines; standard output for "-". A file that is named twice has one.
func Beside(suffix string, sources func(path string) iter.Seq[Source], paths ...string) []File {
	var all []File
	var seen overwrite.Places
	for _, path := range paths {
		if seen.Add(path) != "" {
			continue
		}
		f := File{Target: input.Stdin}
		var err error
		if !input.IsStdin(path) {
			f.Target, err = overwrite.Beside(path, suffix)
			f.Several = f.Target + "l"
		}
		switch {
		case err != nil:
			f.Sources = slices.Values([]Source{{Name: path, Err: err}})
		case sources != nil:
			f.Sources = sources(path)
		}
		all = append(all, f)
	}
	return all
}
