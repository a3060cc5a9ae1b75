package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/registry"
)

func newVerify() *cobra.Command {
	cmd := newCommand("verify")
	cmd.Args = cli.SomeArgs("bundle")
	cmd.ValidArgsFunction = completeBundles
	flags := cmd.Flags()
	trust := newTrustFlags(cmd)
	id := identityFlag(cmd)
	declaration := flags.String("declaration", "", "the `FILE` with the declaration that a bundle must be about, JSON, YAML, or JSON Lines of several, or a folder of such files: a detached attestation has none in it")
	_ = cmd.MarkFlagFilename("declaration", "json", "jsonl", "yaml", "yml")
	artifacts := artifactFlag(cmd, "a `FILE` that must be among the subjects, by its SHA-256 (repeatable)")
	strict := flags.Bool("strict", false, "every attestation that is attached to a REF must be verified, not one of them")
	each := flags.Bool("each", false, "of a run set or a journal, report each run, too")
	failFast := flags.Bool("fail-fast", false, "stop at the first BUNDLE that is not verified: nothing is said of those after it")
	lines := flags.Bool("jsonl", false, "with -: answer each line of standard input, a bundle or the name of a file as a JSON string, before the next is read")
	policies := newPolicyFlags(cmd)
	captures := newCaptureCheckFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var want attest.Expect
		if err := checkVerifyLines(cmd, *lines, args, newOutput(cmd)); err != nil {
			return err
		}
		verifier, applied, err := loadVerifier(cmd, trust, policies, *lines)
		if err != nil {
			return err
		}
		if want.Identity, err = id(); err != nil {
			return err
		}
		given, err := givenDeclarations(cmd, *declaration)
		if err != nil {
			return err
		}
		want.Declaration = given.Only()
		if want.Artifacts, err = hashArtifacts(newOutput(cmd), *artifacts); err != nil {
			return err
		}
		if *strict && !*lines && !slices.ContainsFunc(args, registry.IsReference) {
			return errors.New("--strict goes with oci:// and oci-layout://: of files every bundle must be verified anyway")
		}
		source, err := captures.load()
		if err != nil {
			return err
		}
		v := newVerification(cmd, &judge{verifier, applied, source}, want)
		v.given, v.sets.given, v.refs.given = given, given, given
		v.refs.reach, v.refs.strict, v.sets.each, v.failFast = policies.reach, *strict, *each, *failFast
		if *lines {
			return v.verifyLines()
		}
		return v.verifyAll(args)
	}
	return cmd
}

// loadVerifier is the verifier of the trust flags, or the policy, with its verifier.
func loadVerifier(cmd *cobra.Command, trust *trustFlags, policies *policyFlags, again bool) (*attest.Verifier, *appliedPolicy, error) {
	applied, err := policies.load(cmd, again)
	if err != nil {
		return nil, nil, err
	}
	if applied == nil {
		verifier, err := trust.load(cmd)
		return verifier, nil, err
	}
	if err := trust.refuseBesidePolicy(cmd); err != nil {
		return nil, nil, err
	}
	return applied.Verifier(), applied, nil
}

// judge verifies bundles, asks the policy where there is one, and holds declarations against a source.
type judge struct {
	verifier *attest.Verifier
	policy   *appliedPolicy
	source   *recapture.Source // or nil
}

func (j *judge) verify(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
	if j.policy != nil {
		result, err := j.policy.verify(ctx, b, want)
		if err != nil {
			return attest.Report{}, err
		}
		return result.Report, nil
	}
	verified, err := j.verifier.Verify(ctx, b, want)
	return verified.Report(), err
}

// verification answers for bundles, sets and references, and counts the answers.
type verification struct {
	*output
	cmd      *cobra.Command
	judge    *judge
	want     attest.Expect
	given    *files.Declarations // nil where none is
	refs     *referenceVerifier
	sets     *setVerifier
	progress *terminal.Progress
	failFast bool

	total, good, artifacts int
}

func newVerification(cmd *cobra.Command, judge *judge, want attest.Expect) *verification {
	o := newOutput(cmd)
	v := &verification{output: o, cmd: cmd, judge: judge, want: want, progress: o.progress("verified or refused")}
	v.refs = &referenceVerifier{output: o, judge: judge, want: want}
	v.sets = &setVerifier{output: o, judge: judge, want: want, progress: v.progress}
	return v
}

func (v *verification) verifyAll(paths []string) error {
	v.verify(paths...)
	v.progress.End()
	return v.counted(v.total, v.good, "bundle", v.artifacts > 0)
}

func attachedTo(ref string) string { return "for what is attached to an artifact write oci://" + ref }

// verifyOne gives a report for yes and for no, and an error where there is no answer. It may run at once for several.
func (v *verification) verifyOne(data []byte) (attest.Report, error) {
	bundle, err := files.ParseBundle(data)
	if err != nil {
		return attest.Report{}, err
	}
	want := v.want
	if v.given.Len() > 1 {
		if claim, err := bundle.UnverifiedStatement(); err == nil {
			if want.Declaration = v.given.Find(claim.Identity); want.Declaration == nil {
				return attest.Report{}, fmt.Errorf("is about none of the %d declarations that are given", v.given.Len())
			}
		}
	}
	return verifyBundle(v.cmd.Context(), v.judge, bundle, want)
}

// givenDeclarations are those that --declaration names; nil for none.
func givenDeclarations(cmd *cobra.Command, path string) (*files.Declarations, error) {
	if !cmd.Flags().Changed("declaration") {
		return nil, nil
	}
	return files.ReadDeclarations([]string{path}, cmd.InOrStdin())
}

func verifyBundle(ctx context.Context, judge *judge, bundle *attest.Bundle, want attest.Expect) (attest.Report, error) {
	if judge.source == nil {
		return verifyRun(ctx, judge, bundle, want)
	}
	declared, check, err := judge.source.Check(ctx, bundle)
	if is[*recapture.SourceError](err) {
		err = fmt.Errorf("--source %s: %w", judge.source.Path, locate(judge.source.Source.Body, err))
	}
	if err != nil {
		return attest.Report{}, err
	}
	want.Declaration = declared // so that a source of another run is refused, whatever the check says
	report, err := verifyRun(ctx, judge, bundle, want)
	switch {
	case err != nil:
		return attest.Report{}, err
	case declared == nil && report.Verified: // a source that was held against nothing must not look as if it had been
		return attest.Report{}, errors.New("is not about one run: a source cannot be held against it")
	}
	report.Checks = append(report.Checks, check)
	return report, nil
}

func verifyRun(ctx context.Context, judge *judge, bundle *attest.Bundle, want attest.Expect) (attest.Report, error) {
	report, err := judge.verify(ctx, bundle, want)
	var no *attest.VerificationError
	switch {
	case errors.As(err, &no):
		hintOther(&no.Report, bundle)
		return no.Report, nil
	case err != nil:
		return attest.Report{}, err
	}
	return report, nil
}

func printVerdict(o *output, name string, r attest.Report, err error) {
	a := answer.Bundle{Bundle: name, Report: r}
	a.Checks, a.None = o.phrase(a.Checks, err)
	o.verdict(a.Verdict(), a, err)
}
