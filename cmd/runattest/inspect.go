package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/source"
)

func newInspect() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect BUNDLE",
		Short: "Show what a bundle says, without checking it",
		Long: `Show what each bundle in a file says. Nothing is checked but its form: neither who
signed, nor that the identity is that of the declaration. verify does that.

--declaration writes the declaration alone, in canonical form, so that its identity can
be recomputed with nothing but sha256sum; --statement writes the signed payload.`,
		Example: `  runattest inspect run.json.sigstore.json
  runattest inspect --declaration run.json.sigstore.json | sha256sum`,
		Args:              oneArg("bundle"),
		ValidArgsFunction: completeBundles,
	}
	onlyDeclaration := cmd.Flags().Bool("declaration", false, "write the declaration alone, in canonical form")
	onlyStatement := cmd.Flags().Bool("statement", false, "write the payload alone, as it was signed")
	cmd.MarkFlagsMutuallyExclusive("declaration", "statement")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if *onlyDeclaration || *onlyStatement {
			return inspectPart(cmd, o, args[0], *onlyStatement)
		}
		for blob, err := range source.Bundles(args[0], cmd.InOrStdin()) {
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
		return o.writeRaw(b.UnverifiedPayload())
	}
	s, err := unverifiedStatement(b)
	if err == nil && s.Ref != nil {
		err = errors.New("the attestation is detached: the declaration is not in the bundle")
	}
	if err != nil {
		return named(path, err)
	}
	return o.writeRaw(s.Declaration)
}

func unverifiedStatement(b *attest.Bundle) (*attest.UnverifiedStatement, error) {
	s, err := b.UnverifiedStatement()
	if err != nil {
		return nil, withHint(fmt.Errorf("not a run identity statement: %w", err), "--statement writes the payload as it is")
	}
	return s, nil
}

func inspect(o *output, name string, b *attest.Bundle) error {
	s, err := unverifiedStatement(b)
	switch {
	case err != nil:
		return err
	case o.json:
		return o.object(struct {
			Bundle     string `json:"bundle"`
			Unverified bool   `json:"unverified"`
			*attest.UnverifiedStatement
		}{name, true, s})
	}
	return printUnverified(o, name, s)
}

func printUnverified(o *output, name string, s *attest.UnverifiedStatement) error {
	key := s.KeyHint
	if s.Certificate {
		key = "(a certificate)"
	}
	lines := []string{
		fmt.Sprintf("%s: UNVERIFIED: nothing below has been checked", name),
		"  claims identity  " + s.Identity.String(),
		"  claims key       " + key,
		fmt.Sprintf("  carries          %d signatures, %d timestamps, %d log entries, as %s", s.Signatures, s.Timestamps, s.LogEntries, s.Format),
	}
	for _, subject := range s.Subjects[1:] {
		lines = append(lines, "  claims subject   "+subject.String())
	}
	for name, value := range sorted(s.Annotations) {
		lines = append(lines, "  annotation       "+name+"="+value)
	}
	if s.Ref != nil {
		lines = append(lines, fmt.Sprintf("  declaration      detached: %s %s (%d bytes)", s.Ref.Name, s.Ref.URI, s.Ref.Size))
	} else {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, s.Declaration, "    ", "  "); err != nil {
			return err
		}
		lines = append(lines, "  declaration")
		lines = append(lines, strings.Split("    "+pretty.String(), "\n")...) // what breaks lines inside it is escaped
	}
	for _, line := range lines {
		if err := o.line("%s", line); err != nil {
			return err
		}
	}
	return nil
}
