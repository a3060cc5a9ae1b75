package sigstore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
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

// TestRejectionsKey: a certificate with a key that nothing can be verified with signs nothing that counts, and may be its signer's
// rejection, if the trusted root names the authority that has issued it.
func TestRejectionsKey(t *testing.T) {
	top, other := pkitest.Root("Acme Root"), pkitest.Root("Other Root")
	stamps, middle, stranger := top.Issue("Acme Stamps", pkitest.Stamper), top.Issue("Acme Signing", pkitest.Authority), other.Issue("Acme Signing", pkitest.Authority)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cubed := rsa.PublicKey{N: new(big.Int).Mul(short.N, new(big.Int).Mul(short.N, short.N)), E: 3}
	for name, issue := range map[string]func(by *pkitest.Holder) []byte{
		"RSA of 1024 bits":  func(by *pkitest.Holder) []byte { return by.Certify(short.Public(), "", signersOwn).Raw },
		"RSA of exponent 3": func(by *pkitest.Holder) []byte { return by.Certify(&cubed, "", signersOwn).Raw },
		"P-224":             func(by *pkitest.Holder) []byte { return by.Certify(p224.Public(), "", signersOwn).Raw },
		"an unknown curve": func(by *pkitest.Holder) []byte {
			return altered(t, by, "\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x06")
		},
		"an unknown kind": func(by *pkitest.Holder) []byte {
			return altered(t, by, "\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f")
		},
		"a compressed point": func(by *pkitest.Holder) []byte { return altered(t, by, "\x03\x42\x00\x04", "\x03\x42\x00\x06") },
	} {
		for _, by := range []*pkitest.Holder{middle, stranger} {
			p := byHolder(t, by)
			p.material()["certificate"] = parts{"rawBytes": issue(by)}
			for anyTime, want := range map[bool]bool{false: false, true: by == middle} {
				trust := trusting(t, TrustOptions{Root: issuedBy(t, stamps, top, middle, top), Identities: trustsAlice, UnsafeAnyTime: anyTime})
				who, o := p.bundle(t).PossibleSigner(t.Context(), trust), p.bundle(t).CheckTrust(t.Context(), trust)
				if (who != nil) != want || want && who.Name != alice || o.By != nil || !strings.HasPrefix(o.Signature.Reason, "the certificate cannot be used: ") {
					t.Errorf("%s, at any time %v: %v, %+v", name, anyTime, who, o)
				}
			}
		}
	}
}

// altered is a certificate of alice with other bytes in it, which the authority has signed all the same.
func altered(t testing.TB, by *pkitest.Holder, before, after string) []byte {
	t.Helper()
	c := by.Issue("", signersOwn).Certificate
	body := bytes.Replace(c.RawTBSCertificate, []byte(before), []byte(after), 1)
	if bytes.Equal(body, c.RawTBSCertificate) {
		t.Fatalf("%x is not in the certificate", before)
	}
	digest := sha256.Sum256(body)
	signature, err := by.Signer().Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Body      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: body}, pkix.AlgorithmIdentifier{Algorithm: oid(1, 2, 840, 10045, 4, 3, 2)}, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestRejectionsChain: a certificate that is put before the signer's does not take a rejection's effect away.
func TestRejectionsChain(t *testing.T) {
	top := pkitest.Root("Acme Root")
	stamps, middle := top.Issue("Acme Stamps", pkitest.Stamper), top.Issue("Acme Signing", pkitest.Authority)
	by := middle.Issue("", signersOwn)
	p := byHolder(t, by)
	delete(p.material(), "certificate")
	p.material()["x509CertificateChain"] = parts{"certificates": []parts{{"rawBytes": top.Certificate.Raw}, {"rawBytes": by.Certificate.Raw}}}
	trust := trusting(t, TrustOptions{Root: issuedBy(t, stamps, top, middle, top), Identities: trustsAlice, UnsafeAnyTime: true})
	if who := p.bundle(t).PossibleSigner(t.Context(), trust); who == nil || who.Name != alice {
		t.Errorf("%v", who)
	}
}

// checksOf is what it counts to hold a certificate, with a signature by its key or by none, against identities that an authority certifies.
func checksOf(t *testing.T, by *pkitest.Holder, isSigned bool, middle, top *pkitest.Holder, identities []CertificateIdentity, anyTime bool) (int, evidence.Result) {
	t.Helper()
	e := evidence.Envelope{
		MediaType: attest.BundleMediaType, PayloadType: attest.PayloadType, Payload: statement(t), Signature: []byte("none"),
		Certificates: [][]byte{by.Certificate.Raw}, Work: signer.NewWork(50_000),
	}
	if digest := sha256.Sum256(e.Message()); isSigned {
		var err error
		if e.Signature, err = by.Signer().Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	root := issuedBy(t, top.Issue("Acme Stamps", pkitest.Stamper), top, middle, top)
	o := trusting(t, TrustOptions{Root: root, Identities: identities, UnsafeAnyTime: anyTime}).CheckEnvelope(t.Context(), e)
	return e.Work.Done(), o
}

func signsCode(c *x509.Certificate) {
	signersOwn(c)
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
}

// TestForgedIssuer: a certificate of a stranger that names a trusted signer and an authority has each authority asked, and counts for that.
func TestForgedIssuer(t *testing.T) {
	top := pkitest.Root("Acme Root")
	middle := top.Issue("Acme Signing", pkitest.Authority)
	by := pkitest.Root("Acme Signing").Issue("", signsCode)
	for _, anyTime := range []bool{false, true} {
		for _, isSigned := range []bool{false, true} {
			checks, o := checksOf(t, by, isSigned, middle, top, trustsAlice, anyTime)
			if o.By != nil || isSigned && o.Signer.Code != evidence.CodeCertificateIssuer || checks < 16+2*foreignChecks {
				t.Errorf("signed %v: %+v, counted as %d checks", isSigned, o, checks)
			}
		}
	}
}

// TestTrustedNamesAreFree: what holding the names of a trusted signer took is not counted.
func TestTrustedNamesAreFree(t *testing.T) {
	top := pkitest.Root("Acme Root")
	middle := top.Issue("Acme Signing", pkitest.Authority)
	identities := slices.Repeat([]CertificateIdentity{{SubjectAlternativeName: matching(t, `.*@example\.com`), Issuer: matching(t, `https://.*`)}}, 100)
	if checks, o := checksOf(t, middle.Issue("", signsCode), true, middle, top, identities, true); o.By == nil || checks != 0 {
		t.Errorf("%+v, counted as %d checks", o, checks)
	}
}

// TestLongNames: names of a stranger's certificate count by their length where they are held against expressions.
func TestLongNames(t *testing.T) {
	top := pkitest.Root("Acme Root")
	middle := top.Issue("Acme Signing", pkitest.Authority)
	expressions := slices.Repeat([]CertificateIdentity{{SubjectAlternativeName: matching(t, `.*(team|group)0.*@acme\.example`), Issuer: matching(t, `https://.*(accounts|login)0.*`)}}, 20)
	exact := slices.Repeat([]CertificateIdentity{{SubjectAlternativeName: Exactly("bob@b.example"), Issuer: Exactly(issuer)}}, 500)
	long := strings.Repeat("a", 60_000)
	for title, c := range map[string]struct {
		edit        func(*x509.Certificate)
		identities  []CertificateIdentity
		least, most int
	}{
		"short names": {func(c *x509.Certificate) {}, expressions, 16, 30},
		"a long name": {func(c *x509.Certificate) { c.EmailAddresses = []string{long + "@b.example"} }, expressions, 2_000, 3_000},
		"a long issuer": {func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oid(1, 3, 6, 1, 4, 1, 57264, 1, 1), Value: []byte("https://" + long)}}
		}, expressions, 2_000, 3_000},
		"many exact names": {func(c *x509.Certificate) {}, exact, 16, 20},
	} {
		by := pkitest.Root("Stranger").Issue("", signsCode, c.edit)
		for _, anyTime := range []bool{false, true} {
			if checks, _ := checksOf(t, by, false, middle, top, c.identities, anyTime); checks < c.least || checks > c.most {
				t.Errorf("%s: counted as %d checks, want %d to %d", title, checks, c.least, c.most)
			}
		}
	}
}
