// Package jsonlines reads JSON documents from a stream: one document, or JSON Lines.
package jsonlines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/internal/boundedfile"
)

// Item is one document. Line is where it starts, from 1, or 0 where the stream is one document.
type Item struct {
	Data []byte
	Line int
}

// Read gives the documents in r, each at most limit bytes. A first line that is a JSON
// object by itself makes the stream JSON Lines, unless nothing follows it; any other stream
// is one document. An error ends the sequence. name stands in errors.
func Read(r io.Reader, name string, limit int) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		buffered := bufio.NewReaderSize(r, 64<<10)
		first, err := readLine(buffered, limit)
		if err != nil && !errors.Is(err, io.EOF) {
			yield(Item{}, nameError(err, name, limit))
			return
		}
		rest := io.MultiReader(bytes.NewReader(first), buffered)
		if more, _ := buffered.Peek(1); isObject(first) && len(more) > 0 {
			Lines(rest, name, limit)(yield)
			return
		}
		One(rest, name, limit)(yield)
	}
}

// One gives all of r as one document of at most limit bytes.
func One(r io.Reader, name string, limit int) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		data, err := boundedfile.ReadFrom(r, name, int64(limit))
		yield(Item{Data: data}, err)
	}
}

// Lines gives the lines of r as documents, each at most limit bytes; blank lines are passed
// over, and memory is that of one line. An error ends the sequence; so does a stream
// without a document, which is one.
func Lines(r io.Reader, name string, limit int) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		buffered := bufio.NewReaderSize(r, 64<<10)
		found := false
		for n := 1; ; n++ {
			line, err := readLine(buffered, limit)
			ended := errors.Is(err, io.EOF)
			if err != nil && !ended {
				yield(Item{}, nameError(err, fmt.Sprintf("%s:%d", name, n), limit))
				return
			}
			if len(bytes.TrimSpace(line)) > 0 {
				found = true
				if !yield(Item{line, n}, nil) {
					return
				}
			}
			if ended {
				break
			}
		}
		if !found {
			yield(Item{}, boundedfile.Empty(name))
		}
	}
}

// ErrLong says that a line is longer than the limit.
var ErrLong = errors.New("line too long")

// Reader reads lines one at a time, for a program that answers each before it reads the next.
type Reader struct {
	r     *bufio.Reader
	limit int
	ended bool
}

// NewReader reads the lines of r, each at most limit bytes.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), limit: limit}
}

// Next gives a line without its end, which may be LF, CRLF or the end of the stream, once that is there and no later.
// A line that is too long is passed over as far as its end, and is ErrLong. After the last line it is io.EOF.
func (r *Reader) Next() ([]byte, error) {
	if r.ended { // a terminal would be asked again
		return nil, io.EOF
	}
	const end = len("\r\n")
	var line []byte
	long := false
	for {
		part, err := r.r.ReadSlice('\n')
		if long = long || len(line)+len(part) > r.limit+end; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch r.ended = errors.Is(err, io.EOF); {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !r.ended:
			return nil, err
		case r.ended && len(line) == 0 && !long:
			return nil, io.EOF
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if long || len(line) > r.limit {
			return nil, ErrLong
		}
		return line, nil
	}
}

// More says whether some of the next line has been read.
func (r *Reader) More() bool { return r.r.Buffered() > 0 }

// readLine gives a line with its newline, and no more than limit bytes and one.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > limit+1 {
			return nil, ErrLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func isObject(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 1 && line[0] == '{' && line[len(line)-1] == '}' && json.Valid(line)
}

func nameError(err error, name string, limit int) error {
	if errors.Is(err, ErrLong) {
		return boundedfile.TooLarge(name, int64(limit))
	}
	return fmt.Errorf("%s: %w", name, err)
}
