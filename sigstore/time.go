package sigstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/visible"
)

// findings is what of a bundle's timestamps and log entries the trusted root vouches for.
type findings struct {
	times      []evidence.TrustedTime
	unbelieved []evidence.TrustedTime // by logs that are not believed at the others; they prove nothing, and may forbid
	entries    []inLog                // of logs that the trusted root names
	logs       []evidence.LogEntry    // those of them that are proved
	promises   []evidence.LogEntry    // those of them that are promised only
	ignored    []error                // by services that the trusted root does not list
	unknown    int                    // of those ignored: log entries by logs that it does not name
	foreign    int                    // checks of certificates in timestamps that were in vain
	wrong      []error                // by services that it lists, but not about this signature
	stampers   parties                // which of those that stamped count as one
	oneLog     parties                // which logs count as one
}

// gather holds everything that a bundle carries against the trusted root. A decision about an approval asks for it several times.
func (t *trust) gather(ctx context.Context, e evidence.Envelope, by entrySigner) findings {
	if e.Work == nil || len(e.Evidence.Timestamps)+len(e.Evidence.LogEntries) == 0 {
		return t.findings(ctx, e, by)
	}
	found, _ := e.Work.Recall(t.question(e, by), func() (answer any, keep bool) {
		found := t.findings(ctx, e, by)
		return found, ctx.Err() == nil
	}).(findings)
	found.times, found.logs, found.promises = slices.Clone(found.times), slices.Clone(found.logs), slices.Clone(found.promises)
	return found
}

// question has all that findings depend on, so that the answer to one is that to an equal one.
func (t *trust) question(e evidence.Envelope, by entrySigner) (sum [sha256.Size]byte) {
	h := sha256.New()
	parts := [][]byte{fmt.Appendf(nil, "%p", t.Root), []byte(e.MediaType), []byte(e.PayloadType), e.Payload, e.Signature, []byte(by.publicKey().Hint())}
	if by.certificate != nil {
		parts = append(parts, by.certificate.leaf.Raw)
	} else {
		parts = append(parts, fmt.Appendf(nil, "%d %d", by.key.NotBefore.UnixNano(), by.key.NotAfter.UnixNano()))
	}
	for _, list := range [][][]byte{parts, e.Certificates, e.Evidence.Timestamps, e.Evidence.LogEntries} {
		_ = binary.Write(h, binary.BigEndian, int64(len(list))) // no write to a hash fails
		for _, part := range list {
			_ = binary.Write(h, binary.BigEndian, int64(len(part)))
			h.Write(part)
		}
	}
	h.Sum(sum[:0])
	return sum
}

func (t *trust) findings(ctx context.Context, e evidence.Envelope, by entrySigner) findings {
	found := findings{oneLog: t.Root.logs}
	t.Root.checkTimestamps(ctx, e, &found)
	for i, entry := range e.Evidence.LogEntries {
		if ctx.Err() != nil {
			break
		}
		t.Root.checkLogEntry(fmt.Sprintf("log entry %d", i), entry, e, by, &found)
	}
	if err := ctx.Err(); err != nil {
		found.wrong = append(found.wrong, err)
	}
	if vain := len(e.Evidence.Timestamps) + len(e.Evidence.LogEntries) - len(found.times) - len(found.entries); vain > 0 {
		e.Work.Spend(evidenceChecks * vain) // which may have been added to what a trusted signer has signed
	}
	e.Work.Spend(foreignChecks * found.foreign)
	found.judgeLogs()
	return found
}

// evidenceChecks is what evidence that proves nothing counts as, in checks of a signature.
const evidenceChecks = 2

// foreignChecks is what the check of a certificate counts as, which was said to be by an authority: the key of one is of P-384 as a rule.
const foreignChecks = 8

// timestamps counts the different authorities that stamped the signature.
func (f findings) timestamps() int { return f.timestampsUntil(time.Time{}) }

// timestampsUntil counts those that stamped not later than a time; the zero time means without a bound.
func (f findings) timestampsUntil(until time.Time) int {
	return f.stampers.different(func(yield func(string) bool) {
		for _, t := range f.times {
			if t.Kind == timestampKind && (until.IsZero() || !t.Latest().After(until)) && !yield(t.Authority) {
				return
			}
		}
	})
}

const (
	timestampKind = "timestamp"
	logKind       = "log"
)

// demand is what the time of a signature must be: inside the validity of who signed, and there
// at all.
type demand struct {
	who                 string
	notBefore, notAfter time.Time // inclusive; zero is unbounded
	issued              bool      // at notBefore, seconds before it signs
	time                bool
	logs                int
}

// includes says whether all that the time may be is inside. The begin of a certificate is held against the time itself: it
// was issued seconds before, and no timestamp proves that a signature did not exist earlier.
func (d demand) includes(at evidence.TrustedTime) bool {
	first := at.Earliest()
	if d.issued {
		first = at.Time
	}
	return !first.Before(d.notBefore) && (d.notAfter.IsZero() || !at.Latest().After(d.notAfter))
}

// judgeTime holds the evidence against what the signer and the verifier demand.
func (t *trust) judgeTime(e evidence.Envelope, found findings, d demand) evidence.Check {
	no := func(code evidence.Code, format string, args ...any) evidence.Check {
		return evidence.Failed(evidence.CheckTime, code, format, args...)
	}
	switch n := found.timestamps(); {
	case len(found.wrong) > 0:
		return no(evidence.CodeEvidence, "%s", oneLine(found.wrong))
	case d.time && len(found.times) == 0 || n < t.RequireTimestamps:
		return t.lacksTime(e, found)
	case len(found.times) == 0 && len(e.Evidence.Timestamps) > 0 && len(t.Root.root.TimestampingAuthorities()) > 0:
		return no(evidence.CodeTimeMissing, "no timestamp in the bundle counts: %s", oneLine(found.ignored))
	case found.differentLogs() < d.logs && len(found.promises) > 0:
		return no(evidence.CodeLogMissing, "in %d transparency logs of the trusted root, want %d: promised by the log %s at %d, which does not prove that it is there",
			found.differentLogs(), d.logs, found.promises[0].Log, found.promises[0].Index).
			WithHint(evidence.HintInclusionProof)
	case found.differentLogs() < d.logs && len(e.Evidence.LogEntries) == 0:
		return no(evidence.CodeLogMissing, "no log entry: the bundle has none, want one in %d transparency logs", d.logs).
			WithHint(evidence.HintLogEntry)
	case found.differentLogs() < d.logs:
		c := no(evidence.CodeLogMissing, "in %d transparency logs of the trusted root, want %d: %s", found.differentLogs(), d.logs, found.otherEntries())
		if found.unknown > 0 {
			c.Hint = evidence.HintOtherRoot
		}
		return c
	}
	for _, at := range slices.Concat(found.times, found.unbelieved) {
		if !d.includes(at) {
			return no(evidence.CodeTimeValidity, "%s by %s is outside the validity of %s (%s to %s)", describeTime(at), at.Authority, d.who, bound(d.notBefore), bound(d.notAfter))
		}
	}
	if late := t.lateness(found); late != "" {
		return no(evidence.CodeTimeLate, "%s", late)
	}
	if len(found.times) == 0 {
		return evidence.Skipped(evidence.CheckTime, evidence.CodeNotAsked, "the bundle proves no time, and none was required%s", t.besides(found))
	}
	return evidence.Passed(evidence.CheckTime, "%s%s%s", found.describe(), t.deadline(), t.besides(found))
}

// lacksTime says which evidence is missing and what would help.
func (t *trust) lacksTime(e evidence.Envelope, found findings) evidence.Check {
	want := ""
	if t.RequireTimestamps > 1 {
		want = fmt.Sprintf(" (%d of %d required)", found.timestamps(), t.RequireTimestamps)
	}
	c := evidence.Failed(evidence.CheckTime, evidence.CodeTimeMissing, "no trusted timestamp%s: ", want)
	switch {
	case len(e.Evidence.Timestamps) == 0:
		c.Reason += "the bundle has none"
		c.Hint = evidence.HintTimestamp
	case len(t.Root.root.TimestampingAuthorities()) == 0:
		c.Reason += fmt.Sprintf("the bundle has %d, but no timestamp authority is configured to prove when it was signed", len(e.Evidence.Timestamps))
		c.Hint = evidence.HintTrustedRoot
	case len(found.ignored) > 0:
		c.Reason += oneLine(found.ignored).Error()
	case found.timestamps() > 0:
		c.Reason += fmt.Sprintf("the bundle has %d, by %d authorities", len(e.Evidence.Timestamps), found.timestamps())
	default:
		c.Reason += fmt.Sprintf("the bundle has %d", len(e.Evidence.Timestamps))
	}
	if t.RequireTimestamps > 0 {
		return c
	}
	// A log could have signed the time too.
	if found.unknown > 0 {
		c.Hint = evidence.HintOtherRoot
		if len(e.Evidence.Timestamps) == 0 || len(t.Root.root.TimestampingAuthorities()) == 0 {
			c.Reason += "; " + oneLine(found.ignored).Error()
		}
	}
	if len(found.times) == 0 {
		for _, l := range found.entries {
			c.Reason += fmt.Sprintf("; entry %d of the log %s has no promise, which alone would be a signed time", l.at.Index, l.at.Log)
		}
	}
	return c
}

// lateness is empty unless the signature was to be there earlier than it was seen.
func (t *trust) lateness(found findings) string {
	if t.SignedBefore == nil {
		return ""
	}
	first := slices.MinFunc(found.times, func(a, b evidence.TrustedTime) int { return a.Latest().Compare(b.Latest()) })
	switch want := t.RequireTimestamps; {
	case first.Latest().After(*t.SignedBefore):
		late := fmt.Sprintf("signed by %s at the latest, which does not prove that it was before %s", visible.Time(first.Latest()), visible.Time(*t.SignedBefore))
		if first.Accuracy > 0 {
			late += fmt.Sprintf(": %s by %s", describeTime(first), first.Authority)
		}
		return late
	case want > 0 && found.timestampsUntil(*t.SignedBefore) < want:
		return fmt.Sprintf("%d of the %d timestamps required are not later than %s", found.timestampsUntil(*t.SignedBefore), want, visible.Time(*t.SignedBefore))
	}
	return ""
}

func (t *trust) deadline() string {
	if t.SignedBefore == nil {
		return ""
	}
	return ", not later than " + visible.Time(*t.SignedBefore)
}

// otherEntries says why a bundle's entries are in fewer logs than required: they do not count, or are in one log.
func (f findings) otherEntries() string {
	if len(f.ignored) > 0 {
		return oneLine(f.ignored).Error()
	}
	var parts []string
	for _, l := range f.logs {
		parts = append(parts, fmt.Sprintf("the bundle is in the log %s at %d", l.Log, l.Index))
	}
	return strings.Join(parts, ", ")
}

// describe lists the trusted times. A log that has not proved the entry has only promised it.
func (f findings) describe() string {
	var parts []string
	for _, at := range f.times {
		how := "stamped"
		switch proved := func(l evidence.LogEntry) bool { return l.Log == at.Authority }; {
		case at.Kind == logKind && slices.ContainsFunc(f.logs, proved):
			how = "logged"
		case at.Kind == logKind:
			how = "promised"
		}
		parts = append(parts, fmt.Sprintf("%s %s by %s", how, describeTime(at), at.Authority))
	}
	return strings.Join(parts, ", ")
}

// describeTime is the time and what its authority says of its accuracy.
func describeTime(at evidence.TrustedTime) string {
	if at.Accuracy == 0 {
		return visible.Time(at.Time)
	}
	return fmt.Sprintf("%s (accuracy %s)", visible.Time(at.Time), at.Accuracy)
}

// besides tells of logs, and of evidence that was passed over.
func (t *trust) besides(found findings) string {
	var b strings.Builder
	for _, l := range found.logs {
		fmt.Fprintf(&b, "; in the log %s at %d", l.Log, l.Index)
	}
	for _, l := range found.promises {
		fmt.Fprintf(&b, "; entry %d of %s is promised, not proved", l.Index, l.Log)
	}
	if len(found.ignored) > 0 {
		fmt.Fprintf(&b, "; passed over: %s", oneLine(found.ignored))
	}
	return b.String()
}

func bound(t time.Time) string {
	if t.IsZero() {
		return "any time"
	}
	return visible.Time(t)
}

// oneLine joins errors without line breaks, the first few of them, and cuts what they quote.
func oneLine(problems []error) error {
	const most = 3
	var parts []string
	for i, p := range problems {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(problems)-most))
			break
		}
		parts = append(parts, visible.Cut(strings.Join(strings.Fields(p.Error()), " ")))
	}
	return errors.New(strings.Join(parts, "; "))
}
