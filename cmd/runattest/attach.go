package main

import (
	"bytes"
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/registry"
)

func newAttach() *cobra.Command {
	cmd := newCommand("attach")
	cmd.Args = referenceFirst
	cmd.ValidArgsFunction = completeBundles
	reach := newRegistryFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		blobs, err := readBundles(cmd, args[1:])
		if err != nil {
			return err
		}
		return attachAll(cmd, o, reach, args[0], blobs)
	}
	return cmd
}

// readBundles reads every bundle in the files, since nothing is attached unless all can be.
func readBundles(cmd *cobra.Command, paths []string) ([]input.Blob, error) {
	var all []input.Blob
	for _, path := range paths {
		for blob, err := range input.Bundles(path, cmd.InOrStdin()) {
			if err == nil {
				blob.Data = bytes.Clone(blob.Data)
				_, err = files.ParseBundle(blob.Data)
			}
			if err != nil {
				return nil, named(blob.Name, hintReference(path, err, fetchFirst))
			}
			all = append(all, blob)
		}
	}
	return all, nil
}

func attachAll(cmd *cobra.Command, o *output, reach *registryFlags, ref string, blobs []input.Blob) error {
	moving := o.transfer(cmd.Context(), "attached")
	defer moving.End()
	target, artifact, err := reach.resolve(o, ref, moving)
	if err != nil {
		return err
	}
	attached, err := target.Attach(cmd.Context(), artifact, contents(blobs)...)
	if err != nil {
		return ofBundle(blobs, err)
	}
	moving.End()
	for i, a := range attached {
		if err := o.printAttached(artifact, blobs[i].Name, a); err != nil {
			return err
		}
	}
	return nil
}

// ofBundle names the bundle that an error is about.
func ofBundle(blobs []input.Blob, err error) error {
	if one, ok := errors.AsType[*registry.BundleError](err); ok {
		return named(blobs[one.Index].Name, err)
	}
	return err
}

func contents(blobs []input.Blob) [][]byte {
	var all [][]byte
	for _, b := range blobs {
		all = append(all, b.Data)
	}
	return all
}

// attachedReport is the JSON result of one bundle that was attached.
type attachedReport struct {
	Bundle        string `json:"bundle"`
	Artifact      string `json:"artifact"`
	Referrer      string `json:"referrer"`
	Digest        string `json:"digest"`
	PredicateType string `json:"predicateType"`
	Existed       bool   `json:"existed"`
}

func (o *output) printAttached(artifact *registry.Artifact, name string, a registry.Attached) error {
	suffix := ""
	if a.Existed {
		suffix = "  (was there already)"
	}
	report := attachedReport{name, artifact.Reference.String(), a.Referrer, a.Bundle, a.PredicateType, a.Existed}
	return o.Result(report, "%s  %s%s", a.Referrer, name, suffix)
}
