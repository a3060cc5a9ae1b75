package sigstore

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// oidcIssuer is the extension that names the OIDC issuer, as Fulcio writes it in its second form.
func oidcIssuer(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oid(1, 3, 6, 1, 4, 1, 57264, 1, 8), Value: der(issuer).FullBytes})
}

// signersOwn is a certificate as Fulcio issues them, before it is edited.
func signersOwn(c *x509.Certificate) {
	c.Subject, c.EmailAddresses, c.KeyUsage = pkix.Name{}, []string{alice}, x509.KeyUsageDigitalSignature
	oidcIssuer(c)
}

// byHolder is a statement that the holder of a certificate has signed.
func byHolder(t testing.TB, by *pkitest.Holder) parts {
	t.Helper()
	e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: statement(t)}
	digest := sha256.Sum256(e.Message())
	sig, err := by.Signer().Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return parts{
		"mediaType":            attest.BundleMediaType,
		"verificationMaterial": parts{"certificate": parts{"rawBytes": by.Certificate.Raw}},
		"dsseEnvelope": parts{
			"payload": e.Payload, "payloadType": e.PayloadType, "signatures": []parts{{"sig": base64.StdEncoding.EncodeToString(sig)}},
		},
	}
}

// issuedBy is a trusted root of one certificate authority, whose chain is given with its root last, and a timestamp authority.
func issuedBy(t testing.TB, stamps *pkitest.Holder, top *pkitest.Holder, chain ...*pkitest.Holder) *TrustedRoot {
	t.Helper()
	spec := &prototrustroot.TrustedRoot{MediaType: root.TrustedRootMediaType01}
	spec.CertificateAuthorities = append(spec.CertificateAuthorities, newAuthority("https://ca.acme.example", certificatesOf(chain...), period{}))
	spec.TimestampAuthorities = append(spec.TimestampAuthorities, newAuthority("https://tsa.acme.example", certificatesOf(stamps, top), period{}))
	r, err := newTrustedRoot(spec)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSignersCertificates: which certificates of an authority sign, and which chains lead to it.
func TestSignersCertificates(t *testing.T) {
	top, other := pkitest.Root("Acme Root"), pkitest.Root("Other Root")
	stamps := top.Issue("Acme Stamps", pkitest.Stamper)
	code := pkitest.For(x509.ExtKeyUsageCodeSigning)
	middle := top.Issue("Acme Signing", pkitest.Authority, code)
	issue := func(by *pkitest.Holder, edits ...func(*x509.Certificate)) *pkitest.Holder {
		return by.Issue("", append([]func(*x509.Certificate){signersOwn, code}, edits...)...)
	}
	usage := func(usage x509.KeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.KeyUsage = usage }
	}
	constrained := top.Issue("Acme Corp", pkitest.Authority, code, func(c *x509.Certificate) {
		c.PermittedEmailAddresses, c.PermittedDNSDomainsCritical = []string{"acme.example"}, true
	})
	short := top.Issue("Acme Short", pkitest.Authority, code, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := short.Issue("Acme Below", pkitest.Authority, code)
	old := top.Issue("Acme Old", pkitest.Authority, code, pkitest.Valid(pkitest.From, stampedAt.Add(-time.Minute)))
	web := top.Issue("Acme Web", pkitest.Authority, pkitest.For(x509.ExtKeyUsageServerAuth))
	plain := top.Issue("Acme Plain") // no authority
	crossed := middle.Renew(other)
	for name, c := range map[string]struct {
		by      *pkitest.Holder
		chain   []*pkitest.Holder
		refused string
	}{
		"as Fulcio's":             {issue(middle), []*pkitest.Holder{middle, top}, ""},
		"no key usage":            {issue(middle, usage(0)), []*pkitest.Holder{middle, top}, ""},
		"more key usages":         {issue(middle, usage(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment)), []*pkitest.Holder{middle, top}, ""},
		"more extended usages":    {issue(middle, pkitest.For(x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageClientAuth)), []*pkitest.Holder{top.Issue("Any", pkitest.Authority), middle, top}, ""},
		"another usage":           {issue(middle, pkitest.For(x509.ExtKeyUsageClientAuth)), []*pkitest.Holder{middle, top}, "extended key usage is not code signing"},
		"any usage":               {issue(middle, pkitest.For(x509.ExtKeyUsageAny)), []*pkitest.Holder{middle, top}, "extended key usage is not code signing"},
		"no extended usage":       {issue(middle, pkitest.For()), []*pkitest.Holder{middle, top}, "extended key usage is not code signing"},
		"for key agreement":       {issue(middle, usage(x509.KeyUsageKeyAgreement)), []*pkitest.Holder{middle, top}, "key usage is not digital signature"},
		"for encipherment":        {issue(middle, usage(x509.KeyUsageKeyEncipherment)), []*pkitest.Holder{middle, top}, "key usage is not digital signature"},
		"cross-signed, by ours":   {issue(middle), []*pkitest.Holder{crossed, middle, top}, ""},
		"cross-signed, by theirs": {issue(crossed), []*pkitest.Holder{middle, top}, ""},
		"of the other alone":      {issue(middle), []*pkitest.Holder{middle, other}, "unknown authority"},
		"chain of duplicates":     {issue(middle), []*pkitest.Holder{middle, middle, top, top}, ""},
		"name not permitted":      {issue(constrained), []*pkitest.Holder{constrained, top}, "not permitted by any constraint"},
		"too long a path":         {issue(below), []*pkitest.Holder{below, short, top}, "too many intermediates"},
		"expired intermediate":    {issue(old), []*pkitest.Holder{old, top}, "expired or is not yet valid"},
		"for servers":             {issue(web), []*pkitest.Holder{web, top}, "incompatible key usage"},
		"not an authority":        {issue(plain), []*pkitest.Holder{plain, top}, "unknown authority"},
		"expired":                 {issue(middle, pkitest.Valid(pkitest.From, stampedAt.Add(-time.Second))), []*pkitest.Holder{middle, top}, "expired or is not yet valid"},
		"not yet":                 {issue(middle, pkitest.Valid(stampedAt.Add(time.Second), pkitest.Until)), []*pkitest.Holder{middle, top}, "expired or is not yet valid"},
		"itself the root":         {issue(middle), []*pkitest.Holder{issue(middle)}, "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			p := byHolder(t, c.by)
			d := newDraft(stamps)
			d.info.Imprint.Hash = sum(crypto.SHA256, p.signature(t))
			p.stamp(d.response())
			o := p.bundle(t).CheckTrust(t.Context(), trusting(t, TrustOptions{Root: issuedBy(t, stamps, top, c.chain...), Identities: trustsAlice}))
			if yes := o.By != nil; yes != (c.refused == "") || !strings.Contains(o.Signature.Reason+o.Signer.Reason, c.refused) {
				t.Errorf("%+v\nwant %q", o, c.refused)
			}
		})
	}
}

// TestRejectionsUsage: a certificate for another usage, or for another name besides the trusted one, signs nothing that counts, and may be
// a rejection all the same.
func TestRejectionsUsage(t *testing.T) {
	top := pkitest.Root("Acme Root")
	stamps, middle := top.Issue("Acme Stamps", pkitest.Stamper), top.Issue("Acme Signing", pkitest.Authority)
	for name, edit := range map[string]func(*x509.Certificate){
		"no usage":                func(*x509.Certificate) {},
		"of clients":              pkitest.For(x509.ExtKeyUsageClientAuth),
		"of mail and timestamps":  pkitest.For(x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageTimeStamping),
		"one that is unknown":     func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} },
		"an authority's":          pkitest.Authority,
		"another name before it":  func(c *x509.Certificate) { c.EmailAddresses = []string{"x@example.com", alice} },
		"a URI besides the email": func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "https", Host: "x.example"}} },
		"an unknown critical extension": func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		},
	} {
		p := byHolder(t, middle.Issue("", signersOwn, edit))
		for anyTime, want := range map[bool]bool{false: false, true: true} {
			trust := trusting(t, TrustOptions{Root: issuedBy(t, stamps, top, middle, top), Identities: trustsAlice, UnsafeAnyTime: anyTime})
			if by := p.bundle(t).PossibleSigner(t.Context(), trust); (by != nil) != want {
				t.Errorf("%s, at any time %v: %v", name, anyTime, by)
			}
		}
	}
}
