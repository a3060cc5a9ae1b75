package sigstore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // what tokens must not be signed with
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
)

// draft is a timestamp before it is written, right in all until it is edited.
type draft struct {
	by           *pkitest.Holder
	certificates []*pkitest.Holder
	status       int
	content      asn1.ObjectIdentifier
	digest       asn1.ObjectIdentifier // of the signer info
	algorithm    asn1.ObjectIdentifier // of the signature
	parameters   asn1.RawValue         // of it
	hash         crypto.Hash           // that is signed with
	version      int                   // of the signed data
	revocations  []asn1.RawValue
	signer       int              // its version
	attributes   []draftAttribute // after content-type and message-digest
	unsigned     bool             // without any signed attribute
	twoSigners   bool
	info         draftInfo
	behind       []byte // in the timestamp info
}

type draftAttribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type draftInfo struct {
	Version    int
	Policy     asn1.ObjectIdentifier
	Imprint    draftImprint
	Serial     *big.Int
	Time       asn1.RawValue
	Accuracy   asn1.RawValue    `asn1:"optional"`
	Nonce      *big.Int         `asn1:"optional"`
	TSA        asn1.RawValue    `asn1:"optional"`
	Extensions []pkix.Extension `asn1:"optional,tag:1"`
}

type draftImprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hash      []byte
}

var (
	stampedAt = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	stampOver = []byte("a signature")
	oidMD5    = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
)

func der(v any) asn1.RawValue {
	text, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return asn1.RawValue{FullBytes: text}
}

// tagged is a value with another tag of its context.
func tagged(tag int, constructed bool, content []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: constructed, Bytes: content}
}

func generalizedTime(text string) asn1.RawValue {
	return asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte(text)}
}

// accuracyOf is seconds, milliseconds and microseconds; what is negative is left out.
func accuracyOf(seconds, millis, micros int64) asn1.RawValue {
	var content []byte
	if seconds >= 0 {
		content = append(content, der(seconds).FullBytes...)
	}
	for tag, n := range []int64{millis, micros} {
		if n >= 0 {
			content = append(content, der(tagged(tag, false, big.NewInt(n).Bytes())).FullBytes...)
		}
	}
	return asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content}
}

func newDraft(by *pkitest.Holder) *draft {
	return &draft{
		by: by, certificates: []*pkitest.Holder{by}, content: oidTSTInfo, version: 3, signer: 1,
		digest: pkcs7.OIDDigestAlgorithmSHA256, algorithm: pkcs7.OIDDigestAlgorithmECDSASHA256, hash: crypto.SHA256,
		attributes: []draftAttribute{essV2(by.Certificate, by.Certificate)},
		info: draftInfo{
			Version: 1, Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
			Imprint: draftImprint{pkix.AlgorithmIdentifier{Algorithm: pkcs7.OIDDigestAlgorithmSHA256, Parameters: asn1.NullRawValue}, sum(crypto.SHA256, stampOver)},
			Serial:  big.NewInt(7), Time: generalizedTime(stampedAt.Format("20060102150405.999999999") + "Z"),
		},
	}
}

// essV2 names a certificate by its digest, and an issuer and serial number.
func essV2(c, issued *x509.Certificate) draftAttribute {
	id := struct {
		Digest       []byte
		IssuerSerial struct {
			Issuer []asn1.RawValue
			Serial *big.Int
		}
	}{Digest: sum(crypto.SHA256, c.Raw)}
	id.IssuerSerial.Issuer = []asn1.RawValue{tagged(directoryName, true, issued.RawIssuer)}
	id.IssuerSerial.Serial = issued.SerialNumber
	return draftAttribute{oidSigningCertificateV2, []asn1.RawValue{der([]any{[]any{id}})}}
}

// essV1 names a certificate by its SHA-1.
func essV1(c *x509.Certificate) draftAttribute {
	digest := sha1.Sum(c.Raw)
	return draftAttribute{oidSigningCertificate, []asn1.RawValue{der([]any{[]any{[]any{digest[:]}}})}}
}

func (d *draft) response() []byte {
	status := der([]any{d.status})
	return der([]any{status, der(d.token())}).FullBytes
}

func (d *draft) token() asn1.RawValue {
	info := der(d.info)
	if d.behind != nil {
		var v asn1.RawValue
		_, _ = asn1.Unmarshal(info.FullBytes, &v)
		info = der(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: slices.Concat(v.Bytes, d.behind)})
	}
	content := info.FullBytes
	set := func(v ...asn1.RawValue) asn1.RawValue {
		var all []byte
		for _, e := range v {
			all = append(all, e.FullBytes...)
		}
		return asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: all}
	}
	digest := func(data []byte) []byte {
		if d.hash == crypto.SHA1 {
			return sha1Sum(data)
		}
		return sum(d.hash, data)
	}
	signer := []any{d.signer, []any{asn1.RawValue{FullBytes: d.by.Certificate.RawIssuer}, d.by.Certificate.SerialNumber}, pkix.AlgorithmIdentifier{Algorithm: d.digest}}
	signed := content
	if !d.unsigned {
		attributes := []draftAttribute{
			{pkcs7.OIDAttributeContentType, []asn1.RawValue{der(d.content)}},
			{pkcs7.OIDAttributeMessageDigest, []asn1.RawValue{der(digest(content))}},
		}
		for _, a := range d.attributes { // of the same type instead, or behind
			if i := slices.IndexFunc(attributes, func(b draftAttribute) bool { return b.Type.Equal(a.Type) }); i >= 0 && len(a.Values) <= 1 {
				attributes[i] = a
			} else {
				attributes = append(attributes, a)
			}
		}
		attributes = slices.DeleteFunc(attributes, func(a draftAttribute) bool { return len(a.Values) == 0 })
		var all [][]byte
		for _, a := range attributes {
			all = append(all, der(a).FullBytes)
		}
		slices.SortFunc(all, bytes.Compare)
		signed = der(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(all, nil)}).FullBytes
		signer = append(signer, tagged(0, true, bytes.Join(all, nil)))
	}
	block, _ := pem.Decode(d.by.PrivateKey())
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	signature, err := key.(*ecdsa.PrivateKey).Sign(rand.Reader, digest(signed), d.hash)
	if err != nil {
		panic(err)
	}
	signer = append(signer, pkix.AlgorithmIdentifier{Algorithm: d.algorithm, Parameters: d.parameters}, signature)
	signers := []asn1.RawValue{der(signer)}
	if d.twoSigners {
		signers = append(signers, signers[0])
	}
	data := []any{
		d.version, set(der(pkix.AlgorithmIdentifier{Algorithm: d.digest})),
		[]any{d.content, tagged(0, true, der(content).FullBytes)},
	}
	if len(d.certificates) > 0 {
		var all []byte
		for _, c := range d.certificates {
			all = append(all, c.Certificate.Raw...)
		}
		data = append(data, tagged(0, true, all))
	}
	if d.revocations != nil {
		var all []byte
		for _, v := range d.revocations {
			all = append(all, der(v).FullBytes...)
		}
		data = append(data, tagged(1, true, all))
	}
	data = append(data, set(signers...))
	return der([]any{pkcs7.OIDSignedData, tagged(0, true, der(data).FullBytes)})
}

// namedChain is an authority as a trusted root names it.
type namedChain struct {
	url      string
	chain    []*pkitest.Holder
	valid    period
	operator string // optional
}

func certificatesOf(holders ...*pkitest.Holder) []*x509.Certificate {
	var chain []*x509.Certificate
	for _, h := range holders {
		chain = append(chain, h.Certificate)
	}
	return chain
}

// rootWith is a trusted root as it might be given, made without the checks of CreateTrustedRoot.
func rootWith(t testing.TB, named ...namedChain) *TrustedRoot {
	t.Helper()
	spec := &prototrustroot.TrustedRoot{MediaType: root.TrustedRootMediaType01}
	for _, n := range named {
		a := newAuthority(n.url, certificatesOf(n.chain...), n.valid)
		a.Operator = n.operator
		spec.TimestampAuthorities = append(spec.TimestampAuthorities, a)
	}
	text, err := (&TrustedRoot{spec: spec}).JSON()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseTrustedRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTokens: a timestamp counts in the form that RFC 3161, RFC 5816 and RFC 5652 demand, and in no other.
func TestTokens(t *testing.T) {
	top := pkitest.Root("Acme Root")
	by, other := top.Issue("Acme Stamps", pkitest.Stamper), top.Issue("Acme Other", pkitest.Stamper)
	const url = "https://tsa.acme.example"
	r := rootWith(t, namedChain{url: url, chain: []*pkitest.Holder{by, top}})
	name := func(c *x509.Certificate) asn1.RawValue {
		return tagged(0, true, der(tagged(directoryName, true, c.RawSubject)).FullBytes)
	}
	extension := func(critical bool) []pkix.Extension {
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: critical, Value: []byte{5, 0}}}
	}
	for title, c := range map[string]struct {
		edit    func(*draft)
		refused string // "" if it verifies
	}{
		"as it should be":            {func(*draft) {}, ""},
		"without certificates":       {func(d *draft) { d.certificates = nil }, ""},
		"granted with modifications": {func(d *draft) { d.status = 1 }, ""},
		"rejected":                   {func(d *draft) { d.status = 2 }, "the request is rejected"},
		"waiting":                    {func(d *draft) { d.status = 3 }, "waiting"},
		"ESSCertID of version 1":     {func(d *draft) { d.attributes = []draftAttribute{essV1(by.Certificate)} }, ""},
		"both versions":              {func(d *draft) { d.attributes = append(d.attributes, essV1(by.Certificate)) }, ""},
		"one of both is another's":   {func(d *draft) { d.attributes = append(d.attributes, essV1(other.Certificate)) }, "another certificate"},
		"ESSCertID of another":       {func(d *draft) { d.attributes = []draftAttribute{essV1(other.Certificate)} }, "another certificate"},
		"ESSCertIDv2 of another":     {func(d *draft) { d.attributes = []draftAttribute{essV2(other.Certificate, by.Certificate)} }, "another certificate"},
		"serial number of another":   {func(d *draft) { d.attributes = []draftAttribute{essV2(by.Certificate, other.Certificate)} }, "another certificate"},
		"no ESSCertID":               {func(d *draft) { d.attributes = nil }, "no signed attribute names the signer's certificate"},
		"an empty list of ESSCertIDs": {func(d *draft) {
			d.attributes = []draftAttribute{{oidSigningCertificateV2, []asn1.RawValue{der([]any{[]any{}})}}}
		}, "names no certificate"},
		"SHA-1":                          {weakly(pkcs7.OIDDigestAlgorithmSHA1, pkcs7.OIDDigestAlgorithmECDSASHA1, crypto.SHA1), "signed with SHA-1"},
		"MD5":                            {weakly(oidMD5, pkcs7.OIDDigestAlgorithmECDSASHA256, crypto.SHA256), "signed with MD5"},
		"SHA-1 in the signature":         {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDDigestAlgorithmECDSASHA1, crypto.SHA256), "signed with ECDSA with SHA-1"},
		"RSA with SHA-1":                 {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDEncryptionAlgorithmRSASHA1, crypto.SHA256), "signed with RSA with SHA-1"},
		"RSA-PSS":                        {weakly(pkcs7.OIDDigestAlgorithmSHA256, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, crypto.SHA256), "RSA-PSS, which is not supported"},
		"SHA-384":                        {weakly(pkcs7.OIDDigestAlgorithmSHA384, pkcs7.OIDDigestAlgorithmECDSASHA384, crypto.SHA384), ""},
		"SHA-512":                        {weakly(pkcs7.OIDDigestAlgorithmSHA512, pkcs7.OIDDigestAlgorithmECDSASHA512, crypto.SHA512), ""},
		"SHA-512 in the signature alone": {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDDigestAlgorithmECDSASHA512, crypto.SHA256), "digest is SHA-256, want SHA-512, which goes with its signature"},
		"SHA-256 in the signature alone": {weakly(pkcs7.OIDDigestAlgorithmSHA512, pkcs7.OIDDigestAlgorithmECDSASHA256, crypto.SHA512), "digest is SHA-512, want SHA-256"},
		"RSA with another digest":        {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDEncryptionAlgorithmRSASHA512, crypto.SHA256), "digest is SHA-256, want SHA-512"},
		"RSA by a key of ECDSA":          {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDEncryptionAlgorithmRSA, crypto.SHA256), "by no authority"},
		"a curve":                        {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDEncryptionAlgorithmECDSAP256, crypto.SHA256), "signed with the curve P-256, which is not supported"},
		"another curve":                  {weakly(pkcs7.OIDDigestAlgorithmSHA384, pkcs7.OIDEncryptionAlgorithmECDSAP384, crypto.SHA384), "signed with the curve P-384"},
		"a kind of key":                  {weakly(pkcs7.OIDDigestAlgorithmSHA256, asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, crypto.SHA256), "signed with a kind of key"},
		"Ed25519 with SHA-256":           {weakly(pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDEncryptionAlgorithmEDDSA25519, crypto.SHA256), "digest is SHA-256, want SHA-512"},
		"Ed25519 by a key of ECDSA":      {weakly(pkcs7.OIDDigestAlgorithmSHA512, pkcs7.OIDEncryptionAlgorithmEDDSA25519, crypto.SHA512), "by no authority"},
		"NULL as parameters":             {func(d *draft) { d.parameters = asn1.NullRawValue }, ""},
		"parameters":                     {func(d *draft) { d.parameters = der(oidMD5) }, "has parameters, want none"},
		"signed data of version 1":       {func(d *draft) { d.version = 1 }, "the signed data is of version 1, want 3"},
		"signed data of version 4":       {func(d *draft) { d.version = 4 }, "the signed data is of version 4, want 3"},
		"signed data of version 5":       {func(d *draft) { d.version = 5 }, "the signed data is of version 5, want 3"},
		"revocations, version 3":         {func(d *draft) { d.revocations = []asn1.RawValue{tagged(1, true, der(oidMD5).FullBytes)} }, "the signed data is of version 3, want 5"},
		"signer of version 3":            {func(d *draft) { d.signer = 3 }, "the signer is of version 3, want 1"},
		"signer of version 0":            {func(d *draft) { d.signer = 0 }, "the signer is of version 0, want 1"},
		"data":                           {func(d *draft) { d.content = pkcs7.OIDData }, "the content is of type"},
		"content-type of data": {func(d *draft) {
			d.attributes = append(d.attributes, draftAttribute{pkcs7.OIDAttributeContentType, []asn1.RawValue{der(pkcs7.OIDData)}})
		}, "content-type"},
		"no content-type": {func(d *draft) {
			d.attributes = append(d.attributes, draftAttribute{pkcs7.OIDAttributeContentType, nil})
		}, "content-type"},
		"no message-digest": {func(d *draft) {
			d.attributes = append(d.attributes, draftAttribute{pkcs7.OIDAttributeMessageDigest, nil})
		}, "message-digest"},
		"message-digest of another": {func(d *draft) {
			d.attributes = append(d.attributes, draftAttribute{pkcs7.OIDAttributeMessageDigest, []asn1.RawValue{der(sum(crypto.SHA256, nil))}})
		}, "message-digest"},
		"two message-digests": {func(d *draft) {
			v := der(sum(crypto.SHA256, nil))
			d.attributes = append(d.attributes, draftAttribute{pkcs7.OIDAttributeMessageDigest, []asn1.RawValue{v, v}})
		}, "stands twice, or has not one value"},
		"no signed attributes": {func(d *draft) { d.unsigned = true }, "no signed attributes"},
		"two signers":          {func(d *draft) { d.twoSigners = true }, "2 signers"},
		"version 2":            {func(d *draft) { d.info.Version = 2 }, "version 2, want 1"},
		"an extension":         {func(d *draft) { d.info.Extensions = extension(false) }, ""},
		"a critical extension": {func(d *draft) { d.info.Extensions = extension(true) }, "the critical extension 1.2.3"},
		"a critical extension out of order": {func(d *draft) {
			d.info.Extensions, d.behind = extension(true), der(name(by.Certificate)).FullBytes
		}, "something follows"},
		"its name":            {func(d *draft) { d.info.TSA = name(by.Certificate) }, ""},
		"another's name":      {func(d *draft) { d.info.TSA = name(other.Certificate) }, "names another authority"},
		"over SHA-1":          {over(pkcs7.OIDDigestAlgorithmSHA1, sha1Sum(stampOver)), "over a digest with SHA-1"},
		"over half a digest":  {over(pkcs7.OIDDigestAlgorithmSHA256, make([]byte, 16)), "over a digest of 16 bytes"},
		"over SHA-512":        {over(pkcs7.OIDDigestAlgorithmSHA512, sum(crypto.SHA512, stampOver)), ""},
		"over other bytes":    {over(pkcs7.OIDDigestAlgorithmSHA256, make([]byte, 32)), "by " + url + ", is over other bytes"},
		"time with an offset": {func(d *draft) { d.info.Time = generalizedTime("20261101130000+0100") }, "not in UTC"},
		"time in five digits": {func(d *draft) { d.info.Time = generalizedTime("202611011200Z") }, "not one as RFC 3161"},
		"half a second":       {func(d *draft) { d.info.Time = generalizedTime("20261101120000.5Z") }, ""},
		"1000 milliseconds":   {func(d *draft) { d.info.Accuracy = accuracyOf(0, 1000, -1) }, "accuracy"},
		"a minus in accuracy": {func(d *draft) { d.info.Accuracy = asn1.RawValue{Tag: 16, IsCompound: true, Bytes: []byte{2, 1, 0xff}} }, "accuracy"},
		"a thousand years":    {func(d *draft) { d.info.Accuracy = accuracyOf(1000*365*24*3600, -1, -1) }, "accuracy"},
		"accuracy upside down": {func(d *draft) {
			d.info.Accuracy = asn1.RawValue{Tag: 16, IsCompound: true, Bytes: []byte{0x81, 1, 5, 0x80, 1, 5}}
		}, "accuracy"},
		"accuracy":              {func(d *draft) { d.info.Accuracy = accuracyOf(0, 5, 5) }, ""},
		"an authority's key":    {func(d *draft) { *d = *newDraft(top) }, "by no authority of the trusted root"},
		"another's certificate": {func(d *draft) { *d = *newDraft(other) }, "by no authority of the trusted root"},
		"key swapped":           {func(d *draft) { forged := *other; forged.Certificate = by.Certificate; d.by = &forged }, "by no authority of the trusted root"},
	} {
		t.Run(title, func(t *testing.T) {
			d := newDraft(by)
			c.edit(d)
			at, err := r.checkTimestamp(d.response(), stampOver)
			switch {
			case c.refused == "" && err != nil:
				t.Error(err)
			case c.refused == "" && (at.authority != 0 || at.Time.Truncate(time.Second) != stampedAt):
				t.Errorf("got %+v", at)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
				t.Errorf("got %v, %v, want %s", at, err, c.refused)
			}
		})
	}
	bare := der(newDraft(by).token()).FullBytes
	if _, err := r.checkTimestamp(bare, stampOver); err == nil || !strings.Contains(err.Error(), "a timestamp token by itself") {
		t.Errorf("a token without a response: %v", err)
	}
}

func weakly(digest, algorithm asn1.ObjectIdentifier, hash crypto.Hash) func(*draft) {
	return func(d *draft) { d.digest, d.algorithm, d.hash = digest, algorithm, hash }
}

func over(algorithm asn1.ObjectIdentifier, digest []byte) func(*draft) {
	return func(d *draft) { d.info.Imprint = draftImprint{pkix.AlgorithmIdentifier{Algorithm: algorithm}, digest} }
}

// TestStampersCertificates: the certificate that signs timestamps is for that alone, and says so (RFC 3161, section 2.3).
func TestStampersCertificates(t *testing.T) {
	top := pkitest.Root("Acme Root")
	both := func(c *x509.Certificate) {
		pkitest.Stamper(c)
		c.ExtraExtensions[0].Value = der([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}, {1, 3, 6, 1, 5, 5, 7, 3, 3}}).FullBytes
	}
	for title, by := range map[string]*pkitest.Holder{
		"not critical":   top.Issue("Lax", pkitest.For(x509.ExtKeyUsageTimeStamping)),
		"another usage":  top.Issue("Code", pkitest.For(x509.ExtKeyUsageCodeSigning)),
		"two usages":     top.Issue("Both", both),
		"no usage":       top.Issue("Any"),
		"an authority's": top.Issue("Sub", pkitest.Authority, pkitest.Stamper),
		"another key":    top.Issue("Encipher", pkitest.Stamper, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
		"expired":        top.Issue("Old", pkitest.Stamper, pkitest.Valid(pkitest.From, stampedAt.Add(-time.Second))),
	} {
		r := rootWith(t, namedChain{url: "https://tsa.acme.example", chain: []*pkitest.Holder{top}})
		if at, err := r.checkTimestamp(newDraft(by).response(), stampOver); err == nil {
			t.Errorf("%s: stamped %v", title, at)
		} else if !strings.Contains(err.Error(), "by https://tsa.acme.example") {
			t.Errorf("%s: %v does not say whose it is", title, err)
		}
	}
}

// TestRenewedStamper: where the trusted root has another certificate of an authority's name than the one that signed, the reason says so,
// and not that the authority is unknown.
func TestRenewedStamper(t *testing.T) {
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	r := rootWith(t, namedChain{url: "https://tsa.acme.example", chain: []*pkitest.Holder{by, top}})
	listed := fmt.Sprintf("serial number %x", by.Certificate.SerialNumber)
	for title, c := range map[string]struct {
		by   *pkitest.Holder
		want string
	}{
		"renewed":     {by.Renew(top), " and the same key: if it was renewed, use a newer trusted root"},
		"another key": {top.Issue("Acme Stamps", pkitest.Stamper), " and another key: if it was renewed, use a newer trusted root"},
		"a stranger":  {top.Issue("Other Stamps", pkitest.Stamper), ""},
	} {
		_, err := r.checkTimestamp(newDraft(c.by).response(), stampOver)
		if err == nil || !strings.Contains(err.Error(), "by no authority of the trusted root: it is signed as CN=") {
			t.Errorf("%s: %v", title, err)
			continue
		}
		own := fmt.Sprintf("serial number %x", c.by.Certificate.SerialNumber)
		says := strings.Contains(err.Error(), listed) && strings.Contains(err.Error(), own) && strings.Contains(err.Error(), c.want)
		if says != (c.want != "") {
			t.Errorf("%s: %v; want %q", title, err, c.want)
		}
	}
}

// TestForms: whether a value is constructed is fixed by DER. A token in which one says otherwise is not the same token.
func TestForms(t *testing.T) {
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	d := newDraft(by)
	d.info.Accuracy = accuracyOf(1, 2, 3)
	response := d.response()
	flipped := 0
	var flip func(start, end int)
	flip = func(start, end int) {
		for start < end {
			var v asn1.RawValue
			rest, err := asn1.Unmarshal(response[start:end], &v)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(v.FullBytes, by.Certificate.Raw) {
				changed := bytes.Clone(response)
				changed[start] ^= 0x20
				if (&token{}).readResponse(changed) == nil {
					t.Errorf("read with another form of %d of class %d, at byte %d", v.Tag, v.Class, start)
				}
				flipped++
				isName := bytes.Equal(v.FullBytes, by.Certificate.RawIssuer) || bytes.HasSuffix(v.Bytes, by.Certificate.RawIssuer) // compared as bytes
				isList := v.Tag == asn1.TagSet && bytes.Equal(v.Bytes, der(pkix.AlgorithmIdentifier{Algorithm: pkcs7.OIDDigestAlgorithmSHA256}).FullBytes)
				if inner := end - len(rest) - len(v.Bytes); v.IsCompound && !isName && !isList {
					flip(inner, inner+len(v.Bytes))
				}
			}
			start = end - len(rest)
		}
	}
	flip(0, len(response))
	if flipped < 40 {
		t.Errorf("%d forms, want those of a whole token", flipped)
	}
}

// FuzzToken: nothing makes the reader of timestamps fail otherwise than with an error, and what it reads is what the
// library reads.
func FuzzToken(f *testing.F) {
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	for _, edit := range []func(*draft){
		func(*draft) {},
		func(d *draft) { d.certificates, d.status = nil, 1 },
		func(d *draft) { d.attributes = append(d.attributes, essV1(by.Certificate)) },
		func(d *draft) { d.info.Accuracy = accuracyOf(1, 2, 3) },
	} {
		d := newDraft(by)
		edit(d)
		f.Add(d.response())
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		read := &token{}
		if checkNesting(response) != nil || read.readResponse(response) != nil {
			return
		}
		message, err := pkcs7.Parse(read.message.FullBytes)
		if err != nil || len(message.Signers) == 0 {
			return // refused by the library then, which has no error for signers that it cannot read
		}
		if !bytes.Equal(message.Content, read.content) || len(message.Signers) != 1 || len(message.Certificates) != len(read.certificates) {
			t.Errorf("the library reads %x, %d signers", message.Content, len(message.Signers))
		}
	})
}

// TestOneStamperCountsOnce: an authority is who signed, under whichever entry of the trusted root and certificate.
func TestOneStamperCountsOnce(t *testing.T) {
	top, second := pkitest.Root("Acme Root"), pkitest.Root("Second Root")
	middle := top.Issue("Acme Stamping", pkitest.Authority)
	by, colleague := middle.Issue("Acme Stamps", pkitest.Stamper), middle.Issue("Acme Stamps 2", pkitest.Stamper)
	renewed, crossed := by.Renew(middle), by.Renew(second)
	stranger := second.Issue("Second Stamps", pkitest.Stamper)
	chain := func(url string, holders ...*pkitest.Holder) namedChain { return namedChain{url: url, chain: holders} }
	stamp := func(by *pkitest.Holder, edits ...func(*draft)) []byte {
		d := newDraft(by)
		d.info.Serial = new(big.Int).SetBytes(append([]byte{1}, by.Certificate.Raw[len(by.Certificate.Raw)-8:]...))
		for _, edit := range edits {
			edit(d)
		}
		return d.response()
	}
	again := func(d *draft) { d.info.Serial = big.NewInt(8) }
	bare := func(d *draft) { d.certificates, d.info.Serial = nil, big.NewInt(9) }
	third := pkitest.Root("Third Root")
	across := func(d *draft) { d.certificates = append(d.certificates, middle.Renew(second)) }
	within := func(d *draft) { d.certificates = append(d.certificates, middle) }
	across3 := func(d *draft) { d.certificates = append(d.certificates, middle.Renew(third)) }
	run := func(operator string, c namedChain) namedChain { c.operator = operator; return c }
	a, b := chain("https://a", by, middle, top), chain("https://b", middle, top)
	for title, c := range map[string]struct {
		root   []namedChain
		stamps [][]byte
		want   int
	}{
		"with its certificate and without": {[]namedChain{b, a}, [][]byte{stamp(by, again), stamp(by, bare)}, 1},
		"in the other order":               {[]namedChain{a, b}, [][]byte{stamp(by, bare), stamp(by, again)}, 1},
		"a colleague of its issuer":        {[]namedChain{b, a}, [][]byte{stamp(by), stamp(colleague)}, 1},
		"two entries of one name":          {[]namedChain{a, chain("https://a", stranger, second)}, [][]byte{stamp(by), stamp(stranger)}, 1},
		"a renewed certificate":            {[]namedChain{chain("https://a", by, middle, top), chain("https://a", renewed, middle, top)}, [][]byte{stamp(by), stamp(renewed)}, 1},
		"cross-signed":                     {[]namedChain{chain("https://a", by, middle, top), chain("https://c", second)}, [][]byte{stamp(by), stamp(crossed)}, 1},
		"cross-signed, two roots alone":    {[]namedChain{chain("https://b", middle, top), chain("https://c", second)}, [][]byte{stamp(crossed), stamp(by)}, 1},
		"two of one operator":              {[]namedChain{run("stamps.example", a), run("stamps.example", chain("https://c", stranger, second))}, [][]byte{stamp(by), stamp(stranger)}, 1},
		"two of one name, one of its operator": {
			[]namedChain{a, chain("https://a", colleague, middle, top), run("stamps.example", chain("https://a", renewed, middle, top)), run("stamps.example", chain("https://c", stranger, second))},
			[][]byte{stamp(colleague), stamp(stranger)}, 1,
		},
		"colleague, cross-signed issuer":                              {[]namedChain{a, chain("https://c", second)}, [][]byte{stamp(by), stamp(colleague, across)}, 1},
		"colleague, cross-signed issuer that the entry does not have": {[]namedChain{chain("https://a", by, top), chain("https://c", second)}, [][]byte{stamp(by, within), stamp(colleague, across)}, 1},
		"in the other order again":                                    {[]namedChain{chain("https://c", second), chain("https://a", by, top)}, [][]byte{stamp(colleague, across), stamp(by, within)}, 1},
		"two named ones whose issuer the entries do not have":         {[]namedChain{chain("https://a", by, top), chain("https://d", colleague, top)}, [][]byte{stamp(by, within), stamp(colleague, within)}, 2},
		"cross-signed issuer of two roots alone": {
			[]namedChain{chain("https://c", second), chain("https://e", third)}, [][]byte{stamp(by, across), stamp(colleague, across3)}, 1,
		},
		"two operators":                    {[]namedChain{run("a.example", a), run("c.example", chain("https://c", stranger, second))}, [][]byte{stamp(by), stamp(stranger)}, 2},
		"two authorities":                  {[]namedChain{a, chain("https://c", stranger, second)}, [][]byte{stamp(by), stamp(stranger)}, 2},
		"two authorities, two roots alone": {[]namedChain{b, chain("https://c", second)}, [][]byte{stamp(by), stamp(stranger)}, 2},
		"two named ones of one issuer":     {[]namedChain{a, chain("https://d", colleague, middle, top)}, [][]byte{stamp(by), stamp(colleague)}, 2},
	} {
		t.Run(title, func(t *testing.T) {
			var found findings
			e := evidence.Envelope{Signature: stampOver, Evidence: evidence.Material{Timestamps: c.stamps}}
			r := rootWith(t, c.root...)
			r.checkTimestamps(t.Context(), e, &found)
			if len(found.ignored)+len(found.wrong) > 0 || len(found.times) != len(c.stamps) || found.timestamps() != c.want {
				t.Errorf("counted %d, want %d: %+v", found.timestamps(), c.want, found)
			}
			if n := r.stampers.count(); n < c.want {
				t.Errorf("the root counts as %d authorities, fewer than %d stamps by different ones", n, c.want)
			}
		})
	}
	// a report names each authority that stamped
	var found findings
	rootWith(t, run("x.example", a), run("x.example", chain("https://c", stranger, second))).checkTimestamps(t.Context(),
		evidence.Envelope{Signature: stampOver, Evidence: evidence.Material{Timestamps: [][]byte{stamp(stranger), stamp(by)}}}, &found)
	if len(found.times) != 2 || found.times[0].Authority != "https://c" || found.times[1].Authority != "https://a" {
		t.Errorf("stamped by %+v", found.times)
	}
	key := attest.TrustedKey{Name: "k", Key: someKey(t)}
	_, err := NewTrust(TrustOptions{Root: rootWith(t, b, a), Keys: []attest.TrustedKey{key}, RequireTimestamps: 2})
	if err == nil || !strings.Contains(err.Error(), "names 1 timestamp authority in 2 entries") {
		t.Errorf("two required of one authority: %v", err)
	}
}

// TestForeignCertificates: what a party that passes a timestamp on adds to its certificates neither refuses it nor costs more than to see that
// no authority has issued it.
func TestForeignCertificates(t *testing.T) {
	top, stranger := pkitest.Root("Acme Root"), pkitest.Root("J")
	middle := top.Issue("Acme Stamping", pkitest.Authority)
	by := middle.Issue("Acme Stamps", pkitest.Stamper)
	named := func(i int) func(*x509.Certificate) {
		return func(c *x509.Certificate) { pkitest.Authority(c); c.DNSNames = []string{fmt.Sprintf("h%d.example", i)} }
	}
	certify := func(issuer *pkitest.Holder, public any, name string, i int) *pkitest.Holder {
		return &pkitest.Holder{Certificate: issuer.Certify(public, name, named(i))}
	}
	loop := []*pkitest.Holder{by, certify(stranger, middle.Certificate.PublicKey, "Acme Stamping", 0)} // of which x509 searches all chains first
	for i := range 13 {
		loop = append(loop, certify(stranger, stranger.Certificate.PublicKey, "J", i))
	}
	loop = append(loop, middle)
	forged := []*pkitest.Holder{by, middle} // said to be by the authority's root, and by its intermediate
	for i := range 7 {
		other := pkitest.Root("Acme Root")
		forged = append(forged, certify(other, middle.Certificate.PublicKey, "Acme Stamping", i), certify(pkitest.Root("Acme Stamping"), other.Certificate.PublicKey, "J", i))
	}
	of := func(holders ...*pkitest.Holder) namedChain {
		return namedChain{url: "https://tsa.acme.example", chain: holders}
	}
	for title, c := range map[string]struct {
		root         namedChain
		certificates []*pkitest.Holder
		foreign      int
	}{
		"issue each other":                     {of(top), loop, 0},
		"issue each other, signer named":       {of(by, middle, top), loop, 0},
		"issue each other, intermediate named": {of(middle, top), loop, 0},
		"forged":                               {of(top), forged, 14},
		"forged, signer named":                 {of(by, middle, top), forged, 14},
		"one many times":                       {of(top), append(slices.Repeat([]*pkitest.Holder{middle}, 15), by), 0},
		"forged for one that stands many times": {
			of(top), slices.Concat([]*pkitest.Holder{by}, slices.Repeat([]*pkitest.Holder{middle}, 8), forged[3:4], forged[5:6], forged[7:8]), 3,
		},
	} {
		d := newDraft(by)
		d.certificates = c.certificates
		r := rootWith(t, c.root)
		work := signer.NewWork(1000)
		e := evidence.Envelope{Signature: stampOver, Evidence: evidence.Material{Timestamps: [][]byte{d.response()}}, Work: work}
		found := (&trust{TrustOptions: TrustOptions{Root: r}}).findings(t.Context(), e, entrySigner{})
		if len(found.times) != 1 || len(found.ignored)+len(found.wrong) > 0 || found.foreign != c.foreign || work.Done() != foreignChecks*c.foreign {
			t.Errorf("%s: %+v; counted as %d checks", title, found, work.Done())
		}
		read, err := readToken(d.response())
		if err != nil {
			t.Fatal(err)
		}
		one, ok := read.claimOf(r.root.TimestampingAuthorities()[0])
		if !ok {
			t.Fatalf("%s: not by the authority", title)
		}
		response, err := one.response()
		if err != nil {
			t.Fatal(err)
		}
		passed, err := readToken(response)
		if err != nil || len(passed.certificates) > 2 || !passed.certificates[0].Equal(by.Certificate) && !passed.certificates[1].Equal(by.Certificate) {
			t.Errorf("%s: the library is given %d certificates, %v", title, len(passed.certificates), err)
		}
	}
}

// TestCertificatesInVain: the certificates of a timestamp that proves nothing count, though an authority has issued them.
func TestCertificatesInVain(t *testing.T) {
	top := pkitest.Root("Acme Root")
	middle := top.Issue("Acme Stamping", pkitest.Authority)
	by := middle.Issue("Acme Stamps", pkitest.Stamper)
	d := newDraft(by)
	d.certificates = []*pkitest.Holder{by, middle}
	response := d.response()
	response[len(response)-1] ^= 1
	work := signer.NewWork(1000)
	e := evidence.Envelope{Signature: stampOver, Evidence: evidence.Material{Timestamps: [][]byte{response}}, Work: work}
	found := (&trust{TrustOptions: TrustOptions{Root: rootWith(t, namedChain{url: "https://a", chain: []*pkitest.Holder{top}})}}).findings(t.Context(), e, entrySigner{})
	if len(found.times) > 0 || work.Done() != evidenceChecks+2*foreignChecks {
		t.Errorf("%+v, counted as %d checks", found, work.Done())
	}
}

// TestCarriedIntermediateEnds: what the token carries and its time needs is valid as late as that may be.
func TestCarriedIntermediateEnds(t *testing.T) {
	top := pkitest.Root("Acme Root")
	middle := top.Issue("Acme Stamping", pkitest.Authority, pkitest.Valid(pkitest.From, stampedAt.Add(time.Second)))
	d := newDraft(middle.Issue("Acme Stamps", pkitest.Stamper))
	d.certificates = append(d.certificates, middle)
	r := rootWith(t, namedChain{url: "https://a", chain: []*pkitest.Holder{top}})
	if _, err := r.checkTimestamp(d.response(), stampOver); err != nil {
		t.Error(err)
	}
	d.info.Accuracy = accuracyOf(5, -1, -1)
	if _, err := r.checkTimestamp(d.response(), stampOver); err == nil || !strings.Contains(err.Error(), "the time may be as late as") {
		t.Errorf("an intermediate that has ended by then: %v", err)
	}
}

// TestDamagedStamp: the reason names the authority whose certificate a token has for its signer's, though its signature is not by that.
func TestDamagedStamp(t *testing.T) {
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	for _, chain := range [][]*pkitest.Holder{{by, top}, {top}} {
		r := rootWith(t, namedChain{url: "https://a", chain: chain})
		d := newDraft(by)
		if len(chain) == 2 {
			d.certificates = nil
		}
		response := d.response()
		response[len(response)-1] ^= 1
		_, err := r.checkTimestamp(response, stampOver)
		if err == nil || !strings.Contains(err.Error(), "it names the certificate of https://a as that of its signer, under which its signature does not verify") {
			t.Errorf("%d certificates in the root: %v", len(chain), err)
		}
	}
}

// TestAddedCertificates: what is added to a token's certificates, of its signer's issuer and serial number or with a name that would take
// long to write out or compare, does not stand for its signer's.
func TestAddedCertificates(t *testing.T) {
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	long := pkitest.Root("Stranger").Issue("", func(c *x509.Certificate) {
		pkitest.Stamper(c)
		c.Subject = pkix.Name{OrganizationalUnit: slices.Repeat([]string{"a"}, 3000)}
	})
	twin := pkitest.Root("Acme Root").Issue("Acme Stamps", pkitest.Stamper, func(c *x509.Certificate) { c.SerialNumber = by.Certificate.SerialNumber })
	for title, c := range map[string]struct{ chain, certificates []*pkitest.Holder }{
		"its own alone":                 {[]*pkitest.Holder{top}, []*pkitest.Holder{by}},
		"a twin before it":              {[]*pkitest.Holder{top}, []*pkitest.Holder{twin, by}},
		"a twin, signer named":          {[]*pkitest.Holder{by, top}, []*pkitest.Holder{twin}},
		"a stranger's, signer named":    {[]*pkitest.Holder{by, top}, []*pkitest.Holder{pkitest.Root("Stranger")}},
		"a long name":                   {[]*pkitest.Holder{top}, []*pkitest.Holder{long, by}},
		"a long name, signer named":     {[]*pkitest.Holder{by, top}, []*pkitest.Holder{long}},
		"a key that anyone can sign by": {[]*pkitest.Holder{top}, []*pkitest.Holder{pkitest.Guessed(nil, "Stranger"), by}},
	} {
		d := newDraft(by)
		d.certificates = c.certificates
		if _, err := rootWith(t, namedChain{url: "https://a", chain: c.chain}).checkTimestamp(d.response(), stampOver); err != nil {
			t.Errorf("%s: %v", title, err)
		}
	}
	if _, err := rootWith(t, namedChain{url: "https://a", chain: []*pkitest.Holder{top}}).checkTimestamp(newDraft(long).response(), stampOver); err == nil {
		t.Error("by a stranger with a long name: no error")
	}
}

// TestOneStampTwice: a timestamp that stands twice is refused, also with other certificates and another status around it.
func TestOneStampTwice(t *testing.T) {
	top := pkitest.Root("Acme Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	r := rootWith(t, namedChain{url: "https://a", chain: []*pkitest.Holder{by, top}})
	d := newDraft(by)
	first := d.response()
	same := map[string][]byte{"byte for byte": first, "signed again": d.response()}
	d.certificates = nil
	same["without its certificate"] = d.response()
	d.status = 1
	same["with modifications"] = d.response()
	d.info.Serial = big.NewInt(8)
	for title, second := range same {
		var found findings
		r.checkTimestamps(t.Context(), evidence.Envelope{Signature: stampOver, Evidence: evidence.Material{Timestamps: [][]byte{first, second}}}, &found)
		if len(found.wrong) != 1 || !strings.Contains(found.wrong[0].Error(), "timestamp 1: stands twice") {
			t.Errorf("%s: %+v", title, found)
		}
		if checked := title != "byte for byte"; (found.foreign > 0) != checked {
			t.Errorf("%s: the check of %d signatures counts", title, found.foreign)
		}
	}
	var found findings
	r.checkTimestamps(t.Context(), evidence.Envelope{Signature: stampOver, Evidence: evidence.Material{Timestamps: [][]byte{first, d.response()}}}, &found)
	if len(found.wrong) > 0 || len(found.times) != 2 {
		t.Errorf("two stamps of one authority: %+v", found)
	}
}
