package policy

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/signer"
)

// Denial is why a run may not be done, or what it is warned of: the name of a rule, or
// "kinds", "time", "approvals", "policy" where no rule says so, and one line.
type Denial struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

func (d Denial) String() string { return d.Rule + ": " + d.Reason }

// RuleResult is one rule's answer.
type RuleResult struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	Met      bool     `json:"met"`
	Error    string   `json:"error,omitempty"` // why it could not be evaluated: then it is not met
}

// Decision is a policy's answer about one run at one time.
type Decision struct {
	Allowed   bool `json:"allowed"`
	Rehearsed bool `json:"rehearsed,omitempty"` // nothing was verified: it decides nothing
	// BeforeSigning says that it is one of Decide: nothing was verified.
	BeforeSigning bool             `json:"beforeSigning,omitempty"`
	Policy        string           `json:"policy,omitempty"` // its name
	Digest        string           `json:"policyDigest"`     // SHA-256 of the policy as written, hex
	Identity      identity.ID      `json:"identity"`
	Now           time.Time        `json:"now"`   // the time that was decided at
	Clock         string           `json:"clock"` // and whose that is
	Denials       []Denial         `json:"denials"`
	Warnings      []Denial         `json:"warnings"`
	Rules         []RuleResult     `json:"rules"`
	Approvals     []ApprovalResult `json:"approvals"`
	// OpenBy says by which table of package capture rules saw `open`, "" if none reads it.
	OpenBy string `json:"openBy,omitempty"`
}

// Unheeded are the statements that were given as approvals and count neither for the run nor for an ancestor.
func (d *Decision) Unheeded() []ApprovalResult {
	return slices.DeleteFunc(slices.Clone(zero.IfNil(d).Approvals), func(r ApprovalResult) bool { return r.Counted || !r.Ancestor.IsZero() })
}

// Given is what a policy is asked with, besides the run.
type Given struct {
	// Approvals are bundles that may hold approvals, of the run and of its ancestors.
	Approvals []Approval
	// Lineage has the bundles of the run's ancestors, verified by the policy's own Verifier; nil if there
	// are none. Rules that read `ancestors` need it (Policy.NeedsLineage), unless the run has no parents.
	Lineage *lineage.Graph
	// Now is the time of the decision, and Clock says for reports whose time that is; "" is the caller's.
	Now   time.Time
	Clock string
	// Time, if there is one, is asked for Now once all that is given is verified, which may take long: what ends meanwhile has ended.
	Time func() time.Time
	// Replay says that the decision is one about the past, so that rejections that are dated later than Now do not
	// count. Without it a rejection counts whatever its date is, since Now is a clock that may be slow.
	Replay bool
}

// asOf is the time of a decision.
type asOf struct {
	now    time.Time
	replay bool // it is one about the past
}

// Evaluate decides about a run that the policy's Verifier has verified. Approvals are verified
// here. A no is a Decision and not an error; errors are misuse (ErrNotOurs, ErrNoApprovers), and the context's.
func (p *Policy) Evaluate(ctx context.Context, v *attest.Verified, given Given) (*Decision, error) {
	p = zero.IfNil(p)
	s, err := p.subjectOf(ctx, v, given)
	if err != nil {
		return nil, err
	}
	return p.decide(ctx, s)
}

// subject is what a policy is asked about.
type subject struct {
	id          identity.ID
	declaration *identity.Declaration
	signer      evidence.SignerIdentity
	times       []evidence.TrustedTime
	annotations map[string]string
	asOf
	clock string

	approvals []ApprovalResult
	stated    map[identity.ID][]statedDecision // by the run that they are about
	laborious error                            // why not all approvals were read: the run is denied
	ancestors func() (iter.Seq[lineage.Ancestor], error)
}

func (p *Policy) subjectOf(ctx context.Context, v *attest.Verified, given Given) (subject, error) {
	if v == nil || v.ID().IsZero() || !v.VerifiedBy(p.verifier) || given.Lineage != nil && !given.Lineage.VerifiedBy(p.verifier) {
		return subject{}, ErrNotOurs
	}
	s := subject{
		id: v.ID(), declaration: v.Declaration(), signer: v.Signer(), times: v.Times(), annotations: v.Annotations(),
		asOf: asOf{given.Now, given.Replay}, clock: cmp.Or(given.Clock, "the caller's clock"), approvals: []ApprovalResult{}, ancestors: ancestry(v, given.Lineage),
	}
	err := p.consider(ctx, &s, given)
	return s, err
}

// errNoTime is for a clock that does not work.
var errNoTime = errors.New("the time that the policy is asked about is not known: Given.Time says the zero time")

// consider verifies the approvals, and says which of them count for the run, as of the time when that is done.
func (p *Policy) consider(ctx context.Context, s *subject, given Given) error {
	stated, err := p.considerEach(ctx, s, given.Approvals)
	if err != nil {
		return err
	}
	if given.Time != nil {
		if s.now = given.Time(); s.now.IsZero() {
			return errNoTime
		}
	}
	for _, o := range stated {
		s.take(o)
	}
	oneByEachKey(s.approvals)
	return nil
}

// considerEach verifies the approvals, as many of them as the bound on that work allows.
func (p *Policy) considerEach(ctx context.Context, s *subject, given []Approval) (stated []statedDecision, err error) {
	if p.approvals == nil && len(given) > 0 {
		return nil, ErrNoApprovers
	}
	if len(given) > limits.Approvals {
		return nil, fmt.Errorf("%d approvals, want at most %d", len(given), limits.Approvals)
	}
	work := signer.NewWork(signatureChecks)
	var costly string
	most := -1
	for i, a := range given {
		if a.Bundle.Format() == "" { // nil, or a zero value
			return nil, fmt.Errorf("approval %s: there is no bundle: what could not be read may be a rejection", cmp.Or(a.Source, "without a source"))
		}
		before := work.Done()
		o := p.approvals.verify(ctx, a, work)
		if err := ctx.Err(); err != nil { // which may be why it does not count
			return nil, err
		}
		if cost := work.Done() - before; cost > most {
			costly, most = a.Source, cost
		}
		if work.Exhausted() {
			s.laborious = fmt.Errorf("%w, more than %d, and a rejection might be missed: %d of %d approvals were read, and %s alone took %d; "+
				"give only approvals of this run and of its ancestors, each with one signature", ErrSignatureChecks, signatureChecks, i, len(given), costly, most)
			return stated, nil
		}
		if o.vague != nil {
			return nil, fmt.Errorf("approval %s: %w", a.Source, o.vague)
		}
		stated = append(stated, o)
	}
	return stated, nil
}

// signatureChecks is limits.SignatureChecks. Tests change it.
var signatureChecks = limits.SignatureChecks

// take adds an approval to the subject.
func (s *subject) take(o statedDecision) {
	o.index = len(s.approvals)
	s.approvals = append(s.approvals, o.about(s.id, []evidence.SignerIdentity{s.signer}, s.asOf))
	if s.stated == nil {
		s.stated = map[identity.ID][]statedDecision{}
	}
	if o.err == nil {
		s.stated[o.result.run] = append(s.stated[o.result.run], o)
	}
	for _, run := range o.unread {
		s.stated[run] = append(s.stated[run], o)
	}
}

func (p *Policy) decide(ctx context.Context, s subject) (*Decision, error) {
	d := &Decision{
		Policy: p.name, Digest: hex.EncodeToString(p.digest[:]), Identity: s.id, Now: s.now.UTC(), Clock: s.clock,
		Denials: []Denial{}, Warnings: []Denial{}, Rules: []RuleResult{}, Approvals: s.approvals,
	}
	if p.kinds != nil && !slices.Contains(p.kinds, s.declaration.Kind()) {
		d.deny(ruleKinds, "runs of kind %s are not among those allowed: %v", s.declaration.Kind(), p.kinds)
	}
	p.time.judge(d, s.times, s.asOf)
	if s.laborious != nil {
		d.deny(ruleApprovals, "%s", s.laborious)
	}
	if p.approvals != nil {
		d.Denials = append(d.Denials, p.approvals.denials(s.approvals)...)
	}
	if err := p.evaluateRules(ctx, d, s); err != nil {
		return nil, err
	}
	d.Allowed = len(d.Denials) == 0
	return d, nil
}

func (d *Decision) deny(rule, format string, args ...any) {
	d.Denials = append(d.Denials, Denial{rule, visible.OneLine(fmt.Sprintf(format, args...))})
}

// judge holds the proved times against the time of the decision. That there are as many as
// the policy asks for has been verified.
func (t timeDemand) judge(d *Decision, times []evidence.TrustedTime, as asOf) {
	oldest := first(times, evidence.TrustedTime.Earliest)
	switch by := datedAt(times); {
	case t.evidence == evidenceNone:
	case by.IsZero() && t.startWithin > 0:
		d.deny(ruleTime, "no trusted time says when the run was signed, and it must start within %s: sign with a timestamp authority", age(t.startWithin))
	case by.IsZero():
	case by.After(d.Now):
		signed, start := apart(by, d.Now)
		d.deny(ruleTime, "signed at %s (by the timestamp), which is after the start at %s (by %s): one of the clocks is wrong, or the run was declared too late",
			signed, start, d.Clock)
	case t.startWithin > 0 && d.Now.Sub(oldest) > t.startWithin:
		signed, start := apart(oldest, d.Now)
		d.deny(ruleTime, "signed at %s, %s before the start at %s (by %s); want at most %s: sign it again", signed, longer(d.Now.Sub(oldest), t.startWithin), start, d.Clock, age(t.startWithin))
	}
}

// datedAt is when a signature is dated, zero without any time. A decision that is repeated as of its own time must be the
// same again, so that the accuracy of a timestamp counts no more than it did when the signature itself was the proof.
func datedAt(times []evidence.TrustedTime) time.Time {
	return first(times, func(t evidence.TrustedTime) time.Time { return t.Time })
}

// age is a duration as a person would say it.
func age(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.Round(time.Second).String()
}

// longer is the age of what is too old, so that it does not read as the limit.
func longer(d, limit time.Duration) string {
	if text := age(d); text != age(limit) {
		return text
	}
	return d.String()
}

// evaluationTime ends the evaluation of the rules, whatever is counted of what it costs. Tests change it, so that it is the
// one or the other that ends an evaluation, however busy the machine is.
var evaluationTime = limits.EvaluationSeconds * time.Second

func (p *Policy) evaluateRules(ctx context.Context, d *Decision, s subject) error {
	if len(p.rules) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, evaluationTime)
	defer cancel()
	values, openBy := p.values(s)
	d.OpenBy = openBy
	evaluation, err := p.set.Evaluate(limited, values)
	if err != nil {
		return err
	}
	for _, r := range p.rules {
		met, err := evaluation.Met(&r.Rule)
		result := RuleResult{Name: r.name, Severity: r.severity, Met: met}
		denial := Denial{Rule: r.name}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			result.Error = visible.OneLine(err.Error())
			denial.Reason = visible.OneLine("cannot be evaluated, so the run is denied: " + result.Error)
		case !met:
			denial.Reason = evaluation.Reason(&r.Rule)
		}
		d.Rules = append(d.Rules, result)
		switch {
		case met:
		case r.severity == Warn:
			d.Warnings = append(d.Warnings, denial)
		default:
			d.Denials = append(d.Denials, denial)
		}
	}
	return nil
}
