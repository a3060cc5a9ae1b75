package signing

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"

	"github.com/runattest/runattest/internal/spill"
)

// waiting are statements that wait to be signed: few in memory, the others in a temporary file.
type waiting struct{ text spill.Buffer }

// entry is one of them.
type entry struct {
	Signed    // without the bundle
	statement []byte
}

// end is where the next is going to be.
func (w *waiting) end() int64 { return w.text.Size() }

// add adds a statement, each part with its length before it.
func (w *waiting) add(p Prepared) error {
	var text []byte
	for _, part := range [][]byte{[]byte(p.Name), []byte(p.Statement.ID().String()), []byte(p.CustomID), p.Statement.Bytes()} {
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	if _, err := w.text.Write(text); err != nil {
		return fmt.Errorf("what waits to be signed: %w", err)
	}
	return nil
}

// each gives the statements of a job; without their text if that is not wanted. What is wrong with the file ends it.
func (w *waiting) each(j *Job, text bool) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		r := bufio.NewReaderSize(w.text.Reader(j.start), int(min(w.text.Size()-j.start, 64<<10)))
		for range j.Count {
			e, err := readEntry(r, text)
			if err != nil {
				yield(e, fmt.Errorf("what waits to be signed: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func readEntry(r *bufio.Reader, text bool) (entry, error) {
	var parts [3][]byte
	for i := range parts {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return entry{}, err
		}
		parts[i] = make([]byte, n)
		if _, err := io.ReadFull(r, parts[i]); err != nil {
			return entry{}, err
		}
	}
	e := entry{Signed: Signed{Name: string(parts[0]), Identity: string(parts[1]), CustomID: string(parts[2])}}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return e, err
	}
	if !text {
		_, err = r.Discard(int(n))
		return e, err
	}
	e.statement = make([]byte, n)
	_, err = io.ReadFull(r, e.statement)
	return e, err
}
