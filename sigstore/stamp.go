package sigstore

import (
	"cmp"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/digitorus/pkcs7"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
)

// untrueError says that a timestamp is by an authority of the trusted root, and not true of the signature.
type untrueError struct{ error }

// checkTimestamp finds the authority that stamped the signature.
func (r *TrustedRoot) checkTimestamp(response, signature []byte) (attest.TrustedTime, error) {
	t, err := readToken(response)
	if err != nil {
		return attest.TrustedTime{}, err
	}
	if err := guard(func() error { return checkStampKeys(t.response) }); err != nil {
		return attest.TrustedTime{}, err
	}
	all := r.root.TimestampingAuthorities()
	if len(all) == 0 {
		return attest.TrustedTime{}, errors.New("the trusted root names no timestamp authority")
	}
	if t.isFor(signature) {
		for _, tsa := range all {
			if at, err := t.verify(tsa, signature); err == nil {
				return at, nil
			}
		}
	}
	return attest.TrustedTime{}, t.whyNot(all, signature)
}

// verify has sigstore-go verify the timestamp under one authority.
func (t *token) verify(tsa root.TimestampingAuthority, signature []byte) (attest.TrustedTime, error) {
	var at *root.Timestamp
	err := guard(func() (err error) { at, err = tsa.Verify(t.response, signature); return err })
	if err != nil {
		return attest.TrustedTime{}, err
	}
	if !at.Time.Equal(t.at) {
		return attest.TrustedTime{}, errors.New("cannot be read in one way")
	}
	if err := t.checkSigner(t.signer(leafOf(tsa))); err != nil {
		return attest.TrustedTime{}, err
	}
	return attest.TrustedTime{Kind: timestampKind, Authority: authorityName(tsa), Time: t.at}, nil
}

// whyNot says why no authority vouches for the timestamp, and which of them has signed it.
func (t *token) whyNot(all []root.TimestampingAuthority, signature []byte) error {
	for _, tsa := range all {
		if !t.isBy(tsa) {
			continue
		}
		if !t.isFor(signature) {
			return &untrueError{fmt.Errorf("by %s, is over other bytes than the signature", authorityName(tsa))}
		}
		_, err := t.verify(tsa, signature)
		return fmt.Errorf("by %s: %w", authorityName(tsa), err)
	}
	by := "it does not carry the certificate of its signer, and the trusted root does not have it"
	if c := t.signer(nil); c != nil {
		by = fmt.Sprintf("it is signed as %s, issued by %s", c.Subject, c.Issuer)
	}
	if !t.isFor(signature) {
		by += "; it is over other bytes than the signature"
	}
	return fmt.Errorf("by no authority of the trusted root: %s", by)
}

// isBy says whether the authority signed the token, whatever else is wrong with it.
func (t *token) isBy(tsa root.TimestampingAuthority) bool {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	signer := t.signer(leafOf(tsa))
	if !ok || signer == nil || a.Leaf != nil && !a.Leaf.Equal(signer) {
		return false
	}
	err := guard(func() error {
		message, err := pkcs7.Parse(t.message.FullBytes)
		if err != nil {
			return err
		}
		message.Certificates = []*x509.Certificate{signer}
		return message.Verify()
	})
	if err != nil || a.Leaf != nil {
		return err == nil
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(a.Root)
	for _, c := range append(t.certificates[:len(t.certificates):len(t.certificates)], a.Intermediates...) {
		others.AddCert(c)
	}
	_, err = signer.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: signer.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// leafOf is the certificate with which the authority signs timestamps, if the trusted root has it.
func leafOf(tsa root.TimestampingAuthority) *x509.Certificate {
	if a, ok := tsa.(*root.SigstoreTimestampingAuthority); ok {
		return a.Leaf
	}
	return nil
}

// authorityName tells authorities apart: what has one name counts once.
func authorityName(tsa root.TimestampingAuthority) string {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	if !ok {
		return ""
	}
	return cmp.Or(a.URI, a.Root.Subject.String(), hex.EncodeToString(a.Root.RawSubjectPublicKeyInfo))
}

func authorities(list []root.TimestampingAuthority) map[string]bool {
	names := map[string]bool{}
	for _, tsa := range list {
		names[authorityName(tsa)] = true
	}
	return names
}
