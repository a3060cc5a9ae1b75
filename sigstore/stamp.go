package sigstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/visible"
)

// untrueError says that a timestamp is by an authority of the trusted root, and not true of the signature, or stands twice.
type untrueError struct{ error }

// stamped is a verified timestamp, and who signed it.
type stamped struct {
	evidence.TrustedTime
	authority int      // in the trusted root
	key       string   // of the certificate that signed it
	issuers   []string // the keys of the certificate authorities that vouch for that one
	isNamed   bool     // the entry says which certificate signs, and trusts no other of these
	content   []byte   // that the key signed
}

// equal says that it is the same timestamp, whatever is around it in the response: an authority numbers those that it makes.
func (s stamped) equal(other stamped) bool {
	return s.key == other.key && bytes.Equal(s.content, other.content)
}

// checkTimestamps adds to found what the timestamps prove.
func (r *TrustedRoot) checkTimestamps(ctx context.Context, e evidence.Envelope, found *findings) {
	var all []stamped
	for i, response := range e.Evidence.Timestamps {
		if ctx.Err() != nil {
			break
		}
		s, err := r.checkTimestamp(response, e.Signature)
		if slices.ContainsFunc(e.Evidence.Timestamps[:i], func(earlier []byte) bool { return bytes.Equal(response, earlier) }) ||
			err == nil && slices.ContainsFunc(all, s.equal) { // as sigstore-python does: it would count twice
			err = &untrueError{errors.New("stands twice")}
		}
		var untrue *untrueError
		switch {
		case errors.As(err, &untrue):
			found.wrong = append(found.wrong, fmt.Errorf("timestamp %d: %w", i, err))
		case err != nil:
			found.ignored = append(found.ignored, fmt.Errorf("timestamp %d: %w", i, err))
		default:
			all = append(all, s)
		}
	}
	times, parties := r.nameStampers(all)
	found.times, found.stampers = append(found.times, times...), parties
}

// nameStampers gives timestamps by one authority one name, and says which names count as one. Two are by one authority if one
// key signed both, whichever certificates of it and entries of the trusted root vouch for them, if the root's entries are one, or if the
// certificate authority that vouches for one of them, which need not stand in the root, does so for the other or is of its entry.
func (r *TrustedRoot) nameStampers(all []stamped) ([]evidence.TrustedTime, parties) {
	names, counted, keys := slices.Clone(r.names), slices.Clone(r.stampers), map[string]int{}
	for n, s := range all {
		if other, ok := keys[s.key]; ok {
			names.join(other, s.authority)
			counted.join(other, s.authority)
		}
		keys[s.key] = s.authority
		for i, tsa := range r.root.TimestampingAuthorities() {
			if !s.isNamed && slices.ContainsFunc(issuersOf(tsa), func(c *x509.Certificate) bool { return slices.Contains(s.issuers, keyOf(c)) }) {
				counted.join(i, s.authority)
			}
		}
		for _, other := range all[:n] {
			if !(s.isNamed && other.isNamed) && slices.ContainsFunc(s.issuers, func(key string) bool { return slices.Contains(other.issuers, key) }) {
				counted.join(other.authority, s.authority)
			}
		}
	}
	var times []evidence.TrustedTime
	nameOf := func(i int) string { return authorityName(r.root.TimestampingAuthorities()[i]) }
	one := parties{}
	for _, s := range all {
		s.Authority = nameOf(names.find(s.authority))
		one[s.Authority] = nameOf(counted.find(s.authority))
		times = append(times, s.TrustedTime)
	}
	return times, one
}

// groupStampers finds the entries of a trusted root that are one authority: those of one name or operator, and those that share
// the key of a certificate authority where one of them does not say which certificate signs, and so vouches for all that it issues.
func groupStampers(list []root.TimestampingAuthority, operator func(int) string) groups {
	open := map[string]bool{}
	for _, tsa := range list {
		for _, c := range issuersOf(tsa) {
			open[keyOf(c)] = open[keyOf(c)] || leafOf(tsa) == nil
		}
	}
	ids := make([][]string, len(list))
	for i, tsa := range list {
		ids[i] = partyIDs(authorityName(tsa), operator(i))
		for _, c := range issuersOf(tsa) {
			if key := keyOf(c); open[key] {
				ids[i] = append(ids[i], "key "+key)
			}
		}
	}
	return groupByID(ids)
}

// describeStampers says how many timestamp authorities there are, and why they are fewer than the entries.
func (r *TrustedRoot) describeStampers() string {
	n := r.stampers.count()
	text := fmt.Sprintf("%d timestamp authorities", n)
	if n == 1 {
		text = "1 timestamp authority"
	}
	if entries := len(r.stampers); n < entries {
		text += fmt.Sprintf(" in %d entries: those of one name or operator are one, and those that share a certificate authority, unless each says which certificate signs", entries)
	}
	return text
}

// issuersOf are the certificates of an authority's chain that issue others.
func issuersOf(tsa root.TimestampingAuthority) []*x509.Certificate {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	if !ok {
		return nil
	}
	return append(a.Intermediates[:len(a.Intermediates):len(a.Intermediates)], a.Root)
}

// keyOf is a certificate's key, however the certificate encodes it.
func keyOf(c *x509.Certificate) string {
	if text, err := x509.MarshalPKIXPublicKey(c.PublicKey); err == nil {
		return string(text)
	}
	return string(c.RawSubjectPublicKeyInfo)
}

// checkTimestamp finds the authority that stamped the signature.
func (r *TrustedRoot) checkTimestamp(response, signature []byte) (stamped, error) {
	t, err := readToken(response)
	if err != nil {
		return stamped{}, err
	}
	if err := guard(func() error { return checkStampKeys(t.response) }); err != nil {
		return stamped{}, err
	}
	all := r.root.TimestampingAuthorities()
	if len(all) == 0 {
		return stamped{}, errors.New("the trusted root names no timestamp authority")
	}
	if t.isFor(signature) {
		for i, tsa := range all {
			if signer, err := t.verify(tsa, signature); err == nil {
				issuers, err := t.issuers(tsa, signer)
				if err != nil {
					return stamped{}, fmt.Errorf("by %s: who has issued the certificate that signed it: %w", authorityName(tsa), err)
				}
				at := evidence.TrustedTime{Kind: timestampKind, Time: t.at, Accuracy: t.accuracy}
				return stamped{at, i, keyOf(signer), issuers, leafOf(tsa) != nil, t.content}, nil
			}
		}
	}
	return stamped{}, t.whyNot(all, signature)
}

// verify has sigstore-go verify the timestamp under one authority. It gives the certificate that signed it.
func (t *token) verify(tsa root.TimestampingAuthority, signature []byte) (*x509.Certificate, error) {
	var at *root.Timestamp
	err := guard(func() (err error) { at, err = tsa.Verify(t.response, signature); return err })
	if err != nil {
		return nil, err
	}
	signer := t.signer(leafOf(tsa))
	if signer == nil || !at.Time.Equal(t.at) {
		return nil, errors.New("cannot be read in one way")
	}
	if err := t.checkSigner(signer); err != nil {
		return nil, err
	}
	return signer, t.checkEnd(tsa, signer)
}

// checkEnd wants the authority and its certificates to be valid as late as the time may be.
func (t *token) checkEnd(tsa root.TimestampingAuthority, signer *x509.Certificate) error {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	latest := t.at.Add(t.accuracy)
	if !ok || t.accuracy == 0 {
		return nil
	}
	if !a.ValidityPeriodEnd.IsZero() && latest.After(a.ValidityPeriodEnd) {
		return fmt.Errorf("the time may be as late as %s, after the validity of its authority ends at %s", visible.Time(latest), visible.Time(a.ValidityPeriodEnd))
	}
	ends := func(c *x509.Certificate) bool { return latest.After(c.NotAfter) }
	if !ends(signer) && !slices.ContainsFunc(t.certificates, ends) && !slices.ContainsFunc(issuersOf(tsa), ends) {
		return nil
	}
	if _, err := t.chains(a, signer, latest, x509.ExtKeyUsageTimeStamping); err != nil {
		return fmt.Errorf("the time may be as late as %s: %w", visible.Time(latest), err)
	}
	return nil
}

// issuers are the keys that vouch for the signer's certificate, up to the authority's root.
func (t *token) issuers(tsa root.TimestampingAuthority, signer *x509.Certificate) (keys []string, err error) {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	if !ok {
		return nil, nil
	}
	chains, err := t.chains(a, signer, t.at, x509.ExtKeyUsageTimeStamping)
	for _, chain := range chains {
		for _, c := range chain[1:] {
			if key := keyOf(c); !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys, err
}

// chains are those from the signer's certificate to the authority's root that are valid at a time. None is an error.
func (t *token) chains(a *root.SigstoreTimestampingAuthority, signer *x509.Certificate, at time.Time, usage x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(a.Root)
	for _, c := range append(t.certificates[:len(t.certificates):len(t.certificates)], a.Intermediates...) {
		others.AddCert(c)
	}
	return signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
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
		if a, ok := tsa.(*root.SigstoreTimestampingAuthority); ok && err != nil {
			err = cmp.Or(unsupported(append([]*x509.Certificate{t.signer(a.Leaf)}, a.Intermediates...)...), t.whyNotBy(a, signature), err)
		}
		return fmt.Errorf("by %s: %w", authorityName(tsa), err)
	}
	by := "it does not carry the certificate of its signer, and the trusted root does not have it"
	if c := t.signer(nil); c != nil {
		by = fmt.Sprintf("it is signed as %s, issued by %s", c.Subject, c.Issuer)
		by += listedAs(all, c)
	}
	if !t.isFor(signature) {
		by += "; it is over other bytes than the signature"
	}
	return fmt.Errorf("by no authority of the trusted root: %s", by)
}

// listedAs says that the trusted root has another certificate of the same name than the one that signed a timestamp, as after a renewal.
func listedAs(all []root.TimestampingAuthority, c *x509.Certificate) string {
	for _, tsa := range all {
		leaf := leafOf(tsa)
		if leaf == nil || leaf.Equal(c) || !sameName(leaf.RawSubject, c.RawSubject) {
			continue
		}
		with := "another key"
		if keyOf(leaf) == keyOf(c) {
			with = "the same key"
		}
		return fmt.Sprintf(", by its certificate with serial number %x; the trusted root has another certificate of that name, with serial number %x and %s: if it was renewed, use a newer trusted root",
			c.SerialNumber, leaf.SerialNumber, with)
	}
	return ""
}

// whyNotBy says why a timestamp is not by an authority that signed it: that the trusted root names the authority for another
// time is the reason only where nothing else is wrong.
func (t *token) whyNotBy(a *root.SigstoreTimestampingAuthority, signature []byte) error {
	always := *a
	always.ValidityPeriodStart, always.ValidityPeriodEnd = time.Time{}, time.Time{}
	if _, err := t.verify(&always, signature); err != nil {
		return err
	}
	return period{a.ValidityPeriodStart, a.ValidityPeriodEnd}.checkTime("the authority", t.at)
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
	_, err = t.chains(a, signer, signer.NotBefore, x509.ExtKeyUsageAny)
	return err == nil
}

// leafOf is the certificate with which the authority signs timestamps, if the trusted root has it.
func leafOf(tsa root.TimestampingAuthority) *x509.Certificate {
	if a, ok := tsa.(*root.SigstoreTimestampingAuthority); ok {
		return a.Leaf
	}
	return nil
}

// authorityName is what to call an authority: what has one name is one.
func authorityName(tsa root.TimestampingAuthority) string {
	a, ok := tsa.(*root.SigstoreTimestampingAuthority)
	if !ok {
		return ""
	}
	return cmp.Or(a.URI, a.Root.Subject.String(), hex.EncodeToString(a.Root.RawSubjectPublicKeyInfo))
}
