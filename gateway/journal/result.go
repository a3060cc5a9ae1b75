package journal

import (
	"context"
	"crypto/sha256"

	"github.com/runattest/runattest/attest"
)

// VerifyOptions are what Verify takes besides a journal; the zero value has none.
type VerifyOptions struct {
	// Judge verifies the bundle of each line in the place of the verifier, so that a policy decides. A no is a
	// *attest.VerificationError. Lines that it cannot judge are refused: calls that were forwarded undeclared, and runs whose
	// declaration was erased.
	Judge func(context.Context, *attest.Bundle, attest.Expect) (attest.Report, error)
	// Line is given what was found of each line, in order. Lines of a closed segment are given after its bundle and file were
	// verified, and not at all if they were not.
	Line func(LineResult) error
	// Segment is given what was found of each segment, after its lines.
	Segment func(SegmentResult) error
	// Receipts name lines that the journal must have.
	Receipts []Receipt
	// Witness has the bundles of closed segments: each of them up to its last must be that of the journal's segment, so that what
	// was cut from the end or written anew is missed, up to there. It is a problem if it has nothing of the journal, or lacks a
	// segment after its first.
	Witness Witness
	// First is the first segment that must be there; 1. Older ones may be kept elsewhere, and are verified if they are there. A
	// negative one is an error.
	First int
	// Closed demands that every segment is closed: that each line is under the signature of a segment.
	Closed bool
}

// LineResult is what was found of a line.
type LineResult struct {
	// UnverifiedLine is what the line says. Where Closed is set the signature of its segment is over all of it; elsewhere only
	// the identity and what else the bundle has are signed.
	UnverifiedLine
	Closed bool
	// Report is about the run's bundle. It is zero where the line has no identity, unless Judge refuses it for that.
	Report attest.Report
	// Erased says that the declaration was erased: the identity is signed, and cannot be recomputed. Report.Verified is not set.
	Erased bool
}

// OK says that nothing is wrong with the line, and that a trusted key signed it: its run, or the whole line with its segment.
func (l LineResult) OK() bool {
	return l.Report.Verified || l.Erased || l.Closed && l.withoutRun()
}

// Unsigned says that nothing of the line is signed yet: it has no run, and its segment is open.
func (l LineResult) Unsigned() bool { return !l.Closed && l.withoutRun() }

// withoutRun says that the line has no run, and was not refused for that.
func (l LineResult) withoutRun() bool {
	return (l.Fate == Undeclared || l.Fate == Denied) && len(l.Report.Checks) == 0
}

// SegmentResult is what was found of a segment.
type SegmentResult struct {
	Number   int
	Verified bool // the bundle, if it is closed; its place in the journal; and each line but the unsigned, of which it needs others
	Closed   bool // it has a bundle
	Counts
	// Report has the checks of the bundle: signature, signer, time, statement and subject, which is the file. It is zero where
	// the segment is open.
	Report attest.Report
	// Damage says what is wrong with the lines, or with the segment's place; nil for nothing.
	Damage error
	// Incomplete says that an open segment ends with a part of a line: it is being written, or a crash has left it.
	Incomplete bool
}

// Counts are how many lines there are. Those that are Unsigned count nowhere else.
type Counts struct {
	Lines      int
	Refused    int // not verified
	Erased     int
	Undeclared int
	Denied     int
	Open       int // in segments without a bundle
	Unsigned   int // undeclared or denied in segments without a bundle: anyone who can write to the folder can have made them
}

func (c *Counts) add(other Counts) {
	c.Lines += other.Lines
	c.Refused += other.Refused
	c.Erased += other.Erased
	c.Undeclared += other.Undeclared
	c.Denied += other.Denied
	c.Open += other.Open
	c.Unsigned += other.Unsigned
}

func (c *Counts) count(l LineResult) {
	if l.Unsigned() {
		c.Unsigned++
		return
	}
	c.Lines++
	switch {
	case !l.OK():
		c.Refused++
	case l.Erased:
		c.Erased++
	case l.Fate == Undeclared:
		c.Undeclared++
	case l.Fate == Denied:
		c.Denied++
	}
	if !l.Closed {
		c.Open++
	}
}

// Result is the answer for a journal.
type Result struct {
	// Verified says that the journal has lines that a trusted key signed, that each of these is verified or erased or has no
	// identity, that nothing is wrong with a segment, that no segment is missing between others, and that each receipt names
	// one of these lines. It says nothing of lines that are Unsigned.
	Verified bool
	Gateway  [sha256.Size]byte // the journal's id
	Segments int
	Counts
	// Witnessed is the last segment that the witness has, 0 without a witness, and Unwitnessed how many segments of the journal it
	// does not have: the holder of the key and the folder could still cut or rewrite those behind its last. Those before its first
	// are under the signature of that one.
	Witnessed   int
	Unwitnessed int
	// Problems are what is wrong with the journal as a whole.
	Problems []error
}
