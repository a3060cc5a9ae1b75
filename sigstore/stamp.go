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

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest/evidence"
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
	checked   int      // certificates in it that were held against one of the name of their issuer
	foreign   int      // and those of them that are not by that one
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
		var s stamped
		err := error(&untrueError{errors.New("stands twice")}) // as sigstore-python does: it would count twice
		if !slices.ContainsFunc(e.Evidence.Timestamps[:i], func(earlier []byte) bool { return bytes.Equal(response, earlier) }) {
			twice := err
			if s, err = r.checkTimestamp(response, e.Signature); err == nil && slices.ContainsFunc(all, s.equal) {
				err = twice
				found.foreign++ // which took the check of a signature
			}
		}
		var untrue *untrueError
		if err != nil {
			found.foreign += s.checked
		} else {
			found.foreign += s.foreign
		}
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
	all := r.root.TimestampingAuthorities()
	if len(all) == 0 {
		return stamped{}, errors.New("the trusted root names no timestamp authority")
	}
	var claims []claim
	for i, tsa := range all {
		if c, ok := t.claimOf(tsa); ok {
			c.authority = i
			claims = append(claims, c)
		}
	}
	s := stamped{checked: t.checked, foreign: t.foreign}
	for _, c := range claims {
		if t.isFor(signature) && c.verify(signature) == nil {
			if s.issuers, err = c.issuerKeys(); err != nil {
				return s, fmt.Errorf("by %s: who has issued the certificate that signed it: %w", authorityName(c.by), err)
			}
			s.TrustedTime = evidence.TrustedTime{Kind: timestampKind, Time: t.at, Accuracy: t.accuracy}
			s.authority, s.key, s.isNamed, s.content = c.authority, keyOf(c.signer), c.by.Leaf != nil, t.content
			return s, nil
		}
	}
	return s, t.whyNot(claims, all, signature)
}

// whyNot says why no authority vouches for the timestamp, and which of them has signed it.
func (t *token) whyNot(claims []claim, all []root.TimestampingAuthority, signature []byte) error {
	for _, c := range claims {
		switch {
		case !c.isSigned():
			continue
		case !t.isFor(signature):
			return &untrueError{fmt.Errorf("by %s, is over other bytes than the signature", authorityName(c.by))}
		}
		err := c.verify(signature)
		if err != nil {
			err = cmp.Or(unsupported(append([]*x509.Certificate{c.signer}, c.by.Intermediates...)...), c.whyNot(signature), err)
		}
		return fmt.Errorf("by %s: %w", authorityName(c.by), err)
	}
	by := "it does not carry the certificate of its signer, and the trusted root does not have it"
	if len(claims) > 0 {
		by = fmt.Sprintf("it names the certificate of %s as that of its signer, under which its signature does not verify: it was changed, or is forged", authorityName(claims[0].by))
	} else if c := t.signer(nil); c != nil {
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
