package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/terminal"
)

// setVerifier verifies run sets.
type setVerifier struct {
	*output
	judge    *judge
	want     attest.Expect
	given    *files.Declarations
	each     bool
	met      bool // a run of the set has a declaration that is given
	progress *terminal.Progress
}

// verify prints the answer for a set, after those for its runs where they are asked for.
func (v *setVerifier) verify(cmd *cobra.Command, name string, file *input.Source) (verified bool) {
	set, err := runset.Open(file.Set)
	r := &runset.Result{}
	if err == nil {
		err = v.refuseExpectations()
	}
	if err == nil {
		v.met = false
		r, err = runset.Verify(cmd.Context(), v.judge.verifier, set, v.options(name))
	}
	if err == nil && r.Verified && v.given.Len() > 0 && !v.met {
		err = cli.WithHint(errors.New("none of its runs has the declaration that is given"), "give declarations of runs of the set, or none")
	}
	v.progress.End()
	if err != nil {
		r = &runset.Result{}
	}
	v.print(name, r, err)
	return err == nil && r.Verified
}

// refuseExpectations refuses what is expected of one run.
func (v *setVerifier) refuseExpectations() error {
	if v.want.Identity != nil || len(v.want.Artifacts) > 0 {
		return cli.WithHint(errors.New("is a run set, and --identity and --artifact are about one run"), "runattest set prove --identity ID writes the proof of one run, to verify that")
	}
	if v.judge.source != nil {
		return cli.WithHint(errors.New("is a run set, and --source is about one run"), "runattest set prove --identity ID writes the proof of one run, to verify that")
	}
	return nil
}

func (v *setVerifier) options(name string) runset.VerifyOptions {
	o := runset.VerifyOptions{
		Declaration: func(id identity.ID) (*identity.Declaration, error) {
			return v.given.Find(id), nil
		},
		Each: func(index uint64, run attest.Report) error {
			v.met = v.met || v.given.Find(run.Identity) != nil
			if v.each {
				v.progress.End()
				printVerdict(v.output, fmt.Sprintf("%s:%d", name, index+2), run, nil)
			}
			v.progress.Step()
			return nil
		},
	}
	if v.judge.policy != nil {
		o.Judge = func(ctx context.Context, run *attest.Verified, no error) (attest.Report, error) {
			return v.judge.policy.judge(ctx, run, no)
		}
	}
	return o
}

func (v *setVerifier) print(name string, r *runset.Result, err error) {
	made := answer.NewSet(name, r)
	made.Checks, made.None = v.phrase(made.Checks, err)
	if r.Refused > 0 {
		v.Info("%s: %d of %d runs are not verified", name, r.Refused, r.Head.Size)
	}
	v.verdict(made.Verdict(), made, err)
}
