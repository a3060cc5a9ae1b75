package upload

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/spill"
	"github.com/runattest/runattest/internal/zero"
)

// Waiting are bundles that wait to be stored: few in memory, the others in a temporary file. The zero Waiting is empty.
type Waiting struct {
	text  spill.Buffer
	kept  []extent
	added []extent // since the last Keep or Drop
}

// extent is a part of the text, from one byte up to another.
type extent struct{ from, to int64 }

var errNoWaiting = errors.New("nothing to wait in: it is nil")

// Add adds a bundle, which waits if Keep follows before Drop. After an error it does not; the others do.
func (w *Waiting) Add(blob files.Blob) error {
	if w == nil {
		return errNoWaiting
	}
	var text []byte
	for _, part := range [][]byte{[]byte(blob.Name), blob.Data} {
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	start := w.text.Size()
	if _, err := w.text.Write(text); err != nil { // what is written of it is passed over
		return fmt.Errorf("what waits to be stored: %w", err)
	}
	w.added = join(w.added, extent{start, w.text.Size()})
	return nil
}

// join adds an extent, to the last one if that ends where it begins.
func join(all []extent, e extent) []extent {
	if n := len(all); n > 0 && all[n-1].to == e.from {
		all[n-1].to = e.to
		return all
	}
	return append(all, e)
}

// Keep has what was added since the last Keep or Drop wait.
func (w *Waiting) Keep() {
	if w == nil {
		return
	}
	for _, e := range w.added {
		w.kept = join(w.kept, e)
	}
	w.added = nil
}

// Drop forgets what was added since the last Keep or Drop.
func (w *Waiting) Drop() {
	if w != nil {
		w.added = nil
	}
}

// Empty says that nothing waits.
func (w *Waiting) Empty() bool { return len(zero.IfNil(w).kept) == 0 }

// Parts gives what waits in the order in which it was added, as many bundles at a time as limits.Pushed allows. An error ends
// the sequence: what was read with it is not given.
func (w *Waiting) Parts() iter.Seq2[[]files.Blob, error] { return zero.IfNil(w).parts(limits.Pushed) }

func (w *Waiting) parts(most int) iter.Seq2[[]files.Blob, error] {
	return func(yield func([]files.Blob, error) bool) {
		var some []files.Blob
		size := 0
		for blob, err := range w.each() {
			if err != nil {
				yield(nil, fmt.Errorf("what waits to be stored: %w", err))
				return
			}
			if size += held(blob); size > most && len(some) > 0 {
				if !yield(some, nil) {
					return
				}
				some, size = nil, held(blob)
			}
			some = append(some, blob)
		}
		if len(some) > 0 {
			yield(some, nil)
		}
	}
}

func (w *Waiting) each() iter.Seq2[files.Blob, error] {
	return func(yield func(files.Blob, error) bool) {
		for _, e := range w.kept {
			in := io.NewSectionReader(&w.text, e.from, e.to-e.from)
			r := bufio.NewReaderSize(in, 64<<10)
			for {
				if _, err := r.Peek(1); err == io.EOF {
					break
				}
				blob, err := readBlob(r)
				if !yield(blob, err) || err != nil {
					return
				}
			}
		}
	}
}

func readBlob(r *bufio.Reader) (files.Blob, error) {
	var parts [2][]byte
	for i := range parts {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return files.Blob{}, err
		}
		parts[i] = make([]byte, n)
		if _, err := io.ReadFull(r, parts[i]); err != nil {
			return files.Blob{}, err
		}
	}
	return files.Blob{Name: string(parts[0]), Data: parts[1]}, nil
}

// Close removes the temporary file. Nothing waits any more.
func (w *Waiting) Close() error {
	if w == nil {
		return errNoWaiting
	}
	err := w.text.Close()
	*w = Waiting{}
	return err
}
