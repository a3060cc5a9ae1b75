package input

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
)

// runSetType is the media type in the first line of a run set, as package attest defines it.
const runSetType = "application/vnd.runattest.run-set.v1+json"

// ErrRunSet says that a run set was given where bundles are read.
var ErrRunSet = errors.New("is a run set")

// isRunSet tells by its first line whether a file is a run set: an object with that media type for its own. The rest of the
// line may be malformed.
func isRunSet(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if !bytes.Contains(line, []byte("run-set.v1")) { // which no encoder escapes
		return false // of other files that says enough
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return false
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return false
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return false
		}
		if name == "mediaType" {
			var text string
			return json.Unmarshal(value, &text) == nil && text == runSetType
		}
	}
	return false
}

// Source is an open file of bundles, or a run set. Which of the two it is, its first line says.
type Source struct {
	// Set is the run set, from its start, to be read more than once; nil if the file is none.
	Set io.ReadSeeker

	path, name string
	r          io.Reader // from the start, where it is not a set
	closers    []func() error
}

// IsRunSet says that a regular file is a run set.
func IsRunSet(path string) bool {
	if IsStream(path) {
		return false
	}
	s, err := OpenSource(path, nil)
	if err != nil {
		return false
	}
	defer s.Close() // only read: nothing to lose
	return s.Set != nil
}

// OpenSource opens a file, or stdin for "-". A set that comes through a pipe is read from a temporary file.
func OpenSource(path string, stdin io.Reader) (*Source, error) {
	s := &Source{path: path, name: Name(path)}
	r, err := s.open(stdin)
	if err != nil {
		return nil, err
	}
	ended := &untilEnd{r: r}
	buffered := bufio.NewReaderSize(ended, 64<<10)
	first, err := firstLine(buffered)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), s.Close())
	}
	s.r = io.MultiReader(bytes.NewReader(first), buffered)
	if !isRunSet(first) {
		return s, nil
	}
	if s.Set, err = s.seekable(r); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), s.Close())
	}
	return s, nil
}

func (s *Source) open(stdin io.Reader) (io.Reader, error) {
	if s.path == Stdin && stdin == nil {
		return nil, errNoStdin
	}
	if s.path == Stdin {
		return stdin, nil
	}
	f, err := boundedfile.Open(s.path)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, f.Close)
	return f, nil
}

// firstLine is the first line, or as much of it as the first line of a set may have.
func firstLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for len(line) <= limits.SetHeader {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil || errors.Is(err, io.EOF) {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
	return line, nil
}

// seekable is r where it can be read twice, and otherwise a temporary file with what it holds.
func (s *Source) seekable(r io.Reader) (io.ReadSeeker, error) {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return f, nil
		}
	}
	f, remove, err := spool(s.r)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, remove)
	return f, nil
}

// Close closes the file.
func (s *Source) Close() error {
	var err error
	for _, c := range s.closers {
		err = errors.Join(err, c())
	}
	return err
}

// Bundles gives the bundles in the file: one, or several of JSON Lines. An error ends the sequence; a run set is ErrRunSet.
func (s *Source) Bundles() iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		if s.Set != nil {
			yield(Blob{Name: s.name}, fmt.Errorf("%s: %w", s.name, ErrRunSet))
			return
		}
		for item, err := range documents(s.path, s.r, s.name, limits.Bundle) {
			if !yield(Blob{itemName(s.name, item), item.Data}, err) {
				return
			}
		}
	}
}
