package main

import (
	"bytes"
	"errors"
	"iter"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry"
)

func newAttach() *cobra.Command {
	cmd := newCommand("attach")
	cmd.Args = referenceFirst
	cmd.ValidArgsFunction = completeBundles
	reach := newRegistryFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return attachAll(cmd, newOutput(cmd), reach, args[0], bundleParts(cmd, args[1:]))
	}
	return cmd
}

// bundleParts reads the bundles in the files, and of a run set the proof of each run, as many at a time as limits.Pushed
// allows. An error ends the sequence, and keeps what was read with it from being attached.
func bundleParts(cmd *cobra.Command, paths []string) iter.Seq2[[]input.Blob, error] {
	return func(yield func([]input.Blob, error) bool) {
		var some []input.Blob
		size := 0
		for _, path := range paths {
			for blob, err := range files.Bundles(path, cmd.InOrStdin()) {
				if err == nil {
					blob.Data = bytes.Clone(blob.Data)
					_, err = files.ParseBundle(blob.Data)
				}
				if err != nil {
					yield(nil, named(blob.Name, hintReference(path, err, fetchFirst)))
					return
				}
				if size += len(blob.Data); size > limits.Pushed && len(some) > 0 {
					if !yield(some, nil) {
						return
					}
					some, size = nil, len(blob.Data)
				}
				some = append(some, blob)
			}
		}
		yield(some, nil)
	}
}

// onePart are bundles that are in memory already.
func onePart(blobs []input.Blob) iter.Seq2[[]input.Blob, error] {
	return func(yield func([]input.Blob, error) bool) { yield(blobs, nil) }
}

func attachAll(cmd *cobra.Command, o *output, reach *registryFlags, ref string, parts iter.Seq2[[]input.Blob, error]) error {
	var target *registry.Target
	var artifact *registry.Artifact
	moving := o.transfer(cmd.Context(), "attached")
	defer moving.End()
	for blobs, err := range parts {
		if err == nil && target == nil {
			target, artifact, err = reach.resolve(o, ref, moving)
		}
		if err != nil {
			return err
		}
		attached, err := target.Attach(cmd.Context(), artifact, contents(blobs)...)
		if err != nil {
			return ofBundle(blobs, err)
		}
		for i, a := range attached {
			moving.Say(func() { err = o.printAttached(artifact, blobs[i].Name, a) })
			if err != nil {
				return err
			}
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
