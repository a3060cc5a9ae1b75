package main

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/internal/visible"
)

// verdict is what a command that verifies says of one bundle: verified or not, with checks, or the error that kept it from
// an answer.
type verdict struct {
	name     string
	verified bool
	suffix   string   // of the answer that it is verified
	facts    []string // what is verified, in lines of a label and a text
	checks   []evidence.Check
	note     string
	err      error
}

// noAnswer is the end of a JSON result: why there is no answer.
type noAnswer struct {
	Error     string `json:"error,omitempty"`
	ErrorCode string `json:"errorCode,omitempty"`
}

func whyNoAnswer(err error) noAnswer {
	if err == nil {
		return noAnswer{}
	}
	return noAnswer{visible.Cut(err.Error()), errorCode(err)}
}

// verdict prints v, as object in JSON; what is not verified decides the exit status.
func (o *output) verdict(v verdict, object any) {
	switch {
	case v.err != nil:
		o.note(v.name, v.err)
	case !v.verified:
		o.status = max(o.status, exitNo)
	}
	var err error
	if o.JSON {
		err = o.Object(object)
	} else if v.err == nil {
		_, err = fmt.Fprint(o.Out, o.verdictText(v))
	}
	if err != nil {
		o.note("standard output", err)
	}
}

// fact is a line of a report, one line whatever text holds.
func fact(label, text string) string {
	return fmt.Sprintf("  %-12s %s\n", label, clean(visible.Cut(text)))
}

// verdictText is the report for people: the answer, what it is about, and each check.
func (o *output) verdictText(v verdict) string {
	var b strings.Builder
	if v.verified {
		fmt.Fprintf(&b, "%s: %s%s\n%s", clean(v.name), o.paint(terminal.Green, "verified"), v.suffix, strings.Join(v.facts, ""))
	} else {
		fmt.Fprintf(&b, "%s: %s\n", clean(v.name), o.paint(terminal.Red, "NOT VERIFIED"))
	}
	marks := map[evidence.Verdict]string{evidence.Pass: "ok: ", evidence.Fail: "FAILED: "}
	for _, c := range v.checks {
		mark, ok := marks[c.Verdict]
		if !ok {
			mark = "not checked: "
		}
		b.WriteString(fact(string(c.Name), mark+c.Reason))
		for _, detail := range c.Details {
			b.WriteString(fact("", detail))
		}
		if c.Hint != "" {
			b.WriteString(fact("", "hint: "+string(c.Hint)))
		}
	}
	if v.verified && v.note != "" {
		b.WriteString(fact("note", v.note))
	}
	return b.String()
}

func annotationFacts(annotations map[string]string) (facts []string) {
	for name, value := range sorted(annotations) {
		facts = append(facts, fact("annotation", name+"="+value))
	}
	return facts
}

func describeSigner(by *evidence.SignerIdentity) string {
	if by.Issuer != "" {
		return fmt.Sprintf("%s, as %s says (%s)", by.Name, by.Issuer, by.Algorithm)
	}
	return fmt.Sprintf("%s %s (%s)", by.Kind, by.Name, by.Algorithm)
}

// verifyEach hands over every bundle, or the error in its place, and counts those that are verified.
func verifyEach(blobs iter.Seq2[input.Blob, error], verify func(blob input.Blob, err error) (verified bool)) (total, good int) {
	for blob, err := range blobs {
		if total++; verify(blob, err) {
			good++
		}
	}
	return total, good
}

// counted ends a report about several bundles. of is what they are, and others says that there was something else to verify.
func (o *output) counted(total, good int, of string, others bool) error {
	if total > 1 {
		o.Info("%d of %d verified", good, total)
	}
	if total == 0 && !others {
		o.note("", errors.New("no "+of+" in the input"))
	}
	return o.done()
}
