package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
)

// faultyDisk is a disk that stalls, and fails.
type faultyDisk struct {
	osDisk
	syncs atomic.Int64
	stuck atomic.Int64 // syncs that wait

	mu      sync.Mutex
	stalled chan struct{} // syncs wait until it is closed; nil for none
	write   func(path string) error
	sync    func(path string) error
	create  func(path string) error
}

// stall makes syncs wait until release is called, or the test ends: what closes the journal then does not wait for ever.
func (d *faultyDisk) stall(t testing.TB) (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan struct{})
	d.stalled = c
	release = sync.OnceFunc(func() {
		d.mu.Lock()
		d.stalled = nil
		d.mu.Unlock()
		close(c)
	})
	t.Cleanup(release)
	return release
}

func (d *faultyDisk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *faultyDisk) call(f *func(string) error, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if *f == nil {
		return nil
	}
	return (*f)(path)
}

func (d *faultyDisk) Create(path string) (file, error) {
	if err := d.call(&d.create, path); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Create(path)
	if err != nil {
		return nil, err
	}
	return &faultyFile{f, d, path}, nil
}

type faultyFile struct {
	file
	d    *faultyDisk
	path string
}

func (f *faultyFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.d.call(&f.d.write, f.path); err != nil {
		n, _ := f.file.WriteAt(p[:len(p)/2], at) // as a disk that is full
		return n, err
	}
	return f.file.WriteAt(p, at)
}

func (f *faultyFile) Sync() error {
	f.d.mu.Lock()
	stalled := f.d.stalled
	f.d.mu.Unlock()
	if stalled != nil {
		f.d.stuck.Add(1)
		<-stalled
		f.d.stuck.Add(-1)
	}
	f.d.syncs.Add(1)
	if err := f.d.call(&f.d.sync, f.path); err != nil {
		return err
	}
	return nil // no test takes the power away, and the machine's own disk may take long
}

// A disk that stalls: callers are refused in time, and a sync that returns later admits none of them.
func TestStalledDisk(t *testing.T) {
	d := newDesk(t)
	disk := &faultyDisk{}
	d.options.disk, d.options.Timeout = disk, 500*time.Millisecond
	j := d.open(t)
	first := add(t, j, d.entry(t, 0, true))
	waitFor(t, j.spareMade)
	release := disk.stall(t)
	if _, err := j.Append(ctx, d.entry(t, 1, true)); !errors.Is(err, ErrStalled) {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return errors.Is(j.Ready(), ErrStalled) })
	if _, err := j.Append(ctx, d.entry(t, 2, true)); !errors.Is(err, ErrStalled) {
		t.Errorf("while the disk stalls: %v", err)
	}
	release()
	waitFor(t, func() bool { return j.Ready() == nil })
	third := add(t, j, d.entry(t, 3, true))
	closeJournal(t, j)
	d.verified(t, 3, VerifyOptions{Receipts: []Receipt{first, third}}) // the line of the refused call is there, without a call
}

func (j *Journal) spareMade() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.spare.files != nil
}

// Calls that wait are bounded, and those whose client has left have no line.
func TestWaiting(t *testing.T) {
	d := newDesk(t)
	disk := &faultyDisk{}
	d.options.disk, d.options.Waiting = disk, 2
	j := d.open(t)
	waitFor(t, j.spareMade)
	release := disk.stall(t)
	results := make(chan error, 3)
	entries := []Entry{d.entry(t, 0, false), d.entry(t, 1, false), d.entry(t, 2, false), d.entry(t, 3, false)}
	go func() { _, err := j.Append(ctx, entries[0]); results <- err }()
	waitFor(t, func() bool { return disk.stuck.Load() > 0 })
	leaving, leave := context.WithCancel(ctx)
	left := make(chan error, 1)
	go func() { _, err := j.Append(leaving, entries[1]); left <- err }()
	go func() { _, err := j.Append(ctx, entries[2]); results <- err }()
	waitFor(t, func() bool { j.mu.Lock(); defer j.mu.Unlock(); return len(j.queue) == 2 })
	if _, err := j.Append(ctx, entries[3]); !errors.Is(err, ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	release()
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	closeJournal(t, j)
	ids := map[string]bool{}
	d.verified(t, 2, VerifyOptions{Line: func(l LineResult) error { ids[l.Identity.String()] = true; return nil }})
	if ids[entries[1].Identity.String()] || ids[entries[3].Identity.String()] {
		t.Error("a call whose client had left has a line")
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := j.Append(done, entries[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A write or a sync that fails: the group is refused, the file is not written again, and what was acknowledged is kept.
func TestFailedWrite(t *testing.T) {
	for name, which := range map[string]func(d *faultyDisk) *func(string) error{
		"write": func(d *faultyDisk) *func(string) error { return &d.write },
		"sync":  func(d *faultyDisk) *func(string) error { return &d.sync },
	} {
		for _, base := range []string{spareLines, spareDeclarations} { // by the names that the files had when they were made
			t.Run(name+" of "+base, func(t *testing.T) {
				d := newDesk(t)
				disk := &faultyDisk{}
				d.options.disk = disk
				j := d.open(t)
				receipts := []Receipt{add(t, j, d.entry(t, 0, true)), add(t, j, d.entry(t, 1, true))}
				waitFor(t, j.spareMade)
				failed := false
				disk.set(func() {
					*which(disk) = func(path string) error {
						if failed || filepath.Base(path) != base {
							return nil
						}
						failed = true
						return syscall.EIO
					}
				})
				_, err := j.Append(ctx, d.entry(t, 2, true))
				if !errors.Is(err, ErrNotReady) || !errors.Is(err, syscall.EIO) {
					t.Fatalf("%v", err)
				}
				waitFor(t, func() bool { return j.Ready() == nil })
				r := add(t, j, d.entry(t, 3, true))
				if r.Segment != 2 || r.Line != 1 {
					t.Errorf("the next line is %s", r)
				}
				closeJournal(t, j)
				d.verified(t, 3, VerifyOptions{Receipts: append(receipts, r), Closed: true})
			})
		}
	}
}

// A disk without space for the next segment: the journal says so before a call waits, and goes on when there is space.
func TestFullDisk(t *testing.T) {
	d := newDesk(t)
	disk := &faultyDisk{}
	d.options.disk = disk
	full := func(string) error { return syscall.ENOSPC }
	disk.set(func() { disk.create = full })
	if _, err := Open(d.dir, d.options); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v", err)
	}
	disk.set(func() { disk.create = nil })
	j := d.open(t)
	waitFor(t, j.spareMade)
	disk.set(func() { disk.create, disk.write = full, full })
	if _, err := j.Append(ctx, d.entry(t, 0, true)); !errors.Is(err, ErrNotReady) {
		t.Fatalf("%v", err)
	}
	waitFor(t, func() bool { return errors.Is(j.Ready(), syscall.ENOSPC) })
	disk.set(func() { disk.create, disk.write = nil, nil })
	waitFor(t, func() bool { return j.Ready() == nil })
	add(t, j, d.entry(t, 1, true))
	closeJournal(t, j)
	d.verified(t, 1, VerifyOptions{Closed: true})
}

// The folder goes away: no call is admitted that would have its line in no journal.
func TestFolderGone(t *testing.T) {
	for name, away := range map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"moved":   func(dir string) error { return os.Rename(dir, dir+".moved") },
		"replaced": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".moved"), os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, lockName), nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			j := d.open(t)
			add(t, j, d.entry(t, 0, true))
			waitFor(t, j.spareMade)
			if err := away(d.dir); err != nil {
				t.Fatal(err)
			}
			if r, err := j.Append(ctx, d.entry(t, 1, true)); !errors.Is(err, ErrNotReady) {
				t.Errorf("%s, %v", r, err)
			}
			if err := j.Ready(); !errors.Is(err, ErrNotReady) {
				t.Errorf("ready: %v", err)
			}
			_ = j.Close(ctx)
		})
	}
}

// A signer that is down: segments are signed when it is back, at the latest when the journal is opened again.
func TestSignerDown(t *testing.T) {
	d := newDesk(t)
	var down atomic.Bool
	down.Store(true)
	d.options.Sign = func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		if down.Load() {
			return nil, errors.New("down")
		}
		return d.sign(ctx, s)
	}
	d.options.SegmentSize = 4000
	j := d.open(t)
	for i := range 6 {
		add(t, j, d.entry(t, i, false))
	}
	if err := j.Close(ctx); err == nil || !strings.Contains(err.Error(), "00000001.jsonl is not signed: down") {
		t.Fatalf("%v", err)
	}
	if r := d.verify(t, VerifyOptions{}); !r.Verified || r.Open != 6 {
		t.Errorf("%+v", r)
	}
	if r := d.verify(t, VerifyOptions{Closed: true}); r.Verified {
		t.Errorf("%+v", r)
	}
	j = d.open(t)
	down.Store(false)
	add(t, j, d.entry(t, 6, false))
	closeJournal(t, j)
	d.verified(t, 7, VerifyOptions{Closed: true})
}

// While segments cannot be signed their files are closed, and the journal says that it is not ready when too many wait.
func TestSegmentsWait(t *testing.T) {
	d := newDesk(t)
	var down atomic.Bool
	down.Store(true)
	d.options.Sign = func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		if down.Load() {
			return nil, errors.New("down")
		}
		return d.sign(ctx, s)
	}
	d.options.SegmentSize, d.options.chunk = 1, 4096 // a line fills a segment
	j := d.open(t)
	entry := d.entry(t, 0, false)
	for n := range limits.JournalUnsigned + 2 { // the last is open
		if err := j.Ready(); err != nil {
			t.Fatalf("%d segments: %v", n, err)
		}
		add(t, j, entry)
	}
	waitFor(t, func() bool { return errors.Is(j.Ready(), ErrNotReady) })
	waitFor(t, func() bool {
		j.sealer.mu.Lock()
		queue := slices.Clone(j.sealer.queue)
		j.sealer.mu.Unlock()
		return !slices.ContainsFunc(queue, func(one *sealed) bool {
			info, err := os.Stat(filepath.Join(d.dir, linesName(one.number)))
			return err != nil || info.Size() != one.end // cut, after which its files are closed
		})
	})
	add(t, j, entry) // it is still written
	down.Store(false)
	waitFor(t, func() bool { return j.Ready() == nil })
	closeJournal(t, j)
	d.verified(t, limits.JournalUnsigned+3, VerifyOptions{Closed: true})
}

// The clock is what the machine says, also when it is set back.
func TestClockSetBack(t *testing.T) {
	d := newDesk(t)
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	d.options.Clock = func() time.Time { now = now.Add(-time.Hour); return now }
	j := d.open(t)
	for i := range 3 {
		add(t, j, d.entry(t, i, true))
	}
	closeJournal(t, j)
	var times []time.Time
	d.verified(t, 3, VerifyOptions{Line: func(l LineResult) error { times = append(times, l.Time); return nil }})
	if !times[2].Before(times[0]) {
		t.Errorf("%v", times)
	}
}

// TestLockRemoved: when the lock's file is removed, another process can open the journal. The first one acknowledges nothing more,
// signs nothing, and leaves the files of the other alone.
func TestLockRemoved(t *testing.T) {
	for _, lines := range []int{0, 1} {
		d := newDesk(t)
		j := d.open(t)
		var receipts []Receipt
		for range lines {
			receipts = append(receipts, add(t, j, d.entry(t, 0, true)))
		}
		waitFor(t, j.spareMade)
		if err := os.Remove(filepath.Join(d.dir, lockName)); err != nil {
			t.Fatal(err)
		}
		if lines > 0 {
			if r, err := j.Append(ctx, d.entry(t, 1, true)); !errors.Is(err, ErrNotReady) {
				t.Fatalf("%s, %v: a line without the lock", r, err)
			}
			lines++ // which is written, and not acknowledged
		}
		other := d.open(t)
		waitFor(t, other.spareMade)
		receipts = append(receipts, add(t, other, d.entry(t, 2, true)))
		if err := j.Close(ctx); lines > 0 && (err == nil || !strings.Contains(err.Error(), "was removed or replaced")) {
			t.Errorf("closed without the lock: %v", err)
		}
		if _, err := os.Stat(filepath.Join(d.dir, spareLines)); err != nil {
			t.Errorf("the other's next segment is gone: %v", err)
		}
		closeJournal(t, other)
		d.verified(t, lines+1, VerifyOptions{Receipts: receipts, Closed: true})
	}
}
