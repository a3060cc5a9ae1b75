package services

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"slices"
	"time"
)

// CTLog stands in for a certificate transparency log: it signs the timestamp of a precertificate as RFC 6962 says,
// and keeps no tree, so that there is nothing to monitor. Verifiers of certificates see no difference.
type CTLog struct {
	*local
	Log Log

	key *ecdsa.PrivateKey
}

// StartCTLog starts a log with a new key.
func StartCTLog() (*CTLog, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &CTLog{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ct/v1/add-pre-chain", c.addPreChain)
	if c.local, err = serve(mux); err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	id := sha256.Sum256(spki)
	c.Log = newLog(c.URL, "PKIX_ECDSA_P256_SHA_256", spki, id[:])
	return c, err
}

// addPreChain is RFC 6962, section 4.2.
func (c *CTLog) addPreChain(w http.ResponseWriter, r *http.Request) {
	var request struct{ Chain [][]byte }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, answerLimit)).Decode(&request)
	if err == nil && len(request.Chain) < 2 {
		err = errors.New("want a precertificate and its issuer")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now().UnixMilli()
	signature, err := c.sign(request.Chain[0], request.Chain[1], now)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, map[string]any{
		"sct_version": 0,
		"id":          c.Log.LogID.KeyID,
		"timestamp":   now,
		"extensions":  "",
		"signature":   signature,
	})
}

// sign returns the DigitallySigned of RFC 6962, section 3.2, over a PreCert entry.
func (c *CTLog) sign(precertificate, issuer []byte, timestamp int64) ([]byte, error) {
	cert, err := x509.ParseCertificate(precertificate)
	if err != nil {
		return nil, err
	}
	ca, err := x509.ParseCertificate(issuer)
	if err != nil {
		return nil, err
	}
	if err := cert.CheckSignatureFrom(ca); err != nil {
		return nil, err
	}
	tbs, err := withoutPoison(cert.RawTBSCertificate)
	if err != nil {
		return nil, err
	}
	issuerKeyHash := sha256.Sum256(ca.RawSubjectPublicKeyInfo)
	entry := []byte{0, 0} // v1, certificate_timestamp
	entry = binary.BigEndian.AppendUint64(entry, uint64(timestamp))
	entry = append(entry, 0, 1) // precert_entry
	entry = append(entry, issuerKeyHash[:]...)
	entry = append(entry, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
	entry = append(entry, tbs...)
	entry = append(entry, 0, 0) // no extensions
	digest := sha256.Sum256(entry)
	sig, err := ecdsa.SignASN1(rand.Reader, c.key, digest[:])
	if err != nil {
		return nil, err
	}
	signed := []byte{4, 3} // SHA-256, ECDSA
	return append(binary.BigEndian.AppendUint16(signed, uint16(len(sig))), sig...), nil
}

// tbsCertificate is RFC 5280, section 4.1, as far as it is changed here.
type tbsCertificate struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
}

var poison = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}

// withoutPoison is what a log signs of a precertificate: all but the extension that makes it one.
func withoutPoison(der []byte) ([]byte, error) {
	var tbs tbsCertificate
	if rest, err := asn1.Unmarshal(der, &tbs); err != nil || len(rest) > 0 {
		return nil, errors.Join(errors.New("precertificate: not a TBSCertificate"), err)
	}
	isPoison := func(e pkix.Extension) bool { return e.Id.Equal(poison) }
	n := len(tbs.Extensions)
	tbs.Extensions = slices.DeleteFunc(tbs.Extensions, isPoison)
	if len(tbs.Extensions) != n-1 {
		return nil, errors.New("precertificate: want one poison extension")
	}
	return asn1.Marshal(tbs)
}
