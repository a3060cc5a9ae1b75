package registry_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
)

// An orchestrator stores a run in an OCI layout; an auditor fetches it by its identity alone.
// With a reference such as registry.acme.example/runs it is a registry.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "runs-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "runs")
	if err := registry.CreateLayout(path); err != nil {
		log.Fatal(err)
	}
	repository, err := registry.ParseReference("oci-layout://" + path)
	if err != nil {
		log.Fatal(err)
	}

	// The orchestrator.
	declaration, bundle, key := signedRun(ctx)
	target, err := registry.Open(repository, registry.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err := target.PushRun(ctx, declaration, bundle); err != nil {
		log.Fatal(err)
	}

	// The auditor.
	fetched, artifact, err := target.FetchRun(ctx, declaration.ID())
	if err != nil {
		log.Fatal(err)
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "ci", Key: key})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		log.Fatal(err)
	}
	verification, err := target.Verify(ctx, artifact, attest.Expect{}, registry.CheckWith(verifier))
	if err != nil {
		log.Fatal(err)
	}
	for checked := range verification.Results(ctx) {
		fmt.Println(checked.Outcome, checked.Report.Identity == fetched.ID())
	}
	fmt.Println(verification.Summary().Passed(true))
	// Output:
	// verified true
	// true
}

func signedRun(ctx context.Context) (*identity.Declaration, []byte, *signer.PublicKey) {
	declaration, err := identity.Parse([]byte(`{"schema": "` + identity.Schema + `", "kind": "inference",
		"model": {"name": "m"}, "prompt": {"text": "hello"}, "parameters": {}, "context": [], "constraints": {}}`))
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
	statement, err := attest.New(declaration, attest.StatementOptions{})
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := attest.Sign(ctx, statement, key, attest.SignOptions{})
	if err != nil {
		log.Fatal(err)
	}
	data, err := bundle.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	return declaration, data, pair.Key
}
