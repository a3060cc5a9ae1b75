package answer

import (
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/internal/zero"
)

// A Set is the answer about one run set, or the error that kept it from one.
type Set struct {
	Bundle string `json:"bundle"`
	attest.Report
	Size    uint64 `json:"size,omitempty"`
	Root    string `json:"root,omitempty"`
	Refused uint64 `json:"refused,omitempty"`
	None
}

// NewSet is the answer of a result. Size and Root are set only if it is verified.
func NewSet(name string, r *runset.Result) Set {
	r = zero.IfNil(r)
	s := Set{Bundle: name, Report: r.Report, Refused: r.Refused}
	if r.Verified {
		s.Size, s.Root, s.Annotations = r.Head.Size, fmt.Sprintf("%x", r.Head.Root), r.Head.Annotations
	}
	return s
}

// Verdict is the answer for people.
func (s Set) Verdict() Verdict {
	v := Verdict{Name: s.Bundle, Verified: s.Verified, Checks: s.Checks}
	if s.Verified {
		v.Facts = []string{Fact("runs", fmt.Sprint(s.Size)), Fact("root", s.Root), Fact("signed by", Signer(s.Signer))}
		v.Facts = append(v.Facts, annotations(s.Annotations)...)
	}
	return v
}
