package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

func newTrustedRootCreate() *cobra.Command {
	cmd := newCommand("trusted-root_create")
	cmd.Args = cli.NoArgs("")
	var s specFlags
	f := cmd.Flags()
	f.StringArrayVar(&s.fulcio, "fulcio", nil, "a certificate authority: `url=URL,certificate-chain=FILE`[,start-time=T][,end-time=T] (repeatable)")
	f.StringArrayVar(&s.tsa, "tsa", nil, "a timestamp authority: `url=URL,certificate-chain=FILE`[,start-time=T][,end-time=T] (repeatable)")
	f.StringArrayVar(&s.ctfe, "ctfe", nil, "a certificate transparency log: `url=URL,public-key=FILE`[,start-time=T][,end-time=T] (repeatable)")
	f.StringArrayVar(&s.rekor, "rekor", nil, "a transparency log: `url=URL,public-key=FILE`[,origin=HOST][,start-time=T][,end-time=T] (repeatable)")
	out := outFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return createTrustedRoot(newOutput(cmd), &s, *out)
	}
	return cmd
}

func createTrustedRoot(o *output, s *specFlags, out string) error {
	spec, err := s.load()
	if err != nil {
		return err
	}
	if err := overwrite.CheckInputs(out, s.files...); err != nil {
		return err
	}
	if err := overRoot(out); err != nil {
		return err
	}
	root, err := sigstore.CreateTrustedRoot(spec)
	if err != nil {
		return err
	}
	text, err := root.JSON()
	if err != nil {
		return err
	}
	for _, warning := range spec.Warnings() {
		o.Info("note: %s", warning)
	}
	return o.Put(out, text)
}

// specFlags are the services as the flags name them, and the files that they name.
type specFlags struct {
	fulcio, tsa, ctfe, rekor []string
	files                    []string
}

func (s *specFlags) load() (spec sigstore.RootSpec, err error) {
	if len(s.fulcio)+len(s.tsa)+len(s.ctfe)+len(s.rekor) == 0 {
		return spec, cli.WithHint(errors.New("no service given"), "name them with --fulcio, --tsa, --ctfe and --rekor")
	}
	if spec.CertificateAuthorities, err = s.authorities("--fulcio", s.fulcio); err != nil {
		return spec, err
	}
	if spec.TimestampAuthorities, err = s.authorities("--tsa", s.tsa); err != nil {
		return spec, err
	}
	if spec.CertificateTransparencyLogs, err = s.logs("--ctfe", s.ctfe); err != nil {
		return spec, err
	}
	spec.TransparencyLogs, err = s.logs("--rekor", s.rekor)
	return spec, err
}

func (s *specFlags) authorities(flag string, texts []string) ([]sigstore.AuthoritySpec, error) {
	var all []sigstore.AuthoritySpec
	for _, text := range texts {
		p, err := s.parse(text, "certificate-chain")
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", flag, text, err)
		}
		all = append(all, sigstore.AuthoritySpec{URL: p.url, Chain: p.material, Start: p.start, End: p.end})
	}
	return all, nil
}

func (s *specFlags) logs(flag string, texts []string) ([]sigstore.LogSpec, error) {
	var all []sigstore.LogSpec
	for _, text := range texts {
		p, err := s.parse(text, "public-key", "origin")
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", flag, text, err)
		}
		if _, err := signer.ParsePublicKey(p.material); err != nil {
			return nil, hintFormat(p.file, fmt.Errorf("%s %q: %w", flag, text, err))
		}
		all = append(all, sigstore.LogSpec{URL: p.url, Origin: p.origin, PublicKey: p.material, Start: p.start, End: p.end})
	}
	return all, nil
}

// parsedSpec is one service as a flag names it, with the content of its file.
type parsedSpec struct {
	url, origin string
	file        string
	material    []byte
	start, end  time.Time
}

// parse reads NAME=VALUE pairs with commas between them. The url and the file are required.
func (s *specFlags) parse(text, file string, optional ...string) (p parsedSpec, err error) {
	pairs, err := cli.ParsePairs(text, []string{"url", file}, append([]string{"start-time", "end-time"}, optional...))
	if err != nil {
		return p, err
	}
	p.url, p.origin, p.file = pairs["url"], pairs["origin"], pairs[file]
	s.files = append(s.files, p.file)
	if p.material, err = boundedfile.Read(p.file, limits.CertificateChain); err != nil {
		return p, err
	}
	for name, at := range map[string]*time.Time{"start-time": &p.start, "end-time": &p.end} {
		if pairs[name] == "" {
			continue
		}
		if *at, err = cli.ParseTime(pairs[name]); err != nil {
			return p, fmt.Errorf("%s %w", name, err)
		}
	}
	return p, nil
}
