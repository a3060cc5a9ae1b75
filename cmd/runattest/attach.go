package main

import (
	"bytes"
	"errors"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/sigstore"
)

var identityOf = sigstore.IdentityOf

func newAttach() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "attach REF BUNDLE...",
		Short: "Attach bundles to an artifact in a registry or OCI layout",
		Long: `Store each bundle beside the artifact that it is about, as an OCI 1.1 referrer, exactly as
cosign does: any OCI client finds it there, and cosign verify-attestation checks it.

REF is [oci://]HOST/REPO[:TAG][@sha256:HEX] or oci-layout://PATH[:TAG][@sha256:HEX], where the tag
of a layout may be a whole name (docker.io/library/alpine:3.19). A tag is resolved first and its
digest said. The digest must be among the subjects of the
statement: sign with --subject-ref REF, or sign and attach in one go with --attach REF.
In-toto statements of other predicate types are attached, too; a subject of theirs is the artifact
if any of its digests (sha256, sha384, sha512) is that of the artifact's manifest.

A bundle that is there already is left alone, so that an interrupted attach is completed by
another. In a registry without the referrers API (distribution v3) the bundles are listed in an
index under the tag sha256-HEX, which several writers may update at once: docs/registry.md.

An OCI layout is a folder or a tarball of one. A tarball is written anew beside the old one, which
takes as much space again, and then takes its name.

Credentials are Podman's and Docker's: REGISTRY_AUTH_FILE, or DOCKER_CONFIG, or containers/auth.json
and then ~/.docker/config.json, with the credential helpers that they name: docs/registry.md. A
registry on this machine is asked in plain HTTP, unless --registry-ca is given.`,
		Example: `  runattest attach ghcr.io/acme/trainer:v3 run.json.sigstore.json
  runattest attach oci-layout://image.d:v3 all.sigstore.jsonl
  runattest attach oci-layout://image.tar:v3 run.json.sigstore.json`,
		Args:              referenceFirst,
		ValidArgsFunction: completeBundles,
	}
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
				_, err = parseBundle(blob.Data)
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
	defer moving.end()
	target, artifact, err := reach.resolve(o, ref, moving)
	if err != nil {
		return err
	}
	attached, err := target.Attach(cmd.Context(), artifact, contents(blobs)...)
	if err != nil {
		return ofBundle(blobs, err)
	}
	moving.end()
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
	return o.result(report, "%s  %s%s", a.Referrer, name, suffix)
}
