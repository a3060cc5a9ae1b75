// Package authorities reads the certificate authorities that a server, or a server of clients, is checked against.
package authorities

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// Pool are the certificates in PEM, each of which must be one: of an authority that is left out, what it certifies is refused
// without a reason that leads to the file. Text around the blocks is passed over.
func Pool(text []byte) (*x509.CertPool, error) {
	pool, n := x509.NewCertPool(), 0
	begun := bytes.Count(text, []byte("-----BEGIN "))
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		n++
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("block %d is %q, want certificates in PEM", n, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", n, err)
		}
		pool.AddCert(certificate)
	}
	switch {
	case n != begun:
		return nil, errors.New("holds PEM that cannot be read")
	case n == 0:
		return nil, errors.New("no certificate in it, want PEM")
	}
	return pool, nil
}
