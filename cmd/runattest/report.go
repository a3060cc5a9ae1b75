package main

import (
	"errors"
	"io"

	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/evidence"
)

// phrase is the answer about one bundle with the command's hints, or why there is none.
func (o *output) phrase(checks []evidence.Check, err error) ([]evidence.Check, answer.None) {
	if err != nil {
		return []evidence.Check{}, answer.Why(err, errorCode)
	}
	return o.phrasedAll(checks), answer.None{}
}

// verdict prints an answer, as object in JSON, or the error in its place; what is not verified decides the exit status.
func (o *output) verdict(v answer.Verdict, object any, err error) {
	switch {
	case err != nil:
		o.note(v.Name, err)
	case !v.Verified:
		o.status = max(o.status, exitNo)
	}
	var lost error
	if o.JSON {
		lost = o.Object(object)
	} else if err == nil {
		_, lost = io.WriteString(o.Out, v.Text(o.paintAnswer))
	}
	if lost != nil {
		o.note("standard output", lost)
	}
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
