package sigstore

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"

	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/internal/zero"
)

// Trusted lists the authorities and logs of the trusted root, kind by kind, in the order of the file.
func (r *TrustedRoot) Trusted() []authority.Authority {
	r = zero.IfNil(r)
	var all []authority.Authority
	for _, a := range r.spec.GetCertificateAuthorities() {
		all = append(all, describeAuthority(authority.CertificateAuthority, a))
	}
	for _, l := range r.spec.GetCtlogs() {
		all = append(all, describeLog(authority.CertificateTransparencyLog, l))
	}
	for _, a := range r.spec.GetTimestampAuthorities() {
		all = append(all, describeAuthority(authority.TimestampAuthority, a))
	}
	for _, l := range r.spec.GetTlogs() {
		log := describeLog(authority.TransparencyLog, l)
		log.Dates = r.dates(l)
		all = append(all, log)
	}
	return all
}

// dates says that promises of the log can hold.
func (r *TrustedRoot) dates(l *prototrustroot.TransparencyLogInstance) bool {
	parsed := r.root.RekorLogs()[hex.EncodeToString(l.GetLogId().GetKeyId())]
	if parsed == nil || parsed.ValidityPeriodStart.IsZero() { // of which sigstore-go verifies no promise
		return false
	}
	_, ok := parsed.PublicKey.(*ecdsa.PublicKey)
	return ok
}

func describeAuthority(kind string, a *prototrustroot.CertificateAuthority) authority.Authority {
	t := authority.Authority{Kind: kind, URL: a.GetUri(), Operator: a.GetOperator(), Dates: kind == authority.TimestampAuthority}
	var chain []*x509.Certificate
	for _, raw := range a.GetCertChain().GetCertificates() {
		if c, err := x509.ParseCertificate(raw.GetRawBytes()); err == nil { // ParseTrustedRoot has read it
			chain = append(chain, c)
		}
	}
	p := periodOf(a.GetValidFor()).within(together(chain))
	t.From, t.Until = p.from, p.until
	if len(chain) > 0 {
		sum := sha256.Sum256(last(chain).Raw)
		t.Name, t.ID = last(chain).Subject.String(), hex.EncodeToString(sum[:])
	}
	return t
}

func describeLog(kind string, l *prototrustroot.TransparencyLogInstance) authority.Authority {
	p := periodOf(l.GetPublicKey().GetValidFor())
	return authority.Authority{
		Kind: kind, URL: l.GetBaseUrl(), Operator: l.GetOperator(), ID: hex.EncodeToString(l.GetLogId().GetKeyId()),
		Algorithm: l.GetPublicKey().GetKeyDetails().String(), From: p.from, Until: p.until,
	}
}

// periodOf reads the epoch as no start: it is older than all that could be signed.
func periodOf(r *protocommon.TimeRange) period {
	var p period
	if r.GetStart() != nil && r.GetStart().AsTime().After(time.Unix(0, 0)) {
		p.from = r.GetStart().AsTime()
	}
	if r.GetEnd() != nil {
		p.until = r.GetEnd().AsTime()
	}
	return p
}
