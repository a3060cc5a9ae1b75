package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/gateway/journal"
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
		v := newVerification(cmd, &verdicts.Verifier{Trust: verifier, Source: source, Expect: want, Given: given}, applied)
		v.reach, v.strict, v.each, v.failFast = policies.reach, *strict, *each, *failFast
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

// verification prints the verdicts about what the arguments name, and counts them.
type verification struct {
	*output
	cmd                    *cobra.Command
	by                     *verdicts.Verifier
	policy                 *appliedPolicy // nil for none
	reach                  *registryFlags
	progress               *terminal.Progress
	strict, each, failFast bool

	total, good, artifacts int
}

var _ verdicts.Visitor = (*verification)(nil)

func newVerification(cmd *cobra.Command, by *verdicts.Verifier, policy *appliedPolicy) *verification {
	o := newOutput(cmd)
	by.Stdin, by.Explain = cmd.InOrStdin(), hintOther
	by.SourceError = func(err error) error {
		return fmt.Errorf("--source %s: %w", by.Source.Path, files.LocateCapture(by.Source.Source.Body, err))
	}
	if policy != nil {
		by.Policy = policy
	}
	return &verification{output: o, cmd: cmd, by: by, policy: policy, progress: o.progress("verified or refused")}
}

func (v *verification) verifyAll(paths []string) error {
	if err := v.by.All(v.cmd.Context(), v, paths...); err != nil {
		return err
	}
	v.progress.End()
	return v.counted(v.total, v.good, "bundle", v.artifacts > 0)
}

func attachedTo(ref string) string { return "for what is attached to an artifact write oci://" + ref }

// givenDeclarations are those that --declaration names; nil for none.
func givenDeclarations(cmd *cobra.Command, path string) (*files.Declarations, error) {
	if !cmd.Flags().Changed("declaration") {
		return nil, nil
	}
	return files.ReadDeclarations([]string{path}, cmd.InOrStdin())
}

func printVerdict(o *output, name string, r attest.Report, err error) {
	a := answer.Bundle{Bundle: name, Report: r}
	a.Checks, a.None = o.phrase(a.Checks, err)
	o.verdict(a.Verdict(), a, err)
}

// count counts a verdict, and says whether to go on.
func (v *verification) count(verified bool) bool {
	v.total++
	if verified {
		v.good++
	}
	return v.goesOn()
}

func (v *verification) goesOn() bool {
	if !v.failFast || v.status == exitYes {
		return true
	}
	v.progress.End()
	v.Info("stopped at the first that is not verified")
	return false
}

// Bundle prints the verdict about a bundle.
func (v *verification) Bundle(name string, r attest.Report, err error) bool {
	v.progress.End()
	printVerdict(v.output, name, r, hintReference(name, err, attachedTo))
	v.progress.Step()
	return v.count(r.Verified)
}

// Set prints the verdict about a run set, after those about its runs where they are asked for.
func (v *verification) Set(name string, set io.ReadSeeker) bool {
	var each func(uint64, attest.Report) // nil is the fast way
	if v.each {
		each = func(index uint64, run attest.Report) {
			v.progress.End()
			printVerdict(v.output, fmt.Sprintf("%s:%d", name, index+2), run, nil)
		}
	}
	r, err := v.by.Set(v.cmd.Context(), set, each, v.progress.Step)
	v.progress.End()
	if err != nil {
		r, err = &runset.Result{}, phraseOneRun(err)
	}
	made := answer.NewSet(name, r)
	made.Checks, made.None = v.phrase(made.Checks, err)
	if r.Refused > 0 {
		v.Info("%s: %d of %d runs are not verified", name, r.Refused, r.Head.Size)
	}
	v.verdict(made.Verdict(), made, err)
	return v.count(r.Verified)
}

// Journal prints the verdict about a journal, after those about its lines.
func (v *verification) Journal(dir string) bool {
	j := &journalVerifier{output: v.output, by: v.by, each: v.each, progress: v.progress}
	return v.count(j.verify(v.cmd.Context(), dir, journal.VerifyOptions{}))
}

// phraseOneRun names the flags that are about one run, where they were given with what is of many.
func phraseOneRun(err error) error {
	one, ok := errors.AsType[*verdicts.OneRunError](err)
	switch {
	case errors.Is(err, verdicts.ErrNoneGiven):
		return cli.WithHint(err, "give declarations of runs of the set, or none")
	case !ok:
		return err
	case one.Kind == "journal":
		return errors.New("is a journal, and --identity, --declaration, --artifact and --source are about one run")
	case one.Source:
		return cli.WithHint(errors.New("is a run set, and --source is about one run"), proveOne)
	}
	return cli.WithHint(errors.New("is a run set, and --identity and --artifact are about one run"), proveOne)
}

const proveOne = "runattest set prove --identity ID writes the proof of one run, to verify that"
