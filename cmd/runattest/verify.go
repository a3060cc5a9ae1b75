package main

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
)

func newVerify() *cobra.Command {
	cmd := newCommand("verify")
	cmd.Args = cli.SomeArgs("bundle")
	cmd.ValidArgsFunction = completeBundles
	flags := cmd.Flags()
	trust := newTrustFlags(cmd)
	id := identityFlag(cmd)
	declaration := declarationFlag(cmd)
	artifacts := artifactFlag(cmd, "a `FILE` that must be among the subjects, by its SHA-256 (repeatable)")
	strict := flags.Bool("strict", false, "every attestation that is attached to a REF must be verified, not one of them")
	each := flags.Bool("each", false, "of a run set, report each run, too")
	policies := newPolicyFlags(cmd)
	captures := newCaptureCheckFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var want attest.Expect
		verifier, applied, err := loadVerifier(cmd, trust, policies)
		if err != nil {
			return err
		}
		if want.Identity, err = id(); err != nil {
			return err
		}
		if want.Declaration, err = declaration(); err != nil {
			return err
		}
		if want.Artifacts, err = hashArtifacts(newOutput(cmd), *artifacts); err != nil {
			return err
		}
		if *strict && !slices.ContainsFunc(args, registry.IsReference) {
			return errors.New("--strict goes with oci:// and oci-layout://: of files every bundle must be verified anyway")
		}
		source, err := captures.load()
		if err != nil {
			return err
		}
		judge := &judge{verifier, applied, source}
		refs := &referenceVerifier{newOutput(cmd), policies.reach, judge, want, *strict}
		sets := &setVerifier{output: refs.output, judge: judge, want: want, each: *each}
		return verifyAll(cmd, args, judge, want, refs, sets)
	}
	return cmd
}

// loadVerifier is the verifier of the trust flags, or the policy, with its verifier.
func loadVerifier(cmd *cobra.Command, trust *trustFlags, policies *policyFlags) (*attest.Verifier, *appliedPolicy, error) {
	applied, err := policies.load(cmd)
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
	source   *sourceCheck // or nil
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

func verifyAll(cmd *cobra.Command, paths []string, judge *judge, want attest.Expect, refs *referenceVerifier, sets *setVerifier) error {
	o := refs.output
	progress := o.progress("verified or refused")
	sets.progress = progress
	total, good, artifacts := 0, 0, 0
	for _, path := range paths {
		if registry.IsReference(path) {
			artifacts++
			if err := refs.verify(path); err != nil {
				refs.unread(path, err)
			}
			continue
		}
		file, err := input.OpenSource(path, cmd.InOrStdin())
		if err == nil && file.Set != nil {
			if total++; sets.verify(cmd, input.Name(path), file) {
				good++
			}
			file.Close() // only read: nothing to lose
			continue
		}
		some, verified := verifyEach(sourceOrError(path, file, err), func(blob input.Blob, err error) bool {
			var report attest.Report
			if err == nil {
				report, err = verifyOne(cmd.Context(), judge, blob.Data, want)
			}
			progress.End()
			printVerdict(o, blob.Name, report, hintReference(path, err, attachedTo))
			progress.Step()
			return report.Verified
		})
		total, good = total+some, good+verified
	}
	progress.End()
	return o.counted(total, good, "bundle", artifacts > 0)
}

// sourceOrError gives the bundles in a file, or why it could not be opened, and closes it.
func sourceOrError(path string, file *input.Source, err error) iter.Seq2[input.Blob, error] {
	return func(yield func(input.Blob, error) bool) {
		if err != nil {
			yield(input.Blob{Name: input.Name(path)}, err)
			return
		}
		defer file.Close() // only read: nothing to lose
		file.Bundles()(yield)
	}
}

func attachedTo(ref string) string { return "for what is attached to an artifact write oci://" + ref }

// verifyOne gives a report for yes and for no, and an error where there is no answer.
func verifyOne(ctx context.Context, judge *judge, data []byte, want attest.Expect) (attest.Report, error) {
	bundle, err := files.ParseBundle(data)
	if err != nil {
		return attest.Report{}, err
	}
	return verifyBundle(ctx, judge, bundle, want)
}

func verifyBundle(ctx context.Context, judge *judge, bundle *attest.Bundle, want attest.Expect) (attest.Report, error) {
	if judge.source == nil {
		return verifyRun(ctx, judge, bundle, want)
	}
	declared, check, err := judge.source.check(ctx, bundle)
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
	a.Checks, a.None = phrase(a.Checks, err)
	o.verdict(a.Verdict(), a, err)
}
