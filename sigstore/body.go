package sigstore

import (
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/digitorus/pkcs7"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// Whoever passes on a bundle can put evidence into it, and the libraries that read evidence verify
// some of it under keys that it brings along, whatever those cost. So it is looked at before.

// checkBody takes the body of a log entry as the logs canonicalise it: of a kind that is about an
// envelope, without what only a proposal has.
func checkBody(body []byte) error {
	if len(body) > limits.LogEntryBody {
		return fmt.Errorf("a body of %d bytes, want at most %d", len(body), limits.LogEntryBody)
	}
	text, err := canonical.Options{MaxDepth: limits.BundleDepth, MaxValues: limits.BundleValues}.Append(nil, body)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	root, err := jsontree.Parse(text)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	spec := root.Get("spec")
	switch kind := root.Get("kind").Text() + " " + root.Get("apiVersion").Text(); kind {
	case "hashedrekord 0.0.2":
		return nil
	case "dsse 0.0.1":
		return onlyMembers(spec, "envelopeHash", "payloadHash", "signatures")
	case "intoto 0.0.2":
		if err := onlyMembers(spec, "content"); err != nil {
			return err
		}
		if err := onlyMembers(spec.Get("content"), "envelope", "hash", "payloadHash"); err != nil {
			return err
		}
		return onlyMembers(spec.Get("content").Get("envelope"), "payloadType", "signatures")
	default:
		return fmt.Errorf("an entry of kind %q, which is about no envelope", kind)
	}
}

func onlyMembers(v jsontree.Value, allowed ...string) error {
	if v.Kind() != jsontree.Object {
		return errors.New("body: not an entry as logs write it")
	}
	for name := range v.Members() {
		if !slices.Contains(allowed, string(name)) {
			return fmt.Errorf("body: %q is not in an entry as logs write it", name)
		}
	}
	return nil
}

// checkStampKeys refuses an RFC 3161 response that brings keys along which it would take long to
// verify with.
func checkStampKeys(response []byte) error {
	var parts struct {
		Status asn1.RawValue
		Token  asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(response, &parts); err != nil || len(rest) > 0 {
		return errors.New("not an RFC 3161 response")
	}
	token, err := pkcs7.Parse(parts.Token.FullBytes)
	if err != nil {
		return err
	}
	if len(token.Certificates) > limits.Certificates || len(token.Signers) > limits.Certificates {
		return fmt.Errorf("%d certificates and %d signers", len(token.Certificates), len(token.Signers))
	}
	for _, c := range token.Certificates {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > limits.RSABits {
			return fmt.Errorf("a certificate with an RSA key of %d bits, want at most %d", key.N.BitLen(), limits.RSABits)
		}
	}
	return nil
}
