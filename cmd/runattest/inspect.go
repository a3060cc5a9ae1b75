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
		count := 0
		for blob, err := range source.Bundles(args[0], cmd.InOrStdin()) {
			if count++; count > 1 && (*onlyDeclaration || *onlyStatement) {
				return errors.New("the file holds several bundles; --declaration and --statement write the part of one")
			}
			var b *attest.Bundle
			if err == nil {
				b, err = parseBundle(blob.Data)
			}
			if err == nil && *onlyStatement {
				err = o.writeRaw(b.UnverifiedPayload())
			} else if err == nil {
				err = inspect(o, blob.Name, b, *onlyDeclaration)
			}
			if err != nil {
				o.note(blob.Name, hintReference(args[0], err, fetchFirst))
			}
		}
		return o.done()
	}
	return cmd
}

func inspect(o *output, name string, b *attest.Bundle, onlyDeclaration bool) error {
	s, err := b.UnverifiedStatement()
	switch {
	case err != nil:
		return withHint(fmt.Errorf("not a run identity statement: %w", err), "--statement writes the payload as it is")
	case onlyDeclaration && s.Ref != nil:
		return errors.New("the attestation is detached: the declaration is not in the bundle")
	case onlyDeclaration:
		return o.writeRaw(s.Declaration)
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
