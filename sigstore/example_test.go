package sigstore_test

import (
	"context"
	"fmt"
	"log"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
	"github.com/runattest/runattest/sigstore/internal/sigstoretest"
)

const run = `{
  "schema": "https://github.com/runattest/runattest/declaration/v1",
  "kind": "inference",
  "model": {"name": "llama-3.1-8b", "version": "1"},
  "prompt": {"text": "What is the capital of France?"},
  "parameters": {"seed": 7},
  "context": [],
  "constraints": {}
}`

// A key of one's own signs, and a timestamp authority witnesses the signature.
func ExampleSession() {
	services := sigstoretest.Start() // stands in for a timestamp authority and its trusted root
	defer services.Close()
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		log.Fatal(err)
	}
	by, err := signer.Parse(pair.Private, nil)
	if err != nil {
		log.Fatal(err)
	}
	session, err := sigstore.NewSession(sigstore.SessionOptions{
		Signer:    by,
		Endpoints: sigstore.Endpoints{Services: sigstore.Services{TimestampAuthorities: []string{services.Timestamps}}},
		Root:      services.Root,
	})
	if err != nil {
		log.Fatal(err)
	}
	declaration, err := identity.Parse([]byte(run))
	if err != nil {
		log.Fatal(err)
	}
	statement, err := attest.New(declaration, attest.StatementOptions{})
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := session.Sign(context.Background(), statement)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bundle.Format(), bundle.UnverifiedPredicateType())
	// Output: bundle https://github.com/runattest/runattest/run-identity/v1
}

// A certificate authority issues a certificate for a key that is never stored, and a verifier trusts the name in the certificate.
func ExampleSession_keyless() {
	services := sigstoretest.Start() // stands in for Fulcio, a timestamp authority and their trusted root
	defer services.Close()
	session, err := sigstore.NewSession(sigstore.SessionOptions{
		Endpoints: services.Endpoints(), // or those that SigningConfig.Select gives
		Token: func(context.Context) (string, error) { // or one of package idtoken
			return sigstoretest.Token("ci@acme.example"), nil
		},
		Root: services.Root,
	})
	if err != nil {
		log.Fatal(err)
	}
	declaration, err := identity.Parse([]byte(run))
	if err != nil {
		log.Fatal(err)
	}
	statement, err := attest.New(declaration, attest.StatementOptions{})
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := session.Sign(context.Background(), statement)
	if err != nil {
		log.Fatal(err)
	}

	trust, err := sigstore.NewTrust(sigstore.TrustOptions{Root: services.Root, Identities: []sigstore.CertificateIdentity{{
		SubjectAlternativeName: sigstore.Exactly("ci@acme.example"),
		Issuer:                 sigstore.Exactly(sigstoretest.Issuer),
	}}})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		log.Fatal(err)
	}
	verified, err := verifier.Verify(context.Background(), bundle, attest.Expect{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verified.ID() == declaration.ID(), verified.Signer().Name)
	// Output: true ci@acme.example
}
