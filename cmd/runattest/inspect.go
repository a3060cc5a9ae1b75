package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/cli"
)

func newInspect() *cobra.Command {
	cmd := newCommand("inspect")
	cmd.Args = cli.OneArg("bundle")
	cmd.ValidArgsFunction = completeBundles
	onlyDeclaration := cmd.Flags().Bool("declaration", false, "write the declaration alone, in canonical form")
	onlyStatement := cmd.Flags().Bool("statement", false, "write the payload alone, as it was signed")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if err := exclusive(cmd, "declaration", "statement"); err != nil {
			return err
		}
		if *onlyDeclaration || *onlyStatement {
			return inspectPart(cmd, o, args[0], *onlyStatement)
		}
		for blob, err := range bundlesIn(args[0], cmd.InOrStdin()) {
			var b *attest.Bundle
			if err == nil {
				b, err = parseBundle(blob.Data)
			}
			if err == nil {
				err = inspect(o, blob.Name, b)
			}
			if err != nil {
				o.note(blob.Name, hintReference(args[0], err, fetchFirst))
			}
		}
		return o.done()
	}
	return cmd
}

// inspectPart writes the payload or the declaration of the one bundle in a file, once it is known to be the only one.
func inspectPart(cmd *cobra.Command, o *output, path string, statement bool) error {
	b, err := oneBundle(path, cmd.InOrStdin())
	if err != nil {
		return err
	}
	if statement {
		return o.WriteRaw(b.UnverifiedPayload())
	}
	s, err := unverifiedStatement(b)
	if err == nil && s.Ref != nil {
		err = errors.New("the attestation is detached: the declaration is not in the bundle")
	}
	if err != nil {
		return named(path, err)
	}
	return o.WriteRaw(s.Declaration)
}

func unverifiedStatement(b *attest.Bundle) (*attest.UnverifiedStatement, error) {
	s, err := b.UnverifiedStatement()
	if err != nil {
		return nil, cli.WithHint(fmt.Errorf("not a run identity statement: %w", err), "--statement writes the payload as it is")
	}
	return s, nil
}

// inspectHead is what the JSON result of every bundle begins with.
type inspectHead struct {
	Bundle     string `json:"bundle"`
	Unverified bool   `json:"unverified"`
	Signer     string `json:"claimedSigner"`
}

// inspect prints a run identity statement, any other in-toto Statement, or of another payload no more
// than its type and size.
func inspect(o *output, name string, b *attest.Bundle) error {
	head := inspectHead{name, true, claimedSigner(b.UnverifiedKeyHint(), b.UnverifiedCertificate())}
	if b.UnverifiedPredicateType() == attest.PredicateType {
		s, err := unverifiedStatement(b)
		if err != nil {
			return err
		}
		return o.inspected(head, runLines(s, head.Signer), struct {
			inspectHead
			*attest.UnverifiedStatement
		}{head, s})
	}
	s, err := b.UnverifiedClaim()
	switch e := b.UnverifiedEnvelope(); {
	case err == nil:
		return o.inspected(head, claimLines(s, head.Signer), struct {
			inspectHead
			*attest.UnverifiedClaim
		}{head, s})
	case e.PayloadType == attest.PayloadType:
		return cli.WithHint(fmt.Errorf("not an in-toto statement: %w", err), "--statement writes the payload as it is")
	default:
		size := fmt.Sprintf("  payload          %d bytes, not an in-toto statement", len(b.UnverifiedPayload()))
		return o.inspected(head, append(carried(&e, head.Signer), size), struct {
			inspectHead
			*attest.UnverifiedEnvelope
		}{head, &e})
	}
}

// inspected prints what one bundle says: lines, or an object.
func (o *output) inspected(head inspectHead, lines []string, object any) error {
	if o.JSON {
		return o.Object(object)
	}
	for _, line := range append([]string{fmt.Sprintf("%s: UNVERIFIED: nothing below has been checked", head.Bundle)}, lines...) {
		if err := o.Line("%s", line); err != nil {
			return err
		}
	}
	return nil
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
