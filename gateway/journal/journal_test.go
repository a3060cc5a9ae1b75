package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

var ctx = context.Background()

// desk is a key, who trusts it, and a journal's folder.
type desk struct {
	key      signer.Signer
	verifier *attest.Verifier
	dir      string
	options  Options
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{dir: filepath.Join(t.TempDir(), "journal")}
	if d.key, err = signer.Parse(pair.Private, nil); err != nil {
		t.Fatal(err)
	}
	d.trust(t)
	d.options = Options{Sign: d.sign, chunk: 64 << 10, RetryAfter: time.Millisecond}
	return d
}

// trust makes a verifier that trusts the key.
func (d *desk) trust(t testing.TB) {
	t.Helper()
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: d.key.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	if d.verifier, err = attest.NewVerifier(trust); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) sign(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
	return attest.Sign(ctx, s, d.key, attest.SignOptions{})
}

func declare(t testing.TB, i int) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"inference","model":{"name":"m"},"prompt":{"text":"hello"},"parameters":{"seed":%d},"context":[],"constraints":{}}`, identity.Schema, i))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// entry is a call; detached, its declaration is beside the segment.
func (d *desk) entry(t testing.TB, i int, detached bool) Entry {
	t.Helper()
	declaration := declare(t, i)
	var o attest.StatementOptions
	if detached {
		o.Detached = &attest.DeclarationRef{}
	}
	s, err := attest.New(declaration, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.sign(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	e := Entry{Identity: declaration.ID(), Bundle: b, Client: "local", Headers: []string{"accept", "user-agent"}, Fate: Admitted}
	e.Body = Body{SHA256: digestOf(fmt.Sprint(i)), Size: 7}
	if detached {
		e.Declaration = declaration
	}
	return e
}

// envelope is a signed run that is not carried as a Sigstore bundle.
func (d *desk) envelope(t testing.TB, i int) *attest.Bundle {
	t.Helper()
	s, err := attest.New(declare(t, i), attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(ctx, s, d.key, attest.SignOptions{Format: attest.DSSE})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (d *desk) open(t testing.TB) *Journal {
	t.Helper()
	j, err := Open(d.dir, d.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(ctx) })
	return j
}

func add(t testing.TB, j *Journal, e Entry) Receipt {
	t.Helper()
	r, err := j.Append(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func closeJournal(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) verify(t testing.TB, o VerifyOptions) *Result {
	t.Helper()
	r, err := Verify(ctx, d.verifier, d.dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// verified wants a journal that is verified, with so many lines.
func (d *desk) verified(t testing.TB, lines int, o VerifyOptions) *Result {
	t.Helper()
	segment := o.Segment
	o.Segment = func(s SegmentResult) error {
		if !s.Verified {
			t.Errorf("segment %d: %v, %v", s.Number, s.Damage, s.Report.Failed())
		}
		if segment != nil {
			return segment(s)
		}
		return nil
	}
	r := d.verify(t, o)
	if !r.Verified || r.Lines != lines {
		t.Fatalf("%+v, want %d lines verified", r, lines)
	}
	return r
}

func TestJournal(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	if err := j.Ready(); err != nil {
		t.Fatal(err)
	}
	var receipts []Receipt
	first := d.entry(t, 0, false)
	for i := range 3 {
		receipts = append(receipts, add(t, j, d.entry(t, i, i == 1)))
	}
	again := d.entry(t, 0, false)
	again.Bundle = first.Bundle // Ed25519 signs the same bytes alike
	receipts = append(receipts, add(t, j, again))
	receipts = append(receipts, add(t, j, Entry{Fate: Undeclared, Body: Body{SHA256: digestOf("x"), Size: 1}, Client: "local", Attempt: 2, Policy: digestOf("p")}))
	receipts = append(receipts, add(t, j, Entry{Fate: Denied, Client: "other"}))
	if r := d.verified(t, 4, VerifyOptions{Receipts: receipts[:4]}); r.Open != 4 || r.Unsigned != 2 {
		t.Errorf("of an open segment: %+v", r.Counts)
	}
	if !j.Holds("local", first.Identity) || j.Holds("other", first.Identity) || j.Holds("local", declare(t, 9).ID()) || j.Holds("local", identity.ID{}) {
		t.Error("Holds is wrong")
	}
	closeJournal(t, j)
	if _, err := j.Append(ctx, first); !errors.Is(err, ErrClosed) || !errors.Is(j.Ready(), ErrClosed) || !errors.Is(j.Close(ctx), ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	var lines []LineResult
	r := d.verified(t, 6, VerifyOptions{Receipts: receipts, Closed: true, Line: func(l LineResult) error { lines = append(lines, l); return nil }})
	if r.Open != 0 || r.Undeclared != 1 || r.Denied != 1 || r.Segments != 1 {
		t.Errorf("%+v", r)
	}
	for i, l := range lines {
		if l.Receipt() != receipts[i] || !l.OK() || l.Report.Verified != (i < 4) || i < 4 && l.Report.Identity != l.Identity {
			t.Errorf("line %d: %+v", i+1, l)
		}
	}
	if lines[3].Same != 1 || lines[1].ref == nil || lines[4].Attempt != 2 || lines[4].Policy != digestOf("p") {
		t.Errorf("%+v", lines)
	}
	for name, mode := range map[string]fs.FileMode{"": 0o700, "00000001.jsonl": 0o600, "00000001.declarations.jsonl": 0o600, "00000001.sigstore.json": 0o600, "journal.json": 0o600, "lock": 0o600} {
		if info, err := os.Stat(filepath.Join(d.dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want mode %o", name, info, err, mode)
		}
	}
	if entries, _ := os.ReadDir(d.dir); len(entries) != 5 {
		t.Errorf("%v", entries)
	}
	j = d.open(t)
	if !j.Holds("local", first.Identity) || len(j.Cuts()) != 0 {
		t.Error("a journal that is opened again does not hold its runs, or has cut something")
	}
	if r := add(t, j, first); r.Segment != 2 || r.Line != 1 {
		t.Errorf("the next line is %s", r)
	}
	closeJournal(t, j)
	d.verified(t, 7, VerifyOptions{Receipts: receipts, Closed: true})
}

// Segments are closed when they are full or old, and a run that is in the segment before is written again.
func TestSegments(t *testing.T) {
	d := newDesk(t)
	d.options.SegmentSize = 6000
	j := d.open(t)
	for i := range 12 {
		add(t, j, d.entry(t, i%2, false))
		add(t, j, d.entry(t, 100+i, true))
	}
	closeJournal(t, j)
	segments := 0
	d.verified(t, 24, VerifyOptions{Closed: true, Segment: func(s SegmentResult) error { segments++; return nil }})
	if segments < 4 {
		t.Errorf("%d segments", segments)
	}
}

func TestSegmentAge(t *testing.T) {
	d := newDesk(t)
	d.options.SegmentAge = 5 * time.Millisecond
	j := d.open(t)
	for i := range 3 {
		add(t, j, d.entry(t, i, true))
		waitFor(t, func() bool { _, err := os.Stat(filepath.Join(d.dir, bundleName(i+1))); return err == nil })
	}
	d.verified(t, 3, VerifyOptions{Closed: true})
}

// Calls that wait at the same time are written at once, and each has its own receipt.
func TestGroups(t *testing.T) {
	d := newDesk(t)
	slow := &faultyDisk{}
	d.options.disk = slow
	j := d.open(t)
	waitFor(t, j.spareMade)
	release := slow.stall(t)
	var wg sync.WaitGroup
	receipts := make([]Receipt, 21)
	call := func(i int) { wg.Go(func() { receipts[i] = add(t, j, d.entry(t, i, i%2 == 0)) }) }
	call(0)
	waitFor(t, func() bool { return slow.stuck.Load() > 0 })
	for i := 1; i < len(receipts); i++ {
		call(i)
	}
	waitFor(t, func() bool { j.mu.Lock(); defer j.mu.Unlock(); return len(j.queue) == 20 })
	before := slow.syncs.Load()
	release()
	wg.Wait()
	if n := slow.syncs.Load() - before; n > 8 { // two groups, each of two files that may be allocated further
		t.Errorf("%d syncs for 21 calls", n)
	}
	closeJournal(t, j)
	d.verified(t, 21, VerifyOptions{Receipts: receipts})
}

func waitFor(t testing.TB, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

func TestRefusedEntries(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	good, detached := d.entry(t, 1, false), d.entry(t, 1, true)
	for name, change := range map[string]func(e *Entry){
		"no fate":                     func(e *Entry) { e.Fate = "" },
		"another identity":            func(e *Entry) { e.Identity = declare(t, 2).ID() },
		"no identity":                 func(e *Entry) { e.Identity = identity.ID{} },
		"no bundle":                   func(e *Entry) { e.Bundle = nil },
		"zero bundle":                 func(e *Entry) { e.Bundle = &attest.Bundle{} },
		"bare envelope":               func(e *Entry) { e.Bundle = d.envelope(t, 1) },
		"no body":                     func(e *Entry) { e.Body = Body{} },
		"short digest":                func(e *Entry) { e.Body.SHA256 = "ab" },
		"upper-case digest":           func(e *Entry) { e.Body.Decoded = digestOf("a")[:63] + "A" },
		"negative size":               func(e *Entry) { e.Body.Size = -1 },
		"denied with a bundle":        func(e *Entry) { e.Fate = Denied },
		"undeclared with identity":    func(e *Entry) { e.Fate, e.Bundle = Undeclared, nil },
		"declaration given twice":     func(e *Entry) { e.Declaration = declare(t, 1) },
		"client that is not UTF-8":    func(e *Entry) { e.Client = "\xff" },
		"empty header":                func(e *Entry) { e.Headers = []string{""} },
		"policy that is not a digest": func(e *Entry) { e.Policy = "sha256:ab" },
		"negative attempt":            func(e *Entry) { e.Attempt = -1 },
		"detached, not given":         func(e *Entry) { *e = detached; e.Declaration = nil },
		"detached, another":           func(e *Entry) { *e = detached; e.Declaration = declare(t, 2) },
		"detached, zero declaration":  func(e *Entry) { *e = detached; e.Declaration = &identity.Declaration{} },
	} {
		e := good
		change(&e)
		if r, err := j.Append(ctx, e); err == nil {
			t.Errorf("%s: %s", name, r)
		}
	}
	add(t, j, good)
	add(t, j, detached)
	closeJournal(t, j)
	d.verified(t, 2, VerifyOptions{})
}

func TestLocked(t *testing.T) {
	d := newDesk(t)
	j := d.open(t)
	if _, err := Open(d.dir, d.options); !errors.Is(err, ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	closeJournal(t, j)
	closeJournal(t, d.open(t))
}

func TestFolder(t *testing.T) {
	d := newDesk(t)
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.dir, d.options); !errors.As(err, new(*ModeError)) {
		t.Errorf("a folder that others can enter: %v", err)
	}
	if err := errors.Join(os.Chmod(d.dir, 0o700), os.WriteFile(filepath.Join(d.dir, "mine"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.dir, d.options); err == nil {
		t.Error("a folder of something else becomes a journal")
	}
	if _, err := Open(d.dir, Options{}); err == nil {
		t.Error("a journal without a signer is opened")
	}
}

func TestReceipt(t *testing.T) {
	r := Receipt{12, 34, sha256.Sum256([]byte("a"))}
	if got, err := ParseReceipt(r.String()); err != nil || got != r {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "1/1/" + digestOf("a"), "00000001/0/" + digestOf("a"), "00000000/1/" + digestOf("a"), "00000001/1/" + digestOf("a")[:62], "00000001/1/" + digestOf("a") + "/", "00000001/99999999999/" + digestOf("a")} {
		if r, err := ParseReceipt(s); err == nil {
			t.Errorf("%q: %v", s, r)
		}
	}
}

// TestRoom: memory that groups are written in is used again for the next, and not for one that is large.
func TestRoom(t *testing.T) {
	var r room
	first := append(r.take(100), "first"...)
	again := r.take(50)
	if len(again) != 0 || &again[:1][0] != &first[0] {
		t.Error("the room is not used again")
	}
	if large := r.take(limits.JournalRoom + 1); len(large) != 0 || cap(large) != limits.JournalRoom+1 || cap(r) > limits.JournalRoom {
		t.Errorf("%d bytes of room, and %d are kept", cap(large), cap(r))
	}
}
