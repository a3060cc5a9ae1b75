package report

import (
	"fmt"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
)

// A Call is what a line says of its call.
type Call struct {
	Fate    journal.Fate  `json:"fate"`
	Time    string        `json:"time"` // RFC 3339, in UTC
	Client  string        `json:"client"`
	Body    *journal.Body `json:"body,omitempty"`
	Headers []string      `json:"headers"`
	Policy  string        `json:"policy,omitempty"`
	Attempt int           `json:"attempt,omitempty"`
	Same    int           `json:"same,omitempty"`
}

func callOf(l journal.UnverifiedLine) Call {
	c := Call{l.Fate, l.Time.UTC().Format(time.RFC3339Nano), l.Client, nil, l.Headers, l.Policy, l.Attempt, l.Same}
	if c.Headers == nil {
		c.Headers = []string{}
	}
	if l.Body != (journal.Body{}) {
		c.Body = &l.Body
	}
	return c
}

// A Line is the answer about one line.
type Line struct {
	Receipt journal.Receipt `json:"receipt"`
	Closed  bool            `json:"closed"`
	attest.Report
	ClaimedIdentity identity.ID `json:"claimedIdentity,omitzero"` // where the run is not verified
	Erased          bool        `json:"erased,omitempty"`
	Call
}

// NewLine is the answer for what was found.
func NewLine(l journal.LineResult) Line {
	a := Line{Receipt: l.Receipt(), Closed: l.Closed, Report: l.Report, Erased: l.Erased, Call: callOf(l.UnverifiedLine)}
	if a.Checks == nil {
		a.Checks = []evidence.Check{}
	}
	if !a.Verified {
		a.ClaimedIdentity = l.Identity
	}
	return a
}

// Name is how reports call a line: FILE:LINE, with the journal's folder.
func Name(dir string, l journal.UnverifiedLine) string {
	return fmt.Sprintf("%s/%s:%d", dir, segmentFile(l.Segment), l.Number)
}

// Remark says for people what was found of a line without a run that could be verified; "" where the line's report says it.
func Remark(l journal.LineResult) string {
	switch {
	case l.Unsigned():
		return string(l.Fate) + ": not signed yet"
	case l.Report.Verified || !l.OK():
		return ""
	case l.Erased:
		return fmt.Sprintf("erased: the identity %s is signed, and cannot be recomputed", l.Identity)
	}
	return string(l.Fate) + ": without an identity"
}

// An Unverified is what a line says that was not verified.
type Unverified struct {
	Receipt         journal.Receipt `json:"receipt"`
	Unverified      bool            `json:"unverified"` // true
	ClaimedIdentity identity.ID     `json:"claimedIdentity,omitzero"`
	Call
}

// NewUnverified is what a line says.
func NewUnverified(l journal.UnverifiedLine) Unverified {
	return Unverified{l.Receipt(), true, l.Identity, callOf(l)}
}

// UnverifiedText is what a line says, for people: SEGMENT/LINE, time, client, and the identity, or what became of the call.
func UnverifiedText(l journal.UnverifiedLine) string {
	what := string(l.Fate)
	if !l.Identity.IsZero() {
		what = l.Identity.String()
	}
	text := fmt.Sprintf("%08d/%d  %s  %s  %s", l.Segment, l.Number, l.Time.UTC().Format("2006-01-02T15:04:05.000Z"), visible.Escape(l.Client), what)
	if l.Attempt > 0 {
		text += fmt.Sprintf("  attempt %d", l.Attempt)
	}
	return text
}

// Dispatches counts what lines say: dispatches, which are lines that were forwarded, and calls, which a client may have sent
// more than once. The zero value has none.
type Dispatches struct {
	Dispatches int `json:"dispatches"`
	Calls      int `json:"calls"`
	Undeclared int `json:"undeclared"`
	Denied     int `json:"denied"`
}

// Plus counts one more line.
func (d Dispatches) Plus(l journal.UnverifiedLine) Dispatches {
	if l.Fate == journal.Denied {
		d.Denied++
		return d
	}
	if d.Dispatches++; l.Attempt == 0 {
		d.Calls++
	}
	if l.Fate == journal.Undeclared {
		d.Undeclared++
	}
	return d
}

// String is the counts for people.
func (d Dispatches) String() string {
	return fmt.Sprintf("%d dispatches of %d calls, as clients count their attempts; %d undeclared, %d denied", d.Dispatches, d.Calls, d.Undeclared, d.Denied)
}
