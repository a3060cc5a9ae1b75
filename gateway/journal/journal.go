package journal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
)

// Why a call has no line. It must not be forwarded, and may be sent again later.
var (
	// ErrStalled says that the disk has not answered in time. The line may be in the journal.
	ErrStalled = errors.New("journal: the disk does not answer")
	// ErrFull says that too many calls wait.
	ErrFull = errors.New("journal: too many calls wait")
	// ErrNotReady says that there is no segment that can be written.
	ErrNotReady = errors.New("journal: is not ready")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal: is closed")
)

// ErrLocked says that another process writes to the journal.
var ErrLocked = errors.New("another process writes to this journal")

var errNoFolder = errors.New("journal: no folder")

// Options are how a journal is written. Sign is required; every other zero value is the default that is named.
type Options struct {
	// Sign signs the Statement of a closed segment, and gives it as a Sigstore bundle. If it fails, it is called again
	// after RetryAfter.
	Sign func(context.Context, attest.Signable) (*attest.Bundle, error)
	// Witness is given the bundle of each closed segment, in order, after it is on disk. If it fails, it is called again after
	// RetryAfter, and by the next process where it did not have all: calls and signatures do not wait for it. nil is none.
	Witness Witness
	// Timeout is how long a call waits for the disk; 5 seconds.
	Timeout time.Duration
	// SegmentSize is the size in bytes, of the lines or of the declarations, at which a segment is closed; 64 MiB, and 256 MiB
	// at most.
	SegmentSize int64
	// SegmentAge is the age of the first line at which a segment is closed; 60 seconds.
	SegmentAge time.Duration
	// Waiting is how many calls wait at most; 4,096.
	Waiting int
	// RetryAfter is how long after a failure a segment is made, or signed, again; a second.
	RetryAfter time.Duration
	// AcceptDamage opens a journal that has damage which no crash explains, unless it is Fatal. The damage stays where it is, and lines go
	// on in another segment: Verify finds it, and so does a later Open, unless it is in lines that were signed.
	AcceptDamage bool
	// Log has what an operator should know, without content of calls; nil for none.
	Log *slog.Logger
	// Clock is what lines have as their time; time.Now.
	Clock func() time.Time

	disk  disk
	chunk int64
}

func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.SegmentSize = cmp.Or(o.SegmentSize, 64<<20)
	o.SegmentAge = cmp.Or(o.SegmentAge, time.Minute)
	o.Waiting = cmp.Or(o.Waiting, 4096)
	o.RetryAfter = cmp.Or(o.RetryAfter, time.Second)
	o.chunk = cmp.Or(o.chunk, min(limits.JournalChunk, o.SegmentSize))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.disk == nil {
		o.disk = osDisk{}
	}
	return o
}

func (o Options) check() error {
	switch {
	case o.Sign == nil:
		return errors.New("journal: nothing that signs its segments")
	case o.Witness != nil && zero.IsNil(o.Witness):
		return fmt.Errorf("journal: the Witness is a nil %T: want one, or nothing", o.Witness)
	case o.Timeout < 0 || o.SegmentAge < 0 || o.Waiting < 0 || o.RetryAfter < 0:
		return errors.New("journal: a duration or a count is negative")
	case o.SegmentSize < 0 || o.SegmentSize > limits.JournalSegment:
		return fmt.Errorf("journal: segments of %d bytes, want at most %d", o.SegmentSize, limits.JournalSegment)
	}
	return nil
}

// Journal is an open journal. It is safe for concurrent use. Open makes one; the zero value takes no entries.
type Journal struct {
	o    Options
	dir  string
	id   [sha256.Size]byte
	lock *os.File
	held *held

	cuts []Cut

	mu      sync.Mutex // guards what follows
	queue   []*waiting
	bytes   int       // in the queue
	closing bool      // no entry is taken
	failed  error     // why there is no segment
	busy    time.Time // since when the disk is waited for; zero if it is not
	spare   spareState

	wake    chan struct{} // there is something to do
	written chan struct{} // closed when the writer has ended
	chain   chain         // the writer's
	sealer  *sealer
	witness *witnessing // nil for none
}

// chain is where the next line goes. It is the writer's alone.
type chain struct {
	open   *segment // nil for none
	number int      // of the last segment that has a line
	prev   [sha256.Size]byte
	retry  time.Time // no segment is made before
}

// Open locks a journal's folder, which it makes where there is none, repairs what a crash left behind, and begins a segment.
// What a crash cannot explain is a *DamageError, unless o.AcceptDamage is set. With damage in its id or in the bundle of its last
// signed segment, which name what the next segment follows, a journal cannot go on: that error is Fatal.
func Open(dir string, o Options) (*Journal, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	if dir == "" {
		return nil, errNoFolder
	}
	dir, err := pathname.Abs(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{o: o, dir: dir, held: newHeld(), wake: make(chan struct{}, 1), written: make(chan struct{})}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	if j.lock, err = lockFolder(dir); err != nil {
		return nil, err
	}
	if err := j.start(); err != nil {
		return nil, errors.Join(err, j.lock.Close())
	}
	return j, nil
}

func lockFolder(dir string) (*os.File, error) {
	f, err := openOwn(pathname.In(dir, lockName), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), f.Close())
	}
	return f, nil
}

// start reads what is there, and begins to write.
func (j *Journal) start() error {
	var err error
	if j.id, err = openFolder(j.dir); err != nil {
		return err
	}
	r := &recovery{dir: j.dir, id: j.id, accept: j.o.AcceptDamage, log: j.o.Log}
	if err := r.run(); err != nil {
		return err
	}
	j.cuts = r.cuts
	j.chain.number, j.chain.prev = r.number, r.prev
	j.held.load(j.dir, r.number)
	if j.o.Witness != nil {
		if j.witness, err = newWitnessing(j.dir, j.id, j.o); err != nil {
			return err
		}
	}
	j.sealer = newSealer(j.dir, j.id, j.o, r.before, j.witness, j.checkFolder)
	for _, s := range r.unsigned {
		j.sealer.add(s)
	}
	if err := j.begin(); err != nil {
		j.witness.leave()
		return errors.Join(err, j.sealer.close(context.Background(), false))
	}
	go j.write()
	return nil
}

// Cut is what Open has cut off a segment: the end of the last write before a crash, which was acknowledged to no call.
type Cut struct {
	Segment int
	Aside   string // the file that has a copy
	Bytes   int64
}

// Cuts are what Open has cut off.
func (j *Journal) Cuts() []Cut {
	if j == nil {
		return nil
	}
	return append([]Cut(nil), j.cuts...)
}

// Holds says whether one of the newest lines, 131,072 at least while there are as many, is an admitted call of that client
// with that identity.
func (j *Journal) Holds(client string, id identity.ID) bool {
	if j == nil || j.held == nil || id.IsZero() {
		return false
	}
	return j.held.has(client, id)
}

// Ready is nil if an entry would be written now, and closed segments are being signed; otherwise it says what is wrong.
func (j *Journal) Ready() error {
	if j == nil || j.wake == nil {
		return ErrClosed
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuse(); err != nil {
		return err
	}
	if j.spare.err != nil {
		return fmt.Errorf("%w: the next segment cannot be made: %w", ErrNotReady, j.spare.err)
	}
	if n := j.sealer.unsigned(); n > limits.JournalUnsigned {
		return fmt.Errorf("%w: %d closed segments are not signed, want at most %d", ErrNotReady, n, limits.JournalUnsigned)
	}
	return nil
}

// refuse is why no entry is taken. j.mu is held.
func (j *Journal) refuse() error {
	switch {
	case j.closing:
		return ErrClosed
	case j.failed != nil:
		return fmt.Errorf("%w: %w", ErrNotReady, j.failed)
	case !j.busy.IsZero() && time.Since(j.busy) > j.o.Timeout:
		return ErrStalled
	}
	return nil
}

// Close writes what waits, closes the segment, signs what is not signed, and gives it to the witness, once. It returns when that is
// done, or ctx is; what is not signed or witnessed then is so when the journal is opened again. A second call returns ErrClosed.
func (j *Journal) Close(ctx context.Context) error {
	if j == nil || j.wake == nil {
		return ErrClosed
	}
	j.mu.Lock()
	again := j.closing
	j.closing = true
	j.mu.Unlock()
	if again {
		return ErrClosed
	}
	j.signal()
	select {
	case <-j.written:
	case <-ctx.Done():
		return fmt.Errorf("journal: the last segment is not closed: %w", ctx.Err()) // the lock stays: the writer may still write
	}
	err := j.sealer.close(ctx, true)
	return errors.Join(err, j.witness.close(ctx), j.removeSpare(ctx), j.lock.Close())
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
