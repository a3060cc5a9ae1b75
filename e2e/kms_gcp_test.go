package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// startGCP starts the stand-in, which is of the plugins' module since it speaks gRPC, and
// returns the environment that leads a client to it.
func startGCP(t *testing.T) []string {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(bin, "gcpstandin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := goBuild(filepath.Join("..", "plugins"), "0", "-o", program, "./internal/gcpstandin"); err != nil {
		t.Fatal(err)
	}
	var ready struct{ Proxy, Certificate string }
	startProcess(t, program, &ready)
	block, _ := pem.Decode([]byte(ready.Certificate))
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"HTTPS_PROXY=" + ready.Proxy, trustOnly(t, certificate),
		"GOOGLE_APPLICATION_CREDENTIALS=" + serviceAccount(t),
	}
}

// serviceAccount writes the file of a service account that does not exist: its key signs its own tokens.
func serviceAccount(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "client_email": "ci@p.invalid", "client_id": "1", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   unreachable + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestKMSGCP proves that runattest signs and verifies through the real Google client: tokens,
// gRPC, TLS, checksums and the shape of each call are the SDK's. The other end is a stand-in on
// loopback that answers as Google documents it: Google was not asked.
func TestKMSGCP(t *testing.T) {
	d := newKMSDesk(t, startGCP(t)...)
	ref := func(name string) string { return "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/" + name }
	for _, a := range algorithms {
		switch a.name {
		case "ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-4096":
			t.Run(a.name, func(t *testing.T) { d.in(t).roundTrip(ref(a.name), a) })
		}
	}
	t.Run("one version", func(t *testing.T) { d.in(t).roundTrip(ref("ecdsa-p256")+"/cryptoKeyVersions/1", algorithms[0]) })
	t.Run("RSA-PSS is refused", func(t *testing.T) {
		d := d.in(t)
		d.runattest("sign", "--key", ref("rsa-pss-2048"), "--bundle", "none.sigstore.json", "run.json").failed("RSA must be PKCS #1 v1.5")
		d.wroteNothing()
	})
	t.Run("no such key", func(t *testing.T) { d.in(t).fails(ref("none"), "not found") })
	t.Run("no GCP reference", func(t *testing.T) { d.in(t).fails("gcpkms://none", "kms specification should be in the format") })
	t.Run("no credentials", func(t *testing.T) {
		d.in(t).with("GOOGLE_APPLICATION_CREDENTIALS=/nonexistent").fails(ref("ecdsa-p256"), "sigstore-kms-gcpkms: ")
	})
}
