package attest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/settree"
	"github.com/runattest/runattest/signer"
)

// lineSet is a set whose Statements are lines, under a head that is taken for verified.
func lineSet(t testing.TB, lines [][]byte, head evidence.SetHead) (*VerifiedHead, SetRuns) {
	t.Helper()
	by := evidence.SignerIdentity{}
	result := evidence.Result{
		Signature: passed(evidence.CheckSignature, "by the key"), Signer: passed(evidence.CheckSigner, "trusted"),
		Time: evidence.Skipped(evidence.CheckTime, evidence.CodeNotAsked, "none"), By: &by,
	}
	read := func() iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			var memory []byte
			for _, line := range lines {
				clear(memory) // what was given is gone
				memory = append(memory[:0], line...)
				if !yield(memory, nil) {
					return
				}
			}
		}
	}
	return &VerifiedHead{head, result, passed(evidence.CheckStatement, "run set v1"), trusting(t, newSigner(t, signer.Ed25519))}, SetRuns{Read: read}
}

// headOf is the head of lines, as far as they can be read.
func headOf(lines [][]byte) evidence.SetHead {
	tree := settree.NewBuilder(settree.Hash{})
	for _, line := range lines {
		form, err := payloadRules.Append(nil, line)
		if err != nil {
			break
		}
		if _, err := tree.Add(form); err != nil {
			break
		}
	}
	root, _ := tree.Root()
	return evidence.SetHead{Root: root, Size: tree.Size()}
}

type setAnswer struct {
	Refused uint64
	First   Report
}

// answerOf is the answer of VerifyRuns, which reads twice.
func answerOf(head *VerifiedHead, runs SetRuns) (a setAnswer, given uint64, err error) {
	for _, err := range head.VerifyRuns(context.Background(), runs) {
		no := (*VerificationError)(nil)
		switch {
		case err == nil:
		case !errors.As(err, &no) || no.Report.Set == nil:
			return setAnswer{}, 0, err
		default:
			if a.Refused++; a.Refused == 1 {
				a.First = no.Report
			}
		}
		given++
	}
	return a, given, nil
}

// inTurn is what answerOf gives, found by reading all Statements into memory, one after the other.
func inTurn(head *VerifiedHead, runs SetRuns) (a setAnswer, err error) {
	r := &setReader{head: head, runs: runs}
	tree := settree.NewBuilder(runs.Seed)
	var forms [][]byte
	for text, err := range runs.Read() {
		if err != nil {
			return a, err
		}
		form, err := payloadRules.Append(nil, text)
		if err == nil && form[0] != '{' {
			err = errors.New("is not an object, want a statement")
		}
		if err != nil {
			return a, r.malformed(tree.Size(), err)
		}
		if tree.Size() == head.head.Size {
			return a, r.no("there are more runs than the %d that are signed", head.head.Size)
		}
		if _, err := tree.Add(form); err != nil {
			return a, err
		}
		forms = append(forms, form)
	}
	if err := r.compare(tree); err != nil {
		return a, err
	}
	for i, form := range forms {
		root, err := jsontree.Read(form, payloadRules)
		if err != nil {
			return a, err
		}
		var run setRun
		r.prepare(&run, uint64(i), root)
		_, err = r.verify(&run)
		if no := (*VerificationError)(nil); errors.As(err, &no) {
			if a.Refused++; a.Refused == 1 {
				a.First = no.Report
			}
		} else if err != nil {
			return setAnswer{}, err
		}
	}
	return a, nil
}

// sameAnswer says that both ways to verify a set give the answer that reading it in turn gives.
func sameAnswer(t *testing.T, head *VerifiedHead, runs SetRuns) (setAnswer, error) {
	t.Helper()
	want, wantErr := inTurn(head, runs)
	each, given, err := answerOf(head, runs)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(each, want) {
		t.Fatalf("one by one: %+v, %v, want %+v, %v", each, err, want, wantErr)
	}
	refused, first, err := head.VerifyAll(context.Background(), runs)
	got := setAnswer{refused, first}
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v, want %+v, %v", got, err, want, wantErr)
	}
	no, wantNo := (*VerificationError)(nil), (*VerificationError)(nil)
	if errors.As(err, &no) != errors.As(wantErr, &wantNo) || no != nil && !reflect.DeepEqual(no.Report, wantNo.Report) {
		t.Fatalf("%+v, want %+v", no, wantNo)
	}
	if err == nil && given != head.head.Size {
		t.Fatalf("%d runs of %d", given, head.head.Size)
	}
	return got, err
}

// FuzzVerifyAll: one reading gives the answer that two give, for any lines, for a head of them and for another.
func FuzzVerifyAll(f *testing.F) {
	good := newStatement(f, StatementOptions{Annotations: map[string]string{"a": "b"}, Subjects: []Subject{{"x", [32]byte{1}}}}).Bytes()
	detached := newStatement(f, StatementOptions{Detached: &DeclarationRef{URI: "https://example.com"}}).Bytes()
	f.Add(good, byte(0), int8(0))
	f.Add(bytes.Join([][]byte{good, detached, good}, []byte("\n")), byte(0), int8(0))
	f.Add(bytes.Join([][]byte{detached, detached, bytes.Replace(good, []byte(`,"`), []byte(` , "`), 1)}, []byte("\n")), byte(1), int8(0))
	f.Add(bytes.Join([][]byte{good, []byte(`[]`), good}, []byte("\n")), byte(0), int8(0))
	f.Add(bytes.Join([][]byte{good, []byte(`{}`), good[1:]}, []byte("\n")), byte(0), int8(1))
	f.Add(bytes.Join([][]byte{good, good}, []byte("\n")), byte(0), int8(-1))
	declaration := parse(f, declarationText)
	f.Fuzz(func(t *testing.T, data []byte, flip byte, more int8) {
		lines := bytes.Split(data, []byte("\n"))
		head := headOf(lines)
		head.Root[0] ^= flip
		head.Size += uint64(more)
		verified, runs := lineSet(t, lines, head)
		answer, err := sameAnswer(t, verified, runs)
		if err == nil && (flip != 0 || more != 0) {
			t.Fatalf("another head: %+v", answer)
		}
		if err == nil { // the old reader has the last word of each
			refused := uint64(0)
			for _, line := range lines {
				if !oldVerifies(t, line) {
					refused++
				}
			}
			if refused != answer.Refused {
				t.Fatalf("%d are refused, want %d", answer.Refused, refused)
			}
		}
		for _, given := range []func(identity.ID) (*identity.Declaration, error){
			func(identity.ID) (*identity.Declaration, error) { return declaration, nil },
			func(identity.ID) (*identity.Declaration, error) { return nil, nil },
			func(identity.ID) (*identity.Declaration, error) { return nil, errors.New("no disk") },
		} {
			runs.Declaration = given
			sameAnswer(t, verified, runs)
		}
	})
}

// oldVerifies says whether a line is a run that needs no declaration besides, as the reader says that was before.
func oldVerifies(t *testing.T, line []byte) bool {
	t.Helper()
	c, err := oldReadStatement(bytes.Clone(line))
	if err != nil {
		return false
	}
	_, id, err := oldRecompute(c, nil)
	return err == nil && id == c.id && c.subjects[0] == runSubject(id)
}

// Of many shares each run counts, wherever it is, and none counts before the whole set is what was signed.
func TestVerifyAllShares(t *testing.T) {
	good := newStatement(t, StatementOptions{Annotations: map[string]string{"pad": string(bytes.Repeat([]byte("x"), 5_000))}}).Bytes()
	other := bytes.Replace(good, []byte(`"identity":"airun:1:sha256:`), []byte(`"identity":"airun:1:sha256:0`), 1)
	spaced := append([]byte(" "), good...)
	lines := make([][]byte, 300)
	for i := range lines {
		lines[i] = [][]byte{good, spaced}[i%2]
	}
	verified, runs := lineSet(t, lines, headOf(lines))
	if answer, err := sameAnswer(t, verified, runs); err != nil || answer.Refused != 0 {
		t.Errorf("%+v, %v", answer, err)
	}
	lines[123], lines[299] = other, other
	head := headOf(lines)
	verified, runs = lineSet(t, lines, head)
	answer, err := sameAnswer(t, verified, runs)
	if err != nil || answer.Refused != 2 || answer.First.Set == nil || answer.First.Set.Index != 123 {
		t.Errorf("%+v, %v", answer, err)
	}
	for name, change := range map[string]func() [][]byte{
		"one less":  func() [][]byte { return lines[:299] },
		"one more":  func() [][]byte { return append(lines[:300:300], good) },
		"swapped":   func() [][]byte { return append([][]byte{lines[0], other, lines[2]}, lines[3:]...) },
		"malformed": func() [][]byte { return append(append(lines[:200:200], []byte(`{"a":1,"a":2}`)), lines[201:]...) },
		"none":      func() [][]byte { return nil },
	} {
		verified, runs := lineSet(t, change(), head)
		if answer, err := sameAnswer(t, verified, runs); err == nil {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := verified.VerifyAll(ended, runs); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if _, _, err := (*VerifiedHead)(nil).VerifyAll(t.Context(), runs); err == nil {
		t.Error("a nil head has an answer")
	}
}

// A caller that wants no more runs gets the set back: it is not read any more.
func TestVerifyRunsStops(t *testing.T) {
	good := newStatement(t, StatementOptions{Annotations: map[string]string{"pad": string(bytes.Repeat([]byte("x"), 5_000))}}).Bytes()
	lines := make([][]byte, 1_000) // more than a window, and what is read ahead
	for i := range lines {
		lines[i] = good
	}
	verified, runs := lineSet(t, lines, headOf(lines))
	read, reading, readings := runs.Read, false, 0
	runs.Read = func() iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			reading = true // which the race detector would see if it were read by two
			read()(yield)
			reading = false
			readings++
		}
	}
	for _, wanted := range []int{1, 2, 250} {
		given := 0
		for _, err := range verified.VerifyRuns(t.Context(), runs) {
			if err != nil {
				t.Fatal(err)
			}
			if given++; given == wanted {
				break
			}
		}
		if given != wanted || reading {
			t.Errorf("%d runs, want %d; it is still read: %v", given, wanted, reading)
		}
	}
	if readings != 6 {
		t.Errorf("the set was read %d times, want twice each time", readings)
	}
}

// TestNoRuns: a set that gives no sequence of its runs is an error, and not a panic in a goroutine.
func TestNoRuns(t *testing.T) {
	verified, runs := lineSet(t, nil, headOf(nil))
	runs.Read = func() iter.Seq2[[]byte, error] { return nil }
	if _, _, err := verified.VerifyAll(t.Context(), runs); !errors.Is(err, errNoRuns) {
		t.Errorf("got %v", err)
	}
}
