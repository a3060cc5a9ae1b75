package sigstore

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/runattest/runattest/internal/limits"
)

// SigningConfig says which services sign and witness, as cosign and TUF carry it.
type SigningConfig struct{ config *root.SigningConfig }

// Endpoints are the services that a SigningConfig chooses at some time; "" or none where it
// names none.
type Endpoints struct {
	Fulcio     string // the certificate authority
	OIDCIssuer string // where a person logs in
	Services   Services
}

// With are these endpoints, each in place of which over names another with that of over: its timestamp authorities and its logs in
// place of all.
func (e Endpoints) With(over Endpoints) Endpoints {
	e.Fulcio = cmp.Or(over.Fulcio, e.Fulcio)
	e.OIDCIssuer = cmp.Or(over.OIDCIssuer, e.OIDCIssuer)
	if len(over.Services.TimestampAuthorities) > 0 {
		e.Services.TimestampAuthorities = over.Services.TimestampAuthorities
	}
	if len(over.Services.Logs) > 0 {
		e.Services.Logs = over.Services.Logs
	}
	e.Services.Timeout = cmp.Or(over.Services.Timeout, e.Services.Timeout)
	return e
}

// ParseSigningConfig reads a Sigstore SigningConfig of media type
// application/vnd.dev.sigstore.signingconfig.v0.2+json.
func ParseSigningConfig(data []byte) (*SigningConfig, error) {
	var spec prototrustroot.SigningConfig
	if err := unmarshalStrict(data, limits.SigningConfig, &spec); err != nil {
		return nil, fmt.Errorf("signing config: %w", err)
	}
	switch { // sigstore-go v1.3.0 panics without
	case len(spec.GetTsaUrls()) > 0 && spec.GetTsaConfig() == nil:
		return nil, errors.New("signing config: tsaUrls, but no tsaConfig, which says how many of them to ask")
	case len(spec.GetRekorTlogUrls()) > 0 && spec.GetRekorTlogConfig() == nil:
		return nil, errors.New("signing config: rekorTlogUrls, but no rekorTlogConfig, which says how many of them to ask")
	}
	config, err := root.NewSigningConfigFromProtobuf(&spec)
	if err != nil {
		return nil, fmt.Errorf("signing config: %w", err)
	}
	return &SigningConfig{config}, nil
}

// Select chooses the services that are valid at that time: the newest of the highest version
// that is known here, as many as the configuration's selector asks for.
func (c *SigningConfig) Select(now time.Time) (Endpoints, error) {
	if c == nil || c.config == nil {
		return Endpoints{}, errors.New("signing config: it is nil or a zero value")
	}
	var e Endpoints
	var err error
	if e.Fulcio, err = selectOne(c.config.FulcioCertificateAuthorityURLs(), sign.FulcioAPIVersions, now); err != nil {
		return e, fmt.Errorf("signing config: caUrls: %w", err)
	}
	if e.OIDCIssuer, err = selectOne(c.config.OIDCProviderURLs(), []uint32{1}, now); err != nil {
		return e, fmt.Errorf("signing config: oidcUrls: %w", err)
	}
	if all := c.config.TimestampAuthorityURLs(); len(all) > 0 {
		chosen, err := root.SelectServices(all, c.config.TimestampAuthorityURLsConfig(), sign.TimestampAuthorityAPIVersions, now)
		if err != nil {
			return e, fmt.Errorf("signing config: tsaUrls: %w", err)
		}
		for _, s := range chosen {
			e.Services.TimestampAuthorities = append(e.Services.TimestampAuthorities, s.URL)
		}
	}
	if all := c.config.RekorLogURLs(); len(all) > 0 {
		chosen, err := root.SelectServices(all, c.config.RekorLogURLsConfig(), sign.RekorAPIVersions, now)
		if err != nil {
			return e, fmt.Errorf("signing config: rekorTlogUrls: %w", err)
		}
		for _, s := range chosen {
			e.Services.Logs = append(e.Services.Logs, Log{s.URL, int(s.MajorAPIVersion)})
		}
	}
	return e, nil
}

func selectOne(services []root.Service, versions []uint32, now time.Time) (string, error) {
	if len(services) == 0 {
		return "", nil
	}
	s, err := root.SelectService(services, versions, now)
	return s.URL, err
}
