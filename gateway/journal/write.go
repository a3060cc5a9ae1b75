package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/runattest/runattest/internal/pathname"
)

// spareState is the next segment's files, made ahead of need. j.mu guards it.
type spareState struct {
	files  *files
	err    error
	making chan struct{} // closed when they are made, or not; nil if they are not being made
	again  time.Time     // when to try again after an error
}

// write is the one goroutine that writes lines.
func (j *Journal) write() {
	defer close(j.written)
	for !j.turn() {
		j.rest()
	}
}

// rest waits until there is something to do.
func (j *Journal) rest() {
	var at time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if s := j.chain.open; s == nil {
		sooner(j.chain.retry)
	} else if s.n > 0 {
		sooner(s.born.Add(j.o.SegmentAge))
	}
	j.mu.Lock()
	sooner(j.spare.again)
	j.mu.Unlock()
	if at.IsZero() {
		<-j.wake
		return
	}
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-j.wake:
	case <-timer.C:
	}
}

// turn does what there is to do. It is true when the journal was closed, and the writer ends.
func (j *Journal) turn() (ended bool) {
	for {
		j.mu.Lock()
		closing := j.closing
		j.mu.Unlock()
		if j.chain.open == nil && !j.beginAgain(closing) {
			return closing
		}
		s := j.chain.open
		calls, full := j.take(s)
		switch {
		case len(calls) > 0:
			j.writeGroup(s, calls)
		case full || s.n > 0 && time.Since(s.born) >= j.o.SegmentAge:
			j.seal(s, false)
		case closing && s.n > 0:
			j.seal(s, false)
			return true
		case closing:
			j.chain.open = nil
			_ = s.files.close() // empty: nothing to lose
			if j.checkFolder() == nil {
				_ = errors.Join(os.Remove(s.files.lines.path), os.Remove(s.files.declarations.path))
			}
			return true
		default:
			j.retrySpare()
			return false
		}
	}
}

// beginAgain begins a segment after a failure, or a segment was closed, unless it is too early to try.
func (j *Journal) beginAgain(closing bool) bool {
	err := ErrClosed
	if !closing || j.hasQueue() {
		if time.Now().Before(j.chain.retry) {
			return false
		}
		if err = j.begin(); err == nil {
			return true
		}
		j.o.Log.Error("the journal has no segment", "error", err)
		j.chain.retry = time.Now().Add(j.o.RetryAfter)
	}
	j.mu.Lock()
	j.failed = err
	j.mu.Unlock()
	j.refuseQueue(fmt.Errorf("%w: %w", ErrNotReady, err))
	return false
}

func (j *Journal) hasQueue() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.queue) > 0
}

// atWork marks that the disk is waited for, until the function that it gives is called.
func (j *Journal) atWork() (done func()) {
	set := func(t time.Time) {
		j.mu.Lock()
		j.busy = t
		j.mu.Unlock()
	}
	set(time.Now())
	return func() { set(time.Time{}) }
}

// begin makes the next segment the open one.
func (j *Journal) begin() error {
	defer j.atWork()()
	if err := j.checkFolder(); err != nil { // first: the names of files are another's then
		return err
	}
	f, err := j.takeSpare()
	if err != nil {
		return err
	}
	number := j.chain.number + 1
	if err := f.name(j.o.disk, j.dir, number); err != nil {
		return errors.Join(err, f.close())
	}
	j.chain.open = &segment{number: number, files: f, same: map[[32]byte]int{}}
	j.mu.Lock()
	j.failed = nil
	j.mu.Unlock()
	j.makeSpare()
	return nil
}

// checkFolder finds that the folder is no longer the one that is locked.
func (j *Journal) checkFolder() error {
	path := pathname.In(j.dir, lockName)
	there, err := os.Stat(path)
	if err != nil {
		return err
	}
	if open, err := j.lock.Stat(); err != nil || !os.SameFile(there, open) {
		return errors.Join(err, fmt.Errorf("%s: %w", j.dir, errMoved))
	}
	return nil
}

// writeGroup writes calls, and answers them.
func (j *Journal) writeGroup(s *segment, calls []*waiting) {
	g := s.compose(calls, j.chain.prev, j.o.Clock())
	done := j.atWork()
	err := s.files.append(g.lines, g.declarations)
	if err == nil { // without its lock, another process may have taken the segment for one that a crash left
		err = j.checkFolder()
	}
	done()
	if err != nil {
		j.fail(s, err)
		j.answer(calls, fmt.Errorf("%w: %w", ErrNotReady, err))
		return
	}
	if s.n == 0 {
		s.born = time.Now()
		j.chain.number = s.number
	}
	s.n, s.last, j.chain.prev = g.n, g.last, g.last
	for digest, n := range g.same {
		s.same[digest] = n
	}
	j.held.add(s.number, calls)
	j.answer(calls, nil)
	done = j.atWork()
	err = s.files.ahead(j.o.chunk)
	done()
	if err != nil {
		j.fail(s, err)
	}
}

// fail ends a segment of which a write or a sync has failed.
func (j *Journal) fail(s *segment, err error) {
	j.o.Log.Error("the journal's segment is not written again", "segment", s.number, "error", err)
	j.mu.Lock()
	j.failed = err
	j.mu.Unlock()
	if s.n > 0 {
		j.seal(s, true)
		return
	}
	j.chain.open = nil
	_ = s.files.close() // it has no line; the next segment takes its name
}

// seal gives the open segment to what signs it.
func (j *Journal) seal(s *segment, failed bool) {
	j.chain.open = nil
	j.sealer.add(&sealed{
		number: s.number, lines: s.n, last: s.last, files: s.files, failed: failed,
		end: s.files.lines.end, declarations: s.files.declarations.end,
	})
}

// takeSpare gives the files of the next segment: those that were made ahead, or new ones.
func (j *Journal) takeSpare() (*files, error) {
	j.mu.Lock()
	making := j.spare.making
	j.mu.Unlock()
	if making != nil {
		<-making
	}
	j.mu.Lock()
	f := j.spare.files
	j.spare = spareState{}
	j.mu.Unlock()
	if f != nil && f.lines.checkThere() == nil && f.declarations.checkThere() == nil {
		return f, nil
	}
	if f != nil {
		_ = f.close() // empty: nothing to lose
	}
	return newFiles(j.o.disk, j.dir, j.o.chunk)
}

// makeSpare makes the files of the next segment in the background.
func (j *Journal) makeSpare() {
	making := make(chan struct{})
	j.mu.Lock()
	j.spare = spareState{making: making}
	j.mu.Unlock()
	go func() {
		f, err := newFiles(j.o.disk, j.dir, j.o.chunk)
		if err != nil {
			j.o.Log.Error("the journal's next segment cannot be made", "error", err)
		}
		j.mu.Lock()
		j.spare = spareState{files: f, err: err}
		if err != nil {
			j.spare.again = time.Now().Add(j.o.RetryAfter)
		}
		j.mu.Unlock()
		close(making)
		j.signal()
	}()
}

// retrySpare makes the next segment's files again, if it is time.
func (j *Journal) retrySpare() {
	j.mu.Lock()
	due := !j.spare.again.IsZero() && !time.Now().Before(j.spare.again)
	j.mu.Unlock()
	if due {
		j.makeSpare()
	}
}

// removeSpare removes the files that no segment needed.
func (j *Journal) removeSpare(ctx context.Context) error {
	j.mu.Lock()
	making := j.spare.making
	j.mu.Unlock()
	if making != nil {
		select {
		case <-making:
		case <-ctx.Done():
			return ctx.Err() // the next Open removes them
		}
	}
	j.mu.Lock()
	f := j.spare.files
	j.spare = spareState{}
	j.mu.Unlock()
	if f == nil {
		return nil
	}
	if j.checkFolder() != nil { // the names are another's
		return f.close()
	}
	return errors.Join(f.close(), removeIfThere(f.lines.path), removeIfThere(f.declarations.path))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
