package e2e

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

const servicesTimeout = 30 * time.Minute // the first time they are built

// shared are the servers that all tests use; they start with the first test that asks for them.
var shared struct {
	once     sync.Once
	dir      string
	services *services.Services
	err      error
}

func startServices() {
	ctx, cancel := context.WithTimeout(context.Background(), servicesTimeout)
	defer cancel()
	if shared.dir, shared.err = os.MkdirTemp("", "services-*"); shared.err != nil {
		return
	}
	shared.services, shared.err = services.Place{Bin: bin, Dir: shared.dir}.Start(ctx)
}

func stopServices() {
	if shared.services != nil {
		shared.services.Stop()
	}
	os.RemoveAll(shared.dir)
}

// useServices puts trusted_root.json and signing_config.json on the desk.
func (d *desk) useServices() *services.Services {
	d.t.Helper()
	shared.once.Do(startServices)
	if shared.err != nil {
		d.t.Fatal(shared.err)
	}
	if err := shared.services.WriteFiles(d.dir); err != nil {
		d.t.Fatal(err)
	}
	return shared.services
}

// mint puts a token on the desk.
func (d *desk) mint(name string, issuer *services.Issuer, token services.Token) {
	d.t.Helper()
	d.write(name, []byte(d.minted(issuer, token)))
}

func (d *desk) minted(issuer *services.Issuer, token services.Token) string {
	d.t.Helper()
	jwt, err := issuer.Mint(token)
	if err != nil {
		d.t.Fatal(err)
	}
	return jwt
}

// cosignAttestsKeyless runs cosign to sign statement.json as the identity of a token.
func (d *desk) cosignAttestsKeyless(bundle string, flags ...string) outcome {
	d.t.Helper()
	args := []string{
		"attest-blob", "--statement", "statement.json", "--bundle", bundle,
		"--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json", "--yes",
	}
	return d.cosign(append(args, flags...)...)
}

// cosignVerifiesKeyless has cosign look for the digest of canonical.json in what the identity signed.
func (d *desk) cosignVerifiesKeyless(root, identity, issuer, bundle string, flags ...string) outcome {
	d.t.Helper()
	args := []string{
		"verify-blob-attestation", "--bundle", bundle, "--type", predicateType, "--trusted-root", root,
		"--certificate-identity", identity, "--certificate-oidc-issuer", issuer,
	}
	return d.cosign(append(append(args, flags...), "canonical.json")...)
}
