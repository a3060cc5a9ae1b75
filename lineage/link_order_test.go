package lineage

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/signer"
)

// seen is a trust check that believes a time of the test's own.
type seen struct {
	attest.Trust
	times    []time.Time
	accuracy map[time.Time]time.Duration
}

func (s seen) CheckEnvelope(ctx context.Context, e evidence.Envelope) evidence.Result {
	o := s.Trust.CheckEnvelope(ctx, e)
	for _, at := range s.times {
		o.Times = append(o.Times, evidence.TrustedTime{Kind: "timestamp", Authority: "tsa", Time: at, Accuracy: s.accuracy[at]})
	}
	return o
}

// TestOrder: a link that was signed before its run was declared, by trusted time, is refused, and the report has the run's time.
func TestOrder(t *testing.T) {
	by := newSigner(t, signer.Ed25519)
	keys, err := attest.TrustKeys(attest.TrustedKey{Name: "alice", Key: by.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	rough, roughly := noon.Add(-30*time.Minute), noon.Add(-20*time.Minute)
	accuracy := map[time.Time]time.Duration{rough: 2 * time.Hour, roughly: time.Hour} // the others are exact
	at := func(times ...time.Time) *attest.Verifier {
		v, err := attest.NewVerifier(seen{keys, times, accuracy})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	id, bundle := newRun(t, by)
	for name, c := range map[string]struct {
		run, link []time.Time
		want      string // "" or the failed check
		reason    string
	}{
		"two hours early":       {[]time.Time{noon}, []time.Time{noon.Add(-2 * time.Hour)}, "run", "the link was seen by 2026-11-24T10:00:00Z, the run not until 2026-11-24T12:00:00Z"},
		"a second early":        {[]time.Time{noon}, []time.Time{noon.Add(-time.Second)}, "run", "the run not until 2026-11-24T12:00:00Z"},
		"the same second":       {[]time.Time{noon.Add(900 * time.Millisecond)}, []time.Time{noon}, "", "declared by 2026-11-24T12:00:00.9Z; the link was signed by 2026-11-24T12:00:00Z, too close to prove which was first"},
		"afterwards":            {[]time.Time{noon}, []time.Time{noon.Add(time.Hour)}, "", "signed by key alice, declared by 2026-11-24T12:00:00Z, before the link"},
		"the run, stamped late": {[]time.Time{noon.Add(9 * time.Hour), noon}, []time.Time{noon.Add(time.Hour)}, "", "declared by 2026-11-24T12:00:00Z, before"},
		"the link, stamped too": {[]time.Time{noon}, []time.Time{noon.Add(time.Hour), noon.Add(-time.Hour)}, "run", "seen by 2026-11-24T11:00:00Z"},
		"an undated link":       {[]time.Time{noon}, nil, "", "declared by 2026-11-24T12:00:00Z; no trusted time proves when the link was signed"},
		"an undated run":        {nil, []time.Time{noon}, "", "no trusted time proves that it was declared before the link was signed"},
		"a rough run":           {[]time.Time{rough}, []time.Time{noon}, "", "declared by 2026-11-24T13:30:00Z; the link was signed by 2026-11-24T12:00:00Z, too close to prove which was first"},
		"a rough link":          {[]time.Time{noon}, []time.Time{rough}, "", "declared by 2026-11-24T12:00:00Z; the link was signed by 2026-11-24T13:30:00Z, too close to prove which was first"},
		"both rough":            {[]time.Time{rough}, []time.Time{roughly}, "", "declared by 2026-11-24T13:30:00Z; the link was signed by 2026-11-24T12:40:00Z, too close to prove which was first"},
		"a rough run, later":    {[]time.Time{rough}, []time.Time{rough.Add(-2*time.Hour - time.Second)}, "run", "the link was seen by 2026-11-24T09:29:59Z, the run not until 2026-11-24T09:30:00Z"},
		"a rough run, at once":  {[]time.Time{rough}, []time.Time{rough.Add(-2 * time.Hour)}, "", "too close to prove which was first"},
		"a rough link, early":   {[]time.Time{rough.Add(2*time.Hour + time.Second)}, []time.Time{rough}, "run", "the link was seen by 2026-11-24T13:30:00Z, the run not until 2026-11-24T13:30:01Z"},
		"a rough run, earlier":  {[]time.Time{rough}, []time.Time{rough.Add(2*time.Hour + time.Second)}, "", "declared by 2026-11-24T13:30:00Z, before the link"},
		"a rough link, after":   {[]time.Time{rough.Add(-2*time.Hour - time.Second)}, []time.Time{rough}, "", "declared by 2026-11-24T09:29:59Z, before the link"},
		"an exact stamp, too":   {[]time.Time{noon, rough}, []time.Time{noon.Add(-time.Hour)}, "", "too close to prove which was first"}, // the rough one may be the first
		"a rough run, exactly":  {[]time.Time{rough, noon}, []time.Time{noon.Add(time.Minute)}, "", "declared by 2026-11-24T12:00:00Z, before the link"},
		"nothing dated":         {nil, nil, "", "no trusted time proves that it was declared before the link was signed"},
	} {
		run, err := at(c.run...).Verify(ctx, bundle, attest.Expect{})
		if err != nil {
			t.Fatal(err)
		}
		for _, relation := range Relations() {
			claim := newClaim(t, Link{Run: id, Relation: relation, Artifacts: []attest.Subject{model}})
			v, err := VerifyLink(ctx, at(c.link...), sign(t, by, claim), ExpectLink{Verified: run})
			var checks []evidence.Check
			if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
				checks = no.Report.Checks
				if got := failed(no.Report); got != c.want {
					t.Errorf("%s, %s: %q failed, want %q", name, relation, got, c.want)
				}
			} else if err != nil || c.want != "" {
				t.Errorf("%s, %s: verified, %v", name, relation, err)
				continue
			} else {
				checks = v.Checks()
			}
			last := checks[len(checks)-1]
			if !strings.Contains(last.Reason, c.reason) || (last.Code == CodeRunLater) != (c.want != "") {
				t.Errorf("%s, %s: %s: %s, want %s", name, relation, last.Code, last.Reason, c.reason)
			}
		}
	}
}
