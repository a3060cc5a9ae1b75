package input

import (
	"errors"
	"io"
	"iter"
	"os"

	"github.com/runattest/runattest/internal/limits"
)

// Spooled are inputs that can be read once alone, such as pipes, in temporary files.
type Spooled map[string]*os.File

// SpoolAll reads those of the paths that are not regular files to their ends, among them stdin for "-". remove takes the
// temporary files away.
func SpoolAll(paths []string, stdin io.Reader) (all Spooled, remove func() error, err error) {
	all = Spooled{}
	var removes []func() error
	remove = func() error {
		var err error
		for _, r := range removes {
			err = errors.Join(err, r())
		}
		return err
	}
	for _, path := range paths {
		if all[path] != nil || path != Stdin && !IsStream(path) {
			continue
		}
		r, _, closeFile, err := open(path, stdin)
		if err != nil {
			return nil, nil, errors.Join(err, remove())
		}
		f, removeOne, err := spool(r)
		closeFile()
		if err != nil {
			return nil, nil, errors.Join(err, remove())
		}
		removes = append(removes, removeOne)
		all[path] = f
	}
	return all, remove, nil
}

// IsStream tells a pipe, a device or a socket, which gives what it holds once.
func IsStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// open opens a path, or what was spooled of it from the start.
func (s Spooled) open(path string, stdin io.Reader) (r io.Reader, name string, closeFile func(), err error) {
	f := s[path]
	if f == nil {
		return open(path, stdin)
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, Name(path), func() {}, err
}

// declarations is Declarations of what may be spooled.
func (s Spooled) declarations(path string, stdin io.Reader) iter.Seq2[Text, error] {
	return s.texts(path, stdin, limits.Declaration, true)
}

// spool writes what r holds into a temporary file, to be read more than once, and removed.
func spool(r io.Reader) (f *os.File, remove func() error, err error) {
	if f, err = os.CreateTemp("", "runattest-*"); err != nil {
		return nil, nil, err
	}
	// Where the system can, the name goes at once: nothing is left if the process is killed.
	kept := os.Remove(f.Name()) != nil
	remove = func() error {
		err := f.Close()
		if kept {
			err = errors.Join(err, os.Remove(f.Name()))
		}
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return f, remove, nil
}
