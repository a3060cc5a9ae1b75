package signer

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"

	"github.com/runattest/runattest/internal/ecpoint"
)

// otherKinds are kinds of keys that this package does not sign with, by the OID of the algorithm.
var otherKinds = map[string]string{
	"1.2.840.10040.4.1":       "a DSA key",
	"1.2.840.113549.1.3.1":    "a Diffie-Hellman key, which signs nothing",
	"1.2.840.10046.2.1":       "a Diffie-Hellman key, which signs nothing",
	"1.2.840.113549.1.1.7":    "an RSA key for OAEP alone, which signs nothing",
	"1.2.840.113549.1.1.10":   "an RSA key for PSS alone",
	"1.3.101.110":             "an X25519 key, which signs nothing",
	"1.3.101.111":             "an X448 key, which signs nothing",
	"1.3.101.113":             "an Ed448 key",
	"1.2.156.10197.1.301":     "an SM2 key",
	"2.16.840.1.101.3.4.3.17": "an ML-DSA-44 key",
	"2.16.840.1.101.3.4.3.18": "an ML-DSA-65 key",
	"2.16.840.1.101.3.4.3.19": "an ML-DSA-87 key",
	"2.16.840.1.101.3.4.4.1":  "an ML-KEM key, which signs nothing",
	"2.16.840.1.101.3.4.4.2":  "an ML-KEM key, which signs nothing",
	"2.16.840.1.101.3.4.4.3":  "an ML-KEM key, which signs nothing",
}

// ourKinds are the algorithms that x509 parses: what is wrong with such a key is something else.
var ourKinds = map[string]bool{"1.2.840.113549.1.1.1": true, "1.3.101.112": true}

// curves are the names of curves; those without a name are of this package.
var curves = map[string]string{
	"1.2.840.10045.3.1.7":   "",
	"1.3.132.0.34":          "",
	"1.3.132.0.35":          "",
	"1.2.840.10045.3.1.1":   "P-192",
	"1.3.132.0.33":          "P-224",
	"1.3.132.0.10":          "secp256k1",
	"1.3.36.3.3.2.8.1.1.3":  "brainpoolP192r1",
	"1.3.36.3.3.2.8.1.1.5":  "brainpoolP224r1",
	"1.3.36.3.3.2.8.1.1.7":  "brainpoolP256r1",
	"1.3.36.3.3.2.8.1.1.8":  "brainpoolP256t1",
	"1.3.36.3.3.2.8.1.1.9":  "brainpoolP320r1",
	"1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.12": "brainpoolP384t1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
	"1.3.36.3.3.2.8.1.1.14": "brainpoolP512t1",
	"1.2.156.10197.1.301":   "SM2",
}

var oidEC = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

const wanted = "; want ECDSA over P-256, P-384 or P-521, Ed25519 or RSA"

// otherKind recognizes a well-formed key of a kind that this package does not sign with, in DER: SubjectPublicKeyInfo,
// PKCS #8 or SEC 1. A curve that is written out may be one of ours.
func otherKind(want string, der []byte, in string) (finding, bool) {
	other := func(what string) (finding, bool) { return finding{"this is " + what + wanted, makeKeys}, true }
	curve := func(parameters asn1.RawValue) (finding, bool) {
		var oid asn1.ObjectIdentifier
		if rest, err := asn1.Unmarshal(parameters.FullBytes, &oid); err == nil && len(rest) == 0 {
			switch name, known := curves[oid.String()]; {
			case !known:
				return other("an EC key over the curve " + oid.String())
			case name != "":
				return other("an EC key over " + name)
			}
			return compressed(want, der, in)
		}
		if parameters.Tag != asn1.TagSequence {
			return finding{}, false
		}
		command := "openssl pkey " + in + " -ec_param_enc named_curve"
		if want == wantPublic {
			command += " -pubin -pubout"
		}
		return finding{"this is an EC key whose curve is written out, want its name", writing(command)}, true
	}
	if a, ok := algorithmIn(der); ok {
		switch oid := a.Algorithm.String(); {
		case a.Algorithm.Equal(oidEC):
			return curve(a.Parameters)
		case otherKinds[oid] != "":
			return other(otherKinds[oid])
		case ourKinds[oid]:
			return finding{}, false
		default:
			return other("a key of the algorithm " + oid)
		}
	}
	var sec1 struct {
		Version    int
		Key        []byte
		Parameters asn1.RawValue
	}
	var parameters asn1.RawValue // explicit, with the tag 0
	if rest, err := asn1.Unmarshal(der, &sec1); err != nil || len(rest) > 0 || sec1.Version != 1 || sec1.Parameters.Tag != 0 {
		return finding{}, false
	}
	if _, err := asn1.Unmarshal(sec1.Parameters.Bytes, &parameters); err == nil {
		return curve(parameters)
	}
	return finding{}, false
}

// compressed recognizes a public key whose point is not in the form that x509 reads.
func compressed(want string, der []byte, in string) (finding, bool) {
	switch form := ecpoint.OfKey(der); {
	case form == "":
		return finding{}, false
	case want == wantPrivate:
		return finding{found: "this is a public key; sign with the private key"}, true
	default:
		found := "this is an EC key with a %s point, want an uncompressed one"
		if strings.Contains(in, "DER") {
			found = "this is an EC key in DER with a %s point, want PEM with an uncompressed one"
		}
		return finding{fmt.Sprintf(found, string(form)),
			writing("openssl pkey -pubin " + in + " -ec_conv_form uncompressed")}, true
	}
}

// algorithmIn is the algorithm of a SubjectPublicKeyInfo or a PKCS #8 key.
func algorithmIn(der []byte) (pkix.AlgorithmIdentifier, bool) {
	var public struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &public); err == nil && len(rest) == 0 {
		return public.Algorithm, true
	}
	var private struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	rest, err := asn1.Unmarshal(der, &private)
	return private.Algorithm, err == nil && len(rest) == 0
}
