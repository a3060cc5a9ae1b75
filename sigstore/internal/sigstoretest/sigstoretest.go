// Package sigstoretest is a Sigstore on this machine, for tests: a certificate authority that certifies every name that a
// token claims, a timestamp authority, and the trusted root that names both.
package sigstoretest

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/sigstore"
)

// Issuer is the OIDC issuer that certificates name.
const Issuer = "https://login.acme.example"

// Sigstore is the two authorities. Set the fields before the first request.
type Sigstore struct {
	Fulcio, Timestamps string // URLs
	Root               *sigstore.TrustedRoot
	Lifetime           time.Duration // of certificates
	Refusing           atomic.Bool   // the certificate authority is down, which may change
	Certified, Stamped atomic.Int32  // how often each authority has answered
	Refused            atomic.Int32  // how often the certificate authority was asked while it was down

	servers     []*httptest.Server
	ca, stamper *pkitest.Holder
}

// Start starts the authorities; the certificates that they issue are valid for ten minutes.
func Start() *Sigstore {
	root := pkitest.Root("Acme Root")
	s := &Sigstore{
		Lifetime: 10 * time.Minute,
		ca:       root.Issue("Acme Signing", pkitest.Authority, pkitest.For(x509.ExtKeyUsageCodeSigning)),
		stamper:  root.Issue("Acme Stamps", pkitest.Stamper),
	}
	serve := func(h http.HandlerFunc) string {
		server := httptest.NewServer(h)
		s.servers = append(s.servers, server)
		return server.URL
	}
	s.Fulcio, s.Timestamps = serve(s.certify), serve(s.stamp)
	s.Root = must(sigstore.CreateTrustedRoot(sigstore.RootSpec{
		CertificateAuthorities: []sigstore.AuthoritySpec{{URL: s.Fulcio, Chain: pkitest.PEM(s.ca, root)}},
		TimestampAuthorities:   []sigstore.AuthoritySpec{{URL: s.Timestamps, Chain: pkitest.PEM(s.stamper, root)}},
	}))
	return s
}

// Close stops the authorities.
func (s *Sigstore) Close() {
	for _, server := range s.servers {
		server.Close()
	}
}

// Endpoints are the two services, as a session takes them.
func (s *Sigstore) Endpoints() sigstore.Endpoints {
	return sigstore.Endpoints{Fulcio: s.Fulcio, Services: sigstore.Services{TimestampAuthorities: []string{s.Timestamps}}}
}

// Token is an identity token of that email address; its signature is not one.
func Token(email string) string {
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }
	claims := map[string]any{"iss": Issuer, "aud": "sigstore", "sub": email, "email": email, "email_verified": true}
	return part(map[string]string{"alg": "ES256"}) + "." + part(claims) + "." + part("signature")
}

// certify answers POST /api/v2/signingCert of Fulcio.
func (s *Sigstore) certify(w http.ResponseWriter, r *http.Request) {
	if s.Refusing.Load() {
		s.Refused.Add(1)
		http.Error(w, "down", http.StatusBadRequest) // which is not asked again
		return
	}
	var request struct {
		PublicKeyRequest struct{ PublicKey struct{ Content string } }
	}
	token := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	var claims struct{ Email string }
	if len(token) == 3 {
		_ = json.Unmarshal(must(base64.RawURLEncoding.DecodeString(token[1])), &claims)
	}
	err := json.NewDecoder(r.Body).Decode(&request)
	block, _ := pem.Decode([]byte(request.PublicKeyRequest.PublicKey.Content))
	if err != nil || block == nil || claims.Email == "" {
		http.Error(w, "want a public key and a token", http.StatusBadRequest)
		return
	}
	now := time.Now().Truncate(time.Second)
	leaf := s.ca.Certify(must(x509.ParsePKIXPublicKey(block.Bytes)), "", pkitest.For(x509.ExtKeyUsageCodeSigning), func(c *x509.Certificate) {
		c.Subject, c.EmailAddresses, c.KeyUsage = pkix.Name{}, []string{claims.Email}, x509.KeyUsageDigitalSignature
		c.NotBefore, c.NotAfter = now, now.Add(s.Lifetime)
		c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 57264, 1, 1}, Value: []byte(Issuer)}}
	})
	s.Certified.Add(1)
	chain := map[string]any{"certificates": []string{
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})), string(pkitest.PEM(s.ca)),
	}}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": chain}})
}

// stamp answers RFC 3161 requests.
func (s *Sigstore) stamp(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request, err := timestamp.ParseRequest(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.Stamped.Add(1)
	made := timestamp.Timestamp{
		HashAlgorithm: request.HashAlgorithm, HashedMessage: request.HashedMessage, Nonce: request.Nonce, Time: time.Now(),
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2}, AddTSACertificate: request.Certificates,
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(must(made.CreateResponseWithOpts(s.stamper.Certificate, s.stamper.Signer(), crypto.SHA256)))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // of generators, which tests rely on
	}
	return v
}
