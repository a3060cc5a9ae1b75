package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

func newLint() *cobra.Command {
	cmd := newCommand("lint")
	cmd.Args = cli.SomeArgs("declaration")
	cmd.ValidArgsFunction = completeDeclarations
	strict := cmd.Flags().Bool("strict", false, "treat warnings as errors")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		files := input.NewFiles(args, cmd.InOrStdin())
		for _, path := range args {
			for t, err := range files.In(path) {
				var problems []identity.Problem
				if err == nil {
					problems, err = lintDeclaration(t)
				}
				if err != nil {
					o.noteUnread(t.Name, err)
				} else if err = printProblems(o, t.Name, problems, *strict); err != nil {
					o.note(t.Name, err)
				}
			}
		}
		o.passedOver(files, o.noteUnread)
		return o.done()
	}
	return cmd
}

// lintDeclaration lists what is wrong with a declaration, or doubtful in it. Its error is input.ErrBundle or an *input.ForeignError.
func lintDeclaration(t input.Text) ([]identity.Problem, error) {
	lint := identity.Lint
	if t.YAML {
		lint = identity.LintYAML
	}
	problems := lint(t.Data)
	wrong := func(p identity.Problem) bool { return p.Severity == identity.Error }
	if slices.ContainsFunc(problems, wrong) {
		if t.IsBundle() {
			return nil, input.ErrBundle
		}
		if other, ok := errors.AsType[*input.ForeignError](foreign(t.Data)); ok && other.IsKey { // of other texts, lint says more
			return nil, other
		}
	}
	if d, err := parseDeclaration(t); err == nil {
		problems = append(problems, capture.Lint(d)...)
	}
	return problems, nil
}

// noteUnread notes why there are no problems to list of a file, which is not valid for that.
func (o *output) noteUnread(name string, err error) {
	o.noteNo(name, err, func(why string) any {
		return map[string]any{"file": name, "valid": false, "problems": []identity.Problem{}, "error": why}
	})
}

func printProblems(o *output, name string, problems []identity.Problem, strict bool) error {
	valid := true
	for i := range problems {
		if strict {
			problems[i].Severity = identity.Error
		}
		valid = valid && problems[i].Severity != identity.Error
	}
	if !valid {
		o.status = max(o.status, exitNo)
	}
	if o.JSON {
		if problems == nil {
			problems = []identity.Problem{}
		}
		return o.Object(map[string]any{"file": name, "valid": valid, "problems": problems})
	}
	for _, p := range problems {
		if err := o.Line("%s: %s: %s", name, p.Severity, p); err != nil {
			return err
		}
		if p.Hint != "" {
			if err := o.Line("  hint: %s", p.Hint); err != nil {
				return err
			}
		}
	}
	if len(problems) == 0 {
		return o.Line("%s: no problems", name)
	}
	return nil
}
