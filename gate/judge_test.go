package gate_test

import (
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/policy"
)

var _ verdicts.Policy = (*gate.Judge)(nil)

// TestNoJudge: a judge without a policy, or whose policy is empty, says yes to nothing.
func TestNoJudge(t *testing.T) {
	for _, j := range []*gate.Judge{nil, {}, {Policy: new(policy.Policy)}} {
		if r, err := j.VerifyRun(t.Context(), new(attest.Bundle), attest.Expect{}); err == nil || r.Verified {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := j.JudgeRun(t.Context(), new(attest.Verified), nil); err == nil || r.Verified {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
