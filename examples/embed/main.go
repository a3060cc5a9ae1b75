// Command embed is an orchestrator in little: it signs a run before it dispatches it, keeps it with its approvals in an OCI
// layout, and lets the gate admit it: by a policy, the approvals, and the runs from which it descends. It imports public
// packages alone. make embed runs it.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
)

const policyText = `{"schema": "https://github.com/runattest/runattest/policy/v1",
	"signers": {"keys": [{"name": "orchestrator", "key": %q}]},
	"approvals": {"required": 1, "approvers": [{"name": "alice", "keys": [{"key": %q}]}]},
	"rules": [{"name": "approved-training", "expr": "ancestors.size() == 1 && ancestors.all(a, a.approved)"}]}`

func main() {
	log.SetFlags(0)
	dir := must(os.MkdirTemp("", "embed-"))
	if len(os.Args) > 1 { // where the runs, the decision log and what the work reads are kept
		dir = os.Args[1]
	}
	ctx, layout := context.Background(), filepath.Join(dir, "runs")
	check(registry.CreateLayout(layout))
	runs := must(registry.Open(must(registry.ParseReference("oci-layout://"+layout)), registry.Options{}))
	orchestrator, alice := newKey(), newKey()
	p := must(policy.Parse(fmt.Appendf(nil, policyText, must(orchestrator.PublicKey().PEM()), must(alice.PublicKey().PEM())), policy.Options{}))

	// Sign before dispatch: the training, and the evaluation that descends from it. Alice approves both.
	model := identity.Model{Name: "acme/classifier", Version: "1"}
	training := must(identity.Build(identity.Run{Kind: identity.Training, Model: model, Parameters: map[string]any{"epochs": 3}}))
	evaluation := must(identity.Build(identity.Run{Kind: identity.Evaluation, Model: model, Parents: []identity.ID{training.ID()}}))
	var bundle *attest.Bundle
	for _, run := range []*identity.Declaration{training, evaluation} {
		bundle = must(attest.Sign(ctx, must(attest.New(run, attest.StatementOptions{})), orchestrator, attest.SignOptions{}))
		says := policy.ApprovalStatement{Identity: run.ID(), Decision: policy.Approved, Reason: "the data are ours"}
		approval := must(attest.Sign(ctx, must(policy.NewApproval(says)), alice, attest.SignOptions{}))
		_, _, err := runs.PushRun(ctx, run, must(bundle.Marshal()), must(approval.Marshal()))
		check(err)
	}

	// Admit, and start the work. Exec returns only if it has started nothing.
	repository := gate.NewRepository(runs)
	admission := must(gate.Admit(ctx, gate.Request{
		Bundle: bundle, Name: "evaluation", Policy: p, Approvals: repository, Lineage: repository, Clock: time.Now,
		Log: gate.LogFile(filepath.Join(dir, "decisions.jsonl")),
	}))
	log.Printf("%s: allowed %v %v", evaluation.ID(), admission.Allowed(), admission.Reasons())
	check(admission.Exec(ctx, gate.Start{
		Program: "/bin/sh", Args: []string{"sh", "-c", `echo "evaluating $AIRUN_IDENTITY"`},
		Environ: os.Environ(), Dir: dir,
	}))
}

// newKey stands for signer.Load, which reads a key from a file or asks a KMS.
func newKey() signer.Signer {
	return must(signer.Parse(must(signer.Generate(signer.ECDSAP256, nil)).Private, nil))
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal("embed: ", err)
	}
}
