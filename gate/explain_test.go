package gate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// TestExplainRun: a no of the policy is a decision with its rules, and a run that is not verified has neither.
func TestExplainRun(t *testing.T) {
	s := newSite(t, "rules: [{name: small, expr: \"declaration.model.name == 'small'\"}]\n")
	j := &Judge{Policy: s.policy, Clock: func() time.Time { return s.now }}
	for model, allowed := range map[string]bool{"small": true, "large": false} {
		decision, rules, err := j.ExplainRun(t.Context(), s.run(s.ci, s.declare(model)), attest.Expect{})
		if err != nil || decision.Allowed != allowed || len(rules) != 1 || rules[0].Value != map[bool]string{true: "true", false: "false"}[allowed] {
			t.Errorf("%s: %+v, %+v, %v", model, decision, rules, err)
		}
	}
	d := s.declare("small")
	j.Evidence.Approvals = approvals(nil, s.says(policy.Rejected, d.ID()))
	if decision, _, err := j.ExplainRun(t.Context(), s.run(s.ci, d), attest.Expect{}); err != nil || decision.Allowed {
		t.Errorf("rejected, and %+v, %v", decision, err)
	}
	j.Evidence.Approvals = approvals(errors.New("cut off"))
	if decision, _, err := j.ExplainRun(t.Context(), s.run(s.ci, d), attest.Expect{}); err == nil || decision != nil {
		t.Errorf("a rejection may be missing, and %+v, %v", decision, err)
	}
	if decision, _, err := j.ExplainRun(t.Context(), s.run(s.alice, d), attest.Expect{}); !errors.As(err, new(*attest.VerificationError)) || decision != nil {
		t.Errorf("not trusted, and %+v, %v", decision, err)
	}
}

// TestPlacesApprovals: files are read at once, and references are opened then; whatever cannot be read is an error.
func TestPlacesApprovals(t *testing.T) {
	s := newSite(t, "")
	run := s.declare("m").ID()
	text := must(s.says(policy.Rejected, run).Bundle.Marshal())
	path := filepath.Join(t.TempDir(), "rejected.sigstore.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	watched := 0
	p := Places{Stdin: strings.NewReader(string(text)), Watch: func(from ApprovalSource) ApprovalSource { watched++; return from }}
	if source, err := p.Approvals(t.Context(), true); source != nil || err != nil {
		t.Errorf("of no place: %v, %v", source, err)
	}
	source, err := p.Approvals(t.Context(), false, path, "-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if all, err := collect(t.Context(), source, nil); err != nil || len(all) != 2 || all[0].Source != path {
		t.Errorf("%v, %v", all, err)
	}
	if source, err := p.Approvals(t.Context(), false, path); err == nil || source != nil {
		t.Errorf("of a file that is gone: %v", source)
	}

	layout := filepath.Join(t.TempDir(), "runs")
	if err := registry.CreateLayout(layout); err != nil {
		t.Fatal(err)
	}
	// a repository of runs is asked when a run is known, one run of it at once unless it is to be asked again
	source, err = p.Approvals(t.Context(), false, "oci-layout://"+layout)
	if err != nil || watched != 1 {
		t.Fatalf("%d watched, %v", watched, err)
	}
	if all, err := collect(t.Context(), source, []identity.ID{run}); err == nil {
		t.Errorf("the run is not there, and has %v", all)
	}
	missing := "oci-layout://" + layout + "@" + run.String()
	if source, err := p.Approvals(t.Context(), false, missing); err == nil || source != nil {
		t.Errorf("read once: %v", source)
	}
	if source, err := p.Approvals(t.Context(), true, missing); err != nil || source == nil {
		t.Errorf("to be read again: %v", err)
	}
	closed := errors.New("closed")
	p.Open = func(registry.Reference) (*registry.Target, error) { return nil, closed }
	if source, err := p.Approvals(t.Context(), true, missing); !errors.Is(err, closed) || source != nil {
		t.Errorf("%v, %v", source, err)
	}
}
