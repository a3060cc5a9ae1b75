package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

var errSilent = errors.New("the upstream does not begin to answer")

const (
	shortestPatience = limits.GatewayAnswerShortest * time.Second
	longestPatience  = limits.GatewayAnswerLongest * time.Second
)

// patience is how long the upstream may take for the headers of an answer.
func (u Upstream) patience() (time.Duration, error) {
	text := cmp.Or(u.ResponseHeaderTimeout, (limits.GatewayAnswer * time.Second).String())
	d, err := time.ParseDuration(text)
	if err != nil || d < shortestPatience || d > longestPatience {
		return 0, fmt.Errorf("responseHeaderTimeout: %q, want a duration from %s to %s, such as 10m", text, shortestPatience, longestPatience)
	}
	return d, nil
}

// A patience ends a call whose upstream stays silent: it takes no more of the request and does not begin to answer.
type patience struct {
	mu    sync.Mutex
	timer *time.Timer
	most  time.Duration
	over  bool // there is an answer, or the call has ended
}

func newPatience(most time.Duration, silent func()) *patience {
	p := &patience{most: most}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(most, func() {
		if p.end() {
			silent()
		}
	})
	return p
}

// again begins anew: the upstream has taken a part of the request.
func (p *patience) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.timer.Reset(p.most)
	}
}

// end is true the first time.
func (p *patience) end() (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	first, p.over = !p.over, true
	return first
}

// A counted is the body of a request, each part of which begins the patience anew.
type counted struct {
	io.ReadCloser
	limit *patience
}

func (b *counted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.limit.again()
	return n, err
}
