package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/loader"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
)

// site is where runs are signed and admitted: by ci, approved and rejected by alice.
type site struct {
	t         *testing.T
	ci, alice signer.Signer
	policy    *policy.Policy
	now       time.Time
	step      time.Duration // between one look at the clock and the next
	looks     int
}

func newSite(t *testing.T, rules string) *site {
	t.Helper()
	usual := loader.Check
	loader.Check = func() error { return nil } // a test's program is linked as go test likes
	t.Cleanup(func() { loader.Check = usual })
	s := &site{t: t, now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), ci: newKey(t), alice: newKey(t)}
	s.policy = s.parse(rules)
	return s
}

func newKey(t *testing.T) signer.Signer {
	t.Helper()
	return keytest.New(t, signer.Ed25519)
}

func (s *site) parse(rules string) *policy.Policy {
	s.t.Helper()
	key := func(k signer.Signer) string {
		return fmt.Sprintf("%q", must(k.PublicKey().PEM()))
	}
	p, err := policy.Parse(fmt.Appendf(nil, "schema: %s\nsigners: {keys: [{name: ci, key: %s}]}\napprovals: {required: 0, approvers: [{name: alice, keys: [{key: %s}]}]}\n%s",
		policy.Schema, key(s.ci), key(s.alice), rules), policy.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// clock goes on with each look at it.
func (s *site) clock() time.Time {
	s.looks++
	return s.now.Add(time.Duration(s.looks-1) * s.step)
}

func (s *site) declare(model string, parents ...identity.ID) *identity.Declaration {
	s.t.Helper()
	members := map[string]any{
		"schema": identity.Schema, "kind": "inference", "model": map[string]any{"name": model}, "prompt": map[string]any{},
		"parameters": map[string]any{}, "context": []any{}, "constraints": map[string]any{},
	}
	if len(parents) > 0 {
		members["parents"] = parents
	}
	text, err := json.Marshal(members)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := identity.Parse(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *site) sign(by signer.Signer, what attest.Signable) *attest.Bundle {
	s.t.Helper()
	b, err := attest.Sign(s.t.Context(), what, by, attest.SignOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *site) run(by signer.Signer, d *identity.Declaration) *attest.Bundle {
	s.t.Helper()
	statement, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.sign(by, statement)
}

func (s *site) says(verdict policy.Verdict, run identity.ID) policy.Approval {
	s.t.Helper()
	claim, err := policy.NewApproval(policy.ApprovalStatement{Identity: run, Decision: verdict, Reason: "read it"})
	if err != nil {
		s.t.Fatal(err)
	}
	return policy.Approval{Source: "alice's", Bundle: s.sign(s.alice, claim)}
}

// admit asks the gate, which always has an answer where the request is one.
func (s *site) admit(ctx context.Context, r Request) *Admission {
	s.t.Helper()
	if r.Policy == nil {
		r.Policy = s.policy
	}
	s.looks = 0
	r.Clock = s.clock
	a, err := Admit(ctx, r)
	if err != nil || a == nil {
		s.t.Fatalf("%v, %v", a, err)
	}
	if a.Allowed() == (a.Verified() == nil) || a.Allowed() != (a.Err() == nil) || a.Allowed() != (len(a.Reasons()) == 0) {
		s.t.Errorf("allowed %v, verified %v, %v, reasons %v", a.Allowed(), a.Verified(), a.Err(), a.Reasons())
	}
	return a
}

// refuses demands that nothing is started, whatever the start.
func refuses(t *testing.T, name string, a *Admission, want string) {
	t.Helper()
	for _, dry := range []bool{true, false} {
		err := a.Exec(context.Background(), Start{Program: "/nonexistent", Args: []string{"x"}, DryRun: dry, Dir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error()+strings.Join(reasons(err), "\n"), want) || strings.Contains(err.Error(), "nonexistent") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if r := a.Record(Start{DryRun: dry}, err); r.Allowed || len(r.Reasons) == 0 {
			t.Errorf("%s: recorded as %+v", name, r)
		}
	}
}

// approvalFunc and lineageFunc are sources that tests write.
type approvalFunc func(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error]

func (f approvalFunc) Approvals(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
	return f(ctx, runs)
}

type lineageFunc func(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error]

func (f lineageFunc) Lineage(ctx context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
	return f(ctx, of)
}

func approvals(err error, all ...policy.Approval) approvalFunc {
	return func(context.Context, []identity.ID) iter.Seq2[policy.Approval, error] {
		return func(yield func(policy.Approval, error) bool) {
			for _, a := range all {
				if !yield(a, nil) {
					return
				}
			}
			if err != nil {
				yield(policy.Approval{}, err)
			}
		}
	}
}

var errAway = errors.New("the registry is away")

// TestAdmit: a denied run, and one whose inputs cannot be read, is refused with the reason, and is never executed.
func TestAdmit(t *testing.T) {
	s := newSite(t, "rules:\n- {name: no-evil, expr: 'declaration.model.name != \"evil\"'}\n")
	d := s.declare("m")
	good, id := s.run(s.ci, d), d.ID()
	detached, err := attest.New(d, attest.StatementOptions{Detached: &attest.DeclarationRef{Name: "d"}})
	if err != nil {
		t.Fatal(err)
	}
	away := s.declare("far", identity.ID(id))
	ended, end := context.WithCancel(t.Context())
	end()
	other := newSite(t, "")
	foreign, err := lineage.Build(t.Context(), other.policy.Verifier(), slices.Values([]lineage.Input{}), lineage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own, err := lineage.Build(t.Context(), s.policy.Verifier(), slices.Values([]lineage.Input{}), lineage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target, err := registry.Open(must(registry.ParseReference("oci://localhost:1/runs")), registry.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	quiet := approvalFunc(func(ctx context.Context, _ []identity.ID) iter.Seq2[policy.Approval, error] {
		end()
		return func(func(policy.Approval, error) bool) {}
	})
	for name, c := range map[string]struct {
		ctx  context.Context
		r    Request
		want string // "" is allowed
	}{
		"good":                     {nil, Request{Bundle: good}, ""},
		"approved":                 {nil, Request{Bundle: good, Approvals: approvals(nil, s.says(policy.Approved, id))}, ""},
		"of a lineage that is not": {nil, Request{Bundle: good, Graph: own}, ""},
		"lineage not asked for":    {nil, Request{Bundle: s.run(s.ci, away), Lineage: lineageFunc(nil)}, ""},
		"detached":                 {nil, Request{Bundle: s.sign(s.ci, detached), Declaration: d}, ""},
		"detached and without":     {nil, Request{Bundle: s.sign(s.ci, detached)}, "the declaration"},
		"another declaration":      {nil, Request{Bundle: good, Declaration: away}, "the declaration given is"},
		"another's":                {nil, Request{Bundle: s.run(s.alice, d)}, "signature: "},
		"zero bundle":              {nil, Request{Bundle: new(attest.Bundle)}, "no bundle"},
		"denied":                   {nil, Request{Bundle: s.run(s.ci, s.declare("evil"))}, "policy: denied by no-evil: "},
		"rejected":                 {nil, Request{Bundle: good, Approvals: approvals(nil, s.says(policy.Approved, id), s.says(policy.Rejected, id))}, "rejected by alice"},
		"fails at once":            {nil, Request{Bundle: good, Approvals: approvals(errAway)}, errAway.Error()},
		"fails halfway":            {nil, Request{Bundle: good, Approvals: approvals(errAway, s.says(policy.Approved, id))}, errAway.Error()},
		"fails beside another":     {nil, Request{Bundle: good, Approvals: JoinApprovals(approvals(errAway), approvals(nil, s.says(policy.Approved, id)))}, errAway.Error()},
		"too many":                 {nil, Request{Bundle: good, Approvals: approvals(nil, make([]policy.Approval, limits.Approvals+1)...)}, "more than 10000 approvals"},
		"nothing in an approval":   {nil, Request{Bundle: good, Approvals: approvals(nil, policy.Approval{})}, "approval without a source: there is no bundle"},
		"nil among sources":        {nil, Request{Bundle: good, Approvals: JoinApprovals(nil)}, "no source of approvals"},
		"a source without":         {nil, Request{Bundle: good, Approvals: approvalFunc(func(context.Context, []identity.ID) iter.Seq2[policy.Approval, error] { return nil })}, "no source of approvals"},
		"nil repository":           {nil, Request{Bundle: good, Approvals: (*Repository)(nil)}, "no target"},
		"repository of nil":        {nil, Request{Bundle: good, Approvals: NewRepository(nil)}, "no target"},
		"nil list":                 {nil, Request{Bundle: good, Approvals: (*ApprovalList)(nil)}, ""},
		"registry that is away":    {nil, Request{Bundle: good, Approvals: NewRepository(target)}, "localhost:1"},
		"lineage of another":       {nil, Request{Bundle: good, Graph: foreign}, policy.ErrNotOurs.Error()},
		"ended before":             {ended, Request{Bundle: good}, "interrupted"},
		"ended in a source":        {ended, Request{Bundle: good, Approvals: quiet}, "interrupted"},
	} {
		if c.ctx == nil {
			c.ctx = t.Context()
		}
		a := s.admit(c.ctx, c.r)
		if text := strings.Join(a.Reasons(), "\n"); a.Allowed() != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: allowed %v, %s; want %q", name, a.Allowed(), text, c.want)
		}
		if c.want != "" {
			refuses(t, name, a, c.want)
		}
	}
	silent := newSite(t, "")
	noApprovers, err := policy.Parse([]byte(fmt.Sprintf("schema: %s\nsigners: {keys: [{name: ci, key: %q}]}\n", policy.Schema, must(silent.ci.PublicKey().PEM()))), policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := silent.admit(t.Context(), Request{Policy: noApprovers, Bundle: silent.run(silent.ci, d), Approvals: approvals(nil)}); !errors.Is(a.Err(), policy.ErrNoApprovers) {
		t.Errorf("approvals that no approver could have given: %v", a.Err())
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestEndedInASource: a source that ends because the context has ended does not say that there is no rejection.
func TestEndedInASource(t *testing.T) {
	s := newSite(t, "")
	ctx, end := context.WithCancel(t.Context())
	a := s.admit(ctx, Request{Bundle: s.run(s.ci, s.declare("m")), Approvals: approvalFunc(func(context.Context, []identity.ID) iter.Seq2[policy.Approval, error] {
		end()
		return func(func(policy.Approval, error) bool) {}
	})})
	if !errors.Is(a.Err(), context.Canceled) {
		t.Error(a.Err())
	}
	refuses(t, "ended", a, "interrupted")
}

// TestNoRequest: without a bundle, a policy or a clock there is no answer.
func TestNoRequest(t *testing.T) {
	s := newSite(t, "")
	good := s.run(s.ci, s.declare("m"))
	for name, r := range map[string]Request{
		"nothing": {}, "no policy": {Bundle: good, Clock: s.clock}, "zero policy": {Bundle: good, Clock: s.clock, Policy: new(policy.Policy)},
		"no bundle": {Policy: s.policy, Clock: s.clock}, "no clock": {Bundle: good, Policy: s.policy},
		"zero clock": {Bundle: good, Policy: s.policy, Clock: func() time.Time { return time.Time{} }},
	} {
		if a, err := Admit(t.Context(), r); err == nil || a != nil {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}

// TestNotAdmitted: what Admit has not allowed is not executed, copied or not.
func TestNotAdmitted(t *testing.T) {
	s := newSite(t, "rules: [{name: never, expr: 'false'}]\n")
	denied := *s.admit(t.Context(), Request{Bundle: s.run(s.ci, s.declare("m"))})
	refuses(t, "zero", new(Admission), ErrNotAdmitted.Error())
	refuses(t, "nil", nil, ErrNotAdmitted.Error())
	refuses(t, "denied, and copied", &denied, "denied by never")
	refuses(t, "refused", Request{Name: "b"}.Refuse(errAway), errAway.Error())
	refuses(t, "refused without a reason", Request{Name: "b"}.Refuse(nil), ErrNotAdmitted.Error())

	s = newSite(t, "")
	past := s.admit(t.Context(), Request{Bundle: s.run(s.ci, s.declare("m")), At: s.now.Add(-time.Hour)})
	if err := past.Exec(t.Context(), Start{Program: "/nonexistent", Args: []string{"x"}}); err == nil || !strings.Contains(err.Error(), "another time") {
		t.Errorf("a decision about the past: %v", err)
	}
	if err := past.Exec(t.Context(), Start{Program: "/nonexistent", Args: []string{"x"}, DryRun: true}); err != nil || !past.Decision().Now.Equal(s.now.Add(-time.Hour)) {
		t.Errorf("a decision about the past, dry: %v", err)
	}
	good := s.admit(t.Context(), Request{Bundle: s.run(s.ci, s.declare("m"))})
	for name, start := range map[string]Start{"no program": {Args: []string{"x"}}, "no name": {Program: "/nonexistent"}} {
		if err := good.Exec(t.Context(), start); err == nil || strings.Contains(err.Error(), "nonexistent") {
			t.Errorf("%s: %v", name, err)
		}
	}
	loader.Check = func() error { return ErrLoader }
	refuses(t, "dynamically linked", good, ErrLoader.Error())
}

// TestAskedAgain: a decision is about the start. A rejection that arrives while files are hashed, or before Exec, is seen,
// and so is the end of what the policy allows; a clock that goes backwards is asked about the time that it says.
func TestAskedAgain(t *testing.T) {
	s := newSite(t, "rules: [{name: may, expr: 'now >= timestamp(\"2026-06-01T12:00:00Z\") && now < timestamp(\"2026-06-01T13:00:00Z\")'}]\n")
	d := s.declare("m")
	bundle := s.run(s.ci, d)
	times, noon := 0, s.now
	rejectedFrom := func(reading int) approvalFunc {
		times = 0
		return func(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
			if times++; !slices.Equal(runs, []identity.ID{d.ID()}) {
				t.Errorf("asked about %v", runs)
			}
			if times >= reading {
				return approvals(nil, s.says(policy.Rejected, d.ID()))(ctx, runs)
			}
			return approvals(nil)(ctx, runs)
		}
	}
	for name, c := range map[string]struct {
		step  time.Duration
		from  int // the reading from which on there is a rejection
		reads int
		want  string // of Admit
		start string // of Exec
	}{
		"at once":              {0, 3, 1, "", "/nonexistent"},
		"a second":             {time.Second / 2, 3, 1, "", "rejected"}, // more, by Exec: with the second reading of that time
		"rejected meanwhile":   {2 * time.Second, 2, 2, "rejected by alice", ""},
		"rejected before Exec": {2 * time.Second, 3, 2, "", "rejected by alice"},
		"ended meanwhile":      {61 * time.Minute, 9, 2, "denied by may", ""},
		"ended before Exec":    {25 * time.Minute, 9, 2, "", "denied by may"},
		"backwards":            {-time.Second, 9, 2, "denied by may", ""},
		"backwards, rejected":  {-time.Nanosecond, 2, 2, "rejected by alice", ""},
	} {
		s.step, s.now = c.step, noon.Add(-c.step) // Admit looks, and decides at the next look
		if name == "a second" {
			c.from = 2
		}
		log := filepath.Join(t.TempDir(), "log")
		a := s.admit(t.Context(), Request{Bundle: bundle, Approvals: rejectedFrom(c.from), Log: LogFile(log)})
		if text := strings.Join(a.Reasons(), "\n"); times != c.reads || (text == "") != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s: read %d times, %s; want %d, %q", name, times, text, c.reads, c.want)
		}
		if c.want != "" {
			refuses(t, name, a, c.want)
			continue
		}
		start := Start{Program: "/nonexistent", Args: []string{"x"}, Dir: t.TempDir()}
		err := a.Exec(t.Context(), start)
		if r := a.Record(start, err); err == nil || r.Allowed || !strings.Contains(strings.Join(r.Reasons, "\n"), c.start) {
			t.Errorf("%s: %v, recorded as %+v, want %q", name, err, r, c.start)
		}
		lines, _ := os.ReadFile(log)
		if started := c.start == "/nonexistent"; strings.Contains(string(lines), `"allowed":true`) != started || !strings.Contains(string(lines), `"allowed":false`) {
			t.Errorf("%s: in the log %s", name, lines)
		}
		if left, _ := os.ReadDir(start.Dir); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

// TestEndedWhileAsked: what ends while the evidence is read has ended: the decision is one about the time behind that.
func TestEndedWhileAsked(t *testing.T) {
	s := newSite(t, "rules: [{name: may, expr: 'now < timestamp(\"2026-06-01T13:00:00Z\")'}]\n")
	d := s.declare("m")
	bundle, noon := s.run(s.ci, d), s.now
	for _, slow := range []int{1, 2, 3, 9} { // the reading that takes two hours
		reading := 0
		s.now = noon
		source := func(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
			if reading++; reading == slow {
				s.now = s.now.Add(2 * time.Hour)
			} else {
				s.now = s.now.Add(2 * time.Second)
			}
			return approvals(nil)(ctx, runs)
		}
		a := s.admit(t.Context(), Request{Bundle: bundle, Approvals: approvalFunc(source)})
		if got, want := a.Allowed(), slow > 2; got != want || reading != min(slow, 2) {
			t.Fatalf("reading %d: allowed %v after %d readings: %v", slow, got, reading, a.Err())
		}
		if slow <= 2 {
			continue
		}
		if r := a.Record(Start{}, nil); !r.Time.Equal(a.Decision().Now) || r.Time.Equal(noon) {
			t.Errorf("reading %d: recorded with the time %s, decided about %s", slow, r.Time, a.Decision().Now)
		}
		err := a.Exec(t.Context(), Start{Program: "/nonexistent", Args: []string{"x"}, Dir: t.TempDir()})
		if denied := err != nil && strings.Contains(err.Error(), "denied"); denied != (slow == 3) {
			t.Errorf("reading %d, by Exec: %v", slow, err)
		}
	}
}

// TestRejectedWhileAsked: a rejection that arrives while the evidence is read, which takes long, is seen.
func TestRejectedWhileAsked(t *testing.T) {
	s := newSite(t, "")
	d := s.declare("m")
	readings := 0
	source := func(ctx context.Context, runs []identity.ID) iter.Seq2[policy.Approval, error] {
		if readings++; readings > 1 {
			return approvals(nil, s.says(policy.Rejected, d.ID()))(ctx, runs)
		}
		s.now = s.now.Add(time.Minute)
		return approvals(nil)(ctx, runs)
	}
	a := s.admit(t.Context(), Request{Bundle: s.run(s.ci, d), Approvals: approvalFunc(source)})
	if text := strings.Join(a.Reasons(), "\n"); a.Allowed() || readings != 2 || !strings.Contains(text, "rejected by alice") {
		t.Errorf("allowed %v after %d readings: %s", a.Allowed(), readings, text)
	}
}

// failingLog cannot be written.
type failingLog struct{}

func (failingLog) Check(...string) error { return nil }
func (failingLog) Append(Record) error   { return errors.New("the disk is full") }

// lossyLog has the record, and cannot have it last.
type lossyLog struct{ allowed []bool }

func (*lossyLog) Check(...string) error { return nil }
func (l *lossyLog) Append(r Record) error {
	l.allowed = append(l.allowed, r.Allowed)
	return errors.New("not on the disk")
}

// TestLossyLog: the last that a log says of a start that it could not record is that it was refused.
func TestLossyLog(t *testing.T) {
	s := newSite(t, "")
	log := &lossyLog{}
	a := s.admit(t.Context(), Request{Bundle: s.run(s.ci, s.declare("m")), Log: log})
	err := a.Exec(t.Context(), Start{Program: "/nonexistent", Args: []string{"x"}, DryRun: true})
	if err == nil || !slices.Equal(log.allowed, []bool{true, false}) {
		t.Errorf("%v, and the log says %v", err, log.allowed)
	}
}

// TestUnlogged: what cannot be recorded is not started, nor said to be allowed.
func TestUnlogged(t *testing.T) {
	s := newSite(t, "")
	d := s.declare("m")
	for _, dry := range []bool{true, false} {
		a := s.admit(t.Context(), Request{Bundle: s.run(s.ci, d), Log: failingLog{}})
		start := Start{Program: "/nonexistent", Args: []string{"x"}, DryRun: dry, Dir: t.TempDir()}
		err := a.Exec(t.Context(), start)
		if r := a.Record(start, err); err == nil || r.Allowed || !slices.Equal(r.Reasons, []string{"the disk is full"}) {
			t.Errorf("%v, recorded as %+v", err, r)
		}
	}
}

// TestLineage: ancestors are found in several places, children first, and a source that cannot be read denies the run.
func TestLineage(t *testing.T) {
	s := newSite(t, "rules: [{name: all, expr: 'ancestors.size() == 2'}]\n")
	first := s.declare("first")
	second := s.declare("second", first.ID())
	child := s.declare("child", second.ID())
	input := func(by signer.Signer, d *identity.Declaration) lineage.Input {
		return lineage.Input{Name: d.Model().Name, Data: must(s.run(by, d).Marshal())}
	}
	bundle := s.run(s.ci, child)
	asked := lineageFunc(func(_ context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
		if !slices.Contains(of, first.ID()) {
			return LineageList{}.Lineage(t.Context(), of)
		}
		return LineageList{input(s.ci, first)}.Lineage(t.Context(), of)
	})
	failing := lineageFunc(func(_ context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
		return func(yield func(lineage.Input, error) bool) {
			_ = yield(input(s.ci, first), nil) && yield(input(s.ci, second), nil) && yield(lineage.Input{Name: "third"}, errAway)
		}
	})
	skipping := lineageFunc(func(_ context.Context, of []identity.ID) iter.Seq2[lineage.Input, error] {
		return func(yield func(lineage.Input, error) bool) {
			_ = yield(lineage.Input{Name: "r"}, &registry.SkippedError{Err: errAway}) && yield(input(s.ci, first), nil)
		}
	})
	for name, c := range map[string]struct {
		source LineageSource
		want   string
		passed int
	}{
		"in memory":                 {LineageList{input(s.ci, first), input(s.ci, second)}, "", 0},
		"nil, as a pointer":         {(*LineageList)(nil), "no source of a lineage: it, or its sequence, is nil", 0},
		"in two places":             {JoinLineage(LineageList{input(s.ci, second)}, asked), "", 0},
		"one is not there":          {LineageList{input(s.ci, second)}, "missing: no bundle of this run", 0},
		"one is another's":          {LineageList{input(s.ci, second), input(s.alice, first)}, "not verified", 0},
		"none given":                {nil, "none were given", 0},
		"fails at the end":          {failing, "third: " + errAway.Error(), 0},
		"passes over what is bad":   {JoinLineage(skipping, LineageList{input(s.ci, second), {Name: "bad", Data: []byte("{}")}}), "", 2},
		"passes over what it needs": {JoinLineage(skipping), "missing: no bundle of this run", 1},
		"nil among sources":         {JoinLineage(nil), "no source of a lineage", 0},
		"nil repository":            {(*Repository)(nil), "no target", 0},
	} {
		passed := 0
		a := s.admit(t.Context(), Request{Bundle: bundle, Lineage: c.source, PassedOver: func(error) { passed++ }})
		if text := strings.Join(a.Reasons(), "\n"); (text == "") != (c.want == "") || !strings.Contains(text, c.want) || passed != c.passed {
			t.Errorf("%s: %q, passed over %d; want %q, %d", name, text, passed, c.want, c.passed)
		}
	}
}
