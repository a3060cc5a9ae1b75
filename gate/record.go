package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/policy"
)

// Record is what was decided about one start: a line of a decision log.
type Record struct {
	Time     time.Time        `json:"time"` // of this machine
	Allowed  bool             `json:"allowed"`
	DryRun   bool             `json:"dryRun,omitempty"`
	Program  string           `json:"program"` // without its arguments, which may hold secrets
	Bundle   string           `json:"bundle"`
	Reasons  []string         `json:"reasons"` // why not; none if allowed
	Files    []Checked        `json:"files"`
	Report   *attest.Report   `json:"report,omitempty"`
	Decision *policy.Decision `json:"decision,omitempty"`
}

// Record is what was decided about a start, where Exec has returned err; nil is for a dry run that is allowed, or a start
// that is to come.
func (a *Admission) Record(s Start, err error) Record {
	a = zero.IfNil(a)
	if err == nil {
		err = a.Err()
	}
	r := Record{
		Time: a.when.UTC(), Allowed: err == nil, DryRun: s.DryRun, Bundle: a.request.Name,
		Reasons: reasons(err), Files: append([]Checked{}, a.files...), Report: a.report, Decision: a.decision,
	}
	if len(s.Args) > 0 {
		r.Program = s.Args[0]
	}
	if later := refused(err); later.report != nil { // the policy was asked again
		r.Report, r.Decision = later.report, later.decision
	}
	if r.Decision != nil && a.request.At.IsZero() {
		r.Time = r.Decision.Now
	}
	if phrase := a.request.Phrase; phrase != nil && r.Report != nil {
		report := *r.Report
		report.Checks = slices.Clone(report.Checks)
		for i, c := range report.Checks {
			if c.Hint != "" {
				report.Checks[i].Hint = phrase(c.Hint)
			}
		}
		r.Report = &report
	}
	return r
}

// Log is where decisions are recorded. A start that cannot be recorded is refused.
type Log interface {
	// Check says whether the decision that is made of these files, folders and references can be recorded here; nothing is
	// appended after an error.
	Check(reads ...string) error
	// Append returns once the record is where it cannot be lost.
	Append(Record) error
}

// LogFile is a file of one JSON object a line. It is none of what a decision is made of.
type LogFile string

var _ Log = LogFile("")

// Append appends the record as one line, and has it on the disk before it returns; in a pipe, which is not on a disk, the line is
// written.
func (f LogFile) Append(r Record) error {
	line, err := visible.JSON(r)
	if err != nil {
		return err
	}
	return appendLine(string(f), line)
}

// unloggedError says that a decision could not be recorded, so that the run is refused, and why it was refused before, if it was.
type unloggedError struct{ refused, failed error }

func (e *unloggedError) Error() string   { return errors.Join(e.refused, e.failed).Error() }
func (e *unloggedError) Unwrap() []error { return []error{e.refused, e.failed} }

// reasons are one line each: the policy's denials, where it was asked and said no.
func reasons(err error) []string {
	all := []string{}
	var unlogged *unloggedError
	var denied *policy.DeniedError
	var no *attest.VerificationError
	switch {
	case err == nil:
	case errors.As(err, &unlogged):
		all = append(reasons(unlogged.refused), text(unlogged.failed)...)
	case errors.As(err, &denied) && denied.Decision != nil:
		for _, denial := range denied.Decision.Denials {
			all = append(all, "policy: denied by "+denial.String())
		}
	case errors.As(err, &no):
		for _, c := range no.Report.Failed() {
			if len(c.Details) == 0 {
				all = append(all, string(c.Name)+": "+c.Reason)
			}
			for _, detail := range c.Details {
				all = append(all, string(c.Name)+": "+detail)
			}
		}
	default:
		all = text(err)
	}
	return all
}

// text is an error's text by lines, in which an interrupt is called that.
func text(err error) []string {
	s := err.Error()
	if errors.Is(err, context.Canceled) {
		s = strings.ReplaceAll(s, context.Canceled.Error(), "interrupted")
	}
	return strings.Split(s, "\n")
}
