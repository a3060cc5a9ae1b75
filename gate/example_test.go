package gate_test

import (
	"context"
	"fmt"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/signer"
)

// A run that its policy allows is admitted until an approver rejects it.
func ExampleAdmit() {
	ctx := context.Background()
	newKey := func() (signer.Signer, []byte) {
		pair, _ := signer.Generate(signer.Ed25519, nil)
		key, _ := signer.Parse(pair.Private, nil)
		public, _ := key.PublicKey().PEM()
		return key, public
	}
	ci, ciKey := newKey()
	alice, aliceKey := newKey()
	p, err := policy.Parse(fmt.Appendf(nil, `{
		"schema": "https://github.com/runattest/runattest/policy/v1",
		"signers": {"keys": [{"name": "ci", "key": %q}]},
		"approvals": {"required": 0, "approvers": [{"name": "alice", "keys": [{"key": %q}]}]},
		"rules": [{"name": "budget", "expr": "declaration.constraints.usd <= 100"}]
	}`, ciKey, aliceKey), policy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	declaration, err := identity.Parse([]byte(`{
		"schema": "https://github.com/runattest/runattest/declaration/v1", "kind": "training",
		"model": {"name": "m"}, "prompt": {}, "parameters": {}, "context": [], "constraints": {"usd": 50}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	statement, _ := attest.New(declaration, attest.StatementOptions{})
	bundle, _ := attest.Sign(ctx, statement, ci, attest.SignOptions{})

	ask := func(approvals gate.ApprovalSource) {
		admission, err := gate.Admit(ctx, gate.Request{Bundle: bundle, Policy: p, Approvals: approvals, Clock: time.Now})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(admission.Allowed(), admission.Reasons())
	}
	var approvals gate.ApprovalList
	ask(&approvals)

	rejection, _ := policy.NewApproval(policy.ApprovalStatement{Identity: declaration.ID(), Decision: policy.Rejected, Reason: "wrong data"})
	signed, _ := attest.Sign(ctx, rejection, alice, attest.SignOptions{})
	data, _ := signed.Marshal()
	if err := approvals.Add("rejection.json", data); err != nil {
		fmt.Println(err)
	}
	ask(&approvals)

	// Output:
	// true []
	// false [policy: denied by approvals: rejected by alice: wrong data]
}
