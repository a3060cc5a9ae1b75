package attest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/zero"
)

// Verifier holds bundles against the signers that it trusts. It is safe for concurrent use
// and opens no file and no socket.
type Verifier struct{ trust Trust }

// NewVerifier makes a verifier; without trust the error is ErrNoTrust.
func NewVerifier(trust Trust) (*Verifier, error) {
	if zero.IsNil(trust) {
		return nil, ErrNoTrust
	}
	return &Verifier{trust}, nil
}

// Expect is what the caller knows from elsewhere. The zero value expects nothing in particular.
type Expect struct {
	// Identity is the run that the bundle must be about; nil for any. No run has the
	// zero ID, so no bundle is about it.
	Identity *identity.ID
	// Declaration is what the bundle must declare. A detached attestation cannot be
	// verified without it.
	Declaration *identity.Declaration
	// Artifacts must each be among the subjects besides the run, by digest.
	Artifacts []Subject
}

// Verified is a run that Verify or VerifyRuns has verified. Only they make one that is not zero; functions that take
// a Verified refuse the zero one, whose ID is zero.
type Verified struct {
	report      Report // without Kind and Model, which are the declaration's
	declaration *identity.Declaration
	statement   []byte
	by          *Verifier
}

// VerifiedBy reports whether this verifier verified the bundle. So a policy can refuse what a verifier with other
// trusted signers has verified.
func (v *Verified) VerifiedBy(x *Verifier) bool { return x != nil && zero.IfNil(v).by == x }

// ID is the identity of the run, recomputed.
func (v *Verified) ID() identity.ID { return zero.IfNil(v).report.Identity }

// Declaration is what was signed, or the detached declaration that has the signed identity.
func (v *Verified) Declaration() *identity.Declaration { return zero.IfNil(v).declaration }

// Signer is who signed.
func (v *Verified) Signer() evidence.SignerIdentity {
	v = zero.IfNil(v)
	if v.report.Signer == nil {
		return evidence.SignerIdentity{}
	}
	return *v.report.Signer
}

// Times are when trusted authorities saw the signature, in no order; empty without trusted time.
func (v *Verified) Times() []evidence.TrustedTime { return slices.Clone(zero.IfNil(v).report.Times) }

// Subjects are the artifacts to which the run belongs, without the run itself.
func (v *Verified) Subjects() []Subject { return slices.Clone(zero.IfNil(v).report.Subjects) }

// Annotations are signed and no part of the identity.
func (v *Verified) Annotations() map[string]string {
	return maps.Clone(zero.IfNil(v).report.Annotations)
}

// Report is what was checked.
func (v *Verified) Report() Report {
	v = zero.IfNil(v)
	r := v.report
	if v.declaration != nil {
		r.Kind, r.Model = v.declaration.Kind(), modelName(v.declaration)
	}
	r.Checks, r.Subjects, r.Annotations, r.Set = slices.Clone(r.Checks), v.Subjects(), v.Annotations(), r.Set.Clone()
	r.Times, r.Logs, r.Promises = v.Times(), slices.Clone(r.Logs), slices.Clone(r.Promises)
	if len(r.Times) > 0 {
		r.SignedBefore = slices.MinFunc(r.Times, func(a, b evidence.TrustedTime) int { return a.Latest().Compare(b.Latest()) }).Latest()
	}
	if r.Signer != nil {
		by := *r.Signer
		r.Signer = &by
	}
	return r
}

// InSet says where in which run set the run is, and is nil where it was signed alone.
func (v *Verified) InSet() *evidence.InSet { return zero.IfNil(v).report.Set.Clone() }

// Statement is the run's Statement: the payload that was signed, or where the run is in a set the leaf without its salt.
func (v *Verified) Statement() []byte { return slices.Clone(zero.IfNil(v).statement) }

// Verify holds b against the verifier's trust and the caller's expectations. Every check
// has its own verdict, also when an earlier one failed; a policy is not asked here (policy.Policy.Verify does).
// When the answer is no the error is a *VerificationError with the report; other errors are the context's.
func (v *Verifier) Verify(ctx context.Context, b *Bundle, want Expect) (*Verified, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if v == nil || v.trust == nil {
		return nil, ErrNoTrust
	}
	if b == nil || b.format == "" {
		return nil, errNoBundle
	}
	var run runChecks
	run.check(b, want)
	result := b.CheckTrust(ctx, v.trust)
	return v.conclude(&result, &run, b.statement())
}

// decide decides by what was found out of the signer and of the run. The checks are in memory, where there is room.
func (r *runChecks) decide(result *evidence.Result, memory []evidence.Check) (checks []evidence.Check, verified bool) {
	checks = append(memory[:0], result.Signature, result.Signer, result.Time, r.statement)
	demanded := required
	if r.inclusion != nil {
		checks, demanded = append(checks, *r.inclusion), requiredInSet
	}
	checks = coded(append(checks, r.identity, r.declaration, r.subject,
		evidence.Skipped(evidence.CheckPolicy, evidence.CodeNotAsked, "no policy was given")))
	return checks, decide(checks, demanded...) && result.By != nil && r.verified != nil && (r.inclusion == nil) == (r.set == nil)
}

// runChecksMost is how many checks decide makes.
const runChecksMost = 9

// conclude gives what decide has decided, and is the only function that makes a Verified.
func (v *Verifier) conclude(result *evidence.Result, run *runChecks, statement []byte) (*Verified, error) {
	made := &struct { // in one piece
		Verified
		checks [runChecksMost - 1]evidence.Check
	}{}
	memory := made.checks[:0]
	if run.inclusion != nil {
		memory = make([]evidence.Check, 0, runChecksMost)
	}
	checks, verified := run.decide(result, memory)
	if !verified {
		return nil, &VerificationError{Report{Checks: checks, Set: run.set}}
	}
	made.Verified = Verified{
		report: Report{
			Verified:    true,
			Identity:    run.verified.ID(),
			Signer:      result.By,
			Times:       result.Times,
			Logs:        result.Logs,
			Promises:    result.Promises,
			Subjects:    run.content.subjects,
			Annotations: run.content.annotations,
			Checks:      checks,
			Set:         run.set,
		},
		declaration: run.verified,
		statement:   statement,
		by:          v,
	}
	return &made.Verified, nil
}

func modelName(d *identity.Declaration) *ModelName {
	var m ModelName
	m.Name, m.Provider, m.Version = d.ModelName()
	return &m
}

// runChecks are the checks about runs, which do not depend on the signer.
type runChecks struct {
	statement, identity, declaration, subject evidence.Check

	inclusion *evidence.Check // nil unless the run is said to be in a set
	set       *evidence.InSet // set when inclusion passed
	content   content
	verified  *identity.Declaration // set when identity and declaration passed
}

// check makes the checks of what a bundle says of a run.
func (r *runChecks) check(b *Bundle, want Expect) {
	m := jsontree.Borrow()
	defer m.Return()
	err := b.checkPayloadType()
	switch {
	case b.member != nil:
		skipped := evidence.Skipped(evidence.CheckInclusion, evidence.CodeNotReached, "without a statement there is nothing to look for in the set")
		r.inclusion = &skipped
		if err == nil {
			err = r.checkMember(m.Read, b)
		}
	case err == nil:
		r.content, err = readStatement(m.Read, b.payload)
	}
	r.finish(err, want)
}

// finish makes the checks of the Statement in r.content; err is why it could not be read.
func (r *runChecks) finish(err error, want Expect) {
	if err != nil {
		r.content = content{}
		r.statement = evidence.Failed(evidence.CheckStatement, statementCode(err), "%s", err)
		r.identity = evidence.Skipped(evidence.CheckIdentity, evidence.CodeNotReached, "without a statement there is no identity")
		r.declaration = evidence.Skipped(evidence.CheckDeclaration, evidence.CodeNotReached, "without a statement there is no declaration")
		r.subject = evidence.Skipped(evidence.CheckSubject, evidence.CodeNotReached, "without a statement there are no subjects")
		return
	}
	r.statement = passed(evidence.CheckStatement, "in-toto v1, run identity v1")
	r.checkDeclaration(want)
	r.checkSubjects(want.Artifacts)
	r.content.declaration, r.content.run.name = jsontree.Value{}, nil // which may be in memory that is used again
}

// checkDeclaration recomputes the identity and reads the declaration that it is of.
func (r *runChecks) checkDeclaration(want Expect) {
	declaration, id, err := r.recompute(want.Declaration)
	switch {
	case isMissing(err):
		r.identity = evidence.Failed(evidence.CheckIdentity, evidence.CodeDeclarationMissing, "%s", err).WithHint(evidence.HintDeclaration)
		r.declaration = evidence.Skipped(evidence.CheckDeclaration, evidence.CodeNotReached, "the attestation is detached and no declaration was given")
		return
	case err != nil:
		r.declaration = evidence.Failed(evidence.CheckDeclaration, evidence.CodeDeclaration, "%s", err)
	default:
		r.declaration = passed(evidence.CheckDeclaration, validOfKind(declaration.Kind()))
	}
	r.identity = r.compareIdentity(id, want)
	if r.identity.Verdict == evidence.Pass && r.declaration.Verdict == evidence.Pass {
		r.verified = declaration
	}
}

// validOfKind is what is said of a declaration that is valid.
func validOfKind(k identity.Kind) string {
	for _, text := range kindsValid {
		if text[len(valid):] == string(k) {
			return text
		}
	}
	return valid + string(k)
}

const valid = "valid, kind "

// kindsValid are texts that need not be made again.
var kindsValid = [...]string{
	valid + string(identity.Inference), valid + string(identity.Agent), valid + string(identity.Training),
	valid + string(identity.Evaluation), valid + string(identity.Batch), valid + string(identity.Other),
}

type missingDeclarationError struct{ size int64 }

func isMissing(err error) bool {
	_, missing := errors.AsType[*missingDeclarationError](err)
	return missing
}

func (e *missingDeclarationError) Error() string {
	return fmt.Sprintf("cannot be recomputed: the declaration (%d bytes) is not in the bundle", e.size)
}

// recompute is the identity of the declaration that the statement holds, or of the given
// one where the attestation is detached. An invalid declaration has an identity too.
func (r *runChecks) recompute(given *identity.Declaration) (*identity.Declaration, identity.ID, error) {
	if r.content.declaration.Kind() == jsontree.Absent {
		if given == nil {
			return nil, identity.ID{}, &missingDeclarationError{r.content.ref.Size}
		}
		return given, given.ID(), nil
	}
	if d := identity.FromTree(r.content.declaration); d != nil {
		return d, d.ID(), nil
	}
	text := r.content.declaration.Raw()
	d, err := identity.Parse(text)
	if err == nil {
		return d, d.ID(), nil
	}
	id, _ := identity.Compute(text) // the zero ID, if even that fails: err says why
	return nil, id, err
}

// compareIdentity holds the recomputed identity against everything that states one.
func (r *runChecks) compareIdentity(id identity.ID, want Expect) evidence.Check {
	const mismatch = "recomputed %s, but %s %s"
	switch run := &r.content.run; {
	case id.IsZero():
		return evidence.Failed(evidence.CheckIdentity, evidence.CodeDeclaration, "cannot be recomputed")
	case id != r.content.id:
		return evidence.Failed(evidence.CheckIdentity, evidence.CodeIdentityMismatch, mismatch, id, "the predicate states", r.content.id)
	case !run.isOf(id):
		return evidence.Failed(evidence.CheckIdentity, evidence.CodeIdentityMismatch, mismatch, id, "the subject is", strconv.Quote(run.subject().String()))
	case want.Identity != nil && id != *want.Identity:
		return evidence.Failed(evidence.CheckIdentity, evidence.CodeIdentityUnexpected, mismatch, id, "the run expected is", cmp.Or(want.Identity.String(), "none"))
	case want.Declaration != nil && id != want.Declaration.ID():
		return evidence.Failed(evidence.CheckIdentity, evidence.CodeIdentityUnexpected, mismatch, id, "the declaration given is", want.Declaration.ID())
	case r.content.ref != nil && r.content.ref.Size != want.Declaration.Size():
		return evidence.Failed(evidence.CheckIdentity, evidence.CodeIdentityMismatch, "the declaration has %d bytes, but declarationRef states %d", want.Declaration.Size(), r.content.ref.Size)
	}
	return passed(evidence.CheckIdentity, "recomputed = subject = predicate"+expectations(want))
}

func expectations(want Expect) string {
	text := ""
	if want.Identity != nil {
		text += " = identity expected"
	}
	if want.Declaration != nil {
		text += " = declaration given"
	}
	return text
}

func (r *runChecks) checkSubjects(artifacts []Subject) {
	if len(artifacts) == 0 {
		r.subject = evidence.Skipped(evidence.CheckSubject, evidence.CodeNotAsked, "no artifact was given")
		return
	}
	named := r.content.subjects
	for _, a := range artifacts {
		isIt := func(s Subject) bool { return s.SHA256 == a.SHA256 }
		if !slices.ContainsFunc(named, isIt) {
			r.subject = evidence.Failed(evidence.CheckSubject, evidence.CodeSubjectMissing, "%s (sha256:%x) is not among the %d artifacts that the statement names", a.Name, a.SHA256, len(named))
			return
		}
	}
	r.subject = passed(evidence.CheckSubject, "every artifact given is among the subjects")
}
