package services

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// Place is where servers live.
type Place struct {
	Bin string // the folder bin of the module e2e, where programs are installed
	Dir string // an existing folder, in which each server gets one
}

func (p Place) folder(name string) (string, error) {
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, name+"-*")
}

// Services are one of each, and know each other.
type Services struct {
	Issuer *Issuer // of type Email
	CI     *Issuer // of type Workflow
	CTLog  *CTLog

	Fulcio      *Fulcio
	Rekor       *Rekor
	Timestamper *Timestamper

	stop []func()
}

// Start installs what is missing and starts one of each server.
func (p Place) Start(ctx context.Context) (*Services, error) {
	s := new(Services)
	if err := errors.Join(s.startOwn(), s.startReal(ctx, p)); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Stop stops all of them.
func (s *Services) Stop() {
	for _, stop := range s.stop {
		stop()
	}
	s.stop = nil
}

// startOwn comes first: Fulcio looks for its issuers once, when it starts.
func (s *Services) startOwn() (err error) {
	if s.Issuer, err = StartIssuer(Email); err != nil {
		return err
	}
	s.stop = append(s.stop, s.Issuer.Stop)
	if s.CI, err = StartIssuer(Workflow); err != nil {
		return err
	}
	s.stop = append(s.stop, s.CI.Stop)
	if s.CTLog, err = StartCTLog(); err != nil {
		return err
	}
	s.stop = append(s.stop, s.CTLog.Stop)
	return nil
}

func (s *Services) startReal(ctx context.Context, p Place) (err error) {
	if s.Fulcio, err = p.Fulcio(ctx, s.CTLog, s.Issuer, s.CI); err != nil {
		return err
	}
	s.stop = append(s.stop, s.Fulcio.Stop)
	if s.Timestamper, err = p.Timestamper(ctx); err != nil {
		return err
	}
	s.stop = append(s.stop, s.Timestamper.Stop)
	if s.Rekor, err = p.Rekor(ctx); err != nil {
		return err
	}
	s.stop = append(s.stop, s.Rekor.Stop)
	return nil
}

// TrustedRoot trusts all of them.
func (s *Services) TrustedRoot() *TrustedRoot {
	root := newTrustedRoot()
	root.CertificateAuthorities = append(root.CertificateAuthorities, s.Fulcio.Authority)
	root.TimestampAuthorities = append(root.TimestampAuthorities, s.Timestamper.Authority)
	root.Tlogs = append(root.Tlogs, s.Rekor.Log)
	root.CTLogs = append(root.CTLogs, s.CTLog.Log)
	return root
}

// SigningConfig asks all of them.
func (s *Services) SigningConfig() *SigningConfig {
	const operator = "e2e"
	config := newSigningConfig()
	config.CAURLs = append(config.CAURLs, NewService(s.Fulcio.URL, 1, operator))
	config.OIDCURLs = append(config.OIDCURLs, NewService(s.Issuer.URL, 1, operator))
	config.RekorTlogURLs = append(config.RekorTlogURLs, NewService(s.Rekor.URL, 2, operator))
	config.TSAURLs = append(config.TSAURLs, NewService(s.Timestamper.URL, 1, operator))
	return config
}

// WriteFiles writes trusted_root.json and signing_config.json into the folder dir.
func (s *Services) WriteFiles(dir string) error {
	return errors.Join(
		WriteJSON(filepath.Join(dir, "trusted_root.json"), s.TrustedRoot()),
		WriteJSON(filepath.Join(dir, "signing_config.json"), s.SigningConfig()),
	)
}

// WriteJSON writes a [TrustedRoot] or a [SigningConfig], or anything else, to a file.
func WriteJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o600)
}
