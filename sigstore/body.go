package sigstore

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/digitorus/pkcs7"

	"github.com/runattest/runattest/internal/limits"
)

// Every party that passes a bundle on can add evidence to it, and the libraries that read evidence verify
// some of it under keys that it brings along, at any cost. So it is checked before.

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
