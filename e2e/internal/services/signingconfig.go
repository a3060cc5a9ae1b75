package services

import "time"

// SigningConfig lists the services that a signer uses, in Sigstore's JSON (protobuf-specs, sigstore_trustroot.proto).
type SigningConfig struct {
	MediaType       string    `json:"mediaType"`
	CAURLs          []Service `json:"caUrls"`
	OIDCURLs        []Service `json:"oidcUrls"`
	RekorTlogURLs   []Service `json:"rekorTlogUrls"`
	RekorTlogConfig Selection `json:"rekorTlogConfig"`
	TSAURLs         []Service `json:"tsaUrls"`
	TSAConfig       Selection `json:"tsaConfig"`
}

// Service is one to ask. Of services of one operator, clients ask one.
type Service struct {
	URL             string    `json:"url"`
	MajorAPIVersion int       `json:"majorApiVersion"`
	ValidFor        TimeRange `json:"validFor"`
	Operator        string    `json:"operator"`
}

// Selection is how many to ask: ANY, ALL, or EXACT with a count.
type Selection struct {
	Selector string `json:"selector"`
	Count    int    `json:"count,omitempty"`
}

func newSigningConfig() *SigningConfig {
	return &SigningConfig{
		MediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
		CAURLs:    []Service{}, OIDCURLs: []Service{}, RekorTlogURLs: []Service{}, TSAURLs: []Service{},
		RekorTlogConfig: Selection{Selector: "ANY"}, TSAConfig: Selection{Selector: "ANY"},
	}
}

// NewService is a service at a URL, valid since an hour ago.
func NewService(url string, majorAPIVersion int, operator string) Service {
	start := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	return Service{url, majorAPIVersion, TimeRange{Start: start}, operator}
}
