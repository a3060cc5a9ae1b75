package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
)

// Each flag that more than one command has is declared here, once.

func formatFlag(cmd *cobra.Command) {
	cli.WordFlag(cmd, "format", "what goes to standard output: text for people, or one JSON object a line", "text", "json")
}

func artifactFlag(cmd *cobra.Command, usage string) *[]string {
	return cmd.Flags().StringArray("artifact", nil, usage)
}

// subjectList are subjects, each with what named it on the command line.
type subjectList struct {
	subjects []attest.Subject
	from     []string
}

// add refuses two that have become one subject: files of one name and content in two folders, or what was named twice.
func (l *subjectList) add(from string, s attest.Subject) error {
	if i := slices.Index(l.subjects, s); i >= 0 {
		return cli.WithHint(fmt.Errorf("%s and %s are the same subject: both have the name %s and the SHA-256 %x", l.from[i], from, s.Name, s.SHA256), "leave one of the two out")
	}
	l.subjects, l.from = append(l.subjects, s), append(l.from, from)
	return nil
}

// hashArtifacts are the files as subjects, named by their base names.
func hashArtifacts(o *output, paths []string) ([]attest.Subject, error) {
	progress := o.progress("bytes hashed")
	defer progress.End()
	var subjects []attest.Subject
	for _, path := range paths {
		s, err := hashArtifact(path, progress)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, s)
	}
	return subjects, nil
}

func hashArtifact(path string, progress io.Writer) (attest.Subject, error) {
	f, err := boundedfile.Open(path)
	if err != nil {
		return attest.Subject{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(h, progress), f); err != nil {
		return attest.Subject{}, err
	}
	s := attest.Subject{Name: filepath.Base(path)}
	h.Sum(s.SHA256[:0])
	return s, nil
}

// identityFlag is the run that is expected. A flag that was given but is empty, as by an
// unset shell variable, is an error and not the absence of an expectation.
func identityFlag(cmd *cobra.Command) func() (*identity.ID, error) {
	value := cmd.Flags().String("identity", "", "the `IDENTITY` that the bundle must be about (airun:1:sha256:...)")
	return func() (*identity.ID, error) {
		if !cmd.Flags().Changed("identity") {
			return nil, nil
		}
		id, err := identity.ParseID(*value)
		if err != nil {
			return nil, fmt.Errorf("--identity %q: %w", *value, err)
		}
		return &id, nil
	}
}

// declarationFlag is the declaration that is expected; nil for none.
func declarationFlag(cmd *cobra.Command) func() (*identity.Declaration, error) {
	path := cmd.Flags().String("declaration", "", "the `FILE` with the declaration that the bundle must be about, JSON or YAML: a detached attestation has none in it")
	_ = cmd.MarkFlagFilename("declaration", "json", "yaml", "yml")
	return func() (*identity.Declaration, error) {
		if !cmd.Flags().Changed("declaration") {
			return nil, nil
		}
		return oneDeclaration(*path, cmd.InOrStdin())
	}
}

var (
	completeDeclarations = cli.CompleteFiles("json", "yaml", "yml", "jsonl", "ndjson")
	completeBundles      = cli.CompleteFiles("json", "jsonl")
)
