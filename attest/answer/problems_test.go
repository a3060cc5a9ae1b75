package answer_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/identity"
)

// TestProblems: a warning leaves a file valid, unless every problem is an error.
func TestProblems(t *testing.T) {
	warning := identity.Problem{Severity: identity.Warning, Code: "c", Message: "is doubtful", Hint: "leave it out"}
	given := []identity.Problem{warning}
	if p := answer.NewProblems("f", given, false); !p.Valid || !slices.Equal(p.Lines(), []string{"f: warning: " + warning.String(), "  hint: leave it out"}) {
		t.Errorf("%+v, %q", p, p.Lines())
	}
	if p := answer.NewProblems("f", given, true); p.Valid || p.Problems[0].Severity != identity.Error || given[0].Severity != identity.Warning {
		t.Errorf("strict: %+v of %+v", p, given)
	}
	warning.Severity = identity.Error
	if p := answer.NewProblems("f", []identity.Problem{warning}, false); p.Valid {
		t.Errorf("%+v", p)
	}
	none := answer.NewProblems("f", nil, false)
	text, err := json.Marshal(none)
	if err != nil || string(text) != `{"file":"f","problems":[],"valid":true}` || !slices.Equal(none.Lines(), []string{"f: no problems"}) {
		t.Errorf("%s, %q, %v", text, none.Lines(), err)
	}
}
