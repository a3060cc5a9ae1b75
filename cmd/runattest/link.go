package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/registry"
)

// linkFlags are what the flags of link say, besides who signs.
type linkFlags struct {
	run         string
	relation    func() (lineage.Relation, error)
	artifacts   *[]string
	annotations []string
	bundle      string
	format      *cli.Word
	reach       *registryFlags
}

func newLink() *cobra.Command {
	cmd := newCommand("link")
	cmd.Args = cli.NoArgs("name the run with --run and the artifacts with --artifact; link verify takes links")
	var l linkFlags
	flags := cmd.Flags()
	who := newSignerFlags(cmd)
	flags.StringVar(&l.run, "run", "", "the `RUN`: its identity (airun:1:sha256:...), or a bundle of it")
	l.artifacts = artifactFlag(cmd, "an `ARTIFACT`: a file, NAME@sha256:HEX, or oci://REF (repeatable)")
	l.reach = newRegistryFlags(cmd)
	l.relation = relationFlag(cmd, "the `RELATION` of the run to the artifacts: produced, consumed or container")
	flags.StringArrayVar(&l.annotations, "annotation", nil, "`NAME=VALUE`, signed (repeatable)")
	flags.StringVar(&l.bundle, "bundle", "", "the `FILE` for the link (default: ARTIFACT.link.sigstore.json)")
	l.format = cli.WordFlag(cmd, "bundle-format", "a Sigstore bundle, or a bare DSSE envelope", string(attest.SigstoreBundle), string(attest.DSSE))
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return l.sign(cmd, who) }
	cmd.AddCommand(newLinkVerify())
	return cmd
}

// relationFlag declares --relation; without it the relation is "".
func relationFlag(cmd *cobra.Command, usage string) func() (lineage.Relation, error) {
	value := cmd.Flags().String("relation", "", usage)
	var names []cobra.Completion
	for _, r := range lineage.Relations() {
		names = append(names, string(r))
	}
	_ = cmd.RegisterFlagCompletionFunc("relation", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return func() (lineage.Relation, error) {
		if !cmd.Flags().Changed("relation") {
			return "", nil
		}
		return lineage.ParseRelation(*value)
	}
}

func (l *linkFlags) sign(cmd *cobra.Command, who *signerFlags) error {
	o := newOutput(cmd)
	claimed, err := l.claim(cmd, o)
	if err != nil {
		return err
	}
	target, err := l.target()
	if err == nil {
		err = l.checkTarget(target, who)
	}
	if err != nil {
		return err
	}
	claim, err := lineage.NewLink(claimed)
	if err != nil {
		return err
	}
	said := claimed.String()
	// a file of the name that we choose may have come in between
	to := claimFile{path: target, anew: l.bundle == "", said: said}
	return who.signClaim(cmd, claim, attest.Format(l.format.String()), to, func(o *output) error {
		if !o.JSON {
			o.Info("%s", said)
		}
		return o.Result(map[string]any{"bundle": target, "run": claimed.Run, "relation": claimed.Relation, "artifacts": claimed.Artifacts}, "%s", target)
	})
}

// claim is what the flags say.
func (l *linkFlags) claim(cmd *cobra.Command, o *output) (lineage.Link, error) {
	var made lineage.Link
	var err error
	if made.Relation, err = l.relation(); err != nil {
		return made, err
	}
	switch {
	case l.run == "":
		return made, cli.WithHint(errors.New("no run given"), "name it with --run ID or --run BUNDLE")
	case len(*l.artifacts) == 0:
		return made, cli.WithHint(errors.New("no artifact given"), "name it with --artifact FILE or --artifact NAME@sha256:HEX")
	case made.Relation == "":
		return made, cli.WithHint(errors.New("no relation given"), "say with --relation whether the run produced or consumed the artifact, or took place in it (container)")
	}
	if made.Annotations, err = o.parseAnnotations("--annotation", l.annotations); err != nil {
		return made, err
	}
	if made.Run, err = unverifiedRun(cmd, o, l.run); err != nil {
		return made, err
	}
	if made.Artifacts, err = artifactsOf(o, l.reach, *l.artifacts); err != nil {
		return made, err
	}
	warnOfKeys(o, *l.artifacts)
	return made, new(subjects.List).AddAll(*l.artifacts, made.Artifacts)
}

// unverifiedRun is the run that --run names. The signature of a bundle is not checked.
func unverifiedRun(cmd *cobra.Command, o *output, ref string) (identity.ID, error) {
	id, err := runOf(cmd, ref)
	switch {
	case err != nil && isID(ref):
		return id, fmt.Errorf("--run %q: %w", ref, err)
	case err == nil && !isID(ref):
		o.Info("note: %s recomputes to %s; who signed it was not verified", input.Name(ref), id)
	}
	return id, err
}

// runOf is the run that an ID names, or that a bundle declares: what a reviewer has read in it is what they decide about.
func runOf(cmd *cobra.Command, ref string) (identity.ID, error) {
	if isID(ref) {
		return identity.ParseID(ref)
	}
	bundle, err := oneBundle(cmd, ref)
	if err != nil {
		return identity.ID{}, err
	}
	id, err := lineage.UnverifiedRun(bundle)
	if err != nil {
		return identity.ID{}, named(ref, err)
	}
	return id, nil
}

func isID(ref string) bool { return strings.HasPrefix(ref, "airun:") }

// artifactsOf are the artifacts that --artifact names.
func artifactsOf(o *output, reach *registryFlags, names []string) ([]attest.Subject, error) {
	places := reach.places()
	places.Resolve = func(_ context.Context, ref string) (*registry.Artifact, error) {
		_, artifact, err := reach.resolve(o, ref, nil)
		return artifact, err
	}
	var all []attest.Subject
	for _, name := range names {
		progress := o.progress("bytes hashed")
		s, err := places.Artifact(reach.cmd.Context(), name, progress)
		progress.End()
		switch {
		case err != nil && gate.IsFile(name):
			return nil, hintReference(name, err, func(ref string) string { return "for an artifact in a registry write oci://" + ref })
		case err != nil && !registry.IsReference(name):
			return nil, fmt.Errorf("--artifact: %w", err)
		case err != nil:
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// target is where the link goes.
func (l *linkFlags) target() (string, error) {
	if l.bundle != "" {
		return cli.OutputName(l.bundle), nil
	}
	for _, a := range *l.artifacts {
		if gate.IsFile(a) {
			return overwrite.Beside(a, ".link"+signatureSuffix)
		}
	}
	return "", cli.WithHint(errors.New("no artifact is a file beside which the link could go"), "name its file with --bundle")
}

// checkTarget refuses, before anything is signed and logged, a file that the link may not replace.
func (l *linkFlags) checkTarget(target string, who *signerFlags) error {
	switch {
	case target == cli.Stdout:
		return nil
	case l.bundle == "": // it may be about another run
		if err := overwrite.MustNotExist(target); err != nil {
			return cli.WithHint(err, "name another file with --bundle")
		}
	}
	return who.notOver(target, l.reach.reads(who.reads(append([]string{l.run}, *l.artifacts...)...)))
}
