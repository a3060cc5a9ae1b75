package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// kmsDesk is a desk where runattest and cosign find the KMS plugins.
type kmsDesk struct {
	*desk
	plugins string // the folder that PATH is
}

// plugins builds the plugins once: static as they are released, but for the one that needs cgo.
var plugins = sync.OnceValues(func() (string, error) {
	folder, err := filepath.Abs(filepath.Join(bin, "plugins"))
	if err != nil {
		return "", err
	}
	for _, p := range []struct{ name, cgo string }{
		{"awskms", "0"}, {"azurekms", "0"}, {"gcpkms", "0"}, {"hashivault", "0"}, {"pkcs11", "1"},
	} {
		target := "./cmd/sigstore-kms-" + p.name
		if err := goBuild(filepath.Join("..", "plugins"), p.cgo, "-o", folder+"/", target); err != nil {
			return "", err
		}
	}
	return folder, nil
})

func goBuild(dir, cgo string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-tags=grpcnotrace", "-ldflags=-s -w"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo, "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %v: %w\n%s", args, err, out)
	}
	return nil
}

// newKMSDesk has run.json on it, and a bundle of it that a stranger signed. The environment is what the plugin gets, too.
func newKMSDesk(t *testing.T, env ...string) *kmsDesk {
	t.Helper()
	folder, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	d := &kmsDesk{newDesk(t), folder}
	d.env = append(append(d.env, "PATH="+folder), env...)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("stranger", "ecdsa-p256", "--no-password")
	d.sign("stranger")
	return d
}

// in is the same desk within a subtest.
func (d *kmsDesk) in(t *testing.T) *kmsDesk { return &kmsDesk{d.desk.in(t), d.plugins} }

// with is the same desk with more environment.
func (d *kmsDesk) with(env ...string) *kmsDesk {
	e := slices.Concat(d.env, env)
	return &kmsDesk{&desk{d.t, d.dir, e}, d.plugins}
}

// roundTrip signs with the key, saves its public part, verifies with that and with the
// reference, and has cosign verify, who knows nothing of who signed how.
func (d *kmsDesk) roundTrip(ref string, a algorithm) {
	d.t.Helper()
	const bundle, public = "kms.sigstore.json", "kms.pub"
	d.runattest("sign", "--key", ref, "--bundle", bundle, "run.json").ok()
	d.write(public, d.runattest("public-key", "--key", ref).ok())
	for _, key := range []string{public, ref} {
		if r := d.verified(key, bundle); r.Signer.Algorithm != a.name || r.Signer.KeyHint != d.readBundle(bundle).hint() {
			d.t.Errorf("verified with %s: %+v, want %s", key, r.Signer, a.name)
		}
	}
	d.cosignVerifies(public, bundle, "canonical.json", a.digestFlags()...).ok()
	d.notVerified(ref, "stranger.sigstore.json", "signature", "signer")
}

// fails demands that signing and getting the public key are operational failures, give the reason, and write nothing.
func (d *kmsDesk) fails(ref, why string) {
	d.t.Helper()
	d.runattest("sign", "--key", ref, "--bundle", "none.sigstore.json", "run.json").failed(why)
	d.runattest("public-key", "--key", ref).failed(why)
	d.wroteNothing()
}

func (d *kmsDesk) wroteNothing() {
	d.t.Helper()
	if _, err := os.Stat(d.path("none.sigstore.json")); err == nil {
		d.t.Error("a bundle was written")
	}
}
