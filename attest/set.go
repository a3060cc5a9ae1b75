package attest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/settree"
	"github.com/runattest/runattest/internal/zero"
)

// setSubject is the name of a run set's one subject.
const setSubject = "runset"

// readHead reads the Statement of a run set: closed, and with the one subject that its predicate has.
func readHead(payload []byte) (evidence.SetHead, error) {
	var none, head evidence.SetHead
	root, err := readInToto(jsontree.Read, payload, RunSetType)
	if err != nil {
		return none, err
	}
	subjects, err := readSubjects(root.Get("subject"))
	if err != nil {
		return none, err
	}
	if err := readHeadPredicate(&head, root.Get("predicate")); err != nil {
		return none, fmt.Errorf("predicate: %w", err)
	}
	want := Subject{setSubject, sha256.Sum256(head.Bytes())}
	if len(subjects) != 1 || subjects[0] != want {
		return none, fmt.Errorf("subject: want exactly one, %s, which the predicate has", want)
	}
	return head, nil
}

func readHeadPredicate(head *evidence.SetHead, v jsontree.Value) error {
	if err := checkMembers(v, "root", "size", "tree", "annotations"); err != nil {
		return err
	}
	if got := v.Get("tree").Text(); got != settree.Name {
		return fmt.Errorf("tree is %s, want %s", strconv.Quote(got), settree.Name)
	}
	var err error
	if head.Root, err = readHash(v.Get("root")); err != nil {
		return fmt.Errorf("root: %w", err)
	}
	if head.Size, err = readCount(v.Get("size")); err != nil || head.Size == 0 || head.Size > limits.SetRuns {
		return fmt.Errorf("size: want a whole number from 1 to %d", uint64(limits.SetRuns))
	}
	if a := v.Get("annotations"); a.Kind() != jsontree.Absent {
		if head.Annotations, err = jsontree.Texts(a, limits.Annotations, "annotations"); err != nil {
			return fmt.Errorf("annotations: %w", err)
		}
	}
	return nil
}

// UnverifiedSetHead is what the bundle of a run set, or the proof of a run in one, says of the set.
func (b *Bundle) UnverifiedSetHead() (evidence.SetHead, error) {
	return readHead(zero.IfNil(b).payload)
}

// VerifiedHead is the head of a run set: what its one signature is over. Only VerifySetHead makes one that is not zero. Its
// signer is verified, and its runs are not: VerifyRuns reads them.
type VerifiedHead struct {
	head   evidence.SetHead
	result evidence.Result
	form   evidence.Check
	by     *Verifier
}

// VerifySetHead verifies the bundle of a run set, without its runs. When the answer is no the error is a *VerificationError
// with the checks signature, signer, time and statement.
func (v *Verifier) VerifySetHead(ctx context.Context, b *Bundle) (*VerifiedHead, error) {
	var head evidence.SetHead
	result, checks, err := v.verifyForm(ctx, b, "run set v1", func(payload []byte) (err error) {
		head, err = readHead(payload)
		return err
	})
	if err != nil {
		return nil, err
	}
	result.Signature, result.Signer, result.Time = checks[0], checks[1], checks[2]
	return &VerifiedHead{head, result, checks[3], v}, nil
}

// Head is what was signed.
func (h *VerifiedHead) Head() evidence.SetHead {
	return (&evidence.InSet{Head: zero.IfNil(h).head}).Clone().Head
}

// Report is what was checked: signature, signer, time and statement. It is not that of a run, and Verified is not set: that takes
// the runs.
func (h *VerifiedHead) Report() Report {
	h = zero.IfNil(h)
	if h.by == nil {
		return Report{}
	}
	r := Report{Signer: h.result.By, Times: h.result.Times, Logs: h.result.Logs, Promises: h.result.Promises}
	r.Checks = []evidence.Check{h.result.Signature, h.result.Signer, h.result.Time, h.form}
	return (&Verified{report: r}).Report()
}

var errNoSet = errors.New("no run set: it is nil or a zero value")

// SetRuns is what a run set has besides its bundle.
type SetRuns struct {
	Seed [32]byte
	// Read gives the Statements in their order, each a JSON text in any spelling: what is in the set are their RFC 8785 forms.
	// VerifyRuns calls it twice. What it gives may be overwritten when the next is asked for. An error ends it. It runs in a
	// goroutine of its own.
	Read func() iter.Seq2[[]byte, error]
	// Malformed gives its place to an error about the text of a Statement, counted from 0. A nil function leaves the error
	// as it is; it wraps ErrMalformed.
	Malformed func(index uint64, err error) error
	// Declaration finds the declaration of a detached run: nil where there is none. An error is that of reading it. A nil
	// function finds none.
	Declaration func(identity.ID) (*identity.Declaration, error)
}

// VerifyRuns verifies the runs of the set, in their order. Before it gives the first it has read all of them once, and found
// that they are those that the head is of; otherwise its one error is a *VerificationError without a run: Report.Set is nil.
// Then it reads them again, and gives each as Verify would: a run that is not verified is a *VerificationError whose
// Report.Set says which, and those after it follow. Any other error ends the sequence, among them ErrSetChanged. A run that
// it gave is in the set, whatever follows; the set is verified if there was no error until the end.
//
// It reads on all cores, in another goroutine than its caller's, and returns once that reads no more. It holds 17 MiB of
// Statements at most, or the largest of them, and 32 bytes for each mebibyte.
func (h *VerifiedHead) VerifyRuns(ctx context.Context, runs SetRuns) iter.Seq2[*Verified, error] {
	return func(yield func(*Verified, error) bool) {
		if h == nil || h.by == nil || runs.Read == nil {
			yield(nil, errNoSet)
			return
		}
		r := &reporter{setReader: setReader{head: h, runs: runs}}
		if err := r.confirm(ctx); err != nil {
			yield(nil, err)
			return
		}
		if err := r.report(ctx, yield); err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}
