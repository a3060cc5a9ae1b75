package policy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/signer"
)

func newKey() signer.Signer {
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		log.Fatal(err)
	}
	s, err := signer.Parse(pair.Private, nil)
	if err != nil {
		log.Fatal(err)
	}
	return s
}

// A program that has keys in memory makes a policy of them, without any file.
func ExampleNew() {
	ctx, ci := context.Background(), newKey()
	p, err := policy.New(policy.Spec{
		Keys:  []attest.TrustedKey{{Name: "ci", Key: ci.PublicKey()}},
		Kinds: []identity.Kind{identity.Training},
		Rules: []policy.Rule{{Name: "budget", Expr: "declaration.constraints.usd <= 100", Message: "it may cost {{declaration.constraints.usd}} dollars"}},
	}, policy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, usd := range []int{80, 300} {
		run, err := identity.Build(identity.Run{
			Kind: identity.Training, Model: identity.Model{Name: "acme/classifier", Version: "1"}, Constraints: map[string]any{"usd": usd},
		})
		if err != nil {
			log.Fatal(err)
		}
		statement, err := attest.New(run, attest.StatementOptions{})
		if err != nil {
			log.Fatal(err)
		}
		bundle, err := attest.Sign(ctx, statement, ci, attest.SignOptions{})
		if err != nil {
			log.Fatal(err)
		}
		_, err = p.Verify(ctx, bundle, attest.Expect{}, policy.Given{Now: time.Now()})
		if denied := (*policy.DeniedError)(nil); errors.As(err, &denied) {
			fmt.Println("denied:", denied.Decision.Denials[0])
			continue
		}
		fmt.Println("allowed:", err == nil)
	}
	// Output:
	// allowed: true
	// denied: budget: it may cost 300 dollars
}

// A policy that demands nothing of a bundle can be asked before a run is signed, so that nothing is signed in vain.
func ExamplePolicy_Decide() {
	ci := newKey()
	p, err := policy.New(policy.Spec{
		Keys:  []attest.TrustedKey{{Name: "ci", Key: ci.PublicKey()}},
		Rules: []policy.Rule{{Name: "model", Expr: "has(declaration.model.version)", Message: "the model has no version"}},
	}, policy.Options{BeforeSigning: true})
	if err != nil {
		log.Fatal(err)
	}
	run, err := identity.Build(identity.Run{Kind: identity.Inference, Model: identity.Model{Name: "acme/classifier"}})
	if err != nil {
		log.Fatal(err)
	}
	decision, err := p.Decide(context.Background(), policy.Proposal{Declaration: run, Signer: ci.PublicKey(), Now: time.Now()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(decision.Allowed, decision.Denials)
	// Output: false [model: the model has no version]
}
