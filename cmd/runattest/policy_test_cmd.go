package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/policy"
)

func newPolicyTest() *cobra.Command {
	cmd := newCommand("policy_test")
	cmd.Args = cli.SomeArgs("folder of cases")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		total, good := 0, 0
		for _, arg := range args {
			files, err := caseFiles(arg)
			if err != nil {
				o.noteCases(arg, err)
			}
			for _, file := range files {
				n, passed, err := o.runCases(cmd, file)
				if total, good = total+n, good+passed; err != nil {
					o.noteCases(file, err)
				}
			}
		}
		o.Info("%d of %d cases as expected", good, total)
		return o.done()
	}
	return cmd
}

// caseFiles are the files of cases that an argument names.
func caseFiles(arg string) ([]string, error) {
	files, err := input.Named(arg, "cases.yaml")
	if err == nil && len(files) == 0 {
		err = cli.WithHint(fmt.Errorf("%s: no cases.yaml in it or below it", arg), "runattest policy test --help shows one")
	}
	return files, err
}

func (o *output) runCases(cmd *cobra.Command, file string) (total, good int, err error) {
	cases, err := policy.LoadCases(file, policyOptions)
	if err != nil {
		return 0, 0, err
	}
	results, err := cases.Run(cmd.Context())
	if err != nil {
		return 0, 0, err
	}
	for _, r := range results {
		if total++; r.Passed {
			good++
		} else {
			o.status = max(o.status, exitNo)
		}
		if err := o.printCase(file, r); err != nil {
			o.note("standard output", err)
			break
		}
	}
	return total, good, nil
}

// noteCases notes why there are no answers about cases, which is none that was expected: each problem of a file of cases.
func (o *output) noteCases(name string, err error) {
	all := []error{err}
	if invalid, ok := errors.AsType[*policy.InvalidError](err); ok && invalid.Noun == "cases" && len(invalid.Problems) > 1 {
		all = nil
		for _, p := range invalid.Problems {
			all = append(all, &policy.InvalidError{Noun: invalid.Noun, Path: invalid.Path, Problems: []identity.Problem{p}})
		}
	}
	for _, err := range all {
		o.noteNo(name, err, func(why string) any { return caseReport{name, policy.CaseResult{Problem: why}} })
	}
}

// caseReport is the JSON result of one case.
type caseReport struct {
	File string `json:"file"`
	policy.CaseResult
}

func (o *output) printCase(file string, r policy.CaseResult) error {
	if r.Passed {
		return o.Result(caseReport{file, r}, "ok   %s: %s", file, r.Name)
	}
	return o.Result(caseReport{file, r}, "FAIL %s: %s: %s", file, r.Name, r.Problem)
}
