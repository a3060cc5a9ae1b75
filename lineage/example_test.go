package lineage_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/signer"
)

const declaration = `{
  "schema": "https://github.com/runattest/runattest/declaration/v1",
  "kind": "%s",
  "model": {"name": "meta-llama/Llama-3.1-8B-Instruct", "version": "0e9e39f"},
  "prompt": {}, "parameters": {}, "context": [], "constraints": {}%s
}`

// An evaluation descends from a training run of which there is no bundle.
func Example() {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		log.Fatal(err)
	}
	key, err := signer.Parse(pair.Private, nil)
	if err != nil {
		log.Fatal(err)
	}
	training := declare("training", "")
	evaluation := declare("evaluation", `, "parents": ["`+training.ID().String()+`"]`)
	bundles := []lineage.Input{sign(key, evaluation)}

	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "orchestrator", Key: key.PublicKey()})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		graph, err := lineage.Build(context.Background(), verifier, slices.Values(bundles), lineage.Options{})
		if err != nil {
			log.Fatal(err)
		}
		for step := range graph.Walk(graph.Roots()...) {
			fmt.Println(step.Depth, step.Node.Kind(), step.Node.State())
		}
		fmt.Println("complete:", graph.Complete(graph.Roots()...))
		bundles = append(bundles, sign(key, training)) // it turns up
	}
	// Output:
	// 0 evaluation verified
	// 1  missing
	// complete: false
	// 0 evaluation verified
	// 1 training verified
	// complete: true
}

func declare(kind, parents string) *identity.Declaration {
	d, err := identity.Parse(fmt.Appendf(nil, declaration, kind, parents))
	if err != nil {
		log.Fatal(err)
	}
	return d
}

func sign(by signer.Signer, d *identity.Declaration) lineage.Input {
	statement, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := attest.Sign(context.Background(), statement, by, attest.SignOptions{})
	if err != nil {
		log.Fatal(err)
	}
	data, err := bundle.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	return lineage.Input{Name: string(d.Kind()), Data: data}
}
