package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
)

// Verify verifies a journal: every segment, line and declaration. It reads a segment at a time. A no is a Result that is not
// Verified; an error says that there is no answer.
//
// It does not see lines that were cut from the end: give it Receipts, or a Witness.
func Verify(ctx context.Context, v *attest.Verifier, dir string, o VerifyOptions) (*Result, error) {
	if v == nil {
		return nil, attest.ErrNoTrust
	}
	if o.Witness != nil && zero.IsNil(o.Witness) {
		return nil, fmt.Errorf("journal: the Witness is a nil %T: want one, or nothing", o.Witness)
	}
	if o.First < 0 {
		return nil, fmt.Errorf("journal: the first segment is %d, want 1 or more", o.First)
	}
	r := &reader{ctx: ctx, verifier: v, dir: dir, o: o, wanted: map[[2]int][]Receipt{}}
	for _, receipt := range o.Receipts {
		at := [2]int{receipt.Segment, receipt.Line}
		r.wanted[at] = append(r.wanted[at], receipt)
	}
	if err := r.run(); err != nil {
		return nil, err
	}
	return &r.result, nil
}

// reader verifies a journal.
type reader struct {
	ctx      context.Context
	verifier *attest.Verifier
	dir      string
	o        VerifyOptions
	wanted   map[[2]int][]Receipt
	result   Result
	bad      bool // a segment is not verified

	last *[sha256.Size]byte // of the line before the next segment; nil where it is not known
	file *[sha256.Size]byte // of the file before

	witness  *head // the last segment that the witness has; nil where none is asked, or what it has is not verified
	compared bool  // the journal has a segment of that number
	began    bool  // the witness has a bundle of a segment by now
}

func (r *reader) problem(format string, args ...any) {
	r.result.Problems = append(r.result.Problems, fmt.Errorf(format, args...))
}

func (r *reader) run() error {
	id, err := readID(r.dir)
	if err != nil {
		return err
	}
	r.result.Gateway = id
	if err := r.askWitness(); err != nil {
		return err
	}
	l, err := list(r.dir)
	if err != nil {
		return err
	}
	if err := r.segments(l); err != nil {
		return err
	}
	r.endWitness()
	switch {
	case r.result.Lines > 0:
	case r.result.Unsigned > 0:
		r.problem("nothing in the journal is signed by a trusted key")
	default:
		r.problem("the journal has no line that could be verified")
	}
	for _, receipt := range r.o.Receipts {
		if _, missing := r.wanted[[2]int{receipt.Segment, receipt.Line}]; missing {
			r.problem("receipt %s: no verified line is the one that it names", receipt)
		}
	}
	r.result.Verified = len(r.result.Problems) == 0 && !r.bad && r.result.Refused == 0
	return nil
}

// segments verifies the segments of a folder in their order.
func (r *reader) segments(l *listing) error {
	first := max(r.o.First, 1)
	if last := l.last(); last > 0 && last < first {
		r.problem("segment %08d is missing", first)
	}
	if len(l.numbers) > 0 && l.numbers[0] > first {
		r.problem("segments %08d to %08d are missing", first, l.numbers[0]-1)
	}
	if len(l.numbers) > 0 && l.numbers[0] == 1 {
		r.last = &r.result.Gateway
	}
	if len(l.numbers) > 0 {
		if err := r.beforeFirst(l.numbers[0]); err != nil {
			return err
		}
	}
	lastClosed := l.lastClosed()
	for i, number := range l.numbers {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if i > 0 && l.numbers[i-1] != number-1 {
			r.problem("segments %08d to %08d are missing", l.numbers[i-1]+1, number-1)
			r.last, r.file = nil, nil
		}
		if err := r.segment(number, l, lastClosed); err != nil {
			return err
		}
	}
	return nil
}

// segment verifies one segment.
func (r *reader) segment(number int, l *listing, lastClosed int) error {
	s := SegmentResult{Number: number, Closed: l.closed[number]}
	var data *scan
	var err error
	switch {
	case !l.lines[number]:
		s.Damage = errors.New("its file is missing")
	case !s.Closed && number < lastClosed:
		s.Damage = errors.New("it has no bundle, and a later segment has one")
	default:
		if data, err = r.open(&s, number == l.last()); err != nil {
			return err
		}
		if r.o.Closed && !s.Closed && !isZero(data.data) {
			s.Damage = errors.New("it is not closed: its lines are not under the signature of a segment")
		}
	}
	if data != nil && (!s.Closed || s.Report.Verified) && s.Damage == nil {
		if err := r.lines(&s, data); err != nil {
			return err
		}
	}
	r.pass(&s, data)
	if r.o.Segment != nil && (s.Closed || s.Lines > 0 || !s.Verified) {
		return r.o.Segment(s)
	}
	return nil
}

// pass makes the answer for a segment, and goes on behind it.
func (r *reader) pass(s *SegmentResult, data *scan) {
	good := s.Damage == nil && s.Refused == 0 && (!s.Closed || s.Report.Verified)
	s.Verified = good && (s.Lines > 0 || s.Unsigned == 0)
	if r.bad = r.bad || !good; s.Closed || s.Lines+s.Unsigned > 0 {
		r.result.Segments++
		if r.o.Witness != nil && s.Number > r.result.Witnessed {
			r.result.Unwitnessed++
		}
	}
	r.result.add(s.Counts)
	r.last, r.file = nil, nil
	if data != nil && s.Damage == nil && (good || data.n > 0) {
		r.last = &data.last
		sum := sha256.Sum256(data.data)
		r.file = &sum
	}
}

// open reads a segment's files, and verifies its bundle if it is closed.
func (r *reader) open(s *SegmentResult, last bool) (*scan, error) {
	data, err := scanSegment(r.dir, s.Number)
	if err != nil {
		return nil, err
	}
	data.prev = r.last
	if s.Closed {
		return data, r.closed(s, data)
	}
	data, s.Incomplete, err = settle(data, last)
	return data, err
}

// settle reads an open segment again if its end cannot be read and has changed: the gateway may be writing while it is read.
// incomplete says that it is the last, and ends with a part of a line.
func settle(data *scan, last bool) (_ *scan, incomplete bool, err error) {
	for range 3 {
		err := data.dry()
		if err == nil {
			break
		}
		if incomplete = errors.Is(err, errIncomplete) && last; incomplete {
			break
		}
		again, err := scanSegment(data.dir, data.number)
		if err != nil {
			return nil, false, err
		}
		same := bytes.Equal(again.data, data.data) && bytes.Equal(again.declarations, data.declarations)
		again.prev = data.prev
		if data = again; same {
			break
		}
	}
	return data.again(), incomplete, nil
}

// dry reads all lines.
func (s *scan) dry() error {
	for _, err := range s.lines() {
		if err != nil {
			return err
		}
	}
	return nil
}

// again is the same segment, from its first line.
func (s *scan) again() *scan {
	return &scan{dir: s.dir, number: s.number, data: s.data, declarations: s.declarations, prev: s.prev, content: map[int]identity.ID{}}
}

// closed verifies the bundle of a segment, and that it is of the file.
func (r *reader) closed(s *SegmentResult, data *scan) error {
	text, err := readFile(pathname.In(r.dir, bundleName(s.Number)), limits.Bundle)
	if err != nil {
		return err
	}
	b, err := attest.ParseBundle(bytes.TrimSuffix(text, []byte("\n")))
	if err != nil {
		s.Damage = fmt.Errorf("%s: %w", bundleName(s.Number), err)
		return nil
	}
	claim, err := r.verifier.VerifyClaim(r.ctx, b, SegmentType)
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		s.Report = no.Report
		return nil
	}
	if err != nil {
		return err
	}
	by := claim.Signer()
	s.Report = attest.Report{Verified: true, Signer: &by, Times: claim.Times(), Checks: claim.Checks()}
	h, err := readHead(claim.Subjects(), claim.Predicate())
	if err == nil {
		err = r.checkHead(h, s.Number)
	}
	if err != nil {
		s.refuse(evidence.CheckStatement, evidence.CodeStatement, err)
		return nil
	}
	if got := sha256.Sum256(data.data); got != h.File {
		s.refuse(evidence.CheckSubject, evidence.CodeSubjectMissing, fmt.Errorf("the file has the SHA-256 %x, and %x was signed", got, h.File))
		return nil
	}
	s.Report.Checks = append(s.Report.Checks, evidence.Passed(evidence.CheckSubject, "%s is the file that was signed", linesName(s.Number)))
	data.head = &h
	return r.compare(h)
}

// refuse makes a no of a report about a segment.
func (s *SegmentResult) refuse(name evidence.CheckName, code evidence.Code, err error) {
	kept := s.Report.Checks[:0]
	for _, c := range s.Report.Checks {
		if c.Name != name {
			kept = append(kept, c)
		}
	}
	s.Report = attest.Report{Checks: append(kept, evidence.Failed(name, code, "%s", err))}
}

// checkHead holds a Statement against the journal and the segments before.
func (r *reader) checkHead(h head, number int) error {
	if err := h.checkPlace(r.result.Gateway, number); err != nil {
		return err
	}
	if r.file != nil && !h.follows(*r.file) {
		return errors.New("previous is not the digest of the segment before")
	}
	return nil
}

// lines verifies the lines of a segment.
func (r *reader) lines(s *SegmentResult, data *scan) error {
	own := map[int]LineResult{}
	for l, err := range data.lines() {
		if err != nil {
			if !s.Incomplete || !errors.Is(err, errIncomplete) {
				s.Damage = fmt.Errorf("line %d: %w", data.n+1, err)
			}
			break
		}
		result, err := r.line(l, s.Closed, own)
		if err != nil {
			return err
		}
		s.count(result)
		r.met(result)
		if r.o.Line != nil {
			if err := r.o.Line(result); err != nil {
				return err
			}
		}
	}
	if h := data.head; h != nil && s.Damage == nil {
		switch err := data.complete(); {
		case err != nil:
			s.Damage = err
		case h.Lines != data.n || h.Last != data.last:
			s.Damage = errors.New("lines or last are not those of the file")
		}
	}
	return nil
}

// met takes the receipts that name a line from those that are wanted.
func (r *reader) met(l LineResult) {
	at := [2]int{l.Segment, l.Number}
	wanted := r.wanted[at]
	if len(wanted) == 0 || !l.OK() {
		return
	}
	for _, receipt := range wanted {
		if receipt.Digest != l.Digest {
			return
		}
	}
	delete(r.wanted, at)
}

// line verifies the bundle of a line. own are the results of lines that have a bundle.
func (r *reader) line(l *scanned, closed bool, own map[int]LineResult) (LineResult, error) {
	result := LineResult{UnverifiedLine: l.UnverifiedLine, Closed: closed}
	if l.Fate != Admitted {
		if l.Fate == Undeclared && r.o.Judge != nil {
			result.Report.Checks = []evidence.Check{evidence.Failed(evidence.CheckPolicy, evidence.CodePolicyDenied, "the call was forwarded without a declaration that the policy could allow")}
		}
		return result, nil
	}
	if l.Same > 0 {
		result.Report, result.Erased = own[l.Same].Report, own[l.Same].Erased
		return result, nil
	}
	want := attest.Expect{Identity: &l.Identity}
	if l.Declaration != nil {
		d, err := identity.Parse(l.Declaration)
		if err != nil {
			result.Report.Checks = []evidence.Check{evidence.Failed(evidence.CheckDeclaration, evidence.CodeDeclaration, "%s", err)}
			return result, nil
		}
		want.Declaration = d
	}
	var err error
	if result.Report, err = r.judge(l.Bundle, want); err != nil {
		return result, err
	}
	switch {
	case !l.erased:
	case r.o.Judge != nil:
		result.Report.Checks = cannotJudge(result.Report.Checks)
	default:
		result.Erased = isErased(result.Report) && namesRun(l.Bundle, l.Identity)
	}
	own[l.Number] = result
	return result, nil
}

func (r *reader) judge(b *attest.Bundle, want attest.Expect) (attest.Report, error) {
	var report attest.Report
	var err error
	if r.o.Judge != nil {
		report, err = r.o.Judge(r.ctx, b, want)
	} else {
		var verified *attest.Verified
		verified, err = r.verifier.Verify(r.ctx, b, want)
		report = verified.Report()
	}
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		return no.Report, nil
	}
	return report, err
}

// cannotJudge has the checks of a run whose declaration was erased say so.
func cannotJudge(checks []evidence.Check) []evidence.Check {
	checks = slices.Clone(checks)
	for i, c := range checks {
		if c.Verdict == evidence.Fail && c.Code == evidence.CodeDeclarationMissing {
			checks[i] = evidence.Failed(c.Name, c.Code, "the declaration was erased, and a policy is asked, which needs it")
		}
	}
	return checks
}

// isErased says that no check of a report failed but the one for which the declaration is missing.
func isErased(report attest.Report) bool {
	failed := report.Failed()
	passed := map[evidence.CheckName]bool{}
	for _, c := range report.Checks {
		passed[c.Name] = c.Verdict == evidence.Pass
	}
	return len(failed) == 1 && failed[0].Code == evidence.CodeDeclarationMissing &&
		passed[evidence.CheckSignature] && passed[evidence.CheckSigner] && passed[evidence.CheckStatement]
}

// namesRun says that a statement is about a run, whose declaration is not there to recompute it.
func namesRun(b *attest.Bundle, id identity.ID) bool {
	claim, err := b.UnverifiedStatement()
	return err == nil && claim.Identity == id && claim.Subjects[0] == attest.Subject{Name: id.String(), SHA256: id.Digest()}
}
