// Package ecpoint tells in which form an EC public key holds its point. Every reader knows the uncompressed form, and may refuse
// the others (RFC 5480, section 2.2), as crypto/x509 does without a word about the form.
package ecpoint

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// A Form is "compressed" or "hybrid" (SEC 1, section 2.3.3), or "" for a key that has neither.
type Form string

var forms = map[byte]Form{2: "compressed", 3: "compressed", 6: "hybrid", 7: "hybrid"}

var oidEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

type publicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// OfKey is the form in a SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7).
func OfKey(der []byte) Form {
	var key publicKeyInfo
	if rest, err := asn1.Unmarshal(der, &key); err != nil || len(rest) > 0 {
		return ""
	}
	return key.form()
}

func (k publicKeyInfo) form() Form {
	if !k.Algorithm.Algorithm.Equal(oidEC) || len(k.Key.Bytes) == 0 {
		return ""
	}
	return forms[k.Key.Bytes[0]]
}

// OfCertificate is the form in the first of the certificates in DER that has one.
func OfCertificate(der []byte) Form {
	for len(der) > 0 {
		var c struct { // RFC 5280, section 4.1
			Body struct {
				Version                   int `asn1:"optional,explicit,default:0,tag:0"`
				Serial                    *big.Int
				Signature                 pkix.AlgorithmIdentifier
				Issuer, Validity, Subject asn1.RawValue
				Key                       publicKeyInfo
			}
		}
		rest, err := asn1.Unmarshal(der, &c)
		if err != nil {
			return ""
		}
		if form := c.Body.Key.form(); form != "" {
			return form
		}
		der = rest
	}
	return ""
}

// Err is why a reader refuses a key of that form; nil for one that has neither.
func (f Form) Err() error {
	if f == "" {
		return nil
	}
	return fmt.Errorf("holds an EC key with a %s point, want an uncompressed one", string(f))
}
