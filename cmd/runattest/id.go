package main

import (
	"github.com/spf13/cobra"

	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/identity"
)

func newID() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "id FILE...",
		Short: "Print the identity of a declared run",
		Long: `Print the identity of each declaration, one a line, with the file's name behind it when
there are several. Declarations are JSON, YAML or JSON Lines; - is standard input. Where several
files are named, bundles among them, which sign has written there, are passed over.

The identity is SHA-256 over the RFC 8785 form of the declaration, so that any RFC 8785
library recomputes it from JSON. In Python (pip install rfc8785):

  python3 -c 'import hashlib, json, rfc8785, sys
  print("airun:1:sha256:" + hashlib.sha256(rfc8785.dumps(json.load(sys.stdin))).hexdigest())' < run.json

Such a library does not say whether the declaration is valid.`,
		Example: `  runattest id run.yaml
  runattest id runs/*.json
  runattest id --schema > declaration.schema.json`,
		ValidArgsFunction: completeDeclarations,
	}
	schema := cmd.Flags().Bool("schema", false, "print the JSON Schema of declarations instead")
	formatFlag(cmd)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if *schema {
			return noArgs("--schema goes alone")(cmd, args)
		}
		return needFiles(cmd, args, "declaration")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if *schema {
			return o.writeRaw(identity.JSONSchema())
		}
		eachDeclaration(cmd, o, args, func(t input.Text, d *identity.Declaration) error {
			line := d.ID().String()
			if len(args) > 1 || t.Lines {
				line += "  " + t.Name
			}
			return o.result(map[string]any{"identity": d.ID(), "file": t.Name, "kind": d.Kind()}, "%s", line)
		})
		return o.done()
	}
	return cmd
}

// eachDeclaration parses every declaration in the files and goes on after a bad one.
func eachDeclaration(cmd *cobra.Command, o *output, paths []string, do func(input.Text, *identity.Declaration) error) {
	declared := newDeclarations(paths, cmd.InOrStdin())
	for _, path := range paths {
		for t, err := range declared.in(path) {
			var d *identity.Declaration
			if err == nil {
				d, err = t.Parse()
			}
			if err == nil {
				err = do(t, d)
			}
			if err != nil {
				o.note(t.Name, err)
			}
		}
	}
	declared.end(o, o.note)
}
