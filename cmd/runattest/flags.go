package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
)

// Each flag that more than one command has is declared here, once.

func formatFlag(cmd *cobra.Command) {
	cli.WordFlag(cmd, "format", "what goes to standard output: text for people, or one JSON object a line", "text", "json")
}

func artifactFlag(cmd *cobra.Command, usage string) *[]string {
	return cmd.Flags().StringArray("artifact", nil, usage)
}

// hashArtifacts are the files as subjects, named by their base names.
func hashArtifacts(o *output, paths []string) ([]attest.Subject, error) {
	progress := o.progress("bytes hashed")
	defer progress.End()
	return subjects.HashFiles(progress, paths...)
}

// identityFlag is the run that is expected. A flag that was given but is empty, as by an
// unset shell variable, is an error and not the absence of an expectation.
func identityFlag(cmd *cobra.Command) func() (*identity.ID, error) {
	value := cmd.Flags().String("identity", "", "the `IDENTITY` that the bundle must be about (airun:1:sha256:...)")
	return func() (*identity.ID, error) {
		if !cmd.Flags().Changed("identity") {
			return nil, nil
		}
		id, err := parseID("--identity", *value)
		if err != nil {
			return nil, err
		}
		return &id, nil
	}
}

// parseID reads the identity that a flag names.
func parseID(flag, text string) (identity.ID, error) {
	id, err := identity.ParseID(text)
	if err != nil {
		return id, fmt.Errorf("%s %q: %w", flag, text, err)
	}
	return id, nil
}

func parseIDs(flag string, texts []string) ([]identity.ID, error) {
	var ids []identity.ID
	for _, text := range texts {
		id, err := parseID(flag, text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// declarationFlag is the declaration that is expected; nil for none.
func declarationFlag(cmd *cobra.Command) func() (*identity.Declaration, error) {
	path := cmd.Flags().String("declaration", "", "the `FILE` with the declaration that the bundle must be about, JSON or YAML: a detached attestation has none in it")
	_ = cmd.MarkFlagFilename("declaration", "json", "yaml", "yml")
	return func() (*identity.Declaration, error) {
		if !cmd.Flags().Changed("declaration") {
			return nil, nil
		}
		return files.OneDeclaration(*path, cmd.InOrStdin())
	}
}

var (
	completeDeclarations = cli.CompleteFiles("json", "yaml", "yml", "jsonl", "ndjson")
	completeBundles      = cli.CompleteFiles("json", "jsonl")
)
