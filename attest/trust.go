package attest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// Trust answers the questions about an envelope: is its signature good, is the signer
// trusted, and when was it signed. It knows nothing of runs.
type Trust interface {
	CheckEnvelope(ctx context.Context, e evidence.Envelope) evidence.Result
}

// TrustedKey is a public key with the name that reports call it by.
type TrustedKey struct {
	Name string
	Key  *signer.PublicKey
	// NotBefore and NotAfter bound the time at which the key signs, both inclusive; the zero
	// time bounds nothing. What such a key signed needs trusted time to be verified.
	NotBefore, NotAfter time.Time
}

func (k *TrustedKey) identity() *evidence.SignerIdentity {
	return &evidence.SignerIdentity{Kind: evidence.SignedByKey, Name: k.Name, KeyHint: k.Key.Hint(), Algorithm: string(k.Key.Algorithm())}
}

// Bounded says that the key signs in a certain time only.
func (k TrustedKey) Bounded() bool { return !k.NotBefore.IsZero() || !k.NotAfter.IsZero() }

// ValidAt says whether the key signs at that time.
func (k TrustedKey) ValidAt(t time.Time) bool {
	return !t.Before(k.NotBefore) && (k.NotAfter.IsZero() || !t.After(k.NotAfter))
}

// TrustKeys trusts the holders of the keys, each for itself. It believes no time: what a
// key with a validity window signed is refused. Without a key the error is ErrNoTrust.
func TrustKeys(keys ...TrustedKey) (Trust, error) {
	if len(keys) == 0 {
		return nil, ErrNoTrust
	}
	seen := map[string]string{}
	for _, k := range keys {
		if k.Key == nil || k.Key.Hint() == "" { // a zero value
			return nil, fmt.Errorf("%w: %s has no key", ErrNoTrust, k.Name)
		}
		if !k.NotAfter.IsZero() && k.NotAfter.Before(k.NotBefore) {
			return nil, fmt.Errorf("%s: is valid until %s, which is before it begins", k.Name, k.NotAfter.UTC().Format(time.RFC3339))
		}
	}
	for _, k := range keys {
		if other, ok := seen[k.Key.Hint()]; ok {
			return nil, fmt.Errorf("%s and %s are one key", other, k.Name)
		}
		seen[k.Key.Hint()] = k.Name
	}
	return keyTrust(slices.Clone(keys)), nil
}

type keyTrust []TrustedKey

var _ Trust = keyTrust(nil)

func (t keyTrust) CheckEnvelope(_ context.Context, e evidence.Envelope) evidence.Result {
	o, key := CheckKeys(t, e)
	switch n := len(e.Evidence.Timestamps) + len(e.Evidence.LogEntries); {
	case key != nil && key.Bounded():
		o.Time = evidence.Failed(evidence.CheckTime, evidence.CodeTimeMissing, "key %s is trusted for a certain time only, and no timestamp authority is configured to prove when it was signed", key.Name).
			WithHint(evidence.HintTrustedRoot)
	case n > 0:
		o.Time = evidence.Skipped(evidence.CheckTime, evidence.CodeNotAsked, "the bundle carries %d timestamps and %d log entries, which a key alone cannot check",
			len(e.Evidence.Timestamps), len(e.Evidence.LogEntries)).WithHint(evidence.HintRootChecks)
	default:
		o.Time = evidence.Skipped(evidence.CheckTime, evidence.CodeNotAsked, "the bundle carries no trusted time, and none was required")
	}
	return o
}

// CheckKeys is the part of a trust check that keys answer: signature, signer and By. The
// key that signed is returned, nil if none of these did; its validity is for the caller to
// check. It tries the key that the bundle names first, and then the others: the hint saves
// time and explains a no, it does not decide.
func CheckKeys(keys []TrustedKey, e evidence.Envelope) (o evidence.Result, signedBy *TrustedKey) {
	if len(e.Certificates) > 0 {
		o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignerKind, "is by a certificate; only keys were given").
			WithHint(evidence.HintTrustIssuer)
		o.Signer = evidence.Failed(evidence.CheckSigner, evidence.CodeSignerKind, "a certificate is not among the trusted keys")
		return o, nil
	}
	if e.Work != nil {
		schemes := e.Work.Over(e.Message()) // which it keeps
		named := namedKey(keys, e.KeyHint)
		if named != nil && schemes.Verify(named.Key, e.Signature) == nil {
			named.setSigned(&o)
			return o, named
		}
		signedBy = checkOthers(&o, keys, &e, named, schemes)
		return o, signedBy
	}
	m, _ := messages.Get().(*[]byte)
	*m = e.AppendMessage((*m)[:0])
	signedBy = checkMessage(&o, keys, &e, *m)
	if cap(*m) <= longMessage {
		messages.Put(m)
	}
	return o, signedBy
}

// messages are memory for what was signed.
var messages = sync.Pool{New: func() any { return new([]byte) }}

// longMessage is not worth keeping memory for.
const longMessage = 64 << 10

// checkMessage is CheckKeys of an envelope without certificates, whose message is m, and on which any work may be spent.
func checkMessage(o *evidence.Result, keys []TrustedKey, e *evidence.Envelope, m []byte) *TrustedKey {
	named := namedKey(keys, e.KeyHint)
	if named != nil && named.Key.Verify(m, e.Signature) == nil {
		named.setSigned(o)
		return named
	}
	return checkOthers(o, keys, e, named, signer.NewSchemes(m))
}

// checkOthers is CheckKeys where the key that the bundle names has not signed; named is nil if it names none.
func checkOthers(o *evidence.Result, keys []TrustedKey, e *evidence.Envelope, named *TrustedKey, schemes *signer.Schemes) *TrustedKey {
	signedBy := findKey(keys, schemes, e.Signature, named)
	if signedBy == nil {
		*o = explainNo(keys, named, schemes, *e)
		return nil
	}
	signedBy.setSigned(o)
	return signedBy
}

// namedKey is the key that the bundle names, nil if it is not among the keys.
func namedKey(keys []TrustedKey, hint string) *TrustedKey {
	for i := range keys {
		if keys[i].Key.IsNamedBy(hint) {
			return &keys[i]
		}
	}
	return nil
}

// setSigned sets the result where the key's signature was verified.
func (k *TrustedKey) setSigned(o *evidence.Result) {
	by, algorithm, trusted := "by key ", string(k.Key.Algorithm()), " is trusted"
	texts := by + k.Name + " (" + algorithm + ")" + "key " + k.Name + trusted // both in one piece
	split := len(texts) - len("key ") - len(k.Name) - len(trusted)
	o.By = k.identity()
	o.Signature = passed(evidence.CheckSignature, texts[:split])
	o.Signer = passed(evidence.CheckSigner, texts[split:])
}

// explainNo says why a signature is not by any of the keys; named is the one that the bundle names, if it is
// among them.
func explainNo(keys []TrustedKey, named *TrustedKey, schemes *signer.Schemes, e evidence.Envelope) evidence.Result {
	o := evidence.Result{Signer: evidence.Skipped(evidence.CheckSigner, evidence.CodeNotReached, "without a good signature there is no signer")}
	if key, scheme := findScheme(keys, named, schemes, e.Signature); key != nil {
		o.OtherScheme = key.identity()
		o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignatureScheme, "by key %s, but as %s; want %s", key.Name, scheme, key.Key.Scheme()).
			WithHint(evidence.Hint("sign with runattest and this key, or with another program as " + key.Key.Scheme()))
		return o
	}
	if key, mistake := findMistaken(keys, named, e); key != nil {
		o.OtherScheme = key.identity()
		o.Signature = mistake.Check("key " + key.Name)
		return o
	}
	if named != nil {
		o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignature, "does not verify under key %s, which the bundle names", named.Name).
			WithHint("the payload or the signature was changed after signing")
		return o
	}
	o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignerUnknown, "does not verify under any trusted key")
	o.Signer = evidence.Failed(evidence.CheckSigner, evidence.CodeSignerUnknown, "%s is not among the trusted keys", describeHint(e.KeyHint)).
		WithHint(evidence.HintTrustKey)
	return o
}

// findScheme is the key that signed in another scheme than its own, and which: the one that the bundle
// names is tried first, and of the others no more than some.
func findScheme(keys []TrustedKey, named *TrustedKey, schemes *signer.Schemes, signature []byte) (*TrustedKey, string) {
	if named != nil {
		if scheme := schemes.Of(named.Key, signature); scheme != "" {
			return named, scheme
		}
	}
	for i := range keys[:min(len(keys), limits.SchemeKeys)] {
		if &keys[i] == named {
			continue
		}
		if scheme := schemes.Of(keys[i].Key, signature); scheme != "" {
			return &keys[i], scheme
		}
	}
	return nil, ""
}

// findMistaken is the key that signed something else than DSSE has signed, and how: the one that the bundle names, or if it names none,
// one of some. Where work is bounded, that of strangers is not asked: of those that name no key there may be any number. Nor is
// another scheme asked for where the bundle names a key that is not trusted.
func findMistaken(keys []TrustedKey, named *TrustedKey, e evidence.Envelope) (*TrustedKey, evidence.Mistake) {
	if e.Work != nil && named == nil {
		return nil, evidence.Mistake{}
	}
	var tried []*signer.PublicKey
	inOthers := 0
	if named != nil {
		tried, inOthers = append(tried, named.Key), 1
	} else {
		for i := range keys[:min(len(keys), limits.SchemeKeys)] {
			tried = append(tried, keys[i].Key)
		}
		if e.KeyHint == "" {
			inOthers = limits.MistakenKeys
		}
	}
	mistake := e.FindMistake(tried, inOthers)
	if mistake.Key == nil {
		return nil, mistake
	}
	return namedKey(keys, mistake.Key.Hint()), mistake
}

func findKey(keys []TrustedKey, schemes *signer.Schemes, signature []byte, except *TrustedKey) *TrustedKey {
	for i := range keys {
		if &keys[i] != except && schemes.Verify(keys[i].Key, signature) == nil {
			return &keys[i]
		}
	}
	return nil
}

func describeHint(hint string) string {
	if hint == "" {
		return "the signing key, which the bundle does not name,"
	}
	return fmt.Sprintf("the key that the bundle names (%.64q)", hint)
}

// CheckTrust asks a trust check who signed the bundle and when, whatever the payload is.
// Verify asks the same before it looks at the run; by itself it says nothing of runs.
func (b *Bundle) CheckTrust(ctx context.Context, trust Trust) evidence.Result {
	b = zero.IfNil(b)
	if zero.IsNil(trust) {
		return evidence.Result{
			Signature: evidence.Failed(evidence.CheckSignature, evidence.CodeSignerUnknown, "%s", ErrNoTrust),
			Signer:    evidence.Skipped(evidence.CheckSigner, evidence.CodeNotReached, "without a good signature there is no signer"),
			Time:      evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a good signature there is nothing to date"),
		}
	}
	if err := b.CheckSignatureCount(); err != nil {
		return evidence.Result{
			Signature: evidence.Failed(evidence.CheckSignature, evidence.CodeSignatureCount, "%s", err).
				WithHint("several signers are several bundles"),
			Signer: evidence.Skipped(evidence.CheckSigner, evidence.CodeNotReached, "without a good signature there is no signer"),
			Time:   evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a good signature there is nothing to date"),
		}
	}
	o := trust.CheckEnvelope(ctx, b.envelope(0))
	if len(b.material.certificates) > 0 && o.Signer.Verdict == evidence.Pass && o.Time.Verdict == evidence.NotChecked {
		// whatever a trust check thinks: a certificate is good for minutes, and which minutes is the question
		o.Time = evidence.Failed(evidence.CheckTime, evidence.CodeTimeMissing, "a certificate proves nothing without trusted time")
	}
	return o
}

// PossibleSigner is a trusted signer who has made one of the signatures over the payload, however many there are, in any
// scheme, and also where the bundle names another signer; nil if there is none. It verifies nothing, so use it only where
// a signature can forbid something: what is added to a bundle on its way must not take a rejection's effect away.
func (b *Bundle) PossibleSigner(ctx context.Context, trust Trust) *evidence.SignerIdentity {
	b = zero.IfNil(b)
	if zero.IsNil(trust) {
		return nil
	}
	for i := range b.signatures {
		e := b.envelope(i)
		for {
			o := trust.CheckEnvelope(ctx, e)
			if by := cmp.Or(o.By, o.OtherScheme); by != nil {
				return by
			}
			if len(e.Certificates) == 0 {
				break
			}
			if i > 0 { // a Sigstore bundle, which has certificates, has one signature
				e.Certificates = e.Certificates[:1]
			}
			e.Certificates = e.Certificates[1:] // the first may have been added to what another's key, or a bare one, has signed
		}
	}
	return nil
}

// envelope is the bundle with one of its signatures.
func (b *Bundle) envelope(i int) evidence.Envelope {
	return evidence.Envelope{
		MediaType:    b.mediaType,
		PayloadType:  b.payloadType,
		Payload:      b.payload,
		Signature:    b.signatures[i].bytes,
		KeyHint:      cmp.Or(b.material.keyHint, b.signatures[i].keyID),
		Certificates: b.material.certificates,
		Evidence:     b.material.evidence,
	}
}
