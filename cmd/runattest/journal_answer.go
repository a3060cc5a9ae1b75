package main

import (
	"context"

	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/gateway/journal/report"
	"github.com/runattest/runattest/internal/terminal"
)

// journalVerifier verifies journals, and prints what it finds.
type journalVerifier struct {
	*output
	by       *verdicts.Verifier
	each     bool // print each line for people, too; for programs all are printed
	progress *terminal.Progress
}

// verify prints the answer for a journal, after those for its lines and segments.
func (v *journalVerifier) verify(ctx context.Context, dir string, o journal.VerifyOptions) (verified bool) {
	o.Line = func(l journal.LineResult) error { v.line(dir, l); v.progress.Step(); return nil }
	o.Segment = func(s journal.SegmentResult) error { v.segment(dir, s); return nil }
	var r *journal.Result
	err := checkJournal(dir)
	if err == nil {
		r, err = v.by.Journal(ctx, dir, o)
	}
	v.progress.End()
	if err != nil {
		r, err = nil, phraseOneRun(err)
	}
	v.journal(dir, r, err)
	return r != nil && r.Verified
}

func (v *journalVerifier) line(dir string, l journal.LineResult) {
	if v.JSON {
		a := report.NewLine(l)
		a.Checks = v.phrasedAll(a.Checks)
		v.object(a)
		return
	}
	v.progress.End()
	name, remark := report.Name(dir, l.UnverifiedLine), report.Remark(l)
	switch {
	case remark == "" && (v.each || !l.OK()):
		printVerdict(v.output, name, l.Report, nil)
	case remark != "" && v.each:
		if err := v.Result(nil, "%s: %s", name, remark); err != nil {
			v.note("standard output", err)
		}
	}
}

func (v *journalVerifier) segment(dir string, s journal.SegmentResult) {
	a := report.NewSegment(s)
	a.Checks = v.phrasedAll(a.Checks)
	if v.JSON {
		v.object(a)
	} else if a.Tells() {
		v.progress.End()
		v.verdict(a.Verdict(dir), nil, nil)
	}
}

// object prints an object that does not decide the exit status.
func (v *journalVerifier) object(o any) {
	v.progress.End()
	if err := v.Object(o); err != nil {
		v.note("standard output", err)
	}
}

func (v *journalVerifier) journal(dir string, r *journal.Result, err error) {
	a := report.NewJournal(dir, r)
	_, a.None = v.phrase(nil, err)
	v.verdict(a.Verdict(), a, err)
}
