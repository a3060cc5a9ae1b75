package services

import (
	"crypto/x509"
	"time"
)

// TrustedRoot lists the services that a verifier trusts, in Sigstore's JSON (protobuf-specs, sigstore_trustroot.proto).
// The fields are exported so that a test can remove or alter any of them.
type TrustedRoot struct {
	MediaType              string      `json:"mediaType"`
	Tlogs                  []Log       `json:"tlogs"`
	CertificateAuthorities []Authority `json:"certificateAuthorities"`
	CTLogs                 []Log       `json:"ctlogs"`
	TimestampAuthorities   []Authority `json:"timestampAuthorities"`
}

// Authority is a certificate chain, the root last.
type Authority struct {
	Subject struct {
		Organization string `json:"organization"`
		CommonName   string `json:"commonName"`
	} `json:"subject"`
	URI       string `json:"uri"`
	CertChain struct {
		Certificates []Certificate `json:"certificates"`
	} `json:"certChain"`
	ValidFor TimeRange `json:"validFor"`
}

// Certificate is in DER.
type Certificate struct {
	RawBytes []byte `json:"rawBytes"`
}

// Log is a transparency log's key.
type Log struct {
	BaseURL       string    `json:"baseUrl"`
	HashAlgorithm string    `json:"hashAlgorithm"`
	PublicKey     PublicKey `json:"publicKey"`
	LogID         LogID     `json:"logId"`
}

// PublicKey is a PKIX public key in DER.
type PublicKey struct {
	RawBytes   []byte    `json:"rawBytes"`
	KeyDetails string    `json:"keyDetails"`
	ValidFor   TimeRange `json:"validFor"`
}

// LogID is the name that a log gives itself in what it signs.
type LogID struct {
	KeyID []byte `json:"keyId"`
}

// TimeRange has an end unless that is zero.
type TimeRange struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end,omitzero"`
}

// TrustedTimes trusts timestamp authorities, and nothing else.
func TrustedTimes(all ...*Timestamper) *TrustedRoot {
	root := newTrustedRoot()
	for _, t := range all {
		root.TimestampAuthorities = append(root.TimestampAuthorities, t.Authority)
	}
	return root
}

func newTrustedRoot() *TrustedRoot {
	return &TrustedRoot{
		MediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		Tlogs:     []Log{}, CertificateAuthorities: []Authority{}, CTLogs: []Log{}, TimestampAuthorities: []Authority{},
	}
}

func newAuthority(url string, chain []*x509.Certificate) Authority {
	root := chain[len(chain)-1]
	a := Authority{URI: url, ValidFor: TimeRange{Start: root.NotBefore}}
	a.Subject.CommonName = root.Subject.CommonName
	if len(root.Subject.Organization) > 0 {
		a.Subject.Organization = root.Subject.Organization[0]
	}
	for _, cert := range chain {
		a.CertChain.Certificates = append(a.CertChain.Certificates, Certificate{cert.Raw})
	}
	return a
}

func newLog(url, keyDetails string, spki, id []byte) Log {
	start := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	return Log{
		BaseURL:       url,
		HashAlgorithm: "SHA2_256",
		PublicKey:     PublicKey{spki, keyDetails, TimeRange{Start: start}},
		LogID:         LogID{id},
	}
}
