package attest

import (
	"slices"

	"github.com/runattest/runattest/identity"
)

// UnverifiedStatement is what a bundle says, for people to look at. Nobody has checked who
// says it, nor that the identity is the declaration's: decide nothing by it.
type UnverifiedStatement struct {
	Format      Format            `json:"format"`
	PayloadType string            `json:"payloadType"`
	Signatures  int               `json:"signatures"`
	KeyHint     string            `json:"keyHint,omitempty"`
	Certificate bool              `json:"certificate,omitempty"`
	Timestamps  int               `json:"timestamps,omitempty"`
	LogEntries  int               `json:"logEntries,omitempty"`
	Identity    identity.ID       `json:"claimedIdentity"`
	Subjects    []Subject         `json:"subjects"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Exactly one of the two is set. Declaration is in canonical form.
	Declaration rawJSON         `json:"declaration,omitempty"`
	Ref         *DeclarationRef `json:"declarationRef,omitempty"`
}

// rawJSON is JSON text that is written as it stands.
type rawJSON []byte

// MarshalJSON writes the text as it stands.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// UnverifiedStatement reads the statement in b without checking anything but its form.
func (b *Bundle) UnverifiedStatement() (*UnverifiedStatement, error) {
	c, err := readStatement(b.payload)
	if err != nil {
		return nil, err
	}
	return &UnverifiedStatement{
		Format:      b.format,
		PayloadType: b.payloadType,
		Signatures:  len(b.signatures),
		KeyHint:     b.keyHint(),
		Certificate: len(b.material.certificates) > 0,
		Timestamps:  len(b.material.evidence.Timestamps),
		LogEntries:  len(b.material.evidence.LogEntries),
		Identity:    c.id,
		Subjects:    c.subjects,
		Annotations: c.annotations,
		Declaration: slices.Clone(c.declaration),
		Ref:         c.ref,
	}, nil
}

// UnverifiedSubjects are the subjects that an in-toto Statement of any predicate type names.
// They say where a bundle may belong, and nothing else.
func (b *Bundle) UnverifiedSubjects() ([]Subject, error) {
	c, err := readClaim(b.payload, b.UnverifiedPredicateType())
	if err != nil {
		return nil, err
	}
	return c.subjects, nil
}

// UnverifiedKeyHint is the key that a bundle says it is signed with; "" if it does not say.
func (b *Bundle) UnverifiedKeyHint() string { return b.keyHint() }

// UnverifiedCertificate is the certificate that a bundle says it is signed with, in DER; nil
// if it names a key.
func (b *Bundle) UnverifiedCertificate() []byte {
	if len(b.material.certificates) == 0 {
		return nil
	}
	return slices.Clone(b.material.certificates[0])
}

// UnverifiedPayload is the payload as it is in b, whatever it says.
func (b *Bundle) UnverifiedPayload() []byte { return slices.Clone(b.payload) }
