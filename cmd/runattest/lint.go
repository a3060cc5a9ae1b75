package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/files"
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
		in := input.NewFiles(args, cmd.InOrStdin())
		for _, path := range args {
			for t, err := range in.In(path) {
				var problems []identity.Problem
				if err == nil {
					problems, err = files.Lint(t)
				}
				if err != nil {
					o.noteUnread(t.Name, err)
				} else if err = printProblems(o, t.Name, problems, *strict); err != nil {
					o.note(t.Name, err)
				}
			}
		}
		o.passedOver(in, o.noteUnread)
		return o.done()
	}
	return cmd
}

// noteUnread notes why there are no problems to list of a file, which is not valid for that.
func (o *output) noteUnread(name string, err error) {
	o.noteNo(name, err, func(why string) any {
		return answer.Problems{Error: why, File: name, Problems: []identity.Problem{}}
	})
}

func printProblems(o *output, name string, problems []identity.Problem, strict bool) error {
	p := answer.NewProblems(name, problems, strict)
	if !p.Valid {
		o.status = max(o.status, exitNo)
	}
	if o.JSON {
		return o.Object(p)
	}
	return o.Lines(p.Lines()...)
}
