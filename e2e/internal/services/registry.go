package services

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/runattest/runattest/e2e/internal/tools"
)

// Registry is somebody's OCI registry.
type Registry struct {
	*process
	Host string // 127.0.0.1 and the port
}

// Distribution starts the CNCF's registry, which has no referrers API. Where a certificate is given,
// with its key, both PEM files, it speaks TLS and asks for a login: alice, secret.
func (p Place) Distribution(ctx context.Context, certificate, key, htpasswd string) (*Registry, error) {
	program, err := tools.Install(ctx, p.Bin, tools.Distribution)
	if err != nil {
		return nil, err
	}
	dir, err := p.folder("registry")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:%s
  debug: {addr: "127.0.0.1:%s"}
`, filepath.Join(dir, "data"), ports[0], ports[1])
	if certificate != "" {
		config += fmt.Sprintf("  tls: {certificate: %q, key: %q}\nauth: {htpasswd: {realm: here, path: %q}}\n", certificate, key, htpasswd)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	server, err := launch(dir, program, "serve", "config.yml")
	if err != nil {
		return nil, err
	}
	r := &Registry{server, "127.0.0.1:" + ports[0]}
	url := "http://127.0.0.1:" + ports[1] + "/debug/health"
	_, err = server.ready(ctx, url)
	return r, err
}

// InMemory starts one of the registries in the folder registries: cue or ggcr.
func (p Place) InMemory(ctx context.Context, kind string) (*Registry, error) {
	program, err := tools.Build(ctx, p.Bin, "registries", filepath.Join(p.Bin, "..", "registries"), ".")
	if err != nil {
		return nil, err
	}
	dir, err := p.folder("registry-" + kind)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	server, err := launch(dir, program, "-port="+ports[0], "-kind="+kind)
	if err != nil {
		return nil, err
	}
	r := &Registry{server, "127.0.0.1:" + ports[0]}
	_, err = server.ready(ctx, "http://"+r.Host+"/v2/")
	return r, err
}

// SelfSigned is a certificate for 127.0.0.1 that vouches for itself, with its key, as PEM.
func SelfSigned() (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8), err
}
