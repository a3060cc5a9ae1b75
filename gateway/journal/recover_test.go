package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/signer"
)

var appendLimited func(dir string)

func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_WRITER"); dir != "" {
		writeUntilKilled(dir)
	}
	if dir := os.Getenv("JOURNAL_LIMITED"); dir != "" {
		appendLimited(dir)
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled appends from several goroutines, and prints each receipt.
func writeUntilKilled(dir string) {
	key, err := signer.Parse([]byte(os.Getenv("JOURNAL_KEY")), nil)
	if err != nil {
		panic(err)
	}
	d := &desk{key: key, dir: dir}
	j, err := Open(dir, Options{Sign: d.sign, SegmentSize: 30_000, chunk: 16 << 10})
	if err != nil {
		panic(err)
	}
	t := &testing.B{}
	for writer := range 4 {
		go func() {
			for i := 0; ; i++ {
				r, err := j.Append(ctx, d.entry(t, writer+4*i, i%3 != 0))
				if err != nil {
					panic(err)
				}
				fmt.Println(r) // one write
			}
		}()
	}
	select {}
}

// TestKilled kills a process that appends, at random instants: each line that it acknowledged is there, and verifies, after the
// journal is opened again. JOURNAL_KILLS says how often.
func TestKilled(t *testing.T) {
	kills := 20
	if n := os.Getenv("JOURNAL_KILLS"); n != "" {
		if _, err := fmt.Sscan(n, &kills); err != nil {
			t.Fatal(err)
		}
	}
	d := newDesk(t)
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.key, err = signer.Parse(pair.Private, nil); err != nil {
		t.Fatal(err)
	}
	d.trust(t)
	var receipts []Receipt
	for range kills {
		receipts = append(receipts, killWriter(t, d.dir, string(pair.Private))...) // which opens it again
	}
	closeJournal(t, d.open(t))
	r := d.verify(t, VerifyOptions{Receipts: receipts, Closed: true, Segment: func(s SegmentResult) error {
		if !s.Verified {
			t.Errorf("segment %d: %v, %v", s.Number, s.Damage, s.Report.Failed())
		}
		return nil
	}})
	if !r.Verified || len(receipts) < 2*kills || r.Lines < len(receipts) {
		t.Errorf("%d receipts: %+v", len(receipts), r)
	}
	t.Logf("%d kills, %d lines acknowledged, %d lines, %d segments", kills, len(receipts), r.Lines, r.Segments)
}

// killWriter gives what was acknowledged.
func killWriter(t *testing.T, dir, key string) (receipts []Receipt) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL_WRITER="+dir, "JOURNAL_KEY="+key)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var kill sync.Once
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		r, err := ParseReceipt(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		receipts = append(receipts, r)
		kill.Do(func() {
			time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		})
	}
	_ = cmd.Wait() // it was killed
	return receipts
}

// written is a journal of two closed segments, and one that is as a crash leaves it: 5 lines in groups of 1, 2 and 2, with
// declarations of every other line.
func (d *desk) written(t *testing.T) (receipts []Receipt) {
	t.Helper()
	for i := range 2 {
		j := d.open(t)
		receipts = append(receipts, add(t, j, d.entry(t, 10+i, true)))
		closeJournal(t, j)
	}
	j := d.open(t)
	n := 0
	for _, size := range []int{1, 2, 2} {
		var calls []*waiting
		for range size {
			p, err := d.entry(t, n, n%2 == 0).prepare()
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, &waiting{prepared: p, size: p.most(), state: queued, done: make(chan struct{})})
			n++
		}
		j.mu.Lock()
		j.queue = append(j.queue, calls...)
		j.mu.Unlock()
		j.signal()
		for _, w := range calls {
			if <-w.done; w.err != nil {
				t.Fatal(w.err)
			}
			receipts = append(receipts, w.receipt)
		}
	}
	waitFor(t, func() bool { return j.spareMade() })
	d.crash(t, j)
	return receipts
}

// crash leaves the folder as it would be if the process ended now.
func (d *desk) crash(t testing.TB, j *Journal) {
	t.Helper()
	saved := d.dir + ".crashed"
	if err := os.CopyFS(saved, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	if err := errors.Join(os.RemoveAll(d.dir), os.Rename(saved, d.dir), os.Chmod(d.dir, 0o700)); err != nil {
		t.Fatal(err)
	}
}

// read is a file of the journal.
func (d *desk) read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// isReceipt says that a problem is of a receipt.
func isReceipt(problem error) bool { return strings.HasPrefix(problem.Error(), "receipt ") }

// edit changes a file of the journal.
func (d *desk) edit(t testing.TB, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(d.dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lineAt gives where line n of a file begins and ends.
func lineAt(data []byte, n int) (from, to int) {
	for range n - 1 {
		from += bytes.IndexByte(data[from:], '\n') + 1
	}
	return from, from + bytes.IndexByte(data[from:], '\n') + 1
}

// zero puts zero bytes into line n.
func zeroed(n int) func([]byte) []byte {
	return func(data []byte) []byte {
		from, to := lineAt(data, n)
		clear(data[from+10 : to])
		return data
	}
}

// After a crash the last group may be torn, in any way; what is before it may not.
func TestRecovery(t *testing.T) {
	const lines, declarations = "00000003.jsonl", "00000003.declarations.jsonl"
	for name, test := range map[string]struct {
		file   string
		change func([]byte) []byte
		kept   int // lines of the third segment; -1 for damage
		aside  int
	}{
		"nothing torn":   {lines, func(b []byte) []byte { return b }, 5, 0},
		"last line torn": {lines, zeroed(5), 4, 2},
		"first of the last group torn, second whole": {lines, zeroed(4), 3, 2},
		"last group missing": {lines, func(b []byte) []byte {
			from, _ := lineAt(b, 4)
			_, to := lineAt(b, 5)
			clear(b[from:to])
			return b
		}, 3, 1},
		"cut in the last line":              {lines, func(b []byte) []byte { _, to := lineAt(b, 5); return b[:to-5] }, 4, 2},
		"line feed missing":                 {lines, func(b []byte) []byte { _, to := lineAt(b, 5); return b[:to-1] }, 4, 2},
		"declaration of the last line torn": {declarations, zeroed(3), 4, 2},
		"declaration of an earlier group":   {declarations, zeroed(2), -1, 0},
		"line of an earlier group":          {lines, zeroed(3), -1, 0},
		"first line":                        {lines, zeroed(1), -1, 0},
		"last line changed, and whole": {lines, func(b []byte) []byte {
			from, to := lineAt(b, 4)
			return bytes.Replace(b, b[from:to], bytes.Replace(b[from:to], []byte(`"client":"local"`), []byte(`"client":"lokal"`), 1), 1)
		}, -1, 0},
		"line twice":              {lines, func(b []byte) []byte { from, to := lineAt(b, 5); return append(b[:to:to], b[from:to]...) }, -1, 0},
		"closed segment changed":  {"00000002.jsonl", func(b []byte) []byte { return append(b, 0) }, -1, 0},
		"closed segment's bundle": {bundleName(2), func(b []byte) []byte { return b[:len(b)-9] }, -1, 0},
		"bundle without a byte":   {bundleName(2), func([]byte) []byte { return nil }, -1, 0},
		"id":                      {idName, func(b []byte) []byte { clear(b); return b }, -1, 0},
		"all zero":                {lines, func(b []byte) []byte { clear(b); return b }, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			receipts := d.written(t)
			d.edit(t, test.file, test.change)
			damaged := d.read(t, test.file)
			j, err := Open(d.dir, d.options)
			if test.kept < 0 {
				damage := (*DamageError)(nil)
				if !errors.As(err, &damage) {
					t.Fatalf("%v, want a *DamageError", err)
				}
				o := d.options
				o.AcceptDamage = true
				j, err = Open(d.dir, o)
				if damage.Fatal != (err != nil) || damage.Fatal != (test.file == bundleName(2) || test.file == idName) {
					t.Fatalf("fatal: %v; accepted: %v", damage.Fatal, err)
				}
				if damage.Fatal {
					return
				}
				receipts = []Receipt{add(t, j, d.entry(t, 8, true))}
				d.crash(t, j)                         // the segment that the line is in is not signed
				inSigned := test.file == linesName(2) // of the signed segments Open reads the lines of the last alone
				if !inSigned {
					if _, err := Open(d.dir, d.options); !errors.As(err, &damage) {
						t.Fatalf("opened after a crash: %v, want a *DamageError", err)
					}
				}
				if j, err = Open(d.dir, o); err != nil {
					t.Fatal(err)
				}
				receipts = append(receipts, add(t, j, d.entry(t, 9, true)))
				closeJournal(t, j)
				if r := d.verify(t, VerifyOptions{Receipts: receipts, Closed: true}); r.Verified || slices.ContainsFunc(r.Problems, isReceipt) {
					t.Errorf("damage that was accepted is verified, or the next line is not: %v", r.Problems)
				}
				if got := d.read(t, test.file); !bytes.Equal(got, damaged) {
					t.Errorf("%s was changed: %d bytes, want %d", test.file, len(got), len(damaged))
				}
				if !inSigned {
					if _, err := Open(d.dir, d.options); !errors.As(err, &damage) {
						t.Errorf("opened again: %v, want a *DamageError", err)
					}
				}
				j, err = Open(d.dir, o)
				if err != nil {
					t.Fatal(err)
				}
				receipts = append(receipts, add(t, j, d.entry(t, 10, true)))
				closeJournal(t, j)
				if r := d.verify(t, VerifyOptions{Receipts: receipts, Closed: true}); r.Verified || slices.ContainsFunc(r.Problems, isReceipt) {
					t.Errorf("damage that was accepted twice is verified, or a line behind it is not: %v", r.Problems)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := j.Cuts(); len(got) != test.aside && test.kept > 0 {
				t.Errorf("cut: %v, want %d", got, test.aside)
			}
			for _, c := range j.Cuts() {
				if info, err := os.Stat(filepath.Join(d.dir, c.Aside)); err != nil || info.Size() != c.Bytes || info.Mode().Perm() != 0o600 {
					t.Errorf("%+v: %v, %v", c, info, err)
				}
			}
			next := add(t, j, d.entry(t, 9, true))
			closeJournal(t, j)
			d.verified(t, 2+test.kept+1, VerifyOptions{Closed: true, Receipts: append(receipts[:2+test.kept:2+test.kept], next)})
			if test.kept < 5 {
				if r := d.verify(t, VerifyOptions{Receipts: receipts}); r.Verified {
					t.Error("a receipt of a line that was cut is met")
				}
			}
		})
	}
}

// A segment of which a write has failed, and that was not closed before a crash, ends where the next one says.
func TestRecoveryOfFailed(t *testing.T) {
	d := newDesk(t)
	receipts := d.written(t)
	j, err := Open(d.dir, d.options)
	if err != nil {
		t.Fatal(err)
	}
	receipts = append(receipts, add(t, j, d.entry(t, 20, true)))
	closeJournal(t, j)
	for _, number := range []int{3, 4} { // as if neither had been signed
		if err := os.Remove(filepath.Join(d.dir, bundleName(number))); err != nil {
			t.Fatal(err)
		}
	}
	d.edit(t, linesName(3), func(b []byte) []byte { return append(b, `{"a line of which the write has`...) })
	d.edit(t, declarationsName(3), func(b []byte) []byte { return append(b, "half"...) })
	j = d.open(t)
	if len(j.Cuts()) != 2 {
		t.Errorf("%v", j.Cuts())
	}
	closeJournal(t, j)
	d.verified(t, 8, VerifyOptions{Receipts: receipts, Closed: true})
}

// TestAcceptedGap: where segments are missing, the lines behind the gap stay and are signed, and the gap is found ever after.
func TestAcceptedGap(t *testing.T) {
	for name, change := range map[string]func(d *desk){
		"a signed one": func(d *desk) { d.remove(t, linesName(2), bundleName(2), declarationsName(2)) },
		"before a later number": func(d *desk) {
			for _, name := range []func(int) string{linesName, declarationsName} {
				if err := os.Rename(filepath.Join(d.dir, name(3)), filepath.Join(d.dir, name(9))); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			receipts := d.written(t)
			change(d)
			o := d.options
			o.AcceptDamage = true
			for i := range 2 {
				if _, err := Open(d.dir, d.options); !errors.As(err, new(*DamageError)) {
					t.Fatalf("%v, want a *DamageError", err)
				}
				j, err := Open(d.dir, o)
				if err != nil {
					t.Fatal(err)
				}
				if len(j.Cuts()) != 0 {
					t.Errorf("cut: %v", j.Cuts())
				}
				next := add(t, j, d.entry(t, 20+i, true))
				closeJournal(t, j)
				kept := append(receipts[:0:0], next)
				for _, r := range receipts {
					if name == "a signed one" && r.Segment != 2 || name != "a signed one" && r.Segment < 3 {
						kept = append(kept, r)
					}
				}
				if r := d.verify(t, VerifyOptions{Receipts: kept, Closed: true}); r.Verified || slices.ContainsFunc(r.Problems, isReceipt) {
					t.Errorf("verified, or lines are lost: %v", r.Problems)
				}
			}
		})
	}
}

func TestMissingSegments(t *testing.T) {
	for name, missing := range map[string]string{"in the middle": "00000002.jsonl", "bundle": "00000001.sigstore.json", "id": "journal.json"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.written(t)
			if err := os.Remove(filepath.Join(d.dir, missing)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(d.dir, d.options); err == nil {
				t.Error("it is opened")
			}
		})
	}
}

// TestDamagedBundles: damage in a bundle before the last, which verifying would find, is found at the start and by Check. It can be
// accepted: the next segment follows the last bundle alone.
func TestDamagedBundles(t *testing.T) {
	for name, c := range map[string]struct {
		bundle int
		edit   func(b, other []byte) []byte
		want   string
	}{
		"empty":           {1, func(_, _ []byte) []byte { return nil }, "00000001.sigstore.json: "},
		"cut":             {2, func(b, _ []byte) []byte { return b[:len(b)/2] }, "00000002.sigstore.json: "},
		"of another one":  {2, func(_, other []byte) []byte { return other }, "00000002.sigstore.json: is of another journal or segment"},
		"the last, empty": {3, func(_, _ []byte) []byte { return nil }, "00000003.sigstore.json: "},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			for i := range 3 {
				j := d.open(t)
				add(t, j, d.entry(t, i, true))
				closeJournal(t, j)
			}
			other, err := os.ReadFile(filepath.Join(d.dir, bundleName(1)))
			if err != nil {
				t.Fatal(err)
			}
			d.edit(t, bundleName(c.bundle), func(b []byte) []byte { return c.edit(b, other) })
			open := func() error {
				j, err := Open(d.dir, d.options)
				if err == nil {
					closeJournal(t, j)
				}
				return err
			}
			for what, err := range map[string]error{"Check": Check(d.dir, d.options), "Open": open()} {
				damage, ok := errors.AsType[*DamageError](err)
				if !ok || !strings.Contains(err.Error(), c.want) || damage.Fatal != (c.bundle == 3) {
					t.Errorf("%s: %v", what, err)
				}
			}
			d.options.AcceptDamage = true
			for what, err := range map[string]error{"Check": Check(d.dir, d.options), "Open": open()} {
				if (err == nil) != (c.bundle < 3) {
					t.Errorf("%s, damage accepted: %v", what, err)
				}
			}
		})
	}
}
