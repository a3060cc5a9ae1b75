package runset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

func hexOf(sum [32]byte) string { return fmt.Sprintf("%x", sum) }

func sha256of(data []byte) [32]byte { return sha256.Sum256(data) }

func newStatement(t testing.TB, i int, o attest.StatementOptions) *attest.Statement {
	t.Helper()
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"inference","model":{"name":"m"},"prompt":{"text":"hello"},"parameters":{"seed":%d},"context":[],"constraints":{}}`, identity.Schema, i))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbered are n runs, made when they are asked for.
func numbered(t testing.TB, n int) func() iter.Seq2[*attest.Statement, error] {
	return func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for i := range n {
				if !yield(newStatement(t, i, attest.StatementOptions{}), nil) {
					return
				}
			}
		}
	}
}

// desk is a key, and who trusts it.
type desk struct {
	options  WriteOptions
	verifier *attest.Verifier
}

func newDesk(t testing.TB) desk {
	t.Helper()
	key := keytest.New(t, signer.Ed25519)
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: key.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	v, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	return desk{WriteOptions{Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, key, attest.SignOptions{})
	}}, v}
}

func (d desk) write(t testing.TB, n int) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := Write(ctx, &file, numbered(t, n), d.options); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func open(t testing.TB, data []byte) *Set {
	t.Helper()
	s, err := Open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The set of 1,000 runs of the vectors is made again from its header, and has the root that the other implementation found.
func TestThousand(t *testing.T) {
	file := bytes.NewBuffer(vectorFile(t, "1000.header.json"))
	for s := range numbered(t, 1000)() {
		file.Write(append(s.Bytes(), '\n'))
	}
	r, err := Verify(ctx, vectorVerifier(t), open(t, file.Bytes()), VerifyOptions{})
	if err != nil || !r.Verified || r.Head.Size != 1000 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, index := range []uint64{0, 511, 512, 999} {
		proof, err := open(t, file.Bytes()).Prove(ctx, index)
		if err != nil {
			t.Fatal(err)
		}
		text, err := proof.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if want := vectorFile(t, fmt.Sprintf("1000-%d.runproof.json", index)); !bytes.Equal(append(text, '\n'), want) {
			t.Errorf("proof %d: is %s\nwant %s", index, text, want)
		}
	}
}

func TestWrite(t *testing.T) {
	d := newDesk(t)
	d.options.Annotations = map[string]string{"sweep": "7"}
	data := d.write(t, 3)
	set := open(t, data)
	head, err := set.UnverifiedHead()
	if err != nil || head.Size != 3 || head.Annotations["sweep"] != "7" {
		t.Fatalf("%v, %v", head, err)
	}
	r, err := Verify(ctx, d.verifier, set, VerifyOptions{})
	if err != nil || !r.Verified {
		t.Fatalf("%+v, %v", r, err)
	}
	if bytes.Equal(data[:200], d.write(t, 3)[:200]) {
		t.Error("two sets have one seed")
	}
	if _, err := Verify(ctx, newDesk(t).verifier, set, VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	if r, _ := Verify(ctx, newDesk(t).verifier, set, VerifyOptions{}); r.Verified || r.Head.Size != 0 {
		t.Errorf("another key verifies it: %+v", r)
	}
	id := newStatement(t, 2, attest.StatementOptions{}).ID()
	if index, err := set.Find(ctx, id); err != nil || index != 2 {
		t.Errorf("found at %d, %v", index, err)
	}
	if _, err := set.Find(ctx, newStatement(t, 9, attest.StatementOptions{}).ID()); !errors.Is(err, ErrNoRun) {
		t.Errorf("a run that is not there: %v", err)
	}
	if _, err := set.Prove(ctx, 3); !errors.Is(err, ErrNoRun) {
		t.Errorf("an index that is not there: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	d := newDesk(t)
	if _, err := Write(ctx, io.Discard, numbered(t, 0), d.options); err == nil {
		t.Error("an empty set is written")
	}
	n := 2
	changing := func() iter.Seq2[*attest.Statement, error] { n++; return numbered(t, n)() }
	if _, err := Write(ctx, io.Discard, changing, d.options); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("runs that change: %v", err)
	}
	nothing := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) { yield(nil, nil) }
	}
	if _, err := Write(ctx, io.Discard, nothing, d.options); err == nil {
		t.Error("a nil statement is written")
	}
}

// A head that a verifier would refuse is not signed.
func TestNewClaimRefuses(t *testing.T) {
	head := evidence.SetHead{Root: [32]byte{1}, Size: 2}
	subject := attest.Subject{Name: "runset", SHA256: sha256of(head.Bytes())}
	if _, err := attest.NewClaim(attest.RunSetType, []attest.Subject{subject}, head); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func() (*attest.Claim, error){
		"another subject": func() (*attest.Claim, error) {
			return attest.NewClaim(attest.RunSetType, []attest.Subject{{Name: "runset", SHA256: sha256of(nil)}}, head)
		},
		"no run": func() (*attest.Claim, error) {
			none := evidence.SetHead{Root: head.Root}
			return attest.NewClaim(attest.RunSetType, []attest.Subject{{Name: "runset", SHA256: sha256of(none.Bytes())}}, none)
		},
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s is signed", name)
		}
	}
}

// Every bit of a proof counts: with one flipped it is refused, or says the same in another spelling. Of the bundle in it, whose
// own test is that of attest, it is one bit of every sixteenth byte.
func TestEveryBit(t *testing.T) {
	v := vectorVerifier(t)
	data := vectorFile(t, "3-1.runproof.json")
	good, err := attest.ParseBundle(data)
	if err != nil {
		t.Fatal(err)
	}
	want, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	refused, flipped := 0, 0
	bundle := bytes.Index(data, []byte(`,"index"`))
	for i := range data {
		for bit := range 8 {
			if i < bundle && (bit != i%8 || i%16 != 0) {
				continue
			}
			flipped++
			data[i] ^= 1 << bit
			b, err := attest.ParseBundle(data)
			if err == nil {
				_, err = v.Verify(ctx, b, attest.Expect{})
			}
			if err != nil {
				refused++
			} else if got, _ := b.Marshal(); !bytes.Equal(dropHints(got), dropHints(want)) {
				t.Fatalf("bit %d of byte %d: verified %s", bit, i, data)
			}
			data[i] ^= 1 << bit
		}
	}
	if refused < flipped*9/10 || flipped < 5_000 {
		t.Errorf("%d of %d were refused", refused, flipped)
	}
}

// dropHints takes out the key's hints, by which nothing is decided.
func dropHints(text []byte) []byte {
	for _, before := range []string{`"hint":"`, `"keyid":"`} {
		if start := bytes.Index(text, []byte(before)); start >= 0 {
			start += len(before)
			end := start + bytes.IndexByte(text[start:], '"')
			text = append(text[:start:start], text[end:]...)
		}
	}
	return text
}

// changing is a file that is another one after so many readings.
type changing struct {
	*bytes.Reader
	after []byte
	left  int
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	if c.left--; c.left == 0 {
		c.Reader = bytes.NewReader(c.after)
	}
	return c.Reader.Seek(offset, whence)
}

// What changes between the readings is never reported, wherever it is.
func TestChangedBetweenReadings(t *testing.T) {
	d := newDesk(t)
	before := d.write(t, 5)
	lines := bytes.SplitAfter(before, []byte("\n"))
	extra := append(newStatement(t, 99, attest.StatementOptions{}).Bytes(), '\n')
	for name, after := range map[string][]byte{
		"changed":  bytes.Replace(before, []byte(`"seed":3`), []byte(`"seed":6`), 1),
		"removed":  bytes.Join(append(lines[:3:3], lines[4:]...), nil),
		"added":    append(bytes.Clone(before), extra...),
		"cut off":  before[:len(before)-20],
		"first":    bytes.Join(append([][]byte{lines[0], extra}, lines[2:]...), nil),
		"no run":   lines[0],
		"replaced": d.write(t, 5),
	} {
		if name == "changed" && bytes.Equal(before, after) {
			t.Fatal("nothing was changed")
		}
		set, err := Open(&changing{bytes.NewReader(before), after, 3})
		if err != nil {
			t.Fatal(err)
		}
		given := 0
		r, err := Verify(ctx, d.verifier, set, VerifyOptions{Each: func(uint64, attest.Report) error { given++; return nil }})
		if name == "replaced" { // the seed of the first is known, and the runs are the same
			if err != nil || !r.Verified {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			continue
		}
		if err == nil || given > 0 {
			t.Errorf("%s: %+v, %v, and %d runs were given", name, r, err, given)
		}
		if name != "cut off" && !errors.Is(err, attest.ErrSetChanged) {
			t.Errorf("%s: %v, want ErrSetChanged", name, err)
		}
		set, err = Open(&changing{bytes.NewReader(before), after, 3})
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, last = range set.Proofs(ctx) {
		}
		if last == nil {
			t.Errorf("%s: proofs of all runs", name)
		}
		if set, err = Open(&changing{bytes.NewReader(before), after, 4}); err != nil { // in the third reading
			t.Fatal(err)
		}
		for proof, err := range set.Proofs(ctx) {
			if last = err; err == nil {
				if _, err := d.verifier.Verify(ctx, proof, attest.Expect{}); err != nil {
					t.Errorf("%s: a proof that is false: %v", name, err)
				}
			}
		}
		if name == "changed" && !errors.Is(last, attest.ErrSetChanged) {
			t.Errorf("%s: %v", name, last)
		}
	}
}

// Runs of more than one window are reported window by window: what was given is in the set, and what changed is not given.
func TestWindows(t *testing.T) {
	d := newDesk(t)
	pad := strings.Repeat("x", limits.SetWindow/4)
	runs := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for i := range 11 {
				if !yield(newStatement(t, i, attest.StatementOptions{Annotations: map[string]string{"pad": pad}}), nil) {
					return
				}
			}
		}
	}
	var file bytes.Buffer
	if _, err := Write(ctx, &file, runs, d.options); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(ctx, d.verifier, open(t, file.Bytes()), VerifyOptions{})
	if err != nil || !r.Verified {
		t.Fatalf("%+v, %v", r, err)
	}
	after := bytes.Replace(file.Bytes(), []byte(`"seed":9}`), []byte(`"seed":1}`), 1)
	set, err := Open(&changing{bytes.NewReader(file.Bytes()), after, 3})
	if err != nil {
		t.Fatal(err)
	}
	given := uint64(0)
	_, err = Verify(ctx, d.verifier, set, VerifyOptions{Each: func(index uint64, run attest.Report) error {
		if !run.Verified || index != given || run.Identity != newStatement(t, int(index), attest.StatementOptions{}).ID() {
			t.Errorf("run %d: %v", index, run)
		}
		given++
		return nil
	}})
	if !errors.Is(err, attest.ErrSetChanged) || given != 8 {
		t.Errorf("%v, and %d runs were given, want 8", err, given)
	}
}

// One run that is not verified makes the answer for the set no, and says which; the others are verified.
func TestOneRefused(t *testing.T) {
	d := newDesk(t)
	detached := newStatement(t, 1, attest.StatementOptions{Detached: &attest.DeclarationRef{}})
	runs := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			_ = yield(newStatement(t, 0, attest.StatementOptions{}), nil) && yield(detached, nil) && yield(newStatement(t, 2, attest.StatementOptions{}), nil)
		}
	}
	var file bytes.Buffer
	if _, err := Write(ctx, &file, runs, d.options); err != nil {
		t.Fatal(err)
	}
	var verified []uint64
	r, err := Verify(ctx, d.verifier, open(t, file.Bytes()), VerifyOptions{Each: func(index uint64, run attest.Report) error {
		if run.Verified {
			verified = append(verified, index)
		} else if run.Set == nil || run.Set.Index != 1 {
			t.Errorf("run %d: %v", index, run)
		}
		return nil
	}})
	if err != nil || r.Verified || r.Report.Verified || r.Refused != 1 || fmt.Sprint(verified) != "[0 2]" {
		t.Errorf("%+v, %v, verified %v", r, err, verified)
	}
	judged := 0
	judge := func(_ context.Context, run *attest.Verified, no error) (attest.Report, error) {
		judged++
		return run.Report(), no
	}
	if r, err := Verify(ctx, d.verifier, open(t, file.Bytes()), VerifyOptions{Judge: judge}); err != nil || r.Verified || r.Refused != 1 || judged != 3 {
		t.Errorf("judged %d: %+v, %v", judged, r, err)
	}
	if r, err := Verify(ctx, d.verifier, open(t, d.write(t, 2)), VerifyOptions{Judge: judge}); err != nil || !r.Verified || judged != 5 {
		t.Errorf("judged %d: %+v, %v", judged, r, err)
	}
	if r, err := Verify(ctx, newDesk(t).verifier, open(t, d.write(t, 2)), VerifyOptions{Judge: judge}); err != nil || r.Verified || len(r.Report.Checks) != 5 || judged != 5 {
		t.Errorf("an untrusted signer, judged %d: %+v, %v", judged, r, err)
	}
	changed := bytes.Replace(d.write(t, 2), []byte(`"seed":1}`), []byte(`"seed":2}`), 1)
	if r, err := Verify(ctx, d.verifier, open(t, changed), VerifyOptions{Judge: judge}); err != nil || r.Verified || len(r.Report.Checks) != 6 || judged != 5 {
		t.Errorf("a changed set, judged %d: %+v, %v", judged, r, err)
	}
	failed := errors.New("no disk")
	_, err = Verify(ctx, d.verifier, open(t, file.Bytes()), VerifyOptions{Declaration: func(identity.ID) (*identity.Declaration, error) { return nil, failed }})
	if !errors.Is(err, failed) {
		t.Errorf("a declaration that cannot be read: %v", err)
	}
}

// A line that is not a run's Statement is refused with a report, also where a policy judges, and hides no other run.
func TestOneIsNoRun(t *testing.T) {
	data, v := vectorFile(t, "refused-run-type.runset.jsonl"), vectorVerifier(t)
	judged := 0
	r, err := Verify(ctx, v, open(t, data), VerifyOptions{Judge: func(_ context.Context, run *attest.Verified, no error) (attest.Report, error) {
		judged++
		return run.Report(), no
	}})
	if err != nil || r.Verified || r.Refused != 1 || judged != 5 || len(r.Report.Checks) < 5 {
		t.Errorf("judged %d: %+v, %v", judged, r, err)
	}
	proofs, refused := 0, 0
	for proof, err := range open(t, data).Proofs(ctx) {
		if line := (*LineError)(nil); errors.As(err, &line) {
			if refused++; line.Line != uint64(proofs)+2 || line.Offset != int64(lineOffset(data, int(line.Line))) {
				t.Errorf("after %d proofs: %v", proofs, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(ctx, proof, attest.Expect{}); err != nil {
			t.Error(err)
		}
		proofs++
	}
	if proofs != 4 || refused != 1 {
		t.Errorf("%d proofs, %d refused", proofs, refused)
	}
}

// lineOffset is where a line begins, from 1.
func lineOffset(data []byte, line int) int {
	return len(bytes.Join(bytes.SplitAfter(data, []byte("\n"))[:line-1], nil))
}

// A run whose identity cannot be read hides none of those after it.
func TestFindPassesOver(t *testing.T) {
	d := newDesk(t)
	data := bytes.Replace(d.write(t, 3), []byte(`"identity":"airun:1:`), []byte(`"identity":"airun:9:`), 1)
	set := open(t, data)
	if index, err := set.Find(ctx, newStatement(t, 2, attest.StatementOptions{}).ID()); err != nil || index != 2 {
		t.Errorf("found at %d, %v", index, err)
	}
	runs, refused := 0, 0
	for run, err := range set.UnverifiedRuns() {
		if line := (*LineError)(nil); errors.As(err, &line) && line.Line == 2 {
			refused++
		} else if runs++; err != nil || run.Index != uint64(runs) {
			t.Errorf("%v, %v", run.Index, err)
		}
	}
	if runs != 2 || refused != 1 {
		t.Errorf("%d runs, %d refused", runs, refused)
	}
}

// A proof is as long as what is in it, whatever its characters.
func TestProofOfMarkup(t *testing.T) {
	d := newDesk(t)
	declaration, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"other","model":{"name":"m"},"prompt":{"text":%q},"parameters":{},"context":[],"constraints":{}}`,
		identity.Schema, strings.Repeat("<&>", 1_600_000)))
	if err != nil {
		t.Fatal(err)
	}
	statement, err := attest.New(declaration, attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	one := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) { yield(statement, nil) }
	}
	var file bytes.Buffer
	if _, err := Write(ctx, &file, one, d.options); err != nil {
		t.Fatal(err)
	}
	proof, err := open(t, file.Bytes()).Prove(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if run, err := d.verifier.Verify(ctx, proof, attest.Expect{}); err != nil || run.ID() != declaration.ID() {
		t.Error(err)
	}
}

func TestNil(t *testing.T) {
	var none *Set
	if _, err := none.UnverifiedHead(); err == nil {
		t.Error("a nil set has a head")
	}
	if _, err := none.Prove(ctx, 0); err == nil {
		t.Error("a nil set has a proof")
	}
	for _, err := range none.UnverifiedRuns() {
		if err == nil {
			t.Error("a nil set has runs")
		}
	}
	if _, err := Verify(ctx, nil, none, VerifyOptions{}); err == nil {
		t.Error("a nil set is verified")
	}
	if _, err := Open(nil); err == nil {
		t.Error("nothing is opened")
	}
	for run, err := range (*attest.VerifiedHead)(nil).VerifyRuns(ctx, attest.SetRuns{}) {
		if err == nil || run != nil {
			t.Error("a nil head has runs")
		}
	}
}

// TestWriteToNil: a set that cannot be written is not signed.
func TestWriteToNil(t *testing.T) {
	signed := false
	sign := func(context.Context, attest.Signable) (*attest.Bundle, error) {
		signed = true
		return nil, errors.New("signed")
	}
	if _, err := Write(t.Context(), nil, numbered(t, 1), WriteOptions{Sign: sign}); err == nil || signed {
		t.Errorf("%v, signed %v", err, signed)
	}
}
