package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// Claim is an in-toto Statement of another predicate type than the run's identity: a statement
// about runs or artifacts, such as an approval. It is a Signable.
type Claim struct{ text []byte }

var _ Signable = (*Claim)(nil)

// NewClaim makes the Statement in RFC 8785 form. The predicate is written by encoding/json;
// it must be an object, and its numbers exact.
func NewClaim(predicateType string, subjects []Subject, predicate any) (*Claim, error) {
	text, err := marshal(map[string]any{
		"_type": StatementType, "subject": subjects, "predicateType": predicateType, "predicate": predicate,
	})
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	_, err = readClaim(text, predicateType)
	if predicateType == RunSetType && err == nil { // what a verifier would refuse is not signed
		_, err = readHead(text)
	}
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	return &Claim{text}, nil
}

// Bytes are the Statement's RFC 8785 bytes, the payload to be signed.
func (c *Claim) Bytes() []byte { return slices.Clone(c.payload()) }

func (c *Claim) payload() []byte { return zero.IfNil(c).text }

// VerifiedClaim is a claim whose signer VerifyClaim has said yes to. It says who claims; what
// is claimed is for the caller to read as strictly.
type VerifiedClaim struct {
	subjects  []Subject
	predicate json.RawMessage
	signer    evidence.SignerIdentity
	times     []evidence.TrustedTime
	checks    []evidence.Check
}

// Subjects are what the claim is about.
func (c *VerifiedClaim) Subjects() []Subject { return slices.Clone(zero.IfNil(c).subjects) }

// Predicate is the claim, a JSON object in RFC 8785 form.
func (c *VerifiedClaim) Predicate() []byte { return slices.Clone(zero.IfNil(c).predicate) }

// Signer is who claims.
func (c *VerifiedClaim) Signer() evidence.SignerIdentity { return zero.IfNil(c).signer }

// Times are when trusted authorities saw the signature; empty without trusted time.
func (c *VerifiedClaim) Times() []evidence.TrustedTime { return slices.Clone(zero.IfNil(c).times) }

// Checks are what was asked and found: signature, signer, time and statement.
func (c *VerifiedClaim) Checks() []evidence.Check { return slices.Clone(zero.IfNil(c).checks) }

// VerifyClaim holds a bundle against the verifier's trust, and its payload against the form of
// a Statement of that predicate type. When the answer is no the error is a *VerificationError
// with the checks signature, signer, time and statement.
func (v *Verifier) VerifyClaim(ctx context.Context, b *Bundle, predicateType string) (*VerifiedClaim, error) {
	var claim *claimContent
	result, checks, err := v.verifyForm(ctx, b, predicateType, func(payload []byte) (err error) {
		claim, err = readClaim(payload, predicateType)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &VerifiedClaim{claim.subjects, claim.predicate, *result.By, result.Times, checks}, nil
}

// verifyForm verifies who has signed a bundle, and holds its payload against a form, which read reads. The checks are signature,
// signer, time and statement; with an error nothing that was read is verified.
func (v *Verifier) verifyForm(ctx context.Context, b *Bundle, form string, read func(payload []byte) error) (evidence.Result, []evidence.Check, error) {
	var result evidence.Result
	if err := ctx.Err(); err != nil {
		return result, nil, err
	}
	if v == nil || v.trust == nil {
		return result, nil, ErrNoTrust
	}
	if b == nil || b.format == "" {
		return result, nil, errNoBundle
	}
	result = b.CheckTrust(ctx, v.trust)
	statement := evidence.Passed(evidence.CheckStatement, "in-toto v1, %s", form)
	err := b.checkPayloadType()
	if err == nil {
		err = read(b.payload)
	}
	if b.member != nil {
		err = errProof
	}
	if err != nil {
		statement = evidence.Failed(evidence.CheckStatement, statementCode(err), "%s", err)
	}
	checks := coded([]evidence.Check{result.Signature, result.Signer, result.Time, statement})
	if !decide(checks, evidence.CheckSignature, evidence.CheckSigner, evidence.CheckStatement) || result.By == nil {
		return result, nil, &VerificationError{Report{Checks: checks}}
	}
	return result, checks, nil
}

// UnverifiedPredicateType is the predicate type that a bundle's payload names, "" if it is not a
// Statement, or names two in different case; of a run proof, that of the run. Use it only to choose how to verify the bundle.
func (b *Bundle) UnverifiedPredicateType() string {
	b = zero.IfNil(b)
	root, err := jsontree.Read(b.statement(), foreignRules)
	if err != nil {
		return ""
	}
	named := 0
	for name := range root.Members() {
		if strings.EqualFold(string(name), "predicateType") {
			named++
		}
	}
	if named > 1 { // of which readers take either
		return ""
	}
	return root.Get("predicateType").Text()
}

type claimContent struct {
	subjects  []Subject
	predicate []byte
}

func readClaim(payload []byte, predicateType string) (*claimContent, error) {
	root, err := readInToto(jsontree.Read, payload, predicateType)
	if err != nil {
		return nil, err
	}
	c := &claimContent{}
	if c.subjects, err = readSubjects(root.Get("subject")); err != nil {
		return nil, err
	}
	predicate := root.Get("predicate")
	if predicate.Kind() != jsontree.Object {
		return nil, errors.New("predicate: want an object")
	}
	c.predicate = slices.Clone(predicate.Raw())
	return c, nil
}

// reading is jsontree.Read, or that function into memory.
type reading func([]byte, canonical.Options) (jsontree.Value, error)

// readInToto reads what every in-toto Statement v1 has, strictly.
func readInToto(read reading, payload []byte, predicateType string) (jsontree.Value, error) {
	var none jsontree.Value
	if err := checkSize(payload); err != nil {
		return none, err
	}
	root, err := read(payload, payloadRules)
	if err != nil {
		return none, fmt.Errorf("payload: %w", err)
	}
	return root, checkInToto(root, predicateType)
}

// checkInToto checks what every in-toto Statement v1 has.
func checkInToto(root jsontree.Value, predicateType string) error {
	if got := root.Get("_type"); string(got.Bytes()) != StatementType {
		return &statementError{evidence.CodePayloadType, fmt.Sprintf("_type is %s, want %s", strconv.Quote(got.Text()), StatementType)}
	}
	if got := root.Get("predicateType"); string(got.Bytes()) != predicateType {
		return &statementError{evidence.CodePredicateType, fmt.Sprintf("predicateType is %s, want %s", strconv.Quote(got.Text()), predicateType)}
	}
	return checkMembers(root, "_type", "subject", "predicateType", "predicate")
}

func checkSize(payload []byte) error {
	if len(payload) > limits.Payload {
		return fmt.Errorf("payload of %d bytes, want at most %d", len(payload), limits.Payload)
	}
	return nil
}

// statementError says that a payload is something else than the Statement asked for.
type statementError struct {
	code   evidence.Code
	reason string
}

func (e *statementError) Error() string { return e.reason }

// statementCode is the code of a payload that could not be read as the Statement asked for.
func statementCode(err error) evidence.Code {
	var other *statementError
	if errors.As(err, &other) {
		return other.code
	}
	return evidence.CodeStatement
}

func (b *Bundle) checkPayloadType() error {
	if b.payloadType == PayloadType {
		return nil
	}
	return &statementError{evidence.CodePayloadType, fmt.Sprintf("payloadType is %s, want %s", strconv.Quote(b.payloadType), PayloadType)}
}
