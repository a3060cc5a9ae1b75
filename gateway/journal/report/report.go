// Package report has the answers about a journal in the forms that programs and people read: what a verification found of its
// lines, of its segments and of the whole, and what its lines say that was not verified. Each answer is a type that encodes to
// the JSON of docs/output.md, and has a text.
//
//	a := report.NewJournal(dir, result)
//	fmt.Print(a.Verdict().Text(nil))
package report

import (
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/internal/zero"
)

// Totals are how many lines there are, and of which kinds: journal.Counts.
type Totals struct {
	Lines      int `json:"lines"`
	Refused    int `json:"refused,omitempty"`
	Erased     int `json:"erased,omitempty"`
	Undeclared int `json:"undeclared,omitempty"`
	Denied     int `json:"denied,omitempty"`
	Open       int `json:"open,omitempty"`
	Unsigned   int `json:"unsigned,omitempty"`
}

// A Segment is the answer about one segment.
type Segment struct {
	Segment string `json:"segment"` // the name of its file
	Closed  bool   `json:"closed"`
	attest.Report
	Totals
	Damage     string `json:"damage,omitempty"`
	Incomplete bool   `json:"incomplete,omitempty"`
}

// NewSegment is the answer for what was found. Of a segment that is not verified it says nothing but the checks.
func NewSegment(s journal.SegmentResult) Segment {
	a := Segment{Segment: segmentFile(s.Number), Closed: s.Closed, Report: s.Report, Totals: Totals(s.Counts), Incomplete: s.Incomplete}
	if a.Verified = s.Verified; !s.Verified {
		a.Report = attest.Report{Checks: s.Report.Checks}
	}
	if a.Checks == nil {
		a.Checks = []evidence.Check{}
	}
	if s.Damage != nil {
		a.Damage = s.Damage.Error()
	}
	return a
}

// Tells says that people should know of the segment by itself: it is neither verified nor only not signed yet, which the
// journal's answer counts.
func (s Segment) Tells() bool {
	return !s.Verified && (s.Damage != "" || s.Lines > 0 || s.Unsigned == 0)
}

// Verdict is the answer for people; dir is the journal's folder.
func (s Segment) Verdict(dir string) answer.Verdict {
	verdict := answer.Verdict{Name: dir + "/" + s.Segment, Checks: s.Checks}
	if s.Damage != "" {
		verdict.Problems = []string{s.Damage}
	}
	if s.Refused > 0 {
		verdict.Problems = append(verdict.Problems, fmt.Sprintf("%d of %d lines are not verified", s.Refused, s.Lines))
	}
	return verdict
}

// A Journal is the answer about a journal, or why there is none.
type Journal struct {
	Journal  string `json:"journal"` // its folder
	Verified bool   `json:"verified"`
	Gateway  string `json:"gateway,omitempty"` // of a verified one: its id, in hex
	Segments int    `json:"segments"`
	Totals
	Witnessed   int      `json:"witnessed,omitempty"`   // the last segment that the witness has, where one was asked
	Unwitnessed int      `json:"unwitnessed,omitempty"` // segments that it does not have
	Problems    []string `json:"problems,omitempty"`
	answer.None
}

// NewJournal is the answer for what was found; for nil the journal is not verified.
func NewJournal(dir string, r *journal.Result) Journal {
	r = zero.IfNil(r)
	a := Journal{Journal: dir, Verified: r.Verified, Segments: r.Segments, Totals: Totals(r.Counts), Witnessed: r.Witnessed, Unwitnessed: r.Unwitnessed}
	for _, p := range r.Problems {
		if p != nil {
			a.Problems = append(a.Problems, p.Error())
		}
	}
	if r.Verified {
		a.Gateway = fmt.Sprintf("%x", r.Gateway)
	}
	return a
}

// Verdict is the answer for people.
func (j Journal) Verdict() answer.Verdict {
	verdict := answer.Verdict{Name: j.Journal, Verified: j.Verified, Problems: j.Problems}
	if !j.Verified {
		return verdict
	}
	verdict.Facts = []string{answer.Fact("lines", fmt.Sprint(j.Lines)), answer.Fact("segments", fmt.Sprint(j.Segments))}
	for _, some := range []struct {
		n     int
		label string
		text  string
	}{
		{j.Erased, "erased", "%d declarations were erased: the identities are signed, and cannot be recomputed"},
		{j.Undeclared, "undeclared", "%d calls were forwarded without an identity"},
		{j.Denied, "denied", "%d calls were denied"},
		{j.Open, "open", "%d lines are not under the signature of a segment yet: of these only the runs are signed"},
		{j.Witnessed, "witnessed", "the witness has segment %08d, and the journal is the same up to there"},
		{j.Unwitnessed, "unwitnessed", "the witness does not have %d segments: the holder of the key and the folder could still change those behind its last"},
		{j.Unsigned, "unsigned", "%d more lines have no run and are not under the signature of a segment yet: they are not verified"},
	} {
		if some.n > 0 {
			verdict.Facts = append(verdict.Facts, answer.Fact(some.label, fmt.Sprintf(some.text, some.n)))
		}
	}
	if j.Witnessed > 0 {
		verdict.Note = "lines that were cut from the end, behind what the witness has, are not missed, unless a receipt is kept elsewhere"
		return verdict
	}
	verdict.Note = "lines that were cut from the end are not missed, unless a receipt or a later bundle is kept elsewhere"
	return verdict
}

func segmentFile(number int) string { return fmt.Sprintf("%08d.jsonl", number) }
