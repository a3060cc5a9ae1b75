package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/registry/upload"
	"github.com/runattest/runattest/signer/kms"
	"github.com/runattest/runattest/sigstore"
)

// signFlags are what the flags of sign say, besides who signs.
type signFlags struct {
	lines          bool
	set            string
	setAnnotations []string
	bundle         string
	format         *cli.Word
	detached       bool
	declarationURI string
	subjects       []string
	artifacts      *[]string
	annotations    []string
	subjectRefs    []string
	attach         string
	capture        string
	withSource     bool
	source         *sourceFlags
	reach          *registryFlags
}

func newSign() *cobra.Command {
	cmd := newCommand("sign")
	cmd.Args = cli.SomeArgs("declaration")
	cmd.ValidArgsFunction = completeDeclarations
	var s signFlags
	flags := cmd.Flags()
	who := newSignerFlags(cmd)
	flags.BoolVar(&s.lines, "jsonl", false, "with -: answer each line of standard input, a JSON declaration, in their order and without waiting for the next")
	flags.StringVar(&s.set, "set", "", "sign all declarations with one signature, as a run set: the `FILE` for it (*.runset.jsonl)")
	flags.StringArrayVar(&s.setAnnotations, "set-annotation", nil, "with --set: `NAME=VALUE` about the set, signed (repeatable)")
	flags.StringVar(&s.bundle, "bundle", "", "the `FILE` for the bundles (default: DECLARATION.sigstore.json)")
	s.format = cli.WordFlag(cmd, "bundle-format", "a Sigstore bundle, or a bare DSSE envelope", string(attest.SigstoreBundle), string(attest.DSSE))
	flags.BoolVar(&s.detached, "detached", false, "leave the declaration out of the bundle; a verifier must be given it")
	flags.StringVar(&s.declarationURI, "declaration-uri", "", "with --detached: the `URI` where the declaration can be found")
	flags.StringArrayVar(&s.subjects, "subject", nil, "an artifact that the run belongs to: `NAME@sha256:HEX` (repeatable)")
	s.artifacts = artifactFlag(cmd, "a `FILE` that the run belongs to, added as a subject by its SHA-256 (repeatable)")
	s.declareReferences(cmd)
	flags.StringArrayVar(&s.annotations, "annotation", nil, "`NAME=VALUE`, signed but no part of the identity (repeatable)")
	flags.StringVar(&s.capture, "capture", "", "the arguments are requests or folders of this `FORMAT`, such as openai-chat/1: sign what they declare")
	_ = cmd.RegisterFlagCompletionFunc("capture", completeFormats)
	flags.BoolVar(&s.withSource, "with-source", false, "with --capture: name the request's exact bytes as the subject source, by their SHA-256")
	s.source = newSourceFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if err := s.checkLines(args); err != nil {
			return err
		}
		if err := s.checkSet(cmd); err != nil {
			return err
		}
		batch, err := s.prepare(cmd, o, who)
		if err != nil {
			return err
		}
		if s.lines {
			return batch.signLines(cmd)
		}
		if s.set != "" {
			return batch.signSet(cmd, args)
		}
		return batch.sign(cmd, args)
	}
	return cmd
}

// batch is one call of sign.
type batch struct {
	*output
	signFlags
	who     *signerFlags
	session *sigstore.Session
	options attest.StatementOptions
	work    *signing.Batch
	made    upload.Waiting // for --attach

	capturing *capturing // nil for declarations
}

func (s signFlags) prepare(cmd *cobra.Command, o *output, who *signerFlags) (*batch, error) {
	if s.declarationURI != "" && !s.detached {
		return nil, errors.New("--declaration-uri goes with --detached")
	}
	b := &batch{output: o, signFlags: s, who: who}
	if err := b.prepareCapture(); err != nil {
		return nil, err
	}
	artifacts, err := hashArtifacts(o, *s.artifacts)
	if err != nil {
		return nil, err
	}
	warnOfKeys(o, *s.artifacts)
	var once subjects.List
	for _, text := range s.subjects {
		subject, err := attest.ParseSubject(text)
		if err != nil {
			return nil, fmt.Errorf("--subject: %w", err)
		}
		if err := once.Add(text, subject); err != nil {
			return nil, err
		}
	}
	if err := once.AddAll(*s.artifacts, artifacts); err != nil {
		return nil, err
	}
	if err := b.resolveSubjects(&once); err != nil {
		return nil, err
	}
	b.options.Subjects = once.All()
	if b.options.Annotations, err = o.parseAnnotations("--annotation", s.annotations); err != nil {
		return nil, err
	}
	if b.session, err = who.session(cmd, attest.Format(s.format.String())); err != nil {
		return nil, err
	}
	if b.detached {
		b.options.Detached = &attest.DeclarationRef{URI: b.declarationURI}
	}
	b.work = &signing.Batch{Session: b.session, Remote: kms.IsReference(who.key), Note: b.note, Prepared: b.warn}
	if b.capturing != nil {
		b.work.Workers = 1 // what is captured tells about itself while it is read
	}
	return b, nil
}
