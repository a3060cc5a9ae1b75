package terminal

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is a screen of one line: what it shows, and the lines that have gone by.
type screen struct {
	mu   sync.Mutex
	line string
	past []string
}

func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for part := range strings.SplitAfterSeq(string(data), "\n") {
		if i := strings.LastIndex(part, "\r"); i >= 0 {
			s.line, part = "", strings.TrimPrefix(part[i+1:], "\x1b[K")
		}
		if s.line += part; strings.HasSuffix(s.line, "\n") {
			s.past, s.line = append(s.past, s.line), ""
		}
	}
	return len(data), nil
}

func (s *screen) shows(t *testing.T, want string) {
	t.Helper()
	for range 400 {
		s.mu.Lock()
		line := s.line
		s.mu.Unlock()
		if line == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the terminal shows %q, want %q", s.line, want)
}

// What takes more than a second is counted on a terminal, also while a registry keeps us waiting; what is
// printed meanwhile takes lines of its own, and in the end the count is gone.
func TestTransfer(t *testing.T) {
	shown := &screen{}
	early := newTransfer(context.Background(), &Progress{to: shown, verb: "fetched", next: time.Now().Add(time.Hour)})
	early.Count()
	early.End()
	shown.shows(t, "")
	moving := newTransfer(context.Background(), &Progress{to: shown, verb: "fetched", next: time.Now()})
	moving.Count()
	shown.shows(t, "1 fetched")
	moving.Say(func() { fmt.Fprintln(shown, "said") })
	moving.Count()
	shown.shows(t, "2 fetched")
	moving.End()
	moving.End()
	shown.shows(t, "")
	if len(shown.past) != 1 || shown.past[0] != "said\n" {
		t.Errorf("%q", shown.past)
	}
}
