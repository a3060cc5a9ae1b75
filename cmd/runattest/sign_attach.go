package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
)

// declareReferences declares the flags that name artifacts in registries and layouts.
func (s *signFlags) declareReferences(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&s.subjectRefs, "subject-ref", nil, "`REF` of an artifact in a registry or OCI layout that the run belongs to, added as a subject by its digest (repeatable)")
	f.StringVar(&s.attach, "attach", "", "attach the bundles to this artifact, which becomes a subject: a `REF` such as HOST/REPO[:TAG][@sha256:HEX], oci-layout://PATH...")
	s.reach = newRegistryFlags(cmd)
}

// resolveSubjects adds the artifacts of --subject-ref and --attach to the subjects. What is
// attached later goes to the digest that was resolved here, wherever the tag is by then.
func (b *batch) resolveSubjects(all *subjects.List) error {
	for _, text := range b.subjectRefs {
		if _, _, err := b.resolveSubject(all, text); err != nil {
			return err
		}
	}
	if b.attach == "" {
		return nil
	}
	target, artifact, err := b.resolveSubject(all, b.attach)
	if err == nil {
		err = target.CheckAttach(artifact)
		b.attach = artifact.Reference.String()
	}
	if is[*registry.NotSubjectError](err) {
		return cli.WithHint(errors.New("--attach takes an artifact, and this is the declaration of a run"), "runattest push stores a run with its attestations")
	}
	return err
}

func (b *batch) resolveSubject(all *subjects.List, text string) (*registry.Target, *registry.Artifact, error) {
	target, artifact, err := b.reach.resolve(b.output, text, nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := artifact.Subject()
	if err == nil {
		err = all.AddOnce(text, s)
	}
	return target, artifact, err
}

// toAttach has a bundle wait until its file is written.
func (b *batch) toAttach(j *signing.Job, s signing.Signed) {
	if err := b.made.Add(input.Blob{Name: j.Target, Data: s.Bundle}); err != nil {
		b.note(s.Name, cli.WithHint(fmt.Errorf("its bundle in %s cannot be attached: %w", j.Target, err), completeAttach))
	}
}

const completeAttach = "the bundles are signed and written: runattest attach completes it"

// attachMade attaches what was signed; the files are there whatever becomes of it.
func (b *batch) attachMade(cmd *cobra.Command) error {
	if b.made.Empty() {
		return b.done()
	}
	quiet := *b.output // standard output has the identities
	quiet.Out, quiet.JSON = b.Err, false
	if err := attachAll(cmd, &quiet, b.reach, b.attach, b.made.Parts()); err != nil {
		b.note(b.attach, cli.WithHint(err, completeAttach))
	}
	return b.done()
}
