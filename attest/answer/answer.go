// Package answer has the answers about bundles in the forms that programs and people read: what a verification found, of a
// run or of a link, and what a bundle says that was not verified. Each answer is a type that encodes to the JSON of
// docs/output.md, and a text of lines.
package answer

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/visible"
)

// None is the end of a JSON answer: why there is neither yes nor no. The zero value says nothing.
type None struct {
	Error     string `json:"error,omitempty"`
	ErrorCode string `json:"errorCode,omitempty"`
}

// Why is None for an error, with a word for programs that code gives; the zero value for nil.
func Why(err error, code func(error) string) None {
	if err == nil {
		return None{}
	}
	n := None{Error: visible.Cut(secrets.Shown(err.Error()))}
	if code != nil {
		n.ErrorCode = code(err)
	}
	return n
}

// A Bundle is the answer about one bundle of a run: a report, or the error that kept it from one.
type Bundle struct {
	Bundle string `json:"bundle"`
	attest.Report
	None
}

// Verdict is the answer for people.
func (b Bundle) Verdict() Verdict {
	v := Verdict{Name: b.Bundle, Verified: b.Verified, Checks: b.Checks}
	if b.Verified {
		v.Facts = []string{Fact("run", b.Identity.String()), Fact("kind", string(b.Kind)), Fact("signed by", Signer(b.Signer))}
		if b.Set != nil {
			v.Facts = append(v.Facts, Fact("set", b.Set.String()))
		}
		for _, s := range b.Subjects {
			v.Facts = append(v.Facts, Fact("artifact", s.String()))
		}
		v.Facts = append(v.Facts, annotations(b.Annotations)...)
	}
	return v
}

// A Verdict is what a verification says of one bundle, for people: verified or not, what is verified, and each check.
type Verdict struct {
	Name     string
	Verified bool
	Suffix   string   // of the answer that it is verified
	Facts    []string // what is verified, in lines that Fact makes
	Problems []string // what is wrong besides the checks
	Checks   []evidence.Check
	Note     string // for a verified one
}

// Text is the verdict in lines. paint colours a word that is good, or is not; nil for no colours.
func (v Verdict) Text(paint func(good bool, word string) string) string {
	if paint == nil {
		paint = func(_ bool, word string) string { return word }
	}
	var b strings.Builder
	if v.Verified {
		fmt.Fprintf(&b, "%s: %s%s\n%s", visible.Escape(v.Name), paint(true, "verified"), v.Suffix, strings.Join(v.Facts, ""))
	} else {
		fmt.Fprintf(&b, "%s: %s\n", visible.Escape(v.Name), paint(false, "NOT VERIFIED"))
	}
	for _, p := range v.Problems {
		b.WriteString(Fact("problem", p))
	}
	marks := map[evidence.Verdict]string{evidence.Pass: "ok: ", evidence.Fail: "FAILED: "}
	for _, c := range v.Checks {
		mark, ok := marks[c.Verdict]
		if !ok {
			mark = "not checked: "
		}
		b.WriteString(Fact(string(c.Name), mark+c.Reason))
		for _, detail := range c.Details {
			b.WriteString(Fact("", detail))
		}
		if c.Hint != "" {
			b.WriteString(Fact("", "hint: "+string(c.Hint)))
		}
	}
	if v.Verified && v.Note != "" {
		b.WriteString(Fact("note", v.Note))
	}
	return b.String()
}

// Fact is a line of a report, one line whatever text holds.
func Fact(label, text string) string {
	return fmt.Sprintf("  %-12s %s\n", label, visible.Escape(visible.Cut(text)))
}

func annotations(all map[string]string) (facts []string) {
	for name, value := range sorted(all) {
		facts = append(facts, Fact("annotation", name+"="+value))
	}
	return facts
}

// sorted gives a map's pairs in the order of their names.
func sorted(m map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

// Signer is who has signed, in a line.
func Signer(by *evidence.SignerIdentity) string {
	switch {
	case by == nil:
		return ""
	case by.Issuer != "":
		return fmt.Sprintf("%s, as %s says (%s)", by.Name, by.Issuer, by.Algorithm)
	}
	return fmt.Sprintf("%s %s (%s)", by.Kind, by.Name, by.Algorithm)
}
