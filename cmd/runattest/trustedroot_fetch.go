package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/sigstore"
)

func newTrustedRootFetch() *cobra.Command {
	cmd := newCommand("trusted-root_fetch")
	cmd.Args = cli.NoArgs("")
	var fetch sigstore.FetchOptions
	f := cmd.Flags()
	f.StringVar(&fetch.Mirror, "mirror", "", "the TUF repository's `URL` (default: Sigstore's public one)")
	f.BoolVar(&fetch.Staging, "staging", false, "ask Sigstore's staging service")
	f.StringVar(&fetch.Cache, "cache", "", "a `FOLDER` in which TUF's state is kept, so that a mirror cannot go back to an older one")
	root := f.String("root", "", "the `FILE` with the repository's TUF root.json (default: the one of Sigstore's public service)")
	config := f.String("signing-config-out", "", "write the services to sign with to this `FILE`, for sign --signing-config; it may replace such a file")
	out := outFlag(cmd)
	_ = cmd.MarkFlagFilename("root", "json")
	_ = cmd.MarkFlagFilename("signing-config-out", "json")
	_ = cmd.MarkFlagDirname("cache")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := errors.Join(cli.Exclusive(cmd, "staging", "mirror"), cli.Exclusive(cmd, "staging", "root")); err != nil {
			return err
		}
		if err := checkOuts(*out, *config, *root); err != nil {
			return err
		}
		if *root != "" {
			var err error
			if fetch.Root, err = boundedfile.Read(*root, limits.TUFRoot); err != nil {
				return err
			}
			if kind := files.Kind(fetch.Root); kind != "" && !bytes.Contains(fetch.Root, []byte(`"signed"`)) {
				return fmt.Errorf("--root %s: is %s, want the root.json of a TUF repository", *root, kind)
			}
		}
		fetch.SigningConfig = *config != ""
		return fetchTrustedRoot(cmd, fetch, *out, *config)
	}
	return cmd
}

// checkOuts keeps the two files apart, and both from --root and from replacing a file of another kind.
func checkOuts(out, config, root string) error {
	if config != "" && overwrite.IsSameName(out, config) {
		return errors.New("--out and --signing-config-out name the same file")
	}
	if err := errors.Join(overwrite.CheckTarget(out), overwrite.CheckTarget(config)); err != nil {
		return err
	}
	if err := overwrite.CheckInputs(out, root, config); err != nil {
		return err
	}
	if err := overwrite.CheckInputs(config, root); err != nil {
		return err
	}
	if err := overRoot(out); err != nil {
		return err
	}
	return overwrite.CheckKind(cli.OutputName(config), input.KindServices, files.Kind, limits.SigningConfig)
}

func fetchTrustedRoot(cmd *cobra.Command, fetch sigstore.FetchOptions, out, config string) error {
	o := newOutput(cmd)
	o.Info("asking %s", fetch.URL())
	fetched, err := sigstore.FetchTrustedRoot(cmd.Context(), fetch)
	if err != nil {
		return hintFetch(err)
	}
	if err := o.Put(out, fetched.TrustedRoot); err != nil {
		return err
	}
	if fetch.SigningConfig {
		if err := o.Put(config, fetched.SigningConfig); err != nil {
			return err
		}
		o.Info("wrote the services to sign with: %s", config)
	}
	if out != cli.Stdout {
		o.Info("wrote the trusted root: %s; runattest trusted-root show lists its authorities and logs", out)
	}
	return nil
}

func hintFetch(err error) error {
	var (
		no      *sigstore.RepositoryError
		service *sigstore.ServiceError
	)
	switch {
	case errors.As(err, &no) && no.Expired():
		return cli.WithHint(err, "the copy is stale, or this machine's clock is wrong")
	case errors.As(err, &no):
		return cli.WithHint(err, fmt.Sprintf("nothing was written; is %s the repository, and --root its root?", no.URL))
	case errors.As(err, &service):
		return cli.WithHint(err, "fetch on a machine that can reach the repository, and carry the file here")
	}
	return err
}
