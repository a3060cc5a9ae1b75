package registry

import (
	"context"
	"errors"
	"iter"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/zero"
)

// Check verifies one bundle against what is expected of it. It gives a report where the bundle was verified or refused, and an error where
// neither can be said. Of an error that is an *attest.VerificationError the report is taken: the bundle is refused.
type Check func(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error)

// CheckWith is the Check that a verifier makes by itself.
func CheckWith(v *attest.Verifier) Check {
	return func(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
		verified, err := v.Verify(ctx, b, want)
		return verified.Report(), err
	}
}

// Outcome is what came of one attestation.
type Outcome string

// The outcomes. Verified alone means yes.
const (
	Verified    Outcome = "verified"
	NotVerified Outcome = "not-verified" // it was read, and the check says no
	Malformed   Outcome = "malformed"    // it claims to be an attestation, and is none
	Unreadable  Outcome = "unreadable"   // it could not be fetched, or the check could not be made
)

// Checked is one attestation of an artifact, checked.
type Checked struct {
	Referrer string // digest of the manifest that holds it; "" where even that could not be read
	Outcome  Outcome
	Report   attest.Report
	Err      error // why it is Malformed or Unreadable; else nil
}

// Verification checks the attestations of one artifact. Target.Verify makes it.
type Verification struct {
	listing *Listing
	want    attest.Expect
	check   Check
	summary Summary
}

// Summary counts what came of the attestations of one artifact.
type Summary struct {
	Verified, NotVerified, Malformed, Unreadable int
	Foreign                                      int // referrers of other artifact types, which were passed over
	OtherPredicateTypes                          int // attestations of other predicate types, which were passed over
	complete                                     bool
}

// Total is how many attestations of runs were found.
func (s Summary) Total() int { return s.Verified + s.NotVerified + s.Malformed + s.Unreadable }

// Passed is the answer for the artifact. One attestation that is verified suffices, as with cosign: every client that may
// push to a repository may attach what a verifier does not trust. If strict is true, all attestations must have been looked
// at, and every one of them must be verified.
func (s Summary) Passed(strict bool) bool {
	return s.Verified > 0 && (!strict || s.complete && s.Verified == s.Total())
}

// Verify lists the attestations of runs that refer to the artifact, for Results to check. Each must be about the artifact,
// or where the artifact is a declaration, about that run; want is what the caller expects besides. The declaration of a
// run is fetched from the repository where want has none. After an error it is not known what is attached, and the artifact is not verified.
func (t *Target) Verify(ctx context.Context, a *Artifact, want attest.Expect, check Check) (*Verification, error) {
	if err := t.check(a); err != nil {
		return nil, err
	}
	if check == nil {
		return nil, errors.New("no check: nothing would be verified")
	}
	want, err := a.Expect(want)
	if err == nil && want.Declaration == nil && !a.run.IsZero() {
		want.Declaration, err = t.Declaration(ctx, a)
	}
	if err != nil {
		return nil, err
	}
	listing, err := t.List(ctx, a, attest.PredicateType)
	if err != nil {
		return nil, err
	}
	return &Verification{listing: listing, want: want, check: check}, nil
}

// Results fetches and checks the attestations in the order of the list. Summary counts those that were given; where the
// loop ends early, the others are not checked.
func (v *Verification) Results(ctx context.Context) iter.Seq[Checked] {
	v = zero.IfNil(v)
	return func(yield func(Checked) bool) {
		v.summary = Summary{}
		if v.check == nil {
			return
		}
		for found, err := range v.listing.Bundles(ctx) {
			if !yield(v.one(ctx, found, err)) {
				return
			}
		}
		v.summary.complete = true
	}
}

func (v *Verification) one(ctx context.Context, found *Found, err error) Checked {
	var c Checked
	if err == nil {
		c.Referrer = found.Referrer
		c.Report, err = v.check(ctx, found.Bundle, v.want)
	}
	var malformed *MalformedError
	var no *attest.VerificationError
	switch {
	case errors.As(err, &malformed):
		c.Outcome, c.Err = Malformed, err
		v.summary.Malformed++
	case errors.As(err, &no):
		c.Outcome, c.Report = NotVerified, no.Report
		v.summary.NotVerified++
	case err != nil:
		c.Outcome, c.Err = Unreadable, err
		v.summary.Unreadable++
	case c.Report.Verified:
		c.Outcome = Verified
		v.summary.Verified++
	default:
		c.Outcome = NotVerified
		v.summary.NotVerified++
	}
	if c.Outcome != Verified {
		c.Report.Verified = false // whatever a check says besides its error
	}
	return c
}

// Summary is what came of the attestations that Results has given so far.
func (v *Verification) Summary() Summary {
	v = zero.IfNil(v)
	s := v.summary
	s.Foreign, s.OtherPredicateTypes = v.listing.Foreign(), v.listing.Filtered()
	return s
}
