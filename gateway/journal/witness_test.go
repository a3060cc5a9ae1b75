package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

// folderWitness is a folder that is there.
func folderWitness(t *testing.T) WitnessFolder {
	t.Helper()
	return WitnessFolder(t.TempDir())
}

// kept are the files that a witness has of a journal.
func kept(t *testing.T, w WitnessFolder, id [sha256.Size]byte) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(w.folder(id))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// newKey replaces the key, and who trusts it.
func (d *desk) newKey(t *testing.T, a signer.Algorithm) {
	t.Helper()
	d.key = keytest.New(t, a)
	d.trust(t)
}

// segments writes that many closed segments, of one line each.
func (d *desk) segments(t *testing.T, n int) {
	t.Helper()
	for range n {
		j := d.open(t)
		add(t, j, d.entry(t, 0, true))
		closeJournal(t, j)
	}
}

// sharedLog is what several goroutines have logged.
type sharedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestWitness: the witness has the bundle of each closed segment, also after it was not there for a while, and calls do not wait.
func TestWitness(t *testing.T) {
	d := newDesk(t)
	w := folderWitness(t)
	there := string(w)
	if err := os.Rename(there, there+".away"); err != nil {
		t.Fatal(err)
	}
	var log sharedLog
	d.options.Witness, d.options.SegmentSize, d.options.Log = w, 6000, slog.New(slog.NewTextHandler(&log, nil))
	j := d.open(t)
	for i := range 12 {
		add(t, j, d.entry(t, i, false))
	}
	waitFor(t, func() bool { _, err := os.Stat(filepath.Join(d.dir, bundleName(2))); return err == nil })
	waitFor(t, func() bool { return strings.Contains(log.String(), "there is no such folder") })
	if _, err := Verify(ctx, d.verifier, d.dir, VerifyOptions{Witness: w}); err == nil || !strings.Contains(err.Error(), "there is no such folder") {
		t.Errorf("a witness that cannot be asked: %v", err)
	}
	if err := os.Rename(there+".away", there); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	r := d.verified(t, 12, VerifyOptions{Witness: w})
	if r.Segments < 3 || r.Witnessed != r.Segments || r.Unwitnessed != 0 || len(kept(t, w, j.id)) != r.Segments {
		t.Errorf("%+v, the witness has %v", r, kept(t, w, j.id))
	}
	if text := log.String(); strings.Count(text, "there is no such folder") != 1 {
		t.Errorf("the log should say once what is wrong: %s", text)
	}
}

// TestWitnessAfterCrash: what the witness does not have of segments that were signed, or were not, is given to it at the next start.
func TestWitnessAfterCrash(t *testing.T) {
	for _, had := range []int{0, 1, 2, 3} { // segments that the witness had before the crash
		d := newDesk(t)
		w := folderWitness(t)
		d.segments(t, had)
		d.options.Witness = w
		if had > 0 {
			closeJournal(t, d.open(t))
		}
		d.options.Witness = nil
		d.segments(t, 3-had)
		d.options.Sign = func(context.Context, attest.Signable) (*attest.Bundle, error) { return nil, errors.New("not now") }
		j := d.open(t)
		add(t, j, d.entry(t, 0, true))
		if err := j.Close(ctx); err == nil {
			t.Fatal("the fourth segment is signed")
		}
		r := &Result{Witnessed: -1}
		if had > 0 {
			r = d.verified(t, 4, VerifyOptions{Witness: w})
			if r.Witnessed != had || r.Unwitnessed != 4-had {
				t.Errorf("%d: %+v", had, r)
			}
		} else if r = d.verify(t, VerifyOptions{Witness: w}); r.Verified {
			t.Errorf("a witness that has nothing of the journal: %+v", r)
		}
		d.options.Sign, d.options.Witness = d.sign, w
		closeJournal(t, d.open(t)) // without a call
		if r := d.verified(t, 4, VerifyOptions{Witness: w, Closed: true}); r.Witnessed != 4 || r.Unwitnessed != 0 || len(kept(t, w, j.id)) != 4 {
			t.Errorf("%d: %+v, the witness has %v", had, r, kept(t, w, j.id))
		}
	}
}

// hanging is a witness that does not answer until the test ends.
type hanging struct {
	WitnessFolder
	asked func()
	end   <-chan struct{}
}

func (w hanging) Last(context.Context, [sha256.Size]byte) (int, error) {
	w.asked()
	<-w.end
	return 0, errors.New("the test has ended")
}

// TestWitnessHangs: a witness that does not answer holds up neither calls nor signatures, and the journal closes when its caller
// waits no longer.
func TestWitnessHangs(t *testing.T) {
	d := newDesk(t)
	asked, release := make(chan struct{}), make(chan struct{})
	d.options.Witness, d.options.SegmentSize = hanging{folderWitness(t), sync.OnceFunc(func() { close(asked) }), release}, 6000
	j := d.open(t)
	defer func() {
		close(release)
		<-j.witness.ended
	}()
	for i := range 6 {
		add(t, j, d.entry(t, i, false))
	}
	<-asked
	end, cancel := context.WithCancel(ctx)
	go func() {
		<-j.sealer.ended // the last segment is signed
		cancel()
	}()
	if err := j.Close(end); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the witness does not answer", err)
	}
	d.verified(t, 6, VerifyOptions{Closed: true})
	d.options.Witness = nil
	closeJournal(t, d.open(t)) // it is not locked
}

// TestWitnessFork: a witness replaces nothing. Another segment of a number that it has is an error of the gateway and of Verify; the
// same Statement with another signature is not.
func TestWitnessFork(t *testing.T) {
	d := newDesk(t)
	d.newKey(t, signer.ECDSAP256)
	w := folderWitness(t)
	d.options.Witness = w
	d.segments(t, 2)
	id, err := readID(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	had, err := w.Bundle(ctx, id, 2)
	if err != nil {
		t.Fatal(err)
	}

	d.remove(t, bundleName(2)) // is signed again, with another signature
	closeJournal(t, d.open(t))
	if again, err := os.ReadFile(filepath.Join(d.dir, bundleName(2))); err != nil || bytes.Equal(again, had) {
		t.Errorf("segment 2 has the same signature: %v", err)
	}
	d.verified(t, 2, VerifyOptions{Witness: w})

	d.remove(t, bundleName(2), linesName(2), declarationsName(2)) // the end is cut
	cut := VerifyOptions{Witness: w}
	d.verified(t, 1, VerifyOptions{})
	if r := d.verify(t, cut); r.Verified || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error(), "00000002, which the journal does not have") {
		t.Errorf("the end is cut: %+v", r)
	}
	if err := d.open(t).Close(ctx); err == nil || !strings.Contains(err.Error(), "the end of the journal is missing") {
		t.Errorf("a journal whose end is cut is opened, and closed without a word: %v", err)
	}

	j := d.open(t)
	add(t, j, d.entry(t, 7, true)) // and written anew, with the gateway's key
	if err := j.Close(ctx); !errors.Is(err, errForked) {
		t.Errorf("%v, want %v", err, errForked)
	}
	d.verified(t, 2, VerifyOptions{})
	if r := d.verify(t, cut); r.Verified || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error(), "is not the one that the witness has") {
		t.Errorf("segment 2 is another: %+v", r)
	}
	if now, err := w.Bundle(ctx, id, 2); err != nil || !bytes.Equal(now, had) {
		t.Errorf("the witness has replaced a bundle: %v", err)
	}
}

// TestWitnessLies: what a witness has counts only if a trusted key signed it, about this journal and this segment.
func TestWitnessLies(t *testing.T) {
	d, other := newDesk(t), newDesk(t)
	w, theirs := folderWitness(t), folderWitness(t)
	d.options.Witness, other.options.Witness = w, theirs
	d.segments(t, 2)
	other.segments(t, 2)
	id, _ := readID(d.dir)
	their, _ := readID(other.dir)
	of := func(w WitnessFolder, id [sha256.Size]byte, number int) []byte {
		text, err := w.Bundle(ctx, id, number)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	last := of(w, id, 2)
	for name, c := range map[string]struct {
		number int
		text   []byte
	}{
		"not a bundle":            {2, []byte("x")},
		"empty":                   {2, nil},
		"another segment's":       {2, of(w, id, 1)},
		"under a later number":    {3, last},
		"another key and journal": {2, of(theirs, their, 2)},
		"changed":                 {2, bytes.Replace(last, []byte(`"payload":"e`), []byte(`"payload":"f`), 1)},
	} {
		if err := os.WriteFile(filepath.Join(w.folder(id), bundleName(c.number)), c.text, 0o644); err != nil {
			t.Fatal(err)
		}
		if r := d.verify(t, VerifyOptions{Witness: w}); r.Verified || r.Witnessed != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if c.number == 3 {
			os.Remove(filepath.Join(w.folder(id), bundleName(3)))
		}
	}
	if err := os.WriteFile(filepath.Join(w.folder(id), bundleName(2)), last, 0o644); err != nil {
		t.Fatal(err)
	}
	d.verified(t, 2, VerifyOptions{Witness: w})
	if r := d.verify(t, VerifyOptions{Witness: theirs}); r.Verified {
		t.Errorf("the witness of another journal: %+v", r)
	}
	if names := kept(t, w, id); !slices.Equal(names, []string{bundleName(1), bundleName(2)}) {
		t.Error(names)
	}
	if err := WitnessFolder(d.dir).Check(); err == nil {
		t.Error("a journal is its own witness")
	}
}

// TestWitnessSigner: the witness's bundle is under the verifier's trust, like the journal's.
func TestWitnessSigner(t *testing.T) {
	d := newDesk(t)
	w := folderWitness(t)
	d.options.Witness = w
	d.segments(t, 1)
	d.newKey(t, signer.Ed25519)
	if r := d.verify(t, VerifyOptions{Witness: w}); r.Verified || r.Witnessed != 0 || len(r.Problems) != 2 {
		t.Errorf("%+v", r)
	}
}

// rewritten is a journal of four closed segments that was written anew behind the first, with the gateway's key, after the witness
// had three.
func rewritten(t *testing.T) (*desk, WitnessFolder, [sha256.Size]byte) {
	t.Helper()
	const witnessed = 3
	d, w := newDesk(t), folderWitness(t)
	d.options.Witness = w
	d.segments(t, witnessed)
	id, err := readID(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	for number := 2; number <= witnessed; number++ {
		d.remove(t, linesName(number), declarationsName(number), bundleName(number))
	}
	d.options.Witness = nil
	for i := 2; i <= 4; i++ {
		j := d.open(t)
		add(t, j, d.entry(t, 10*i, true))
		closeJournal(t, j)
	}
	d.verified(t, 4, VerifyOptions{Closed: true})
	return d, w, id
}

// remove takes files from the journal's folder.
func (d *desk) remove(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *desk) bundle(t *testing.T, number int) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, bundleName(number)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWitnessRewritten: a journal that was written anew behind its first segment is not verified after a later bundle was put into
// the witness, which has the segments that were there before. The witness takes no such bundle by Keep.
func TestWitnessRewritten(t *testing.T) {
	d, w, id := rewritten(t)
	if err := w.Keep(ctx, id, 4, d.bundle(t, 4)); !errors.Is(err, errUnlinked) {
		t.Errorf("a segment that does not follow: %v, want %v", err, errUnlinked)
	}
	want := []string{bundleName(1), bundleName(2), bundleName(3)}
	if names := kept(t, w, id); !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if err := os.WriteFile(filepath.Join(w.folder(id), bundleName(4)), d.bundle(t, 4), 0o644); err != nil { // by hand
		t.Fatal(err)
	}
	r := d.verify(t, VerifyOptions{Witness: w, Closed: true})
	if r.Verified || len(r.Problems) != 2 || !strings.Contains(r.Problems[0].Error(), "segment 00000002 is not the one") || !strings.Contains(r.Problems[1].Error(), "segment 00000003 is not the one") {
		t.Errorf("%+v", r)
	}
	for number := 1; number <= 3; number++ { // the rest is "kept elsewhere"
		d.remove(t, linesName(number), declarationsName(number), bundleName(number))
	}
	d.verified(t, 1, VerifyOptions{First: 4})
	if r := d.verify(t, VerifyOptions{Witness: w, Closed: true, First: 4}); r.Verified {
		t.Errorf("does not follow the segment that the witness has: %+v", r)
	}
}

// TestWitnessLacks: the witness may lack its first bundles, which are counted, and no other.
func TestWitnessLacks(t *testing.T) {
	d, w := newDesk(t), folderWitness(t)
	d.options.Witness = w
	d.segments(t, 4)
	id, err := readID(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	take := func(number int) {
		t.Helper()
		if err := os.Remove(filepath.Join(w.folder(id), bundleName(number))); err != nil {
			t.Fatal(err)
		}
	}
	o := VerifyOptions{Witness: w, Closed: true}
	take(1)
	if r := d.verified(t, 4, o); r.Witnessed != 4 || r.Unwitnessed != 1 {
		t.Errorf("%+v", r)
	}
	take(3)
	if r := d.verify(t, o); r.Verified || r.Unwitnessed != 2 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error(), "does not have segment 00000003") {
		t.Errorf("%+v", r)
	}
	take(2)
	if r := d.verified(t, 4, o); r.Witnessed != 4 || r.Unwitnessed != 3 {
		t.Errorf("%+v", r)
	}
	if err := w.Keep(ctx, id, 2, d.bundle(t, 2)); err != nil {
		t.Errorf("a segment of which the witness does not have the one before: %v", err)
	}
	if err := w.Keep(ctx, id, 3, d.bundle(t, 4)); err == nil {
		t.Error("the witness took the bundle of another segment")
	}
	d.remove(t, linesName(1), declarationsName(1), bundleName(1), linesName(2), declarationsName(2), bundleName(2))
	if err := w.Keep(ctx, id, 3, d.bundle(t, 3)); err != nil {
		t.Error(err)
	}
	o.First = 3
	if r := d.verified(t, 2, o); r.Witnessed != 4 || r.Unwitnessed != 0 {
		t.Errorf("older segments are kept elsewhere: %+v", r)
	}
}

// TestWitnessGone: a witness that is gone after it was asked for its last segment lacks no bundles: there is no answer.
func TestWitnessGone(t *testing.T) {
	w := folderWitness(t)
	if _, err := w.Bundle(ctx, [sha256.Size]byte{}, 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a bundle that the witness does not have: %v", err)
	}
	if err := os.Remove(string(w)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Bundle(ctx, [sha256.Size]byte{}, 1); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a witness that is not there: %v", err)
	}
}

// TestWitnessEmptied: a journal of which all segments were taken away is told from a new one when it is opened, before a call.
func TestWitnessEmptied(t *testing.T) {
	d, w := newDesk(t), folderWitness(t)
	d.options.Witness = w
	closeJournal(t, d.open(t)) // a new one
	d.segments(t, 2)
	d.remove(t, linesName(1), declarationsName(1), bundleName(1), linesName(2), declarationsName(2), bundleName(2))
	var log sharedLog
	d.options.Log = slog.New(slog.NewTextHandler(&log, nil))
	j := d.open(t)
	waitFor(t, func() bool { return strings.Contains(log.String(), "the end of the journal is missing") })
	if err := j.Close(ctx); err == nil || !strings.Contains(err.Error(), "segment 00000002 of this journal, which has none that is closed") {
		t.Errorf("%v", err)
	}
}
