package e2e

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// heldKey is a key that a stand-in for a cloud holds.
type heldKey struct {
	algorithm
	private crypto.Signer
	hash    crypto.Hash
}

// holdKeys makes keys by name: those algorithms of ours that clouds offer.
func holdKeys(t *testing.T) map[string]*heldKey {
	t.Helper()
	keys := map[string]*heldKey{}
	for _, a := range algorithms {
		var key crypto.Signer
		var err error
		hash := crypto.SHA256
		switch a.name {
		case "ecdsa-p256":
			key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		case "ecdsa-p384":
			hash = crypto.SHA384
			key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		case "ecdsa-p521":
			hash = crypto.SHA512
			key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		case "rsa-2048":
			key, err = rsa.GenerateKey(rand.Reader, 2048)
		case "rsa-4096":
			key, err = rsa.GenerateKey(rand.Reader, 4096)
		default:
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		keys[a.name] = &heldKey{a, key, hash}
	}
	return keys
}

// sign refuses what a cloud refuses: a digest that does not fit the key's algorithm.
func (k *heldKey) sign(digest []byte) ([]byte, error) {
	if len(digest) != k.hash.Size() {
		return nil, fmt.Errorf("digest of %d bytes, want %d", len(digest), k.hash.Size())
	}
	return k.private.Sign(rand.Reader, digest, k.hash)
}

// serveTLS starts a server on loopback, and returns its address and the environment that has
// a plugin trust its certificate and no other.
func serveTLS(t *testing.T, handler http.Handler) (address string, trust string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are among the tests
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), trustOnly(t, server.Certificate())
}

func trustOnly(t *testing.T, certificate *x509.Certificate) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return "SSL_CERT_FILE=" + file
}

// failed demands exit status 3 and the reason.
func (o outcome) failed(reason string) {
	o.t.Helper()
	if o.code != 3 || !strings.Contains(o.stderr, reason) || bytes.Contains(o.stdout, []byte("airun:")) {
		o.t.Errorf("%s: exit status %d, want 3 and %q\n%s%s", o.command, o.code, reason, o.stdout, o.stderr)
	}
}
