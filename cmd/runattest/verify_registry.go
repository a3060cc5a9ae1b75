package main

import (
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// referenceVerifier verifies what is attached to artifacts in registries and OCI layouts.
type referenceVerifier struct {
	*output
	reach  *registryFlags
	judge  *judge
	want   attest.Expect
	strict bool
}

// referenceReport is the JSON result of one reference, after those of its bundles.
type referenceReport struct {
	Reference   string `json:"reference"`
	Artifact    string `json:"artifact"`
	Verified    bool   `json:"verified"`
	Good        int    `json:"verifiedBundles"`
	NotVerified int    `json:"notVerifiedBundles"`
	Malformed   int    `json:"malformed"`
	Unreadable  int    `json:"unreadable"`
	Foreign     int    `json:"foreign"`
	Others      int    `json:"otherPredicateTypes"`
	Error       string `json:"error,omitempty"`
}

// verify holds every attestation of the artifact, or the run, against the verifier. One that
// is verified is a yes, as with cosign: whoever may push to a repository may attach what we do
// not trust. With --strict every one must be.
func (v *referenceVerifier) verify(text string) error {
	moving := v.transfer(v.reach.cmd.Context(), "fetched")
	defer moving.end()
	target, artifact, err := v.reach.resolve(v.output, text, moving)
	if err != nil {
		return err
	}
	want, err := v.expect(target, artifact)
	if err != nil {
		return err
	}
	if v.judge.policy != nil {
		v.judge.policy.shown = moving
	}
	ctx := v.reach.cmd.Context()
	listing, err := target.List(ctx, artifact, attest.PredicateType)
	if err != nil {
		return err
	}
	r := referenceReport{Reference: text, Artifact: artifact.Reference.String()}
	for found, err := range listing.Bundles(ctx) {
		var report attest.Report
		name := artifact.Reference.String()
		if err == nil {
			name = artifact.Reference.Repository() + "@" + found.Referrer
			report, err = verifyOne(ctx, v.judge, found.Data, want)
		}
		moving.say(func() { v.printOne(name, report, err, &r) })
	}
	r.Foreign, r.Others = listing.Foreign(), listing.Filtered()
	moving.end()
	err = v.decide(&r)
	if r.Good+r.NotVerified+r.Malformed+r.Unreadable == 0 {
		v.sayPlatforms(ctx, target, artifact)
	}
	return err
}

// unread is about a reference of which nobody knows what is attached to it: no yes, in JSON neither.
func (v *referenceVerifier) unread(text string, err error) {
	v.noteNo(text, err, func(why string) any { return referenceReport{Reference: text, Error: why} })
}

// expect is what the user expects, and that the attestation is about the artifact.
func (v *referenceVerifier) expect(target *registry.Target, artifact *registry.Artifact) (attest.Expect, error) {
	want, err := artifact.Expect(v.want)
	if err == nil && want.Declaration == nil && !artifact.Run().IsZero() {
		want.Declaration, err = target.Declaration(v.reach.cmd.Context(), artifact)
	}
	return want, err
}

// printOne prints a verdict, which decides nothing by itself.
func (v *referenceVerifier) printOne(name string, report attest.Report, err error, r *referenceReport) {
	before := v.status
	printVerdict(v.output, name, report, err)
	var malformed *registry.MalformedError
	switch {
	case report.Verified:
		r.Good++
	case errors.As(err, &malformed):
		r.Malformed++
		v.status = before
	case err == nil:
		r.NotVerified++
		v.status = before
	default:
		r.Unreadable++
	}
}

func (v *referenceVerifier) decide(r *referenceReport) error {
	r.Verified = r.Good > 0 && (!v.strict || r.NotVerified+r.Malformed+r.Unreadable == 0)
	if !r.Verified {
		v.status = max(v.status, exitNo)
	}
	if v.json {
		return v.object(r)
	}
	if r.Foreign > 0 {
		v.info("%d referrers of other artifact types were skipped", r.Foreign)
	}
	if r.Others > 0 {
		v.info("%d attestations of other predicate types were skipped", r.Others)
	}
	unreadable := ""
	if r.Unreadable > 0 {
		unreadable = fmt.Sprintf(", %d unreadable", r.Unreadable)
	}
	v.info("%s: %d verified, %d not verified, %d malformed%s", r.Artifact, r.Good, r.NotVerified, r.Malformed, unreadable)
	switch {
	case r.Good+r.NotVerified+r.Malformed+r.Unreadable == 0:
		v.info("no attestation of a run is attached to it")
	case r.Good > 0 && !r.Verified:
		v.info("with --strict every attestation must be verified")
	}
	return nil
}
