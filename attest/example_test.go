package attest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

const declaration = `{
  "schema": "https://github.com/runattest/runattest/declaration/v1",
  "kind": "inference",
  "model": {"name": "meta-llama/Llama-3.1-8B-Instruct", "version": "0e9e39f"},
  "prompt": {"text": "What is the capital of France?"},
  "parameters": {"temperature": 0, "maxTokens": 16},
  "context": [],
  "constraints": {}
}`

// An orchestrator signs before it dispatches; an auditor verifies with the public key alone.
func Example() {
	ctx := context.Background()

	// The orchestrator.
	d, err := identity.Parse([]byte(declaration))
	if err != nil {
		log.Fatal(err)
	}
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		log.Fatal(err)
	}
	key, err := signer.Parse(pair.Private, nil)
	if err != nil {
		log.Fatal(err)
	}
	statement, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := attest.Sign(ctx, statement, key, attest.SignOptions{})
	if err != nil {
		log.Fatal(err)
	}
	file, err := bundle.Marshal()
	if err != nil {
		log.Fatal(err)
	}

	// The auditor.
	public, err := signer.ParsePublicKey(pair.Public)
	if err != nil {
		log.Fatal(err)
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "orchestrator", Key: public})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		log.Fatal(err)
	}
	received, err := attest.ParseBundle(file)
	if err != nil {
		log.Fatal(err)
	}
	verified, err := verifier.Verify(ctx, received, attest.Expect{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verified.ID())
	fmt.Println(verified.Signer().Name, verified.Declaration().Model().Name)
	// Output:
	// airun:1:sha256:5e279368c3bde106130cb64b2ae00469130c4b885201c3d20aa775e962070b87
	// orchestrator meta-llama/Llama-3.1-8B-Instruct
}
