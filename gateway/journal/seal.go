package journal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/pathname"
)

// sealed is a segment that takes no more lines, and is to be signed.
type sealed struct {
	number, lines     int
	last              [sha256.Size]byte
	end, declarations int64  // how much of the files is good
	files             *files // open, or nil
	failed            bool   // a write to them has failed: they are copied
	cut               bool   // there is nothing behind their ends
}

// sealer signs closed segments in their order.
type sealer struct {
	dir string
	id  [sha256.Size]byte
	o   Options

	witness *witnessing  // nil for none
	owned   func() error // the folder is still this process's

	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
	wake   chan struct{}
	stop   chan struct{} // closed by close

	mu      sync.Mutex
	queue   []*sealed
	closing bool

	// What follows is the goroutine's alone, until it has ended.
	before *[sha256.Size]byte // digest of the file of the last signed segment; nil for none
	err    error
}

func newSealer(dir string, id [sha256.Size]byte, o Options, before *[sha256.Size]byte, w *witnessing, owned func() error) *sealer {
	s := &sealer{dir: dir, id: id, o: o, before: before, witness: w, owned: owned, ended: make(chan struct{}), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

func (s *sealer) add(one *sealed) {
	s.mu.Lock()
	s.queue = append(s.queue, one)
	s.mu.Unlock()
	s.signal()
}

// unsigned is how many segments wait.
func (s *sealer) unsigned() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

func (s *sealer) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close waits until all segments are signed, or one cannot be, or ctx is done. Unless finish is set it signs none.
func (s *sealer) close(ctx context.Context, finish bool) error {
	s.mu.Lock()
	s.closing = true
	if !finish {
		s.queue = nil
	}
	s.mu.Unlock()
	close(s.stop)
	select {
	case <-s.ended:
	case <-ctx.Done():
		s.cancel()
		<-s.ended
	}
	s.cancel()
	return s.err
}

func (s *sealer) run() {
	defer close(s.ended)
	for {
		s.mu.Lock()
		closing, queue := s.closing, slices.Clone(s.queue)
		s.mu.Unlock()
		for _, one := range queue {
			_ = s.cut(one) // closes its files, whether or not the first can be signed; sign cuts it again, and reports
		}
		err := error(nil)
		if len(queue) > 0 {
			next := queue[0]
			if err = s.sign(next); err == nil {
				s.mu.Lock()
				s.queue = s.queue[1:]
				s.mu.Unlock()
				continue
			}
			err = fmt.Errorf("%s is not signed: %w", linesName(next.number), err)
			s.o.Log.Error("a segment of the journal is not signed", "segment", next.number, "error", err)
		}
		if closing {
			s.err = err
			return
		}
		rest(s.stop, s.wake, err != nil, s.o.RetryAfter)
	}
}

// rest waits for more to do, or after a failure until it is time to try again.
func rest(stop, more <-chan struct{}, again bool, after time.Duration) {
	if again {
		more = nil
	}
	retry := time.NewTimer(after)
	defer retry.Stop()
	select {
	case <-stop:
	case <-more:
	case <-retry.C: // without a failure there is nothing to do, which costs nothing
	}
}

// sign cuts what is behind the last line, and signs the segment.
func (s *sealer) sign(one *sealed) error {
	if err := s.cut(one); err != nil {
		return err
	}
	sum, err := hashFile(pathname.In(s.dir, linesName(one.number)), one.end)
	if err != nil {
		return err
	}
	claim, err := head{one.number, one.lines, sum, one.last, s.before, s.id}.claim()
	if err != nil {
		return err
	}
	bundle, err := s.o.Sign(s.ctx, claim)
	if err != nil {
		return err
	}
	if bundle.Format() != attest.SigstoreBundle {
		return fmt.Errorf("signed as %q, want a Sigstore bundle", bundle.Format())
	}
	text, err := bundle.Marshal()
	if err != nil {
		return err
	}
	path := pathname.In(s.dir, bundleName(one.number))
	if err := checkOwn(path); err != nil {
		return err
	}
	if err := atomicfile.Write(path, append(text, '\n'), 0o600); err != nil {
		return err
	}
	s.before = &sum
	s.witness.add(one.number)
	return nil
}

// cut makes the files end where their last line does.
func (s *sealer) cut(one *sealed) error {
	if err := s.owned(); err != nil || one.cut {
		return err
	}
	for _, part := range []struct {
		name string
		open func() file
		end  int64
	}{
		{declarationsName(one.number), func() file { return one.files.declarations.f }, one.declarations},
		{linesName(one.number), func() file { return one.files.lines.f }, one.end},
	} {
		path := pathname.In(s.dir, part.name)
		err := checkOwn(path)
		switch {
		case err != nil:
		case part.end == 0:
			err = removeIfThere(path)
		case one.failed:
			err = copyStart(path, part.end)
		case one.files != nil:
			if err = part.open().Truncate(part.end); err == nil {
				err = part.open().Sync()
			}
		default:
			err = truncate(path, part.end)
		}
		if err != nil {
			return err
		}
	}
	if err := s.o.disk.SyncFolder(s.dir); err != nil {
		return err
	}
	one.cut = true
	if one.files != nil {
		_ = one.files.close() // synced: nothing to lose
		one.files = nil
	}
	return nil
}

func truncate(path string, size int64) error {
	f, err := openOwn(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// copyStart puts a copy of the first bytes of a file in its place, since what is written to a file after an error cannot be
// relied on.
func copyStart(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // only read: nothing to lose
	return atomicfile.WriteFunc(path, func(w io.Writer) error {
		n, err := io.Copy(w, io.LimitReader(f, size))
		if err == nil && n != size {
			err = fmt.Errorf("%s: has %d bytes, want %d", path, n, size)
		}
		return err
	}, 0o600)
}

// hashFile is the SHA-256 of a file that has that size.
func hashFile(path string, size int64) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close() // only read: nothing to lose
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return sum, err
	}
	if n != size {
		return sum, fmt.Errorf("%s: has %d bytes, want %d", path, n, size)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}
