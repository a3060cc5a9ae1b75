package sigstore

import (
	"crypto/x509"
	"encoding/hex"
	"fmt"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/runattest/runattest/signer"
)

// The libraries verify under any key that they can parse. What this package trusts has a key that package signer takes:
// under a weak one, anyone signs.

// checkRootKeys checks the keys of all authorities and logs.
func checkRootKeys(spec *prototrustroot.TrustedRoot, parsed *root.TrustedRoot) error {
	for i, ca := range parsed.FulcioCertificateAuthorities() {
		a, _ := ca.(*root.FulcioCertificateAuthority)
		if err := checkCertificateKeys(append(a.Intermediates[:len(a.Intermediates):len(a.Intermediates)], a.Root)...); err != nil {
			return fmt.Errorf("certificateAuthorities[%d]: %w", i, err)
		}
	}
	for i, tsa := range parsed.TimestampingAuthorities() {
		a, _ := tsa.(*root.SigstoreTimestampingAuthority)
		if err := checkCertificateKeys(append([]*x509.Certificate{a.Leaf, a.Root}, a.Intermediates...)...); err != nil {
			return fmt.Errorf("timestampAuthorities[%d]: %w", i, err)
		}
	}
	if err := checkLogKeys(spec.GetTlogs(), parsed.RekorLogs()); err != nil {
		return fmt.Errorf("tlogs%w", err)
	}
	if err := checkLogKeys(spec.GetCtlogs(), parsed.CTLogs()); err != nil {
		return fmt.Errorf("ctlogs%w", err)
	}
	return nil
}

// checkLogKeys also refuses one key under two IDs, as CreateTrustedRoot does: one log would count as two.
func checkLogKeys(specs []*prototrustroot.TransparencyLogInstance, logs map[string]*root.TransparencyLog) error {
	seen := map[string]string{}
	for i, spec := range specs {
		key, err := signer.NewPublicKey(logs[hex.EncodeToString(spec.GetLogId().GetKeyId())].PublicKey)
		if err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
		name := fmt.Sprintf("%s (%x)", spec.GetBaseUrl(), spec.GetLogId().GetKeyId())
		if other, ok := seen[key.Hint()]; ok {
			return fmt.Errorf("[%d]: %s has the key of %s: one log stands once", i, name, other)
		}
		seen[key.Hint()] = name
	}
	return nil
}

// checkCertificateKeys passes over certificates that are nil, and keys that crypto/x509 does not read: they verify nothing.
func checkCertificateKeys(certificates ...*x509.Certificate) error {
	for _, c := range certificates {
		if c == nil || c.PublicKey == nil {
			continue
		}
		if _, err := signer.NewCertifiedKey(c.PublicKey); err != nil {
			return fmt.Errorf("certificate %s: %w", c.Subject, err)
		}
	}
	return nil
}

// checkTUFKeys checks the keys that sign a TUF repository, as far as go-tuf reads them.
func checkTUFKeys(r *metadata.RootType) error {
	for id, k := range r.Keys {
		key, err := k.ToPublicKey()
		if err != nil {
			continue // verifies nothing
		}
		if _, err := signer.NewPublicKey(key); err != nil {
			return fmt.Errorf("key %.16s: %w", id, err)
		}
	}
	return nil
}
