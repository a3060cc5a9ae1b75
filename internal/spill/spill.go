// Package spill holds bytes of any number in little memory.
package spill

import (
	"errors"
	"io"
	"os"

	"github.com/runattest/runattest/internal/limits"
)

// Buffer holds what is written to it: the first limits.SpillMemory bytes in memory, the others in a temporary file that only
// the user can read. The zero value is empty. It is for one writer, or for readers.
type Buffer struct {
	head []byte
	file *os.File
	tail int64 // bytes in file
	kept string
}

var (
	_ io.WriteCloser = (*Buffer)(nil)
	_ io.ReaderAt    = (*Buffer)(nil)
)

// Write appends p.
func (b *Buffer) Write(p []byte) (int, error) {
	n := min(len(p), limits.SpillMemory-len(b.head))
	b.head = append(b.head, p[:n]...)
	if n == len(p) {
		return n, nil
	}
	if b.file == nil {
		if err := b.create(); err != nil {
			return n, err
		}
	}
	more, err := b.file.WriteAt(p[n:], b.tail)
	b.tail += int64(more)
	return n + more, err
}

// create makes the file, and takes its name away at once where the system can: nothing is left if the process is killed.
func (b *Buffer) create() error {
	f, err := os.CreateTemp("", "runattest-*")
	if err != nil {
		return err
	}
	b.file = f
	if os.Remove(f.Name()) != nil {
		b.kept = f.Name()
	}
	return nil
}

// Size is how many bytes there are.
func (b *Buffer) Size() int64 { return int64(len(b.head)) + b.tail }

// ReadAt reads what was written from offset on.
func (b *Buffer) ReadAt(p []byte, offset int64) (int, error) {
	n := 0
	if offset < int64(len(b.head)) {
		n = copy(p, b.head[offset:])
	}
	if n == len(p) {
		return n, nil
	}
	if b.file == nil {
		return n, io.EOF
	}
	more, err := b.file.ReadAt(p[n:], offset+int64(n)-int64(len(b.head)))
	return n + more, err
}

// Reader reads from offset to the end of what is written by now.
func (b *Buffer) Reader(offset int64) *io.SectionReader {
	return io.NewSectionReader(b, offset, b.Size()-offset)
}

// Close removes the file. The buffer is empty then.
func (b *Buffer) Close() error {
	var err error
	if b.file != nil {
		err = b.file.Close()
	}
	if b.kept != "" {
		err = errors.Join(err, os.Remove(b.kept))
	}
	*b = Buffer{}
	return err
}
