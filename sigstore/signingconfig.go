package sigstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/visible"
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

// Selection says for when services are chosen, and which are not needed: those of the configuration may then be out of date.
type Selection struct {
	Now   time.Time // when they must be valid; a zero Now is the year 1, at which only a service without a start is
	Given Endpoints // go before those of the configuration
	Key   bool      // a key signs: no certificate authority and no login is chosen
	Token bool      // an identity token is there, or may be: no login is chosen
}

// Select chooses the services that are valid at that time: the newest of the highest version
// that is known here, as many as the configuration's selector asks for. What is given stands as it is.
func (c *SigningConfig) Select(s Selection) (Endpoints, error) {
	if c == nil || c.config == nil {
		return Endpoints{}, errors.New("signing config: it is nil or a zero value")
	}
	var e Endpoints
	for _, l := range []serviceList{
		{"caUrls", c.config.FulcioCertificateAuthorityURLs(), nil, sign.FulcioAPIVersions, s.Key || s.Given.Fulcio != "",
			func(chosen root.Service) { e.Fulcio = chosen.URL }},
		{"oidcUrls", c.config.OIDCProviderURLs(), nil, []uint32{1}, s.Key || s.Token || s.Given.OIDCIssuer != "",
			func(chosen root.Service) { e.OIDCIssuer = chosen.URL }},
		{"tsaUrls", c.config.TimestampAuthorityURLs(), c.config.TimestampAuthorityURLsConfig, sign.TimestampAuthorityAPIVersions, len(s.Given.Services.TimestampAuthorities) > 0,
			func(chosen root.Service) {
				e.Services.TimestampAuthorities = append(e.Services.TimestampAuthorities, chosen.URL)
			}},
		{"rekorTlogUrls", c.config.RekorLogURLs(), c.config.RekorLogURLsConfig, sign.RekorAPIVersions, len(s.Given.Services.Logs) > 0,
			func(chosen root.Service) {
				e.Services.Logs = append(e.Services.Logs, Log{chosen.URL, int(chosen.MajorAPIVersion)})
			}},
	} {
		if err := l.choose(s.Now); err != nil {
			return Endpoints{}, fmt.Errorf("signing config: %s: %w", l.name, err)
		}
	}
	return e.With(s.Given), nil
}

// serviceList is one of the lists of a SigningConfig.
type serviceList struct {
	name     string
	services []root.Service
	how      func() root.ServiceConfiguration // nil for the newest one; it panics if there is none, as there is without services
	versions []uint32                         // of the API that are known here
	idle     bool                             // it is not needed
	take     func(root.Service)
}

func (l *serviceList) choose(now time.Time) error {
	if l.idle || len(l.services) == 0 {
		return nil
	}
	var chosen []root.Service
	var err error
	if l.how == nil {
		chosen = make([]root.Service, 1)
		chosen[0], err = root.SelectService(l.services, l.versions, now)
	} else {
		chosen, err = root.SelectServices(l.services, l.how(), l.versions, now)
	}
	if err != nil {
		return cmp.Or(l.noneValid(now), l.tooFew(), err)
	}
	for _, s := range chosen {
		l.take(s)
	}
	return nil
}

// noneValid says of each service why it cannot be chosen; nil if one can.
func (l *serviceList) noneValid(now time.Time) error {
	var problems []error
	for _, s := range l.services {
		switch {
		case !slices.Contains(l.versions, s.MajorAPIVersion):
			problems = append(problems, fmt.Errorf("%s has version %d of the API, and known here are %v", secrets.Shown(s.URL), s.MajorAPIVersion, l.versions))
		case s.ValidAtTime(now):
			return nil
		default:
			at := now.Truncate(time.Second)
			if s.ValidAtTime(at) { // what was cut off is why it cannot be chosen
				at = now
			}
			problems = append(problems, fmt.Errorf("%s is valid %s, and it is %s", secrets.Shown(s.URL), period{s.ValidityPeriodStart, s.ValidityPeriodEnd}, visible.Time(at)))
		}
	}
	return oneLine(problems)
}

// tooFew says that fewer can be chosen than the configuration asks for.
func (l *serviceList) tooFew() error {
	if l.how == nil || l.how().Selector != prototrustroot.ServiceSelector_EXACT {
		return nil
	}
	count := l.how().Count
	if count == 0 {
		return errors.New("its selector is EXACT, and has no count")
	}
	return fmt.Errorf("%d services of different operators are asked for, and fewer are valid", count)
}
