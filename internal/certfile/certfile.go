// Package certfile reads files of X.509 certificates.
package certfile

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/ecpoint"
)

// Parse reads certificates as PEM, in their order. Text around the blocks, as openssl writes it, is passed over. A block of
// another kind, or one that cannot be read, is an error: what a certificate that is left out has certified would be refused without a
// reason that leads to the file.
func Parse(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	begun := bytes.Count(text, []byte("-----BEGIN "))
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		begun--
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errors.New("holds a private key, which no verifier needs: give the certificates alone, and keep the key secret")
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("holds a %s, want certificates alone", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, cmp.Or(ecpoint.OfCertificate(block.Bytes).Err(), err))
		}
		all = append(all, c)
	}
	switch {
	case begun != 0:
		return nil, errors.New("holds PEM that cannot be read")
	case len(all) == 0:
		return nil, errors.New("holds no certificate: want PEM, -----BEGIN CERTIFICATE-----")
	}
	return all, nil
}

// Pool has the certificates of Parse as authorities. One whose key check refuses is an error: others may issue certificates in its name.
func Pool(text []byte, check func(crypto.PublicKey) error) (*x509.CertPool, error) {
	all, err := Parse(text)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for i, c := range all {
		if err := check(c.PublicKey); err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i+1, err)
		}
		pool.AddCert(c)
	}
	return pool, nil
}

// KeysOf is VerifyConnection of crypto/tls that wants of the other side, if it has a certificate that was verified, a chain of which
// check refuses no key: with a key that others can use, a certificate proves nothing.
func KeysOf(check func(crypto.PublicKey) error) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		var refused error
		for _, chain := range s.VerifiedChains {
			at := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
				err := check(c.PublicKey)
				refused = cmp.Or(refused, err)
				return err != nil
			})
			if at < 0 {
				return nil
			}
		}
		if refused != nil {
			return fmt.Errorf("tls: the certificate of the other side, or one of its chain: %w", refused)
		}
		return nil
	}
}
