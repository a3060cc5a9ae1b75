package answer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/runattest/runattest/attest"
)

// ErrNotRun and ErrNotStatement say that a payload is not of the form that its type asks for.
var (
	ErrNotRun       = errors.New("not a run identity statement")
	ErrNotStatement = errors.New("not an in-toto statement")
)

// An Unverified is what a bundle says, of which nothing but its form was checked.
type Unverified struct {
	Object any      // encodes to JSON
	Lines  []string // for people
}

// unverifiedHead is what the JSON of every bundle begins with.
type unverifiedHead struct {
	Bundle     string `json:"bundle"`
	Unverified bool   `json:"unverified"`
	Signer     string `json:"claimedSigner"`
}

// Inspect shows a run identity statement, any other in-toto Statement, or of another payload no more than its type and
// size. name is the bundle's, and signer who claims to have signed it: ClaimedSigner. Errors wrap ErrNotRun or
// ErrNotStatement.
func Inspect(b *attest.Bundle, name, signer string) (Unverified, error) {
	if b == nil {
		return Unverified{}, fmt.Errorf("%w: the bundle is nil", attest.ErrMalformed)
	}
	head := unverifiedHead{name, true, signer}
	if e := b.UnverifiedEnvelope(); e.PredicateType == attest.PredicateType && e.PayloadType == attest.PayloadType {
		s, err := Statement(b)
		if err != nil {
			return Unverified{}, err
		}
		return head.show(runLines(s, signer), struct {
			unverifiedHead
			*attest.UnverifiedStatement
		}{head, s}), nil
	}
	s, err := b.UnverifiedClaim()
	switch e := b.UnverifiedEnvelope(); {
	case err == nil:
		return head.show(claimLines(s, signer), struct {
			unverifiedHead
			*attest.UnverifiedClaim
		}{head, s}), nil
	case e.PayloadType == attest.PayloadType:
		return Unverified{}, fmt.Errorf("%w: %w", ErrNotStatement, err)
	default:
		size := fmt.Sprintf("  payload          %d bytes, not an in-toto statement", len(b.UnverifiedPayload()))
		return head.show(append(carried(&e, signer), size), struct {
			unverifiedHead
			*attest.UnverifiedEnvelope
		}{head, &e}), nil
	}
}

// Statement is what a bundle of a run says; errors wrap ErrNotRun.
func Statement(b *attest.Bundle) (*attest.UnverifiedStatement, error) {
	s, err := b.UnverifiedStatement()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRun, err)
	}
	return s, nil
}

func (h unverifiedHead) show(lines []string, object any) Unverified {
	first := fmt.Sprintf("%s: UNVERIFIED: nothing below has been checked", h.Bundle)
	return Unverified{object, append([]string{first}, lines...)}
}

// carried is what every bundle has.
func carried(e *attest.UnverifiedEnvelope, signer string) []string {
	var lines []string
	if e.PayloadType != attest.PayloadType {
		lines = append(lines, "  payload type     "+e.PayloadType)
	}
	return append(lines,
		"  claims signer    "+signer,
		fmt.Sprintf("  carries          %d signatures, %d timestamps, %d log entries, as %s", e.Signatures, e.Timestamps, e.LogEntries, e.Format))
}

func runLines(s *attest.UnverifiedStatement, signer string) []string {
	lines := append([]string{"  claims identity  " + s.Identity.String()}, carried(&s.UnverifiedEnvelope, signer)...)
	if s.Set != nil {
		lines = append(lines, "  claims set       "+s.Set.String())
	}
	for _, subject := range s.Subjects[1:] {
		lines = append(lines, "  claims subject   "+subject.String())
	}
	for name, value := range sorted(s.Annotations) {
		lines = append(lines, "  annotation       "+name+"="+value)
	}
	if s.Ref != nil {
		return append(lines, fmt.Sprintf("  declaration      detached: %s %s (%d bytes)", s.Ref.Name, s.Ref.URI, s.Ref.Size))
	}
	return append(append(lines, "  declaration"), indented(s.Declaration)...)
}

func claimLines(s *attest.UnverifiedClaim, signer string) []string {
	lines := append([]string{"  claims type      " + s.PredicateType}, carried(&s.UnverifiedEnvelope, signer)...)
	for _, subject := range s.Subjects {
		lines = append(lines, "  claims subject   "+subject.String())
	}
	if s.Predicate == nil {
		return lines
	}
	return append(append(lines, "  predicate"), indented(s.Predicate)...)
}

// indented is JSON in lines; what breaks lines inside it is escaped.
func indented(text []byte) []string {
	var pretty bytes.Buffer
	_ = json.Indent(&pretty, text, "    ", "  ") // it was read before
	return strings.Split("    "+pretty.String(), "\n")
}

// ClaimedSigner is who a bundle says has signed it: by its key's hint, or its certificate, of which identityOf reads the
// name and the OIDC issuer.
func ClaimedSigner(b *attest.Bundle, identityOf func(certificate []byte) (name, issuer string, err error)) string {
	certificate := b.UnverifiedCertificate()
	if len(certificate) == 0 || identityOf == nil {
		return cmp.Or(b.UnverifiedKeyHint(), "(not said)")
	}
	name, issuer, err := identityOf(certificate)
	switch {
	case err != nil:
		return "(a certificate that cannot be read)"
	case issuer == "":
		return cmp.Or(name, "(no name)") + ", in a certificate without an OIDC issuer"
	}
	return cmp.Or(name, "(no name)") + ", as " + issuer + " says"
}
