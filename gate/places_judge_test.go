package gate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// TestJudgeTime: decisions are about the time of the first, or each about its own, or repeat those of another time; the gate
// decides as the judge.
func TestJudgeTime(t *testing.T) {
	s := newSite(t, "")
	d := s.declare("m")
	run := s.run(s.ci, d)
	rejected := approvals(nil, s.says(policy.Rejected, d.ID()))
	for name, c := range map[string]struct {
		judge Judge
		want  []time.Duration // after s.now; none for an error
	}{
		"once":     {Judge{Clock: s.clock}, []time.Duration{0, 0}},
		"again":    {Judge{Clock: s.clock, Again: true}, []time.Duration{0, time.Minute}},
		"at":       {Judge{Clock: s.clock, Again: true, At: s.now.Add(-time.Hour)}, []time.Duration{-time.Hour, -time.Hour}},
		"at alone": {Judge{At: s.now.Add(-time.Hour)}, []time.Duration{-time.Hour}},
		"no clock": {Judge{}, nil},
		"no time":  {Judge{Clock: func() time.Time { return time.Time{} }}, nil},
	} {
		s.looks, s.step = 0, time.Minute
		j, err := Places{}.Judge(t.Context(), c.judge, nil, nil)
		if err == nil || j != nil {
			t.Fatalf("%s: a judge without a policy", name)
		}
		c.judge.Policy = s.policy
		if j, err = (Places{}).Judge(t.Context(), c.judge, nil, nil); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			decision, _, err := j.ExplainRun(t.Context(), run, attest.Expect{})
			if err != nil || !decision.Now.Equal(s.now.Add(want)) {
				t.Errorf("%s: %+v, %v, want %s after the start", name, decision, err, want)
			}
		}
		if _, err := j.VerifyRun(t.Context(), run, attest.Expect{}); (err == nil) != (len(c.want) > 0) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := j.RejectedRuns(t.Context(), nil); (err == nil) != (len(c.want) > 0) {
			t.Errorf("%s: %v", name, err)
		}
		if len(c.want) == 0 {
			continue
		}
		if given, err := j.given(); err != nil || given.Replay != !c.judge.At.IsZero() {
			t.Errorf("%s: %+v, %v", name, given, err)
		}
		j.Evidence.Approvals = rejected
		_, decided := j.VerifyRun(t.Context(), run, attest.Expect{})
		a, err := Admit(t.Context(), Request{Bundle: run}.With(j))
		if c.judge.Clock == nil {
			if err == nil {
				t.Errorf("%s: admitted without a clock", name)
			}
		} else if err != nil || a.Allowed() != (decided == nil) {
			t.Errorf("%s: the judge says %v, and the gate %v, %v", name, decided, a.Err(), err)
		}
	}
}

// TestPlacesJudge: approvals for a policy that would not count them are refused before they are read, and a lineage is read once
// where it is the same for every run.
func TestPlacesJudge(t *testing.T) {
	s := newSite(t, "")
	none := must(policy.Parse(fmt.Appendf(nil, "schema: %s\nsigners: {keys: [{name: ci, key: %q}]}\n", policy.Schema, must(s.ci.PublicKey().PEM())), policy.Options{}))
	opened := errors.New("opened")
	p := Places{Open: func(registry.Reference) (*registry.Target, error) { return nil, opened }}
	const ref = "oci://registry.example/runs"
	if j, err := p.Judge(t.Context(), Judge{Policy: none, Clock: s.clock}, []string{ref}, nil); !errors.Is(err, policy.ErrNoApprovers) || j != nil {
		t.Errorf("%v, %v", j, err)
	}
	if j, err := p.Judge(t.Context(), Judge{Policy: s.policy, Clock: s.clock}, []string{ref}, nil); !errors.Is(err, opened) || j != nil {
		t.Errorf("%v, %v", j, err)
	}
	folder := t.TempDir()
	for _, c := range []struct {
		places []string
		one    bool
	}{{nil, false}, {[]string{folder}, true}, {[]string{folder, ref}, false}} {
		j, err := p.Judge(t.Context(), Judge{Policy: s.policy, Clock: s.clock}, nil, c.places)
		if err != nil || j.OneLineage != c.one || (j.Evidence.Lineage == nil) != (c.places == nil) || j.Evidence.Approvals != nil {
			t.Errorf("%q: %+v, %v", c.places, j, err)
		}
	}

	d := s.declare("m")
	path := filepath.Join(folder, "no.json")
	if err := os.WriteFile(path, must(s.says(policy.Rejected, d.ID()).Bundle.Marshal()), 0o600); err != nil {
		t.Fatal(err)
	}
	own := approvals(nil, s.says(policy.Rejected, d.ID()))
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(other, must(s.says(policy.Rejected, s.declare("other").ID()).Bundle.Marshal()), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		own   ApprovalSource // of the judge
		names []string
	}{"found": {nil, []string{path}}, "the judge's own": {own, nil}, "the judge's own, and others": {own, []string{other}}} {
		j := must(p.Judge(t.Context(), Judge{Policy: s.policy, Clock: s.clock, Evidence: Evidence{Approvals: c.own}}, c.names, nil))
		if r, err := j.VerifyRun(t.Context(), s.run(s.ci, d), attest.Expect{}); err == nil || r.Verified {
			t.Errorf("%s: rejected, and %+v", name, r)
		}
	}
}
