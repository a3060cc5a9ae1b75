package services

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"github.com/runattest/runattest/e2e/internal/tools"
)

// RekorHost is the name under which the log signs its checkpoints. It has no address: a verifier
// finds the name in the trusted root, a signer the URL in the signing configuration.
const RekorHost = "rekor.local.test"

// Rekor is a transparency log, empty at first, that answers within a second.
type Rekor struct {
	*process
	URL string
	Log Log // its key, for a trusted root
}

// Rekor starts one.
func (p Place) Rekor(ctx context.Context) (*Rekor, error) {
	program, err := tools.Install(ctx, p.Bin, tools.Rekor)
	if err != nil {
		return nil, err
	}
	dir, err := p.folder("rekor")
	if err != nil {
		return nil, err
	}
	public, err := writeRekorKey(filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, err
	}
	log, err := rekorLog(public)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	server, err := launch(dir, program, "serve", "--hostname="+RekorHost,
		"--http-address=127.0.0.1", "--http-port="+ports[0],
		"--grpc-address=127.0.0.1", "--grpc-port="+ports[1],
		"--http-metrics-port="+ports[2],
		"--storage-dir=log", "--signer-filepath=key.pem",
		"--checkpoint-interval=200ms", "--batch-max-age=50ms", "--tlog-timeout=1s")
	if err != nil {
		return nil, err
	}
	r := &Rekor{server, "http://127.0.0.1:" + ports[0], log}
	if _, err = server.ready(ctx, r.URL+"/healthz"); err != nil {
		return nil, err
	}
	return r, nil
}

func writeRekorKey(path string) (ed25519.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return public, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// rekorLog names the log by the key hash of a signed note (c2sp.org/signed-note), in full.
func rekorLog(public ed25519.PublicKey) (Log, error) {
	spki, err := x509.MarshalPKIXPublicKey(public)
	id := sha256.Sum256(append([]byte(RekorHost+"\n\x01"), public...))
	return newLog("https://"+RekorHost, "PKIX_ED25519", spki, id[:]), err
}
