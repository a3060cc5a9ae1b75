package sigstore

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/digitorus/pkcs7"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// Whoever passes on a bundle can put evidence into it, and the libraries that read evidence verify
// some of it under keys that it brings along, whatever those cost. So it is looked at before.

// checkBody takes the body of a log entry as the logs canonicalise it: of a kind that is about an
// envelope, without what only a proposal has, and of the kind and version that the entry states.
func checkBody(body []byte, stated *protorekor.KindVersion) error {
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
	if err := onlyMembers(root, "apiVersion", "kind", "spec"); err != nil {
		return err
	}
	kind := root.Get("kind").Text() + " " + root.Get("apiVersion").Text()
	if want := stated.GetKind() + " " + stated.GetVersion(); want != kind {
		return fmt.Errorf("kindVersion is %q, but the body is of kind %q", want, kind)
	}
	spec := root.Get("spec")
	switch kind {
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

// checkNesting refuses an RFC 3161 response in which an object does not end inside the one that it is in.
// pkcs7 reads the rest of such a text twice, so that each four bytes double the time.
func checkNesting(response []byte) error {
	rest, err := skipObject(response, limits.TimestampDepth)
	if err == nil && len(rest) > 0 {
		err = errors.New("something follows it")
	}
	if err != nil {
		return fmt.Errorf("not an RFC 3161 response: %w", err)
	}
	return nil
}

// skipObject is what follows the first object of BER text, whose lengths may be indefinite.
func skipObject(text []byte, depth int) ([]byte, error) {
	const constructed, longTag, indefinite = 0x20, 0x1f, 0x80
	if len(text) < 2 || text[0]&longTag == longTag || depth == 0 {
		return nil, errors.New("malformed or nested too deeply")
	}
	isConstructed, length, text := text[0]&constructed != 0, int(text[1]), text[2:]
	for length == indefinite && isConstructed {
		var err error
		if text, err = skipObject(text, depth-1); err != nil {
			return nil, err
		}
		if bytes.HasPrefix(text, []byte{0, 0}) { // as pkcs7, which wants an object before the end
			return text[2:], nil
		}
	}
	if length >= indefinite {
		n := length - indefinite
		if n < 1 || n > 3 || n > len(text) {
			return nil, errors.New("a length that is none")
		}
		length = 0
		for _, b := range text[:n] {
			length = length<<8 | int(b)
		}
		text = text[n:]
	}
	if length > len(text) {
		return nil, errors.New("an object is longer than what it is in")
	}
	content, rest := text[:length], text[length:]
	for isConstructed && len(content) > 0 {
		var err error
		if content, err = skipObject(content, depth-1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// checkStampKeys refuses an RFC 3161 response that brings keys along under which anyone signs, or which it would take
// long to verify with.
func checkStampKeys(response []byte) error {
	if err := checkNesting(response); err != nil {
		return err
	}
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
	return checkCertificateKeys(token.Certificates...)
}
