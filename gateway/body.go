package gateway

import (
	"errors"
	"io"
	"net/http"
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

// A share is what one call has taken of a budget.
type share struct {
	of    *budget
	taken int64
	once  sync.Once
}

func (s *share) grow(to int64) bool {
	if to <= s.taken {
		return true
	}
	if !s.of.take(to - s.taken) {
		return false
	}
	s.taken = to
	return true
}

// release gives back all; it may be called again.
func (s *share) release() { s.once.Do(func() { s.of.used.Add(-s.taken) }) }

// firstShare is what a body of unknown length is charged at first.
const firstShare = 64 << 10

// readBody reads the body as it is sent, up to the cap, and charges it to the share.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request, s *share) ([]byte, *refusal) {
	most := g.config.Limits.Body
	if r.ContentLength > most {
		return nil, refuse(bodyTooLarge, "the body has %d bytes, want at most %d", r.ContentLength, most)
	}
	size := r.ContentLength
	if size < 0 {
		size = min(firstShare, most)
	}
	if !s.grow(size) {
		return nil, refuse(memoryUsedUp, "the gateway holds as many bodies as it may; try again")
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(limits.GatewayBodySeconds * time.Second))
	body, no := readAll(r.Body, size, r.ContentLength < 0, most, s)
	if no == nil {
		_ = rc.SetReadDeadline(time.Time{})
	}
	return body, no
}

// readAll reads size bytes, or, where the length is open, as many as there are up to most.
func readAll(from io.Reader, size int64, open bool, most int64, s *share) ([]byte, *refusal) {
	body := make([]byte, 0, size+1) // one more, in which the end is found
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > most:
			return nil, refuse(bodyTooLarge, "the body has more than %d bytes", most)
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, refuse(bodyInvalid, "the body did not arrive whole")
		case len(body) < cap(body):
			continue
		}
		next := min(2*int64(cap(body)), most+1)
		if !open || !s.grow(next-1) {
			return nil, refuse(memoryUsedUp, "the gateway holds as many bodies as it may; try again")
		}
		body = append(make([]byte, 0, next), body...)
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
