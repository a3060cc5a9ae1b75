package attest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/runattest/runattest/signer"
)

// ErrNoTrust says that a verifier was given nobody to trust: it could only say yes to everybody.
var ErrNoTrust = errors.New("no signer to trust")

// Trust answers the questions about an envelope: is its signature good, is the signer
// trusted, and when was it signed. It knows nothing of runs.
type Trust interface {
	CheckEnvelope(ctx context.Context, e Envelope) Opinion
}

// Envelope is what a trust check looks at. All of it is claimed by whoever made the bundle.
type Envelope struct {
	Message    []byte // what is signed: DSSE's pre-authentication encoding
	Signature  []byte // the one signature
	KeyHint    string // the key that the bundle names, "" if none
	Timestamps int    // how many RFC 3161 timestamps the bundle carries
	LogEntries int    // how many transparency log entries
	ByCert     bool   // the bundle names a certificate instead of a key
}

// Opinion is what a trust check found. By is nil unless the signature is good and the
// signer trusted.
type Opinion struct {
	Signature, Signer, Time Check
	By                      *Signatory
}

// TrustedKey is a public key with the name that reports call it by.
type TrustedKey struct {
	Name string
	Key  *signer.PublicKey
}

// TrustKeys trusts the holders of the keys, each for itself. Without a key the error is ErrNoTrust.
func TrustKeys(keys ...TrustedKey) (Trust, error) {
	if len(keys) == 0 {
		return nil, ErrNoTrust
	}
	for _, k := range keys {
		if k.Key == nil {
			return nil, fmt.Errorf("%w: %s has no key", ErrNoTrust, k.Name)
		}
	}
	return keyTrust(slices.Clone(keys)), nil
}

type keyTrust []TrustedKey

var _ Trust = keyTrust(nil)

// CheckEnvelope tries the key that the bundle names first, and then the others: the hint
// saves time and explains a no, it does not decide.
func (t keyTrust) CheckEnvelope(_ context.Context, e Envelope) Opinion {
	o := Opinion{Time: timeOfKeys(e)}
	var named *TrustedKey
	if i := slices.IndexFunc(t, func(k TrustedKey) bool { return k.Key.Hint() == e.KeyHint }); i >= 0 {
		named = &t[i]
	}
	if e.ByCert {
		o.Signature = fail(CheckSignature, "is by a certificate; only keys were given")
		o.Signer = fail(CheckSigner, "a certificate is not among the %d trusted keys", len(t))
		return o
	}
	signedBy := named
	if named == nil || named.Key.Verify(e.Message, e.Signature) != nil {
		signedBy = t.find(e, named)
	}
	switch {
	case signedBy != nil:
		o.By = &Signatory{"key", signedBy.Name, signedBy.Key.Hint(), string(signedBy.Key.Algorithm())}
		o.Signature = pass(CheckSignature, "by key %s (%s)", signedBy.Name, signedBy.Key.Algorithm())
		o.Signer = pass(CheckSigner, "key %s is trusted", signedBy.Name)
	case named != nil:
		o.Signature = fail(CheckSignature, "does not verify under key %s, which the bundle names", named.Name).
			hint(whyNot(named.Key))
		o.Signer = notChecked(CheckSigner, "without a good signature there is no signer")
	default:
		o.Signature = fail(CheckSignature, "does not verify under any of the %d trusted keys", len(t))
		o.Signer = fail(CheckSigner, "%s is not among the %d trusted keys", describeHint(e.KeyHint), len(t)).
			hint("give the signer's public key with --key, if you trust it")
	}
	return o
}

func (t keyTrust) find(e Envelope, except *TrustedKey) *TrustedKey {
	for i := range t {
		if &t[i] != except && t[i].Key.Verify(e.Message, e.Signature) == nil {
			return &t[i]
		}
	}
	return nil
}

// whyNot is what may have happened to a signature that does not verify under its own key.
func whyNot(key *signer.PublicKey) string {
	const changed = "the payload or the signature was changed after signing"
	if key.Algorithm() == signer.Ed25519 {
		return changed + ", or it is an Ed25519ph signature, as cosign attest-blob makes with such a key; sign with Ed25519"
	}
	return changed
}

func describeHint(hint string) string {
	if hint == "" {
		return "the signing key, which the bundle does not name,"
	}
	return fmt.Sprintf("the key that the bundle names (%.64q)", hint)
}

// timeOfKeys never says that a time was checked: keys prove none.
func timeOfKeys(e Envelope) Check {
	if e.Timestamps+e.LogEntries > 0 {
		return notChecked(CheckTime, "the bundle carries %d timestamps and %d log entries, which a key alone cannot check", e.Timestamps, e.LogEntries)
	}
	return notChecked(CheckTime, "the bundle carries no trusted time, and none was required")
}

// checkEnvelope asks the trust check about a bundle that has exactly one signature.
func checkEnvelope(ctx context.Context, trust Trust, b *Bundle) Opinion {
	if n := len(b.signatures); n != 1 {
		return Opinion{
			Signature: fail(CheckSignature, "the envelope has %d signatures, want exactly one", n).
				hint("several signers are several bundles"),
			Signer: notChecked(CheckSigner, "without a good signature there is no signer"),
			Time:   notChecked(CheckTime, "without a good signature there is nothing to date"),
		}
	}
	return trust.CheckEnvelope(ctx, Envelope{
		Message:    b.message(),
		Signature:  b.signatures[0].bytes,
		KeyHint:    b.keyHint(),
		Timestamps: b.material.timestamps,
		LogEntries: b.material.logEntries,
		ByCert:     b.material.certificate,
	})
}
