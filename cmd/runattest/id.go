package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

func newID() *cobra.Command {
	cmd := newCommand("id")
	cmd.ValidArgsFunction = completeDeclarations
	schema := cmd.Flags().Bool("schema", false, "print the JSON Schema of declarations instead")
	formatFlag(cmd)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if *schema {
			return cli.NoArgs("--schema goes alone")(cmd, args)
		}
		return cli.SomeArgs("declaration")(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if *schema {
			return o.WriteRaw(identity.JSONSchema())
		}
		eachDeclaration(cmd, o, args, func(t input.Text, d *identity.Declaration) error {
			line := d.ID().String()
			if len(args) > 1 || t.Lines {
				line += "  " + t.Name
			}
			return o.Result(map[string]any{"identity": d.ID(), "file": t.Name, "kind": d.Kind()}, "%s", line)
		})
		return o.done()
	}
	return cmd
}
