package gate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/registry"
)

// logLine is how each line of a decision log begins.
var logLine = lazyregexp.New(`^\{"time":"[0-9T:.Z+-]{20,40}","allowed":(true|false)`)

// isLog says that a file begins as a decision log, which may be empty, or hold a part of its first line.
func isLog(f io.ReaderAt) bool {
	const lineBegins = `{"time":"`
	text := make([]byte, 100) // more than the members of logLine take
	n, _ := f.ReadAt(text, 0)
	begin := string(text[:n])
	if n < len(text) && !strings.Contains(begin, "\n") {
		return strings.HasPrefix(begin, lineBegins) || strings.HasPrefix(lineBegins, begin)
	}
	return logLine.MatchString(begin)
}

// Check refuses a file to which a line must not be appended: one that is among what is read, or in a folder that is, or in an OCI
// layout that a reference among it names, and one that holds something other than decisions. A link is in the folders that it leads
// to, and a file in those of its hard links. A file that is not there yet holds nothing.
func (f LogFile) Check(reads ...string) error {
	path := string(f)
	for _, input := range reads {
		if ref, err := registry.ParseReference(input); registry.IsReference(input) && err == nil && ref.IsLayout() {
			input = ref.Located().Path()
		}
		if holdsFile(input, path) {
			return fmt.Errorf("%s is an input: want a file of its own for decisions", path)
		}
	}
	file, err := openRegular(path)
	if file == nil || err != nil { // what cannot be read was no input
		return nil
	}
	defer file.Close()
	if !isLog(file) {
		return fmt.Errorf("%s holds something other than decisions, and nothing is appended to it: want a file of its own for decisions", path)
	}
	return nil
}

// holdsFile tells that path is the input, or where that is a folder, is below it by one of its names, or would be.
func holdsFile(input, path string) bool {
	info, err := os.Stat(input)
	if input == "" {
		return false
	}
	if err != nil { // not there yet, as the signature of a policy that is not signed; or who reads it says so
		places := overwrite.Trail(input)
		return slices.ContainsFunc(overwrite.Trail(path), func(place string) bool { return slices.Contains(places, place) })
	}
	if there, err := os.Stat(path); err == nil && os.SameFile(info, there) {
		return true
	}
	if !info.IsDir() {
		return false
	}
	for _, place := range overwrite.Trail(path) {
		if overwrite.IsBelow(place, info) {
			return true
		}
	}
	return overwrite.HoldsLink(input, path)
}

// appendLine appends one line to a log, in one write, and has it on the disk before it returns, unless the log is not kept on one:
// a pipe, a socket or a device. Where the log ends within a line, because there was no room for more of it, the new one
// begins behind a break.
func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|boundedfile.OpenAtOnce, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		err = writeLine(f, path, line, info.Mode().IsRegular())
	}
	return errors.Join(err, f.Close())
}

// pipeWait is how long a line waits for the reader of a pipe. Tests change it.
var pipeWait = 10 * time.Second

func writeLine(f *os.File, path string, line []byte, onDisk bool) error {
	if onDisk { // a line that cannot be made to last is not written
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if !onDisk { // a pipe of which the reader takes nothing; a device has no deadline
		_ = f.SetWriteDeadline(time.Now().Add(pipeWait))
	}
	text := append(slices.Clip(line), '\n')
	if torn(path) {
		text = slices.Insert(text, 0, '\n')
	}
	if _, err := f.Write(text); err != nil || !onDisk {
		return err
	}
	return f.Sync()
}

// torn reports that a file ends within a line. For a file that can only be written it cannot tell.
func torn(path string) bool {
	f, err := openRegular(path)
	if f == nil || err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err == nil && last[0] != '\n'
}

// openRegular opens a regular file that is there; nil for anything else.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDONLY|boundedfile.OpenAtOnce, 0)
}
