package policy

import (
	"slices"
	"time"

	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
)

// Warnings are what may be wrong with a policy that can be used, at the time now: names that read as others, and a startWithin within
// which no run can start any more, because the keys of the signers, or the authorities of the trusted root, ended longer ago. Such a
// policy still decides about the past.
func (p *Policy) Warnings(now time.Time) []identity.Problem {
	p = zero.IfNil(p)
	return append(slices.Clone(p.warnings), p.outdated(now)...)
}

func (p *Policy) outdated(now time.Time) []identity.Problem {
	if p.time.startWithin == 0 || p.root == nil {
		return nil
	}
	recent := since{p.root, now.Add(-p.time.startWithin)}
	for _, s := range p.signers.list() {
		if s.unprovable(recent, p.time) == "" {
			return nil
		}
	}
	within, err := durationText(p.time.startWithin)
	if err != nil {
		within = p.time.startWithin.String()
	}
	return []identity.Problem{{
		Severity: identity.Warning, Code: identity.CodeValue, Pointer: "/time/startWithin",
		Message: "no run can start any more at " + stamp(now) + ": no signature of the last " + within + " can be dated, because keys of the signers or authorities of the trusted root have ended",
		Hint:    "renew them: runattest trusted-root show lists the authorities, and notAfter ends a key",
	}}
}

// since is a trusted root at a time and after it.
type since struct {
	authority.Root
	from time.Time
}

// Trusted are the authorities that have not ended.
func (s since) Trusted() []authority.Authority {
	all := slices.DeleteFunc(s.Root.Trusted(), func(a authority.Authority) bool { return !a.Until.IsZero() && a.Until.Before(s.from) })
	for i := range all {
		if all[i].From.Before(s.from) {
			all[i].From = s.from
		}
	}
	return all
}
