package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/build"
	"github.com/runattest/runattest/internal/certfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/shell"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

// registryFlags are how a registry is reached, for every command that takes a reference.
type registryFlags struct {
	cmd      *cobra.Command
	ca       string
	insecure bool
	layouts  []string // the paths of those in which something was resolved
}

// newRegistryFlags declares them. --timeout is the signing services' too, where there is one.
func newRegistryFlags(cmd *cobra.Command) *registryFlags {
	r := &registryFlags{cmd: cmd}
	f := cmd.Flags()
	f.StringVar(&r.ca, "registry-ca", "", "the certificate authority of a private registry: a PEM `FILE`")
	f.BoolVar(&r.insecure, "insecure-http", false, "talk plain HTTP to a registry that is not on this machine")
	if f.Lookup("timeout") == nil {
		f.Duration("timeout", registry.DefaultTimeout, "the `DURATION` that a registry may take for one answer, with tokens, credential helpers and retries")
	}
	_ = cmd.MarkFlagFilename("registry-ca", "pem", "crt")
	return r
}

// open opens a reference. counted, if not nil, is called for each bundle that was moved.
func (r *registryFlags) open(ref registry.Reference, counted func()) (*registry.Target, error) {
	timeout, err := r.cmd.Flags().GetDuration("timeout")
	if err != nil {
		return nil, err
	}
	if timeout <= 0 {
		return nil, fmt.Errorf("--timeout %s: must be positive", timeout)
	}
	v := build.Read().Version
	o := registry.Options{InsecureHTTP: r.insecure, Timeout: timeout, UserAgent: "runattest/" + v, Count: counted}
	if r.ca != "" {
		if o.CA, err = boundedfile.Read(r.ca, limits.CertificateChain); err != nil {
			return nil, err
		}
		if _, err := certfile.Pool(o.CA, signer.CheckKey); err != nil {
			return nil, fmt.Errorf("--registry-ca %s: %w", r.ca, files.Explain(err, o.CA, input.KindCertificate))
		}
	}
	return registry.Open(ref, o)
}

// reads adds what was read so far, and is not to be written over.
func (r *registryFlags) reads(all *overwrite.Files) *overwrite.Files {
	if r.ca != "" {
		all.Add(r.ca)
	}
	for _, path := range r.layouts {
		all.AddLayout(path)
	}
	return all
}

// resolve opens a reference and finds what it names; a tag's digest is said. Bundles that are moved are counted,
// where moving is given.
func (r *registryFlags) resolve(o *output, text string, moving *terminal.Transfer) (*registry.Target, *registry.Artifact, error) {
	ref, err := registry.ParseReference(text)
	if err != nil {
		return nil, nil, err
	}
	if moving == nil {
		moving = o.transfer(r.cmd.Context(), "found")
		defer moving.End()
	}
	target, err := r.open(ref, moving.Count)
	if err != nil {
		return nil, nil, err
	}
	if ref.IsLayout() {
		r.layouts = append(r.layouts, target.Reference().Path())
	}
	artifact, err := target.Resolve(r.cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	if artifact.Reference != ref {
		moving.Say(func() { o.Info("%s is %s", ref, artifact.Digest()) })
	}
	return target, artifact, nil
}

// sayPlatforms says which of an index's platforms have what the index does not.
func (o *output) sayPlatforms(ctx context.Context, target *registry.Target, artifact *registry.Artifact) {
	for _, p := range target.AttestedPlatforms(ctx, artifact) {
		o.Info("hint: its platform %s has %d of its own: name %s", cmp.Or(p.Name, "(not said)"), p.Attestations, p.Reference)
	}
}

// hintReference adds the hint for a registry reference that was given in the place of a file.
func hintReference(path string, err error, hint func(ref string) string) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	scheme, rest, _ := strings.Cut(path, "://")
	switch {
	case scheme == "http" || scheme == "https":
		return cli.WithHint(err, "files are not fetched: curl -fLO "+shell.Word(path))
	case scheme == "file":
		return cli.WithHint(err, "name the file without file://: "+shell.Path(rest))
	case isID(path):
		return cli.WithHint(err, "a run is in a registry: oci://HOST/REPOSITORY@"+path)
	}
	_, name, found := strings.Cut(path, "://")
	if !found {
		name = path
	}
	_, bad := registry.ParseReference("oci://" + name)
	if host, _, _ := strings.Cut(name, "/"); bad != nil || host == "." || host == ".." {
		return err
	}
	return cli.WithHint(err, hint(name))
}

func fetchFirst(ref string) string {
	return "if that is in a registry: runattest fetch " + ref + " -o bundles.sigstore.jsonl"
}

// registryHint is what to do about what a registry or layout did not do.
func registryHint(err error) string {
	if large, ok := errors.AsType[*registry.TooLargeError](err); ok && large.PredicateType == attest.PredicateType {
		return "sign with --detached"
	}
	if bare, ok := errors.AsType[*registry.BareEnvelopeError](err); ok && bare.PredicateType == attest.PredicateType {
		return "sign with --bundle-format " + string(attest.SigstoreBundle)
	}
	if is[*evidence.SignatureCountError](err) {
		return "several signers are several bundles"
	}
	if other, ok := errors.AsType[*registry.NotSubjectError](err); ok {
		return attachHint(other)
	}
	failed, ok := errors.AsType[*registry.Error](err)
	switch {
	case !ok:
		return ""
	case failed.Hint == registry.HintBusyAnonymous:
		return string(cmp.Or(hints[failed.Hint], failed.Hint)) + ": docker login " + failed.Target
	}
	return string(cmp.Or(hints[failed.Hint], failed.Hint))
}

// attachHint is what to do with a statement that is about something else than the artifact it was to go to.
func attachHint(e *registry.NotSubjectError) string {
	switch {
	case e.PredicateType == policy.ApprovalType || e.PredicateType == attest.PredicateType && e.IsRun:
		return "it goes where its own run is: runattest push REPO FILE"
	case e.PredicateType == attest.PredicateType:
		return "sign with it: runattest sign --subject-ref " + e.Artifact.String()
	case e.PredicateType == lineage.LinkType && !e.IsRun:
		return "sign a link that names it: runattest link --artifact " + e.Artifact.String()
	}
	return "attach it to an artifact that it is about: runattest inspect FILE shows its subjects"
}

// predicateTypesFlag chooses among attestations.
func predicateTypesFlag(cmd *cobra.Command) *[]string {
	return cmd.Flags().StringArray("predicate-type", nil, "only attestations of this predicate `TYPE`; run-identity/v1 and the like are short for ours (repeatable; default: all)")
}

// claimedSigner is who a bundle says has signed it.
func claimedSigner(b *attest.Bundle) string { return answer.ClaimedSigner(b, sigstore.IdentityOf) }
