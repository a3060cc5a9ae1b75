package authority

import (
	"context"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/limits"
)

// UnsafeKeysAtAnyTime trusts the holders of the keys, whenever they signed: validity windows are passed over. It is for
// statements that can only forbid something, such as a rejection. Without a key the error is attest.ErrNoTrust.
func UnsafeKeysAtAnyTime(keys ...attest.TrustedKey) (attest.Trust, error) {
	if _, err := attest.TrustKeys(keys...); err != nil { // the same rules for keys
		return nil, err
	}
	return keysAtAnyTime(append([]attest.TrustedKey(nil), keys...)), nil
}

type keysAtAnyTime []attest.TrustedKey

var _ attest.Trust = keysAtAnyTime(nil)

func (t keysAtAnyTime) CheckEnvelope(_ context.Context, e evidence.Envelope) evidence.Result {
	o, key := CheckKeysAtAnyTime(t, e)
	if key == nil {
		o.Time = evidence.Skipped(evidence.CheckTime, evidence.CodeNotReached, "without a good signature there is nothing to date")
		return o
	}
	o.Time = evidence.Passed(evidence.CheckTime, "is not asked for")
	return o
}

// CheckKeysAtAnyTime is attest.CheckKeys for signatures that may forbid something: where none of the keys has signed, it
// asks each of them for another scheme, and not some of them alone.
func CheckKeysAtAnyTime(keys []attest.TrustedKey, e evidence.Envelope) (evidence.Result, *attest.TrustedKey) {
	o, key := attest.CheckKeys(keys, e)
	if key != nil || o.OtherScheme != nil || len(e.Certificates) > 0 || len(keys) <= limits.SchemeKeys {
		return o, key
	}
	schemes := e.Work.Over(e.Message())
	for i := range keys[limits.SchemeKeys:] {
		one := keys[limits.SchemeKeys+i:][:1]
		if schemes.Of(one[0].Key, e.Signature) != "" {
			o, _ = attest.CheckKeys(one, e)
			return o, nil
		}
	}
	return o, nil
}
