package terminal

import (
	"fmt"
	"io"
	"time"
)

// Progress shows a count on a terminal once something takes longer than a second.
type Progress struct {
	to    io.Writer
	verb  string
	next  time.Time
	count int
	shown bool
}

// NewProgress begins a count that is shown as "COUNT VERB", such as "12 signed". It is never shown where to is not a
// terminal that can take a line back.
func NewProgress(to io.Writer, verb string) *Progress {
	if !Is(to) || !takesEscapes() {
		return &Progress{}
	}
	return &Progress{to: to, verb: verb, next: time.Now().Add(time.Second)}
}

// Step counts one.
func (p *Progress) Step() { p.add(1) }

// Write counts bytes.
func (p *Progress) Write(data []byte) (int, error) {
	p.add(len(data))
	return len(data), nil
}

func (p *Progress) add(n int) {
	p.count += n
	if p.to == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.shown = time.Now().Add(200*time.Millisecond), true
	fmt.Fprintf(p.to, "\r%d %s", p.count, p.verb)
}

// End removes the count from the terminal. Counting on shows it again.
func (p *Progress) End() {
	if p.shown {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.shown = false
	}
}
