// Package pkitest makes certificates and keys for tests: a private Sigstore's, and such as are
// not fit for one.
package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"time"
)

// From and Until are when certificates are valid, unless an edit says otherwise.
var (
	From  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	Until = time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Holder is a certificate with its key.
type Holder struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Root makes a self-signed authority.
func Root(name string, edits ...func(*x509.Certificate)) *Holder {
	return newHolder(nil, name, append([]func(*x509.Certificate){Authority}, edits...))
}

// Issue makes a certificate that the holder has issued. It names no identity unless an edit adds one.
func (h *Holder) Issue(name string, edits ...func(*x509.Certificate)) *Holder {
	return newHolder(h, name, edits)
}

// Guessed is the holder with the private key 1, which anyone can guess: the certificate is the issuer's, or without one its own.
func Guessed(issuer *Holder, name string, edits ...func(*x509.Certificate)) *Holder {
	key := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 1)))
	return &Holder{certify(issuer, key, key.Public(), name, edits), key}
}

// Renew makes another certificate of the holder's key, issued by that authority.
func (h *Holder) Renew(issuer *Holder) *Holder {
	c := *h.Certificate
	c.SerialNumber, c.AuthorityKeyId, c.ExtraExtensions = must(rand.Int(rand.Reader, big.NewInt(1<<62))), nil, h.Certificate.Extensions
	c.ExtraExtensions = slices.DeleteFunc(slices.Clone(c.ExtraExtensions), func(e pkix.Extension) bool { return e.Id.Equal([]int{2, 5, 29, 35}) })
	der := must(x509.CreateCertificate(rand.Reader, &c, issuer.Certificate, h.key.Public(), issuer.key))
	return &Holder{must(x509.ParseCertificate(der)), h.key}
}

// Authority is for issuing certificates.
func Authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

// Stamper is for signing timestamps, as RFC 3161 wants it.
func Stamper(c *x509.Certificate) {
	c.ExtraExtensions = []pkix.Extension{{
		Id: []int{2, 5, 29, 37}, Critical: true,
		Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08},
	}}
}

// For is for other usages, as extended key usage that is not critical.
func For(usages ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = usages }
}

// Valid is valid at another time.
func Valid(from, until time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
}

func newHolder(issuer *Holder, name string, edits []func(*x509.Certificate)) *Holder {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return &Holder{certify(issuer, key, key.Public(), name, edits), key}
}

// Certify makes a certificate of another's key.
func (h *Holder) Certify(public any, name string, edits ...func(*x509.Certificate)) *x509.Certificate {
	return certify(h, nil, public, name, edits)
}

// certify makes a certificate by the issuer, or without one by the key itself.
func certify(issuer *Holder, own *ecdsa.PrivateKey, public any, name string, edits []func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, big.NewInt(1<<62))),
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Acme"}},
		NotBefore:    From, NotAfter: Until,
	}
	for _, edit := range edits {
		edit(c)
	}
	if issuer == nil {
		issuer = &Holder{c, own}
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, issuer.Certificate, public, issuer.key))))
}

// Signer is the holder's key.
func (h *Holder) Signer() crypto.Signer { return h.key }

// PEM are the certificates in that order.
func PEM(chain ...*Holder) []byte {
	var text []byte
	for _, h := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate.Raw})...)
	}
	return text
}

// PublicKey is a key as PEM: an *ecdsa.PublicKey, an ed25519.PublicKey or an *rsa.PublicKey.
func PublicKey(key any) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))})
}

// PrivateKey is the holder's key as PEM.
func (h *Holder) PrivateKey() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(h.key))})
}

// Files are what an operator of a private Sigstore might give us, by name: right and wrong ones.
func Files() map[string][]byte {
	root, stranger := Root("Acme Root"), Root("Stranger")
	ca := root.Issue("Acme Signing", Authority, For(x509.ExtKeyUsageCodeSigning))
	tls := root.Issue("Acme TLS", Authority, For(x509.ExtKeyUsageServerAuth))
	stamper := root.Issue("Acme Stamps", Stamper)
	early := root.Issue("Acme Early", Authority, Valid(From.AddDate(-5, 0, 0), From.AddDate(0, 0, -1)))
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	p256, p384 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	return map[string][]byte{
		"ca.pem":       PEM(ca, root),
		"old.pem":      PEM(stranger),
		"reversed.pem": PEM(root, ca),
		"noroot.pem":   PEM(ca),
		"stranger.pem": PEM(ca, stranger),
		"twice.pem":    PEM(ca, root, root),
		"never.pem":    PEM(early, root),
		"tls.pem":      PEM(tls, root),
		"leaf.pem":     PEM(ca.Issue("ada@acme.example"), ca, root),
		"private.pem":  slices.Concat(PEM(ca, root), ca.PrivateKey()),
		"broken.pem":   append(PEM(ca, root), "-----BEGIN CERTIFICATE-----\nMIIB\n"...),

		"tsa.pem":             PEM(stamper, root),
		"tsa-leaf.pem":        PEM(stamper),
		"tsa-reversed.pem":    PEM(root, stamper),
		"tsa-usage.pem":       PEM(root.Issue("Acme Web", For(x509.ExtKeyUsageServerAuth)), root),
		"tsa-both.pem":        PEM(root.Issue("Acme Both", For(x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageCodeSigning)), root),
		"tsa-notcritical.pem": PEM(root.Issue("Acme Lax", For(x509.ExtKeyUsageTimeStamping)), root),

		"rekor.pub": PublicKey(ed),
		"ecdsa.pub": PublicKey(p256.Public()),
		"p384.pub":  PublicKey(p384.Public()),
		"rekor.key": root.PrivateKey(),
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // of the standard library's generators, which tests rely on
	}
	return v
}
