package journal

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// waiting is a call that waits for its line.
type waiting struct {
	*prepared
	size    int // of its line and declaration, at most
	state   waitState
	receipt Receipt
	err     error
	done    chan struct{} // closed when state is answered
}

type waitState int

const (
	queued waitState = iota
	writing
	answered
	left // the caller is gone
)

// Append writes an entry, and returns when its line and declaration are on disk. On an error the call must not be forwarded:
// ErrStalled, ErrFull, ErrNotReady, ErrClosed, the context's, or what is wrong with the entry. If ctx is done while the entry
// waits and is not being written, it has no line.
func (j *Journal) Append(ctx context.Context, e Entry) (Receipt, error) {
	if j == nil || j.wake == nil {
		return Receipt{}, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return Receipt{}, err
	}
	p, err := e.prepare()
	if err != nil {
		return Receipt{}, err
	}
	w := &waiting{prepared: p, size: p.most(), done: make(chan struct{})}
	if err := j.enqueue(w); err != nil {
		return Receipt{}, err
	}
	late := time.NewTimer(j.o.Timeout)
	defer late.Stop()
	select {
	case <-w.done:
		return w.receipt, w.err
	case <-ctx.Done():
		return j.leave(w, ctx.Err())
	case <-late.C:
		return j.leave(w, ErrStalled)
	}
}

// most is the size of the line and its declaration, at most.
func (p *prepared) most() int { return p.lineMost() + p.declarationSize() }

func (p *prepared) lineMost() int {
	return len(p.head) + len(p.content.text) + len(p.upToFate) + len(p.middle) + len(p.policy) + 256
}

// declarationSize is the size of the declaration with its line feed.
func (p *prepared) declarationSize() int {
	if p.declaration == nil {
		return 0
	}
	return int(p.declaration.Size()) + 1
}

func (j *Journal) enqueue(w *waiting) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuse(); err != nil {
		return err
	}
	if len(j.queue) >= j.o.Waiting || j.bytes > 0 && j.bytes+w.size > limits.JournalWaiting {
		return ErrFull
	}
	j.queue = append(j.queue, w)
	j.bytes += w.size
	j.signal()
	return nil
}

// leave answers a caller that does not wait longer, with why unless there is an answer by now.
func (j *Journal) leave(w *waiting, why error) (Receipt, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch w.state {
	case answered:
		return w.receipt, w.err
	case queued:
		if i := slices.Index(j.queue, w); i >= 0 {
			j.queue = slices.Delete(j.queue, i, i+1)
			j.bytes -= w.size
		}
	}
	w.state = left
	return Receipt{}, why
}

// answer answers those of a group that still wait: with an error, or their receipts.
func (j *Journal) answer(group []*waiting, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, w := range group {
		if w.state != left {
			if w.err = err; err != nil {
				w.receipt = Receipt{}
			}
			w.state = answered
			close(w.done)
		}
	}
}

// refuseQueue answers all that wait with an error.
func (j *Journal) refuseQueue(err error) {
	j.mu.Lock()
	group := j.queue
	j.queue, j.bytes = nil, 0
	j.mu.Unlock()
	j.answer(group, err)
}

// segment is the one that is open. It is the writer's alone.
type segment struct {
	number int
	files  *files
	n      int // lines
	last   [sha256.Size]byte
	same   map[[sha256.Size]byte]int // the lines by their content
	born   time.Time                 // of the first line

	lines, declarations room // of the group that is written
}

// room is memory that one group after the other is written in.
type room []byte

// take gives room for size bytes, which is the next one's, too.
func (r *room) take(size int) []byte {
	if size > limits.JournalRoom {
		return make([]byte, 0, size)
	}
	*r = slices.Grow((*r)[:0], size)
	return *r
}

// group is what is written at once.
type group struct {
	calls               []*waiting
	lines, declarations []byte
	n                   int // of the last line
	last                [sha256.Size]byte
	same                map[[sha256.Size]byte]int // content that is new in the segment
}

// compose writes the lines of calls that go behind the segment's last.
func (s *segment) compose(calls []*waiting, prev [sha256.Size]byte, at time.Time) *group {
	g := &group{calls: calls, n: s.n, last: prev, same: map[[sha256.Size]byte]int{}}
	lines, declarations := 0, 0
	for _, w := range calls {
		lines, declarations = lines+w.lineMost(), declarations+w.declarationSize()
	}
	g.lines, g.declarations = s.lines.take(lines), s.declarations.take(declarations)
	for _, w := range calls {
		g.n++
		place := place{n: g.n, group: s.n + 1, prev: g.last, time: at}
		if w.content.name != "" {
			place.same = max(s.same[w.content.digest], g.same[w.content.digest])
			if place.same == 0 {
				g.same[w.content.digest] = g.n
				if w.declaration != nil {
					g.declarations = append(w.declaration.AppendCanonical(g.declarations), '\n')
				}
			}
		}
		start := len(g.lines)
		g.lines = w.appendLine(g.lines, place)
		g.last = sha256.Sum256(g.lines[start : len(g.lines)-1])
		w.receipt = Receipt{s.number, g.n, g.last}
	}
	return g
}

// take is what is to be written next to the open segment: at most so much that it fits. full says that something waits which
// does not.
func (j *Journal) take(s *segment) (calls []*waiting, full bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size := 0
	for len(j.queue) > 0 {
		w := j.queue[0]
		if len(calls) > 0 && size+w.size > limits.JournalGroup {
			break
		}
		if (len(calls) > 0 || s.n > 0) && max(s.files.lines.end, s.files.declarations.end)+int64(size+w.size) > j.o.SegmentSize {
			full = len(calls) == 0
			break
		}
		w.state = writing
		size += w.size
		calls = append(calls, w)
		j.queue = j.queue[1:]
		j.bytes -= w.size
	}
	return calls, full
}
