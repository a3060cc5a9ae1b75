package services

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"github.com/runattest/runattest/e2e/internal/tools"
)

// Fulcio is a certificate authority with an ephemeral root.
type Fulcio struct {
	*process
	URL       string
	Authority Authority // its chain, for a trusted root
}

// Fulcio starts one that takes the issuers' tokens. Its certificates carry the log's timestamp; with
// a nil log they carry none.
func (p Place) Fulcio(ctx context.Context, log *CTLog, issuers ...*Issuer) (*Fulcio, error) {
	program, err := tools.Install(ctx, p.Bin, tools.Fulcio)
	if err != nil {
		return nil, err
	}
	dir, err := p.folder("fulcio")
	if err != nil {
		return nil, err
	}
	if err := writeFulcioConfig(filepath.Join(dir, "config.json"), issuers); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	logURL := ""
	if log != nil {
		logURL = log.URL
	}
	server, err := launch(dir, program, "serve", "--ca=ephemeralca", "--config-path=config.json",
		"--host=127.0.0.1", "--port="+ports[0],
		"--grpc-host=127.0.0.1", "--grpc-port="+ports[1],
		"--metrics-port="+ports[2],
		"--legacy-unix-domain-socket=legacy.sock",
		"--ct-log-url="+logURL)
	if err != nil {
		return nil, err
	}
	f := &Fulcio{process: server, URL: "http://127.0.0.1:" + ports[0]}
	bundle, err := server.ready(ctx, f.URL+"/api/v2/trustBundle")
	if err != nil {
		return nil, err
	}
	if f.Authority, err = fulcioAuthority(f.URL, bundle); err != nil {
		server.Stop()
		return nil, err
	}
	return f, nil
}

func writeFulcioConfig(path string, issuers []*Issuer) error {
	type issuer struct{ IssuerURL, ClientID, Type string }
	config := map[string]issuer{}
	for _, i := range issuers {
		config[i.URL] = issuer{i.URL, Audience, i.Type}
	}
	data, err := json.Marshal(map[string]any{"OIDCIssuers": config})
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// fulcioAuthority reads the answer of GET /api/v2/trustBundle: chains of certificates in PEM.
func fulcioAuthority(url string, bundle []byte) (Authority, error) {
	var answer struct {
		Chains []struct{ Certificates []string }
	}
	if err := json.Unmarshal(bundle, &answer); err != nil {
		return Authority{}, fmt.Errorf("trust bundle: %w", err)
	}
	if len(answer.Chains) != 1 {
		return Authority{}, fmt.Errorf("trust bundle: %d chains, want 1", len(answer.Chains))
	}
	var chain []byte
	for _, cert := range answer.Chains[0].Certificates {
		chain = append(append(chain, cert...), '\n')
	}
	certs, err := parseChain(chain)
	if err != nil {
		return Authority{}, fmt.Errorf("trust bundle: %w", err)
	}
	return newAuthority(url, certs), nil
}

// parseChain reads one certificate or more, PEM, the root last.
func parseChain(data []byte) (certs []*x509.Certificate, err error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("no certificate in %q", data)
	}
	return certs, nil
}
