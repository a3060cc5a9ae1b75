package signer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"strings"
)

// pointCurves are the curves of this package, with their OIDs (RFC 5480, section 2.1.1.1).
var pointCurves = []struct {
	curve elliptic.Curve
	oid   asn1.ObjectIdentifier
}{
	{elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
	{elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
	{elliptic.P521(), asn1.ObjectIdentifier{1, 3, 132, 0, 35}},
}

// recognizePoint knows the point of an EC public key without any format (SEC 1, section 2.3.3) by its size, and because it is on
// the curve.
func recognizePoint(want string, data []byte, encoding string) (finding, bool) {
	for _, c := range pointCurves {
		form := pointForm(c.curve, data)
		if form == "" {
			continue
		}
		found := fmt.Sprintf("this is %s point of %s%s", form, c.curve.Params().Name, encoding)
		if want == wantPrivate {
			return finding{found: found + ", a public key; sign with the private key"}, true
		}
		return finding{found + ", want a public key in PEM",
			writing("(" + pointHead(c.oid, len(data)) + "; cat FILE) | openssl pkey -pubin -inform DER -ec_conv_form uncompressed")}, true
	}
	return finding{}, false
}

// pointForm is the form of a point on the curve, with its article; "" for what is none.
func pointForm(curve elliptic.Curve, data []byte) string {
	size := (curve.Params().BitSize + 7) / 8
	switch {
	case len(data) == 1+size && (data[0] == 2 || data[0] == 3):
		if x, _ := elliptic.UnmarshalCompressed(curve, data); x != nil {
			return "a compressed"
		}
	case len(data) == 1+2*size && (data[0] == 4 || data[0]&^1 == 6):
		if _, err := ecdsa.ParseUncompressedPublicKey(curve, append([]byte{4}, data[1:]...)); err != nil {
			return ""
		}
		if data[0] != 4 {
			return "a hybrid"
		}
		return "an uncompressed"
	}
	return ""
}

// pointHead is a command that writes what comes before a point of n bytes in a SubjectPublicKeyInfo (RFC 5480, section 2).
func pointHead(curve asn1.ObjectIdentifier, n int) string {
	der, err := asn1.Marshal(struct {
		Algorithm struct{ Type, Curve asn1.ObjectIdentifier }
		Key       asn1.BitString
	}{struct{ Type, Curve asn1.ObjectIdentifier }{oidEC, curve}, asn1.BitString{Bytes: make([]byte, n), BitLength: 8 * n}})
	if err != nil {
		return "false"
	}
	var octal strings.Builder
	for _, b := range der[:len(der)-n] {
		fmt.Fprintf(&octal, `\%03o`, b)
	}
	return "printf '" + octal.String() + "'"
}
