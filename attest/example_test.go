package attest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

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

// The shortest way: from a declaration file and a key file to a bundle file.
func ExampleSignFile() {
	ctx := context.Background()
	dir := exampleFolder()
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "run.json")

	key, err := signer.Load(ctx, filepath.Join(dir, "prod.key"), nil)
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := attest.SignFile(ctx, path, key, attest.SignOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := bundle.WriteFile(path + ".sigstore.json"); err != nil {
		log.Fatal(err)
	}

	trust, err := attest.TrustKeyFiles(filepath.Join(dir, "prod.pub"))
	if err != nil {
		log.Fatal(err)
	}
	verified, err := attest.VerifyFile(ctx, path+".sigstore.json", trust, attest.Expect{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verified.ID())
	// Output: airun:1:sha256:5e279368c3bde106130cb64b2ae00469130c4b885201c3d20aa775e962070b87
}

// A verifier says which run it expects; each check has its own verdict when the answer is no.
func ExampleVerifyFile() {
	ctx := context.Background()
	dir := exampleFolder()
	defer os.RemoveAll(dir)

	trust, err := attest.TrustKeyFiles(filepath.Join(dir, "prod.pub"), filepath.Join(dir, "staging.pub"))
	if err != nil {
		log.Fatal(err)
	}
	expected, err := identity.ParseFile(filepath.Join(dir, "other.yaml"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = attest.VerifyFile(ctx, filepath.Join(dir, "signed.sigstore.json"), trust, attest.Expect{Declaration: expected})
	var no *attest.VerificationError
	if errors.As(err, &no) {
		for _, c := range no.Report.Failed() {
			fmt.Println(c.Name, c.Code)
		}
	}
	// Output: identity identity-unexpected
}

// exampleFolder has prod.key, prod.pub and staging.pub, run.json, its bundle signed.sigstore.json, and other.yaml.
func exampleFolder() string {
	dir, err := os.MkdirTemp("", "attest-*")
	if err != nil {
		log.Fatal(err)
	}
	prod, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		log.Fatal(err)
	}
	staging, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		log.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"prod.key": prod.Private, "prod.pub": prod.Public, "staging.pub": staging.Public, "run.json": []byte(declaration),
		"other.yaml": []byte(strings.Replace(declaration, "France", "Spain", 1)),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			log.Fatal(err)
		}
	}
	key, err := signer.Load(context.Background(), filepath.Join(dir, "prod.key"), nil)
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := attest.SignFile(context.Background(), filepath.Join(dir, "run.json"), key, attest.SignOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if err := bundle.WriteFile(filepath.Join(dir, "signed.sigstore.json")); err != nil {
		log.Fatal(err)
	}
	return dir
}
