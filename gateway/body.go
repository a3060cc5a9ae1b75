package gateway

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// A budget bounds the bytes of all bodies that are held at once.
type budget struct {
	most int64
	used atomic.Int64
}

// take charges n bytes, or none.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.most {
		b.used.Add(-n)
		return false
	}
	return true
}

// A share is what one call has taken of a budget, for one buffer after the other.
type share struct {
	of    *budget
	taken int64
	base  int64 // of it, what the buffers before the last have
	once  sync.Once
}

// begin charges the first n bytes of one more buffer.
func (s *share) begin(n int64) bool {
	s.base = s.taken
	return s.grow(n)
}

// grow charges what the last buffer has more when it has n bytes.
func (s *share) grow(n int64) bool {
	to := s.base + n
	if to <= s.taken {
		return true
	}
	if !s.of.take(to - s.taken) {
		return false
	}
	s.taken = to
	return true
}

// keep gives back all but n bytes.
func (s *share) keep(n int64) {
	if more := s.taken - n; more > 0 {
		s.of.used.Add(-more)
		s.taken = n
	}
}

// release gives back all; it may be called again.
func (s *share) release() { s.once.Do(func() { s.of.used.Add(-s.taken) }) }

func refuseFull() *refusal {
	return refuse(memoryUsedUp, "the gateway holds as many bodies as it may; try again")
}

// headerSize is how many bytes the headers of a request have.
func headerSize(r *http.Request) int64 {
	n := len(r.RequestURI)
	for name, lines := range r.Header {
		for _, line := range lines {
			n += len(name) + len(line)
		}
	}
	return int64(n)
}

// firstShare is what a body is charged at first, before it arrives.
const firstShare = 64 << 10

// An arriving is a body on its way from the client. Each part has the pause to arrive, and all of it until end, unless that is
// zero.
type arriving struct {
	io.ReadCloser
	of    *http.ResponseController
	pause time.Duration
	end   time.Time

	whole  atomic.Bool // its end was read
	mu     sync.Mutex
	closed bool // the deadline is the server's again
}

// Read gives the end for as long as it is asked. net/http closes the body when the answer begins, and an error would have the
// transport, which asks again, close the connection on which the answer arrives.
func (b *arriving) Read(p []byte) (int, error) {
	if b.whole.Load() {
		return 0, io.EOF
	}
	b.wait()
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.whole.Store(true)
		b.done() // else the server, which goes on reading to see whether the client leaves, would take it for gone
	}
	return n, err
}

// Close is called by the transport, which may read at the same time.
func (b *arriving) Close() error {
	b.wait() // the server reads some of what is left
	err := b.ReadCloser.Close()
	b.done()
	return err
}

func (b *arriving) wait() {
	at := time.Now().Add(b.pause)
	if !b.end.IsZero() && at.After(b.end) {
		at = b.end
	}
	b.set(at, false)
}

func (b *arriving) done() { b.set(time.Time{}, true) }

func (b *arriving) set(at time.Time, last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		_ = b.of.SetReadDeadline(at)
	}
	b.closed = last || b.closed
}

// arrive is the body of a request with deadlines.
func (g *Gateway) arrive(w http.ResponseWriter, r *http.Request) *arriving {
	return &arriving{ReadCloser: r.Body, of: http.NewResponseController(w), pause: g.pause}
}

// readBody reads the body as it is sent, up to the cap, and charges it to the share.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request, s *share) ([]byte, *refusal) {
	most := g.config.Limits.Body
	if r.ContentLength > most {
		return nil, refuse(bodyTooLarge, "the body has %d bytes, want at most %d", r.ContentLength, most)
	}
	if r.ContentLength >= 0 {
		most = r.ContentLength
	}
	from := g.arrive(w, r)
	from.end = time.Now().Add(limits.GatewayBodySeconds * time.Second)
	return readAll(from, most, s)
}

// readAll reads as many bytes as there are, up to most. It charges them as they arrive: a body that is announced takes no room.
func readAll(from io.Reader, most int64, s *share) ([]byte, *refusal) {
	first := min(firstShare, most)
	if !s.begin(first) {
		return nil, refuseFull()
	}
	step := 0 // of the buffer in steps; -1 of one that is not
	var body []byte
	if first < most {
		body = steps.get(step)
	} else {
		step, body = -1, make([]byte, 0, first+1) // one more, in which the end is found
	}
	for size := first; ; {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > most:
			steps.put(step, body)
			return nil, refuse(bodyTooLarge, "the body has more than %d bytes", most)
		case errors.Is(err, io.EOF):
			if step >= 0 {
				defer steps.put(step, body)
				body = slices.Clone(body)
			}
			return body, nil
		case err != nil:
			steps.put(step, body)
			return nil, refuse(bodyInvalid, "the body did not arrive whole")
		case len(body) < cap(body):
			continue
		}
		size = min(2*size, most)
		if !s.grow(size) {
			steps.put(step, body)
			return nil, refuseFull()
		}
		larger, next := []byte(nil), -1
		if size < most && step >= 0 && step+1 < len(steps) {
			next = step + 1
			larger = steps.get(next)
		} else {
			larger = make([]byte, 0, size+1)
		}
		larger = append(larger, body...)
		steps.put(step, body)
		step, body = next, larger
	}
}

// steps are buffers that a longer body goes through while it arrives: of firstShare and one bytes, of about twice, four and eight
// times as many. They are used again. What readAll gives is none of them.
var steps stepBuffers

type stepBuffers [4]sync.Pool

func (s *stepBuffers) get(step int) []byte {
	if b, ok := s[step].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, firstShare<<step+1)
}

// put takes a buffer back that get gave; a step of -1 is of another.
func (s *stepBuffers) put(step int, b []byte) {
	if step >= 0 {
		s[step].Put(&b)
	}
}

// A sending is the body on its way to the upstream: the very bytes that were read. When the transport has taken all of it, or
// closes it, it lets go of them and gives their share of the memory back.
type sending struct {
	mu    sync.Mutex // the transport may close it while it reads
	left  []byte
	share *share
}

func (b *sending) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.left)
	if b.left = b.left[n:]; len(b.left) == 0 {
		b.release()
	}
	return n, nil
}

func (b *sending) release() {
	b.left = nil
	b.share.release()
}

// Close is called by the transport when it needs the body no more.
func (b *sending) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release()
	return nil
}
