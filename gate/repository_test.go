package gate

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// TestRepository: a layout of runs has the approvals and the lineage of a run, and what it does not have denies the run.
func TestRepository(t *testing.T) {
	s := newSite(t, "rules: [{name: all, expr: 'ancestors.all(a, a.approved)'}]\n")
	dir := filepath.Join(t.TempDir(), "runs")
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	open := func(suffix string) *Repository {
		return NewRepository(must(registry.Open(must(registry.ParseReference("oci-layout://"+dir+suffix)), registry.Options{})))
	}
	parent := s.declare("parent")
	child := s.declare("child", parent.ID())
	runs := open("")
	push := func(d *identity.Declaration, verdict policy.Verdict) {
		t.Helper()
		_, _, err := runs.target.PushRun(t.Context(), d, must(s.run(s.ci, d).Marshal()), must(s.says(verdict, d.ID()).Bundle.Marshal()))
		if err != nil {
			t.Fatal(err)
		}
	}
	ask := func(approvals ApprovalSource, lineage LineageSource) *Admission {
		return s.admit(t.Context(), Request{Bundle: s.run(s.ci, child), Approvals: approvals, Lineage: lineage})
	}
	push(parent, policy.Approved)
	var missing *MissingRunError
	if a := ask(runs, runs); !errors.As(a.Err(), &missing) || missing.Run != child.ID() {
		t.Errorf("the run is not in the repository: %v", a.Err())
	}
	push(child, policy.Approved)
	if a := ask(runs, runs); !a.Allowed() {
		t.Error(a.Err())
	}
	if a := ask(open("@"+child.ID().String()), runs); a.Allowed() || !strings.Contains(a.Reasons()[0], "denied by all") {
		t.Errorf("with the approvals of the run alone: %v", a.Reasons())
	}
	var artifact *NotRunsError
	if a := ask(runs, open(":v1")); !errors.As(a.Err(), &artifact) {
		t.Errorf("a lineage from an artifact: %v", a.Err())
	}
	if list, err := ReadApprovals(t.Context(), runs); err == nil {
		t.Errorf("approvals of no run in particular: %v", list)
	}
	once, err := ReadApprovals(t.Context(), runs, child.ID(), parent.ID())
	if err != nil || !ask(once, runs).Allowed() {
		t.Errorf("read once: %v", err)
	}
	push(parent, policy.Rejected)
	if a := ask(runs, runs); a.Allowed() {
		t.Error("an ancestor is rejected")
	}
}

// TestLaterApprovals: a decision in a later version of the format, which cannot be read, may be a rejection, wherever it is.
func TestLaterApprovals(t *testing.T) {
	s := newSite(t, "")
	dir := filepath.Join(t.TempDir(), "runs")
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	runs := NewRepository(must(registry.Open(must(registry.ParseReference("oci-layout://"+dir)), registry.Options{})))
	run := s.declare("run")
	ask := func() *Admission {
		return s.admit(t.Context(), Request{Bundle: s.run(s.ci, run), Approvals: runs})
	}
	push := func(b *attest.Bundle) {
		t.Helper()
		if _, _, err := runs.target.PushRun(t.Context(), run, must(b.Marshal())); err != nil {
			t.Fatal(err)
		}
	}
	push(s.says(policy.Approved, run.ID()).Bundle)
	if a := ask(); !a.Allowed() {
		t.Fatal(a.Err())
	}
	subject := []attest.Subject{{Name: run.ID().String(), SHA256: run.ID().Digest()}}
	push(s.sign(s.alice, must(attest.NewClaim("https://example.com/review/v1", subject, map[string]any{"no": true}))))
	if a := ask(); !a.Allowed() {
		t.Errorf("a statement of another type: %v", a.Reasons())
	}
	const project = "https://github.com/runattest/runattest/"
	for _, kind := range []string{
		project + "run-approval/v2", project + "run-approval-v2", project + "Run-Approval/v1", project + "run-approvals/v1", project + "run-approval",
		project + "run_approval/v1", project + "runApproval/v1", "run-approval", "RunApproval", " ",
	} {
		dir := filepath.Join(t.TempDir(), "runs")
		if err := registry.CreateLayout(dir); err != nil {
			t.Fatal(err)
		}
		runs = NewRepository(must(registry.Open(must(registry.ParseReference("oci-layout://"+dir)), registry.Options{})))
		push(s.says(policy.Approved, run.ID()).Bundle)
		if a := ask(); !a.Allowed() {
			t.Fatal(a.Err())
		}
		push(s.sign(s.alice, must(attest.NewClaim(kind, subject, map[string]any{"no": true}))))
		if a := ask(); a.Allowed() || !strings.Contains(a.Reasons()[0], "cannot be read, and may be a rejection") {
			t.Errorf("%s: %v", kind, a.Reasons())
		}
	}
}
