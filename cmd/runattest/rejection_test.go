package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/signer"
)

// stampingAuthority stamps with the real time.
type stampingAuthority struct{ *ca.VirtualSigstore }

func (a stampingAuthority) Witness(_ context.Context, e evidence.Envelope) (evidence.Material, error) {
	stamp, err := a.TimestampResponse(e.Signature)
	return evidence.Material{Timestamps: [][]byte{stamp}}, err
}

// TestRejectionWhateverTheClock: a rejection counts in every command, with or without a timestamp, outside its key's window and
// where it is dated later than this machine's clock; --at alone leaves out what is dated later.
func TestRejectionWhateverTheClock(t *testing.T) {
	t.Chdir(t.TempDir())
	virtual, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	made, err := root.NewTrustedRoot(root.TrustedRootMediaType01, nil, nil, virtual.TimestampingAuthorities(), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const policyText = "schema: https://github.com/runattest/runattest/policy/v1\ntrustedRoot: root.json\nsigners: {keys: [{name: ci, key: runattest.pub}]}\n" +
		"approvals: {required: 0, evidence: timestamp, approvers: [{name: bob, keys: [{%skey: bob.pub}]}]}\n"
	for name, text := range map[string]string{
		"root.json":    string(text),
		"run.json":     `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`,
		"policy.yaml":  fmt.Sprintf(policyText, ""),
		"retired.yaml": fmt.Sprintf(policyText, "notAfter: 2020-01-01T00:00:00Z, "),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"keygen", "--no-password"}, {"keygen", "--no-password", "-o", "bob"}, {"sign", "--key", "runattest.key", "run.json"},
		{"approve", "--key", "bob.key", "--decision", "rejected", "--reason", "not ours", "--bundle", "undated.json", "run.json.sigstore.json"},
	} {
		if status, _, stderr := inProcess(t, args...); status != exitYes {
			t.Fatalf("%v: %d %s", args, status, stderr)
		}
	}
	_, id, _ := inProcess(t, "id", "run.json")
	writeStamped(t, stampingAuthority{virtual}, strings.TrimSpace(id), "dated.json")
	now := time.Now()
	usual := clock
	t.Cleanup(func() { clock = usual })
	clock = func() time.Time { return now.Add(-time.Hour) } // a slow one
	yesterday := []string{"--at", now.Add(-24 * time.Hour).UTC().Format(time.RFC3339)}
	for _, command := range []struct{ first, last []string }{
		{[]string{"exec", "--dry-run"}, []string{"--bundle", "run.json.sigstore.json", "--", "true"}},
		{[]string{"verify"}, []string{"run.json.sigstore.json"}},
		{[]string{"policy", "explain"}, []string{"run.json.sigstore.json"}},
		{[]string{"graph"}, []string{"run.json.sigstore.json"}},
	} {
		for _, c := range []struct {
			policy, rejection string
			at                []string
			want              int
		}{
			{"policy.yaml", "dated.json", nil, exitNo},
			{"policy.yaml", "undated.json", nil, exitNo},
			{"retired.yaml", "dated.json", nil, exitNo},
			{"retired.yaml", "undated.json", nil, exitNo},
			{"policy.yaml", "dated.json", yesterday, exitYes},
			{"policy.yaml", "undated.json", yesterday, exitNo},
		} {
			args := slices.Concat(command.first, []string{"--policy", c.policy, "--approvals", c.rejection}, c.at, command.last)
			status, stdout, stderr := inProcess(t, args...)
			if status != c.want || (status == exitNo) != strings.Contains(stdout+stderr, "rejected by bob: not ours") {
				t.Errorf("%v: status %d, want %d: %s%s", args, status, c.want, stdout, stderr)
			}
		}
	}
}

// writeStamped writes bob's rejection of the run, with a timestamp.
func writeStamped(t *testing.T, witness evidence.Witness, id, to string) {
	t.Helper()
	text, err := os.ReadFile("bob.key")
	if err != nil {
		t.Fatal(err)
	}
	bob, err := signer.Parse(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := identity.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := policy.NewApproval(policy.ApprovalStatement{Identity: run, Decision: policy.Rejected, Reason: "not ours"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(t.Context(), claim, bob, attest.SignOptions{Witness: witness})
	if err != nil {
		t.Fatal(err)
	}
	if text, err = b.Marshal(); err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
