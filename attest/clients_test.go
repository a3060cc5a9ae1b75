package attest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// certified signs with a certificate that this package does not look into.
type certified struct{ signer.Signer }

func (certified) Certificate() []byte { return []byte("certificate") }

// evidenceOf is a Witness with evidence made before.
type evidenceOf evidence.Material

func (e evidenceOf) Witness(context.Context, evidence.Envelope) (evidence.Material, error) {
	return evidence.Material(e), nil
}

// TestWrittenForOtherClients: bundle.proto wants one hint in the two places for it, sigstore-python
// the list of log entries even if it is empty, and securesystemslib a keyid.
func TestWrittenForOtherClients(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	hint := key.PublicKey().Hint()
	evidence := evidenceOf{Timestamps: [][]byte{[]byte("t")}, LogEntries: [][]byte{[]byte(`{"inclusionProof":{},"logIndex":"7"}`)}}
	for name, c := range map[string]struct {
		by       signer.Signer
		options  SignOptions
		keyid    any // nil where it is left out
		material map[string]any
	}{
		"key": {key, SignOptions{}, hint, map[string]any{
			"publicKey": map[string]any{"hint": hint}, "tlogEntries": []any{},
		}},
		"bare": {key, SignOptions{Format: DSSE}, hint, nil},
		"certificate": {certified{key}, SignOptions{}, nil, map[string]any{
			"certificate": map[string]any{"rawBytes": "Y2VydGlmaWNhdGU="}, "tlogEntries": []any{},
		}},
		"evidence": {key, SignOptions{Witness: evidence}, hint, map[string]any{
			"publicKey": map[string]any{"hint": hint}, "tlogEntries": []any{map[string]any{"inclusionProof": map[string]any{}, "logIndex": "7"}},
			"timestampVerificationData": map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": "dA=="}}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Sign(ctx, newStatement(t, StatementOptions{}), c.by, c.options)
			if err != nil {
				t.Fatal(err)
			}
			text, err := b.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			var written map[string]any
			if err := json.Unmarshal(text, &written); err != nil {
				t.Fatal(err)
			}
			envelope := written
			if c.material != nil {
				envelope = written["dsseEnvelope"].(map[string]any)
				if diff := cmp.Diff(c.material, written["verificationMaterial"]); diff != "" {
					t.Error(diff)
				}
			}
			if keyid := envelope["signatures"].([]any)[0].(map[string]any)["keyid"]; keyid != c.keyid {
				t.Errorf("keyid is %v, want %v", keyid, c.keyid)
			}
		})
	}
}

// TestNullIsAbsent: protobuf JSON may write null for a member that is left out. It is read so where
// bundle.proto makes the member optional, and nowhere else.
func TestNullIsAbsent(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	hint := key.PublicKey().Hint()
	text, err := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) string {
		t.Helper()
		if strings.Count(string(text), old) != 1 {
			t.Fatalf("%q is not in the bundle once", old)
		}
		return strings.Replace(string(text), old, new, 1)
	}
	verifier := trusting(t, key)
	for _, c := range []string{
		edit(`"dsseEnvelope":`, `"messageSignature":null,"dsseEnvelope":`),
		edit(`"publicKey":`, `"certificate":null,"x509CertificateChain":null,"publicKey":`),
		edit(`"hint":"`+hint+`"`, `"hint":null`),
		edit(`"keyid":"`+hint+`"`, `"keyid":null`),
		edit(`"tlogEntries":[]`, `"tlogEntries":null`),
		edit(`"tlogEntries":[]`, `"timestampVerificationData":null`),
		edit(`"tlogEntries":[]`, `"timestampVerificationData":{"rfc3161Timestamps":null}`),
		strings.Replace(edit(`"keyid":"`+hint+`"`, `"keyid":null`), `"hint":"`+hint+`"`, `"hint":null`, 1),
	} {
		b, err := ParseBundle([]byte(c))
		if err != nil {
			t.Errorf("%v\n%s", err, c)
			continue
		}
		if _, err := verifier.Verify(ctx, b, Expect{}); err != nil {
			t.Errorf("%v\n%s", err, c)
		}
	}
	start, end := strings.Index(string(text), `{"keyid"`), strings.Index(string(text), `}]}`)+1
	signature, publicKey := string(text)[start:end], `"publicKey":{"hint":"`+hint+`"}`
	payload := regexp.MustCompile(`"payload":"[^"]*"`).FindString(string(text))
	for _, c := range []string{
		edit(payload, `"payload":null`),
		edit(`"payloadType":"`+PayloadType+`"`, `"payloadType":null`),
		edit(`"signatures":[`+signature+`]`, `"signatures":null`),
		edit(signature, `null`),
		edit(signature, signature+`,null`),
		regexp.MustCompile(`"sig":"[^"]*"`).ReplaceAllString(string(text), `"sig":null`),
		edit(`"mediaType":"`+BundleMediaType+`"`, `"mediaType":null`),
		edit(publicKey, `"publicKey":null`),
		edit(publicKey, `"certificate":{"rawBytes":null}`),
		edit(publicKey, `"x509CertificateChain":{"certificates":null}`),
		edit(publicKey, `"x509CertificateChain":{"certificates":[null]}`),
		edit(publicKey, publicKey+`,"certificate":{"rawBytes":"YQ=="},"x509CertificateChain":null`),
		edit(`"tlogEntries":[]`, `"tlogEntries":[null]`),
		edit(`"tlogEntries":[]`, `"timestampVerificationData":{"rfc3161Timestamps":[null]}`),
		edit(`"tlogEntries":[]`, `"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":null}]}`),
		edit(`"tlogEntries":[]`, `"unknown":null`),
		`{"mediaType":"` + BundleMediaType + `","verificationMaterial":{` + publicKey + `},"dsseEnvelope":null}`,
		`{"mediaType":"` + BundleMediaType + `","verificationMaterial":null,"dsseEnvelope":{` + payload + `,"payloadType":"` + PayloadType + `","signatures":[` + signature + `]}}`,
	} {
		if b, err := ParseBundle([]byte(c)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v, %v\n%s", b, err, c)
		}
	}
}

// TestEitherAlphabet: each value in base64 is read in the standard and in the URL-safe alphabet, and
// in no mixture of both.
func TestEitherAlphabet(t *testing.T) {
	key := newSigner(t, signer.Ed25519)
	verifier := trusting(t, key)
	toURL := strings.NewReplacer("+", "-", "/", "_")
	tried := map[string]bool{}
	for n := 0; len(tried) < 4; n++ { // until payload and signature of both formats had characters that differ
		statement := newStatement(t, StatementOptions{Annotations: map[string]string{"a": fmt.Sprint("ÿÿÿ??>>~~", n)}})
		for _, format := range []Format{SigstoreBundle, DSSE} {
			text, err := signed(t, statement, key, format).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			payload := regexp.MustCompile(`"payload":"[^"]*"`).FindString(string(text))
			sig := regexp.MustCompile(`"sig":"[^"]*"`).FindString(string(text))
			for _, value := range []string{payload, sig} {
				if strings.Count(value, "+")+strings.Count(value, "/") < 2 {
					continue
				}
				tried[string(format)+value[:4]] = true
				b, err := ParseBundle([]byte(strings.Replace(string(text), value, toURL.Replace(value), 1)))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := verifier.Verify(ctx, b, Expect{}); err != nil {
					t.Error(err)
				}
				back, err := b.Marshal()
				if err != nil || string(back) != string(text) {
					t.Errorf("written back as %s, %v", back, err)
				}
				i := strings.IndexAny(value, "+/")
				mixed := value[:i] + toURL.Replace(value[i:i+1]) + value[i+1:]
				if _, err := ParseBundle([]byte(strings.Replace(string(text), value, mixed, 1))); !errors.Is(err, ErrMalformed) {
					t.Errorf("mixed: %v", err)
				}
			}
		}
	}
}

// TestBarePayloadIsNo: a signature over the payload without DSSE's pre-authentication encoding fails, and the reason says so. It approves
// nothing, and where work is bounded it costs nothing unless the envelope names the key.
func TestBarePayloadIsNo(t *testing.T) {
	for _, algorithm := range []signer.Algorithm{signer.ECDSAP256, signer.ECDSAP521, signer.Ed25519, signer.RSA2048} {
		by := newSigner(t, algorithm)
		it := TrustedKey{Name: "it", Key: by.PublicKey()}
		e := evidence.Envelope{PayloadType: PayloadType, Payload: newStatement(t, StatementOptions{}).Bytes()}
		var err error
		if e.Signature, err = by.Sign(context.Background(), e.Payload); err != nil {
			t.Fatal(err)
		}
		other := TrustedKey{Name: "other", Key: newSigner(t, algorithm).PublicKey()}
		for name, c := range map[string]struct {
			keys []TrustedKey
			hint string
			work *signer.Work
			code evidence.Code
		}{
			"no hint":         {[]TrustedKey{other, it}, "", nil, evidence.CodeSignatureScheme},
			"its hint":        {[]TrustedKey{other, it}, it.Key.Hint(), nil, evidence.CodeSignatureScheme},
			"hint of another": {[]TrustedKey{other, it}, other.Key.Hint(), nil, evidence.CodeSignature},
			"not trusted":     {[]TrustedKey{other}, "", nil, evidence.CodeSignerUnknown},
			"bounded work":    {[]TrustedKey{other, it}, "", signer.NewWork(1000), evidence.CodeSignerUnknown},
			"its hint, bound": {[]TrustedKey{other, it}, it.Key.Hint(), signer.NewWork(1000), evidence.CodeSignatureScheme},
		} {
			e.KeyHint, e.Work = c.hint, c.work
			o, signedBy := CheckKeys(c.keys, e)
			if bare := c.code == evidence.CodeSignatureScheme; bare != (o.OtherScheme != nil) {
				t.Errorf("%s, %s: %+v", algorithm, name, o.OtherScheme)
			}
			if signedBy != nil || o.By != nil || o.Signature.Verdict != evidence.Fail || o.Signature.Code != c.code || o.Signer.Verdict == evidence.Pass {
				t.Errorf("%s, %s: %+v", algorithm, name, o)
			}
			const says = "by key it, but over the payload alone; want it over DSSE's PAE of payload type and payload"
			if bare := c.code == evidence.CodeSignatureScheme; bare != (o.Signature.Reason == says) {
				t.Errorf("%s, %s: %s", algorithm, name, o.Signature.Reason)
			}
		}
	}
}

// TestMistakenMessageIsNo: a signature over another form of the message fails, and the reason says which.
func TestMistakenMessageIsNo(t *testing.T) {
	for _, algorithm := range []signer.Algorithm{signer.ECDSAP256, signer.Ed25519} {
		by := newSigner(t, algorithm)
		e := evidence.Envelope{PayloadType: PayloadType, Payload: newStatement(t, StatementOptions{}).Bytes()}
		n := 0
		for what, message := range e.Mistaken() {
			n++
			var err error
			if e.Signature, err = by.Sign(context.Background(), message); err != nil {
				t.Fatal(err)
			}
			o, signedBy := CheckKeys([]TrustedKey{{Name: "it", Key: by.PublicKey()}}, e)
			over := o.Signature.Code == evidence.CodeSignatureScheme && (strings.Contains(o.Signature.Reason, "but over "+what+"; want") || strings.Contains(o.Signature.Reason, "but as Ed25519 over SHA-256"))
			if signedBy != nil || o.By != nil || !over {
				t.Errorf("%s, %s: %+v", algorithm, what, o.Signature)
			}
		}
		if n != 7 {
			t.Errorf("%d forms, want 7", n)
		}
	}
}

// newP384 is a key that signs with any hash.
func newP384(t *testing.T) (*ecdsa.PrivateKey, *signer.PublicKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signer.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return private, key
}

// TestTwoMistakesAreNo: a signature over another form of the message and in another scheme fails, and the reason says both where the
// bundle names the key, or no key and there are few.
func TestTwoMistakesAreNo(t *testing.T) {
	private, key := newP384(t)
	var err error
	other, it := TrustedKey{Name: "other", Key: newSigner(t, signer.RSA2048).PublicKey()}, TrustedKey{Name: "it", Key: key}
	many := []TrustedKey{other}
	for len(many) < limits.MistakenKeys {
		many = append(many, TrustedKey{Name: fmt.Sprint(len(many)), Key: newSigner(t, signer.ECDSAP384).PublicKey()})
	}
	many = append(many, it)
	e := evidence.Envelope{PayloadType: PayloadType, Payload: newStatement(t, StatementOptions{}).Bytes()}
	for what, message := range e.Mistaken() {
		sum := sha256.Sum256(message)
		if e.Signature, err = ecdsa.SignASN1(rand.Reader, private, sum[:]); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			keys []TrustedKey
			hint string
			work *signer.Work
			code evidence.Code
		}{
			"no hint":               {[]TrustedKey{other, it}, "", nil, evidence.CodeSignatureScheme},
			"no hint, many keys":    {many, "", nil, evidence.CodeSignerUnknown},
			"its hint":              {[]TrustedKey{other, it}, key.Hint(), nil, evidence.CodeSignatureScheme},
			"its hint, many keys":   {many, key.Hint(), nil, evidence.CodeSignatureScheme},
			"hint of another":       {[]TrustedKey{other, it}, other.Key.Hint(), nil, evidence.CodeSignature},
			"hint of a stranger":    {[]TrustedKey{other, it}, "SHA256:x", nil, evidence.CodeSignerUnknown},
			"bounded work":          {[]TrustedKey{other, it}, "", signer.NewWork(1000), evidence.CodeSignerUnknown},
			"its hint, bound":       {[]TrustedKey{other, it}, key.Hint(), signer.NewWork(1000), evidence.CodeSignatureScheme},
			"its hint, bound short": {[]TrustedKey{other, it}, key.Hint(), signer.NewWork(10), evidence.CodeSignature},
		} {
			e.KeyHint, e.Work = c.hint, c.work
			o, signedBy := CheckKeys(c.keys, e)
			if signedBy != nil || o.By != nil || o.Signature.Verdict != evidence.Fail || o.Signature.Code != c.code || o.Signer.Verdict == evidence.Pass {
				t.Errorf("%s, %s: %+v", what, name, o)
			}
			says := "by key it, but as ECDSA P-384 with SHA-256 in ASN.1 DER and over " + what + "; want ECDSA P-384 with SHA-384 in ASN.1 DER over DSSE's PAE"
			if both := c.code == evidence.CodeSignatureScheme; both != (o.OtherScheme != nil) || both != strings.HasPrefix(o.Signature.Reason, says) {
				t.Errorf("%s, %s: %s", what, name, o.Signature.Reason)
			}
			if name == "its hint, bound short" && !c.work.Exhausted() {
				t.Errorf("%s, %s: %d checks", what, name, c.work.Done())
			}
		}
	}
}

// TestOtherSchemeIsNo: a trusted key's signature in another scheme fails and the reason says so, whatever key the
// bundle names; of very many trusted keys, some are tried.
func TestOtherSchemeIsNo(t *testing.T) {
	private, key := newP384(t)
	var err error
	e := evidence.Envelope{PayloadType: PayloadType, Payload: newStatement(t, StatementOptions{}).Bytes()}
	sum := sha256.Sum256(e.Message())
	if e.Signature, err = ecdsa.SignASN1(rand.Reader, private, sum[:]); err != nil {
		t.Fatal(err)
	}
	trusted := []TrustedKey{{Name: "other", Key: newSigner(t, signer.ECDSAP384).PublicKey()}, {Name: "it", Key: key}}
	for len(trusted) < 3*limits.SchemeKeys {
		trusted = append(trusted, TrustedKey{Name: fmt.Sprint(len(trusted)), Key: newSigner(t, signer.Ed25519).PublicKey()})
	}
	last := append(slices.Clone(trusted[2:]), trusted[1])
	for name, c := range map[string]struct {
		keys []TrustedKey
		hint string
		code evidence.Code
	}{
		"no hint":                {trusted, "", evidence.CodeSignatureScheme},
		"our hint":               {trusted, key.Hint(), evidence.CodeSignatureScheme},
		"hint of another kind":   {trusted, "SHA256:x", evidence.CodeSignatureScheme},
		"hint of another":        {trusted, trusted[0].Key.Hint(), evidence.CodeSignatureScheme},
		"not trusted":            {trusted[:1], key.Hint(), evidence.CodeSignerUnknown},
		"last of many":           {last, "", evidence.CodeSignerUnknown},
		"last of many, our hint": {last, key.Hint(), evidence.CodeSignatureScheme},
	} {
		e.KeyHint = c.hint
		o, by := CheckKeys(c.keys, e)
		if by != nil || o.By != nil || o.Signature.Verdict != evidence.Fail || o.Signature.Code != c.code || o.Signer.Verdict == evidence.Pass {
			t.Errorf("%s: %+v", name, o)
		}
		if scheme := c.code == evidence.CodeSignatureScheme; scheme != strings.Contains(o.Signature.Reason, "by key it, but as ECDSA P-384 with SHA-256") {
			t.Errorf("%s: %s", name, o.Signature.Reason)
		}
	}
}
