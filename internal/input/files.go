package input

import (
	"io"
	"iter"
)

// Files reads the declarations in several files, or the requests. If more than one file is named, it passes over bundles among them: a
// pattern such as runs/*.json matches what was signed there, too.
type Files struct {
	stdin   io.Reader
	read    func(path string, stdin io.Reader) iter.Seq2[Text, error]
	several bool
	found   bool
	bundles []string
	mixed   []string
}

// NewFiles reads none of the files yet.
func NewFiles(paths []string, stdin io.Reader) *Files {
	return &Files{stdin: stdin, read: Declarations, several: len(paths) > 1}
}

// NewSpooledFiles is NewFiles where some of the files have been spooled.
func NewSpooledFiles(paths []string, stdin io.Reader, spooled Spooled) *Files {
	f := NewFiles(paths, stdin)
	f.read = spooled.declarations
	return f
}

// NewRequestFiles reads requests: each file as one, if whole says so, or as Requests does.
func NewRequestFiles(paths []string, stdin io.Reader, whole bool) *Files {
	f := NewFiles(paths, stdin)
	if f.read = Requests; whole {
		f.read = Whole
	}
	return f
}

// In gives the declarations, or requests, in one of the files.
func (f *Files) In(path string) iter.Seq2[Text, error] {
	return func(yield func(Text, error) bool) {
		seen := false
		for t, err := range f.read(path, f.stdin) {
			if err == nil && f.several && t.Signed() != nil {
				f.bundles = append(f.bundles, t.Name)
				continue
			}
			if f.found = true; !seen {
				f.mixed, seen = append(f.mixed, path), true
			}
			if !yield(t, err) {
				return
			}
		}
	}
}

// Read are the files that hold something else than bundles.
func (f *Files) Read() []string { return f.mixed }

// PassedOver are the names of the bundles that were passed over, and whether there was nothing else.
func (f *Files) PassedOver() (bundles []string, alone bool) { return f.bundles, !f.found }
