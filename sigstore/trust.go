package sigstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// TrustOptions name the signers that a verifier trusts, and the evidence that it requires.
type TrustOptions struct {
	// Root vouches for certificates and times. It may be nil where keys alone are trusted;
	// then nothing that needs a time is verified.
	Root *TrustedRoot
	// Keys and Identities are the signers; one suffices.
	Keys       []attest.TrustedKey
	Identities []CertificateIdentity
	// RequireTimestamps is from how many authorities an RFC 3161 timestamp must be there. A
	// certificate needs a trusted time in any case.
	RequireTimestamps int
	// RequireLogEntries is in how many transparency logs the signature must be, proved by inclusion proofs:
	// a promise (Rekor v1's signed entry timestamp) counts as a trusted time alone. Zero asks for
	// one where the signer is a certificate and Root names logs; NoLogEntries asks for none.
	RequireLogEntries int
	// SignedBefore, unless it is nil, must not be earlier than the trusted time of the
	// signature; where timestamps are required, than those of that many authorities.
	SignedBefore *time.Time
	// UnsafeAnyTime asks who signed, and not when: no evidence of time is demanded, and none of it fails the
	// check, nor does the end of a key's or a certificate's validity. It is for statements that can only
	// forbid something, such as a rejection. Times that are proved are given nevertheless.
	UnsafeAnyTime bool
}

// firstYear is the first year in which a signature is possible; an earlier time is probably an unset one.
const firstYear = 1970

// NoLogEntries as TrustOptions.RequireLogEntries asks for no log entry.
const NoLogEntries = -1

// NewTrust makes the trust check of a verifier. Without a trusted signer the error is attest.ErrNoTrust. It is also
// an error to require more evidence than the services of Root can give, because nothing could pass.
// The check opens no file and no socket, and believes no clock but those of the authorities. Keys alone, without a Root and without
// demands, are attest.TrustKeys.
func NewTrust(o TrustOptions) (attest.Trust, error) {
	if len(o.Keys)+len(o.Identities) == 0 {
		return nil, attest.ErrNoTrust
	}
	if len(o.Keys) > 0 {
		keys, err := attest.TrustKeys(o.Keys...) // the same rules for keys
		if err != nil || o.keysAlone() {
			return keys, err
		}
	}
	o.Keys, o.Identities = slices.Clone(o.Keys), slices.Clone(o.Identities)
	if err := o.wellFormed(); err != nil {
		return nil, err
	}
	rootless := o.Root == nil || o.Root.root == nil
	if rootless {
		o.Root = emptyRoot
	}
	err := o.attainable(rootless)
	switch {
	case err == nil:
		return &trust{o}, nil
	case rootless:
		return nil, &rootlessError{err}
	}
	return nil, err
}

// wellFormed is an error if the options ask for what no root could give.
func (o *TrustOptions) wellFormed() error {
	switch {
	case o.SignedBefore != nil && o.SignedBefore.Year() < firstYear:
		return fmt.Errorf("signed before %s, which is before 1970: it looks like an unset time", visible.Time(*o.SignedBefore))
	case o.RequireTimestamps < 0:
		return fmt.Errorf("%d timestamps required, want 0 or more", o.RequireTimestamps)
	case o.RequireLogEntries < NoLogEntries:
		return fmt.Errorf("%d log entries required, want 0 or more, or NoLogEntries", o.RequireLogEntries)
	}
	return nil
}

// attainable is an error if nothing could pass.
func (o *TrustOptions) attainable(rootless bool) error {
	authorities := o.Root.root.FulcioCertificateAuthorities()
	switch {
	case len(o.Identities) > 0 && rootless:
		return errors.New("certificate identities are trusted, but no trusted root says who issues certificates")
	case len(o.Identities) > 0 && len(authorities) == 0:
		return errors.New("certificate identities are trusted, but the trusted root names no certificate authority")
	case o.RequireTimestamps > o.Root.stampers.count():
		return fmt.Errorf("%d timestamps required, but the trusted root names %s", o.RequireTimestamps, o.Root.describeStampers())
	case o.RequireLogEntries > o.Root.logs.count():
		return fmt.Errorf("%d log entries required, but the trusted root names %d transparency logs of different URLs and operators", o.RequireLogEntries, o.Root.logs.count())
	}
	return nil
}

// ErrNoRoot is what an error of NewTrust is that a trusted root might mend, because none is given.
var ErrNoRoot = errors.New("no trusted root is given")

type rootlessError struct{ error }

func (e *rootlessError) Unwrap() error        { return e.error }
func (e *rootlessError) Is(target error) bool { return target == ErrNoRoot }

// keysAlone says that no more is asked than whose key has signed.
func (o *TrustOptions) keysAlone() bool {
	return o.Root == nil && !o.UnsafeAnyTime && len(o.Identities) == 0 && o.RequireTimestamps == 0 && o.SignedBefore == nil &&
		(o.RequireLogEntries == 0 || o.RequireLogEntries == NoLogEntries)
}

// Authorities is ParseTrustedRoot as policy.Options takes it: package policy itself does not import this one.
func Authorities(trustedRoot []byte) (authority.Root, error) {
	r, err := ParseTrustedRoot(trustedRoot)
	if err != nil {
		return nil, err
	}
	return r, nil
}

var _ authority.Root = (*TrustedRoot)(nil)

// Trust is NewTrust with r as its root.
func (r *TrustedRoot) Trust(d authority.Demands) (attest.Trust, error) {
	return NewTrust(TrustOptions{
		Root: r, Keys: d.Keys, Identities: d.Identities,
		RequireTimestamps: d.Timestamps, RequireLogEntries: d.LogEntries, UnsafeAnyTime: d.UnsafeAnyTime,
	})
}

// emptyRoot is the trusted root that lists no authority and no log.
var emptyRoot = &TrustedRoot{root: &root.TrustedRoot{}, spec: &prototrustroot.TrustedRoot{MediaType: root.TrustedRootMediaType01}}

type trust struct{ TrustOptions }

var _ attest.Trust = (*trust)(nil)

// CheckEnvelope says who signed and when, as far as the trusted root vouches for it.
func (t *trust) CheckEnvelope(ctx context.Context, e evidence.Envelope) evidence.Result {
	if len(e.Certificates) > 0 {
		return t.checkCertificate(ctx, e)
	}
	return t.checkKey(ctx, e)
}

func (t *trust) checkKey(ctx context.Context, e evidence.Envelope) evidence.Result {
	check := attest.CheckKeys
	if t.UnsafeAnyTime {
		check = authority.CheckKeysAtAnyTime
	}
	o, key := check(t.Keys, e)
	if len(t.Keys) == 0 {
		o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignerKind, "is by a key; only certificate identities are trusted")
	}
	if key == nil {
		o.Time = evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a good signature there is nothing to date")
		return o
	}
	found := t.gather(ctx, e, entrySigner{key: key})
	o.Time = t.judgeTime(e, found, demand{
		who:       "key " + key.Name,
		notBefore: key.NotBefore,
		notAfter:  key.NotAfter,
		time:      key.Bounded() || t.SignedBefore != nil,
		logs:      max(t.RequireLogEntries, 0),
	})
	o.Times, o.Logs, o.Promises = found.times, found.logs, found.promises
	if t.UnsafeAnyTime {
		o.Time = evidence.Passed(evidence.CheckTime, "is not asked for")
	}
	return o
}

func (t *trust) checkCertificate(ctx context.Context, e evidence.Envelope) evidence.Result {
	if len(t.Identities) == 0 {
		o, _ := attest.CheckKeys(t.Keys, e) // says that a certificate is not a key
		o.Time = evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a trusted signer there is nothing to date")
		return o
	}
	o := evidence.Result{
		Signer: evidence.Skipped(evidence.CheckSigner, evidence.CodeNotReached, "without a good signature there is no signer"),
		Time:   evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a good signature there is nothing to date"),
	}
	spent := certificateChecks(e.Certificates[0])
	tooMuch := evidence.Failed(evidence.CheckSignature, evidence.CodeCertificate, "the certificate was not looked at")
	if !e.Work.Spend(spent) {
		o.Signature = tooMuch
		return o
	}
	var c *leafCertificate
	var err error
	if t.UnsafeAnyTime { // any key of the signer suffices to forbid something
		c, err = parseAnyCertificate(e.Certificates[0])
	} else if c, err = parseCertificate(e.Certificates[0]); err == nil {
		err = c.checkUsage()
	}
	switch {
	case err != nil:
		o.Signature = unusable(err)
		return o
	case !e.Work.Spend(c.nameChecks(t.Identities)):
		o.Signature = tooMuch
		return o
	case c.unfit != nil:
		return t.explainUnfit(o, c, e.Work)
	}
	if e.Work.Over(e.Message()).Verify(c.key, e.Signature) != nil {
		return t.explainNo(o, c, e)
	}
	o.Signature = evidence.Passed(evidence.CheckSignature, "by the key of a certificate (%s)", c.key.Algorithm())
	// Nothing is read that a stranger could have made: who has no certificate of the trusted root, or
	// is not trusted, has none of his evidence looked at.
	if o.Signer = t.judgeStranger(c, e.Work); o.Signer.Verdict == evidence.Fail {
		o.Time = evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a trusted signer there is nothing to date")
		return o
	}
	e.Work.Spend(-spent - c.nameChecks(t.Identities)) // a trusted signer made it possible
	found := t.gather(ctx, e, entrySigner{certificate: c})
	if t.UnsafeAnyTime {
		o.Signer, o.Time = t.judgeSignerAtAnyTime(c), evidence.Passed(evidence.CheckTime, "is not asked for")
		return withSigner(o, c, found)
	}
	o.Time = t.judgeTime(e, found, demand{
		who:       "the certificate",
		notBefore: c.leaf.NotBefore,
		notAfter:  c.leaf.NotAfter,
		issued:    true,
		time:      true,
		logs:      t.logsForCertificate(c),
	})
	o.Signer = t.judgeSigner(c, found.times)
	return withSigner(o, c, found)
}

// withSigner names the signer in a result that has no objection to the signer nor to the time.
func withSigner(o evidence.Result, c *leafCertificate, found findings) evidence.Result {
	if o.Signer.Verdict == evidence.Pass && o.Time.Verdict == evidence.Pass {
		o.By = c.signerIdentity()
		o.Times, o.Logs, o.Promises = found.times, found.logs, found.promises
	}
	return o
}

// explainNo says why a signature is not by a certificate's key. Other schemes are tried only where the
// certificate could be one that is trusted.
func (t *trust) explainNo(o evidence.Result, c *leafCertificate, e evidence.Envelope) evidence.Result {
	if t.judgeStranger(c, e.Work).Verdict != evidence.Fail {
		if scheme := e.Work.Over(e.Message()).Of(c.key, e.Signature); scheme != "" {
			o.OtherScheme = t.mayHaveSigned(c)
			o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignatureScheme, "by the certificate's key, but as %s; want %s", scheme, c.key.Scheme()).
				WithHint(evidence.Hint("sign with runattest, or with another program as " + c.key.Scheme()))
			return o
		}
		if mistake := e.FindMistake([]*signer.PublicKey{c.key}, 1); mistake.Key != nil {
			o.OtherScheme = t.mayHaveSigned(c)
			o.Signature = mistake.Check("the certificate's key")
			return o
		}
	}
	o.Signature = evidence.Failed(evidence.CheckSignature, evidence.CodeSignature, "does not verify under the certificate's key").
		WithHint("the payload, the signature or the certificate was changed after signing")
	return o
}

// mayHaveSigned is the certificate's signer where signatures may forbid something at any time, and nil elsewhere.
func (t *trust) mayHaveSigned(c *leafCertificate) *evidence.SignerIdentity {
	if !t.UnsafeAnyTime || t.judgeSignerAtAnyTime(c).Verdict != evidence.Pass {
		return nil
	}
	return c.signerIdentity()
}

// certificateChecks is what reading a certificate and finding its authority counts as, in checks of a signature.
func certificateChecks(der []byte) int { return 16 + len(der)/(4<<10) }

// nameChecks is what holding a certificate's names against the regular expressions of these identities counts as.
func (c *leafCertificate) nameChecks(identities []CertificateIdentity) int {
	names, matched := len(c.summary.SubjectAlternativeName)+len(c.others), 0
	for _, i := range identities {
		if i.SubjectAlternativeName.IsRegexp() {
			matched += names
		}
		if i.Issuer.IsRegexp() {
			matched += len(c.summary.Issuer)
		}
	}
	return matched / 512
}

func (c *leafCertificate) signerIdentity() *evidence.SignerIdentity {
	return &evidence.SignerIdentity{
		Kind: evidence.SignedByCertificate, Name: c.summary.SubjectAlternativeName, Issuer: c.summary.Issuer,
		KeyHint: c.key.Hint(), Algorithm: string(c.key.Algorithm()), OtherNames: c.others,
	}
}

// logsForCertificate is in how many logs what a certificate signed must be.
func (t *trust) logsForCertificate(c *leafCertificate) int {
	if entry, _ := t.Root.demands(c.leaf); t.RequireLogEntries == 0 && entry {
		return 1
	}
	return max(t.RequireLogEntries, 0)
}
