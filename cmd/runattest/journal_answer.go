package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/terminal"
)

// journalVerifier verifies journals, and prints what it finds.
type journalVerifier struct {
	*output
	judge    *judge
	each     bool // print each line for people, too; for programs all are printed
	progress *terminal.Progress
}

// verify prints the answer for a journal, after those for its lines and segments.
func (v *journalVerifier) verify(ctx context.Context, dir string, o journal.VerifyOptions) (verified bool) {
	if v.judge.policy != nil {
		o.Judge = v.judge.verify
	}
	o.Line = func(l journal.LineResult) error { v.line(dir, l); v.progress.Step(); return nil }
	o.Segment = func(s journal.SegmentResult) error { v.segment(dir, s); return nil }
	r := &journal.Result{}
	err := checkJournal(dir)
	if err == nil {
		r, err = journal.Verify(ctx, v.judge.verifier, dir, o)
	}
	v.progress.End()
	if err != nil {
		r = &journal.Result{}
	}
	v.journal(dir, r, err)
	return err == nil && r.Verified
}

// lineCall is what a line says of its call.
type lineCall struct {
	Fate    journal.Fate  `json:"fate"`
	Time    string        `json:"time"`
	Client  string        `json:"client"`
	Body    *journal.Body `json:"body,omitempty"`
	Headers []string      `json:"headers"`
	Policy  string        `json:"policy,omitempty"`
	Attempt int           `json:"attempt,omitempty"`
	Same    int           `json:"same,omitempty"`
}

func callOf(l journal.UnverifiedLine) lineCall {
	c := lineCall{l.Fate, l.Time.UTC().Format(time.RFC3339Nano), l.Client, nil, l.Headers, l.Policy, l.Attempt, l.Same}
	if c.Headers == nil {
		c.Headers = []string{}
	}
	if l.Body != (journal.Body{}) {
		c.Body = &l.Body
	}
	return c
}

type lineAnswer struct {
	Receipt journal.Receipt `json:"receipt"`
	Closed  bool            `json:"closed"`
	attest.Report
	ClaimedIdentity identity.ID `json:"claimedIdentity,omitzero"`
	Erased          bool        `json:"erased,omitempty"`
	lineCall
}

func (v *journalVerifier) line(dir string, l journal.LineResult) {
	name := fmt.Sprintf("%s/%08d.jsonl:%d", dir, l.Segment, l.Number)
	if v.JSON {
		a := lineAnswer{Receipt: l.Receipt(), Closed: l.Closed, Report: l.Report, Erased: l.Erased, lineCall: callOf(l.UnverifiedLine)}
		if a.Checks = v.phrasedAll(a.Checks); a.Checks == nil {
			a.Checks = []evidence.Check{}
		}
		if !a.Verified {
			a.ClaimedIdentity = l.Identity
		}
		v.object(a)
		return
	}
	v.progress.End()
	switch {
	case l.Unsigned():
		if v.each {
			v.say("%s: %s: not signed yet", name, l.Fate)
		}
	case !l.OK(), v.each && l.Report.Verified:
		printVerdict(v.output, name, l.Report, nil)
	case v.each && l.Erased:
		v.say("%s: erased: the identity %s is signed, and cannot be recomputed", name, l.Identity)
	case v.each:
		v.say("%s: %s: without an identity", name, l.Fate)
	}
}

// say prints a line for people.
func (v *journalVerifier) say(format string, args ...any) {
	if err := v.Result(nil, format, args...); err != nil {
		v.note("standard output", err)
	}
}

func (v *journalVerifier) text(verdict answer.Verdict) {
	v.progress.End()
	v.verdict(verdict, nil, nil)
}

// object prints an object that does not decide the exit status.
func (v *journalVerifier) object(o any) {
	v.progress.End()
	if err := v.Object(o); err != nil {
		v.note("standard output", err)
	}
}

type segmentAnswer struct {
	Segment string `json:"segment"`
	Closed  bool   `json:"closed"`
	attest.Report
	journalTotals
	Damage     string `json:"damage,omitempty"`
	Incomplete bool   `json:"incomplete,omitempty"`
}

// journalTotals are how many lines there are, and of which kinds.
type journalTotals struct {
	Lines      int `json:"lines"`
	Refused    int `json:"refused,omitempty"`
	Erased     int `json:"erased,omitempty"`
	Undeclared int `json:"undeclared,omitempty"`
	Denied     int `json:"denied,omitempty"`
	Open       int `json:"open,omitempty"`
	Unsigned   int `json:"unsigned,omitempty"`
}

func (v *journalVerifier) segment(dir string, s journal.SegmentResult) {
	name := fmt.Sprintf("%08d.jsonl", s.Number)
	a := segmentAnswer{Segment: name, Closed: s.Closed, Report: s.Report, journalTotals: journalTotals(s.Counts), Incomplete: s.Incomplete}
	if a.Verified = s.Verified; !s.Verified {
		a.Report = attest.Report{Checks: s.Report.Checks}
	}
	if a.Checks = v.phrasedAll(a.Checks); a.Checks == nil {
		a.Checks = []evidence.Check{}
	}
	if s.Damage != nil {
		a.Damage = s.Damage.Error()
	}
	if v.JSON {
		v.object(a)
		return
	}
	if s.Verified || s.Damage == nil && s.Lines == 0 && s.Unsigned > 0 { // the journal's answer counts what is not signed yet
		return
	}
	verdict := answer.Verdict{Name: dir + "/" + name, Checks: a.Checks}
	if a.Damage != "" {
		verdict.Problems = []string{a.Damage}
	}
	if s.Refused > 0 {
		verdict.Problems = append(verdict.Problems, fmt.Sprintf("%d of %d lines are not verified", s.Refused, s.Lines))
	}
	v.text(verdict)
}

type journalAnswer struct {
	Journal  string `json:"journal"`
	Verified bool   `json:"verified"`
	Gateway  string `json:"gateway,omitempty"`
	Segments int    `json:"segments"`
	journalTotals
	Problems []string `json:"problems,omitempty"`
	answer.None
}

func (v *journalVerifier) journal(dir string, r *journal.Result, err error) {
	a := journalAnswer{Journal: dir, Verified: r.Verified, Segments: r.Segments, journalTotals: journalTotals(r.Counts)}
	_, a.None = v.phrase(nil, err)
	for _, p := range r.Problems {
		a.Problems = append(a.Problems, p.Error())
	}
	verdict := answer.Verdict{Name: dir, Verified: r.Verified, Problems: a.Problems}
	if r.Verified {
		a.Gateway = fmt.Sprintf("%x", r.Gateway)
		verdict.Facts = []string{answer.Fact("lines", fmt.Sprint(r.Lines)), answer.Fact("segments", fmt.Sprint(r.Segments))}
		for _, some := range []struct {
			n     int
			label string
			text  string
		}{
			{r.Erased, "erased", "%d declarations were erased: the identities are signed, and cannot be recomputed"},
			{r.Undeclared, "undeclared", "%d calls were forwarded without an identity"},
			{r.Denied, "denied", "%d calls were denied"},
			{r.Open, "open", "%d lines are not under the signature of a segment yet: of these only the runs are signed"},
			{r.Unsigned, "unsigned", "%d more lines have no run and are not under the signature of a segment yet: they are not verified"},
		} {
			if some.n > 0 {
				verdict.Facts = append(verdict.Facts, answer.Fact(some.label, fmt.Sprintf(some.text, some.n)))
			}
		}
		verdict.Note = "lines that were cut from the end are not missed, unless a receipt or a later bundle is kept elsewhere"
	}
	v.verdict(verdict, a, err)
}

// lineShown is a line that was not verified.
type lineShown struct {
	Receipt         journal.Receipt `json:"receipt"`
	Unverified      bool            `json:"unverified"`
	ClaimedIdentity identity.ID     `json:"claimedIdentity,omitzero"`
	lineCall
}

func showLine(l journal.UnverifiedLine) lineShown {
	return lineShown{l.Receipt(), true, l.Identity, callOf(l)}
}

func showText(l journal.UnverifiedLine) string {
	what := string(l.Fate)
	if !l.Identity.IsZero() {
		what = l.Identity.String()
	}
	text := fmt.Sprintf("%08d/%d  %s  %s  %s", l.Segment, l.Number, l.Time.UTC().Format("2006-01-02T15:04:05.000Z"), clean(l.Client), what)
	if l.Attempt > 0 {
		text += fmt.Sprintf("  attempt %d", l.Attempt)
	}
	return text
}

// journalCounts counts dispatches, which are lines that were forwarded, and calls, which a client may have sent more than once.
type journalCounts struct {
	Dispatches int `json:"dispatches"`
	Calls      int `json:"calls"`
	Undeclared int `json:"undeclared"`
	Denied     int `json:"denied"`
}

func (c *journalCounts) count(l journal.UnverifiedLine) {
	if l.Fate == journal.Denied {
		c.Denied++
		return
	}
	if c.Dispatches++; l.Attempt == 0 {
		c.Calls++
	}
	if l.Fate == journal.Undeclared {
		c.Undeclared++
	}
}

func (c journalCounts) String() string {
	return fmt.Sprintf("%d dispatches of %d calls, as clients count their attempts; %d undeclared, %d denied", c.Dispatches, c.Calls, c.Undeclared, c.Denied)
}

// verifyJournal answers for a journal, which is of many runs.
func (v *verification) verifyJournal(dir string) bool {
	j := &journalVerifier{output: v.output, judge: v.judge, each: v.sets.each, progress: v.progress}
	if v.want.Identity != nil || v.given.Len() > 0 || len(v.want.Artifacts) > 0 || v.judge.source != nil {
		j.journal(dir, &journal.Result{}, errNoJournal)
		return false
	}
	return j.verify(v.cmd.Context(), dir, journal.VerifyOptions{})
}

// errNoJournal says that what is expected of one run was given with a journal.
var errNoJournal = errors.New("is a journal, and --identity, --declaration, --artifact and --source are about one run")
