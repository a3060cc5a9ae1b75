package sigstore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/digitorus/pkcs7"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// weakKeys are public keys under which anyone signs, by what their errors say.
func weakKeys(t *testing.T) map[string]crypto.PublicKey {
	t.Helper()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.PublicKey{
		"small order":  ed25519.PublicKey(append([]byte{1}, make([]byte, 31)...)),
		"1024 bits":    &short.PublicKey,
		"the public e": &rsa.PublicKey{N: long.N, E: 1},
		"exponent 3,":  &rsa.PublicKey{N: long.N, E: 3},
	}
}

// certified is a certificate for a key whose private part does not exist.
func certified(t *testing.T, key crypto.PublicKey, edits ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	root := pkitest.Root("Acme Root")
	template := *root.Issue("Acme", edits...).Certificate
	template.ExtraExtensions = template.Extensions
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.PublicKey = by.Public() // who signs
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key, by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// madeRoot is the text of a trusted root, and the files that it is made of.
func madeRoot(t *testing.T) (files map[string][]byte, text []byte) {
	t.Helper()
	files = pkitest.Files()
	made, err := CreateTrustedRoot(acme(files))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = made.JSON(); err != nil {
		t.Fatal(err)
	}
	return files, text
}

// TestWeakKeysInRoots puts a weak key into each place of a trusted root, and of what one is made of.
func TestWeakKeysInRoots(t *testing.T) {
	files, text := madeRoot(t)
	for says, key := range weakKeys(t) {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		authority := certified(t, key, pkitest.Authority).Raw
		details := protocommon.PublicKeyDetails_PKIX_RSA_PKCS1V15_2048_SHA256
		if _, ok := key.(ed25519.PublicKey); ok {
			details = protocommon.PublicKeyDetails_PKIX_ED25519
		}
		log := func(l *prototrustroot.TransparencyLogInstance) {
			l.PublicKey.RawBytes, l.PublicKey.KeyDetails = der, details
		}
		for place, edit := range map[string]func(*prototrustroot.TrustedRoot){
			"tlogs[1]":                  func(r *prototrustroot.TrustedRoot) { log(r.Tlogs[1]) },
			"ctlogs[0]":                 func(r *prototrustroot.TrustedRoot) { log(r.Ctlogs[0]) },
			"certificateAuthorities[0]": func(r *prototrustroot.TrustedRoot) { lastOf(r.CertificateAuthorities[0]).RawBytes = authority },
			"certificateAuthorities[1]": func(r *prototrustroot.TrustedRoot) {
				r.CertificateAuthorities[1].CertChain.Certificates[0].RawBytes = authority
			},
			"timestampAuthorities[0]": func(r *prototrustroot.TrustedRoot) {
				r.TimestampAuthorities[0].CertChain.Certificates[0].RawBytes = certified(t, key, pkitest.Stamper).Raw
			},
			"timestampAuthorities[0]: ": func(r *prototrustroot.TrustedRoot) { lastOf(r.TimestampAuthorities[0]).RawBytes = authority },
		} {
			var spec prototrustroot.TrustedRoot
			if err := protojson.Unmarshal(text, &spec); err != nil {
				t.Fatal(err)
			}
			edit(&spec)
			edited, err := protojson.Marshal(&spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseTrustedRoot(edited); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), place) {
				t.Errorf("%s in %s: %v", says, place, err)
			}
		}
		for place, edit := range map[string]func(*RootSpec){
			"transparency log":             func(s *RootSpec) { s.TransparencyLogs[0].PublicKey = pkitest.PublicKey(key) },
			"certificate transparency log": func(s *RootSpec) { s.CertificateTransparencyLogs[0].PublicKey = pkitest.PublicKey(key) },
			"certificate authority": func(s *RootSpec) {
				s.CertificateAuthorities[1].Chain = certificates(certified(t, key, pkitest.Authority))
			},
			"timestamp authority": func(s *RootSpec) { s.TimestampAuthorities[0].Chain = certificates(certified(t, key, pkitest.Stamper)) },
		} {
			spec := acme(files)
			spec.CertificateAuthorities = slices.Clone(spec.CertificateAuthorities)
			edit(&spec)
			if _, err := CreateTrustedRoot(spec); err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), place) {
				t.Errorf("%s for a %s: %v", says, place, err)
			}
		}
		tufKey, err := metadata.KeyFromPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkTUFKeys(&metadata.RootType{Keys: map[string]*metadata.Key{"0123": tufKey}}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s in a TUF root: %v", says, err)
		}
	}
}

func lastOf(ca *prototrustroot.CertificateAuthority) *protocommon.X509Certificate {
	list := ca.CertChain.Certificates
	return list[len(list)-1]
}

// TestWeakKeysInBundles has a signer's certificate, and the certificate in a timestamp, hold a weak key.
func TestWeakKeysInBundles(t *testing.T) {
	w := newWorld(t)
	trust := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice})
	for says, key := range weakKeys(t) {
		p := w.v1()
		p.material()["certificate"] = parts{"rawBytes": certified(t, key).Raw}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.ParseBundle(text)
		if err != nil {
			t.Fatal(err)
		}
		if o := b.CheckTrust(context.Background(), trust); o.Signature.Verdict != evidence.Fail || !strings.Contains(o.Signature.Reason, says) {
			t.Errorf("%s in the signer's certificate: %s %s", says, o.Signature.Verdict, o.Signature.Reason)
		}
		response := responseWith(t, certified(t, key))
		if err := checkStampKeys(response); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s in a timestamp: %v", says, err)
		}
	}
}

// responseWith is a timestamp response that carries the certificate; whose signature it has does not matter.
func responseWith(t *testing.T, c *x509.Certificate) []byte {
	t.Helper()
	signed, err := pkcs7.NewSignedData([]byte("stamp"))
	if err != nil {
		t.Fatal(err)
	}
	signed.AddCertificate(c)
	token, err := signed.Finish()
	if err != nil {
		t.Fatal(err)
	}
	response, err := asn1.Marshal(struct {
		Status struct{ Status int }
		Token  asn1.RawValue
	}{Token: asn1.RawValue{FullBytes: token}})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// hybrid gives the point of an EC key in DER the hybrid form (SEC 1, section 2.3.3), which crypto/x509 refuses, and which is as long.
func hybrid(t *testing.T, der []byte) []byte {
	t.Helper()
	at := bytes.Index(der, []byte{3, 66, 0, 4}) // the BIT STRING of a point of P-256
	if at < 0 {
		t.Fatal("no point")
	}
	changed := bytes.Clone(der)
	changed[at+3] = 6 + changed[at+3+64]&1
	return changed
}

// TestPointForms puts a key whose point is not in the form that is read into each place of a trusted root, and of what one is
// made of, and into bundles: the form is named, and where.
func TestPointForms(t *testing.T) {
	const says = "holds an EC key with a hybrid point, want an uncompressed one"
	files, text := madeRoot(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	der = hybrid(t, der)
	authority := hybrid(t, certified(t, key.Public(), pkitest.Authority).Raw)
	log := func(l *prototrustroot.TransparencyLogInstance) {
		l.PublicKey.RawBytes, l.PublicKey.KeyDetails = der, protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
	}
	for place, edit := range map[string]func(*prototrustroot.TrustedRoot){
		"tlogs[1]: https://rekor.acme.example: ":                                  func(r *prototrustroot.TrustedRoot) { log(r.Tlogs[1]) },
		"ctlogs[0]: https://ct.acme.example: ":                                    func(r *prototrustroot.TrustedRoot) { log(r.Ctlogs[0]) },
		"certificateAuthorities[0]: https://fulcio.acme.example: certificate 1: ": func(r *prototrustroot.TrustedRoot) { lastOf(r.CertificateAuthorities[0]).RawBytes = authority },
		"timestampAuthorities[0]: https://tsa.acme.example: certificate 1: ": func(r *prototrustroot.TrustedRoot) {
			r.TimestampAuthorities[0].CertChain.Certificates[0].RawBytes = authority
		},
	} {
		var spec prototrustroot.TrustedRoot
		if err := protojson.Unmarshal(text, &spec); err != nil {
			t.Fatal(err)
		}
		edit(&spec)
		edited, err := protojson.Marshal(&spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseTrustedRoot(edited); err == nil || !strings.HasSuffix(err.Error(), place+says) {
			t.Errorf("%s: %v", place, err)
		}
	}
	spec := acme(files)
	spec.TimestampAuthorities[0].Chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority})
	if _, err := CreateTrustedRoot(spec); err == nil || !strings.HasSuffix(err.Error(), "certificate 1: "+says) {
		t.Errorf("of a timestamp authority: %v", err)
	}
	w := newWorld(t)
	trust := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice})
	p := w.v1()
	leaf := certified(t, key.Public())
	p.material()["certificate"] = parts{"rawBytes": hybrid(t, leaf.Raw)}
	if text, err = json.Marshal(p); err != nil {
		t.Fatal(err)
	}
	b, err := attest.ParseBundle(text)
	if err == nil {
		o := b.CheckTrust(context.Background(), trust)
		err = errors.New(o.Signature.Reason)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("in the signer's certificate: %v", err)
	}
	if err := new(token).readCertificates(slices.Concat(leaf.Raw, hybrid(t, leaf.Raw))); err == nil || !strings.HasSuffix(err.Error(), says) {
		t.Errorf("in a timestamp: %v", err)
	}
}
