package attest

import (
	"slices"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/zero"
)

// UnverifiedEnvelope is what a bundle carries, whatever its statement says. Nothing of it has been checked.
type UnverifiedEnvelope struct {
	Format        Format `json:"format"`
	PayloadType   string `json:"payloadType"`
	PredicateType string `json:"predicateType,omitempty"` // "" if the payload is not a Statement
	Signatures    int    `json:"signatures"`
	KeyHint       string `json:"keyHint,omitempty"`
	Certificate   bool   `json:"certificate,omitempty"`
	Timestamps    int    `json:"timestamps,omitempty"`
	LogEntries    int    `json:"logEntries,omitempty"`
}

// UnverifiedEnvelope counts what is in b.
func (b *Bundle) UnverifiedEnvelope() UnverifiedEnvelope {
	b = zero.IfNil(b)
	return UnverifiedEnvelope{
		Format:        b.format,
		PayloadType:   b.payloadType,
		PredicateType: b.UnverifiedPredicateType(),
		Signatures:    len(b.signatures),
		KeyHint:       b.keyHint(),
		Certificate:   len(b.material.certificates) > 0,
		Timestamps:    len(b.material.evidence.Timestamps),
		LogEntries:    len(b.material.evidence.LogEntries),
	}
}

// UnverifiedStatement is what a bundle says of a run, for people to look at. Neither the signer nor the identity
// has been checked: make no decision by it.
type UnverifiedStatement struct {
	UnverifiedEnvelope
	Identity    identity.ID       `json:"claimedIdentity"`
	Subjects    []Subject         `json:"subjects"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Exactly one of the two is set. Declaration is in canonical form.
	Declaration rawJSON         `json:"declaration,omitempty"`
	Ref         *DeclarationRef `json:"declarationRef,omitempty"`
	// Set is where a run proof says that the run is; nil in a bundle of another format.
	Set *evidence.InSet `json:"claimedSet,omitempty"`
}

// rawJSON is JSON text that is written as it stands.
type rawJSON []byte

// MarshalJSON writes the text as it stands.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// UnverifiedStatement reads the statement in b without checking anything but its form and the payload's type.
func (b *Bundle) UnverifiedStatement() (*UnverifiedStatement, error) {
	b = zero.IfNil(b)
	if err := b.checkPayloadType(); err != nil {
		return nil, err
	}
	c, err := readStatement(jsontree.Read, b.statement())
	if err != nil {
		return nil, err
	}
	set, err := b.unverifiedSet()
	if err != nil {
		return nil, err
	}
	return &UnverifiedStatement{
		Set:                set,
		UnverifiedEnvelope: b.UnverifiedEnvelope(),
		Identity:           c.id,
		Subjects:           c.allSubjects(),
		Annotations:        c.annotations,
		Declaration:        slices.Clone(c.declaration.Raw()),
		Ref:                c.ref,
	}, nil
}

// UnverifiedClaim is what a bundle with an in-toto Statement of any predicate type says. Decide
// nothing by it.
type UnverifiedClaim struct {
	UnverifiedEnvelope
	Subjects  []UnverifiedSubject `json:"subjects"`
	Predicate rawJSON             `json:"predicate,omitempty"` // as it is in the payload; nil if it has none
}

// UnverifiedClaim reads the statement in b: one of this module's predicate types as strictly as
// VerifyClaim, any other as in-toto defines it.
func (b *Bundle) UnverifiedClaim() (*UnverifiedClaim, error) {
	b = zero.IfNil(b)
	if err := b.checkPayloadType(); err != nil {
		return nil, err
	}
	c, err := readAnyClaim(b.statement())
	if err != nil {
		return nil, err
	}
	return &UnverifiedClaim{b.UnverifiedEnvelope(), c.subjects, c.predicate}, nil
}

// UnverifiedSubjects are the subjects that an in-toto Statement of any predicate type names, at
// least one. They say where a bundle may belong, and nothing else.
func (b *Bundle) UnverifiedSubjects() ([]UnverifiedSubject, error) {
	b = zero.IfNil(b)
	if err := b.checkPayloadType(); err != nil {
		return nil, err
	}
	c, err := readAnyClaim(b.statement())
	if err != nil {
		return nil, err
	}
	return c.subjects, nil
}

// UnverifiedKeyHint is the key that a bundle says it is signed with; "" if it does not say.
func (b *Bundle) UnverifiedKeyHint() string { return zero.IfNil(b).keyHint() }

// UnverifiedCertificate is the certificate that a bundle says it is signed with, in DER; nil
// if it names a key.
func (b *Bundle) UnverifiedCertificate() []byte {
	b = zero.IfNil(b)
	if len(b.material.certificates) == 0 {
		return nil
	}
	return slices.Clone(b.material.certificates[0])
}

// UnverifiedPayload is the payload as it is in b, whatever it says. That of a run proof is about the set.
func (b *Bundle) UnverifiedPayload() []byte { return slices.Clone(zero.IfNil(b).payload) }
