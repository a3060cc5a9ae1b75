package signer

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/runattest/runattest/internal/limits"
)

// The PEM types of private keys: PKCS #8, SEC 1 and PKCS #1, encrypted PKCS #8, and what Sigstore's tools encrypt to under
// its new name and its old one.
const (
	pkcs8Type    = "PRIVATE KEY"
	sec1Type     = "EC PRIVATE KEY"
	pkcs1Type    = "RSA PRIVATE KEY"
	pbes2Type    = "ENCRYPTED PRIVATE KEY"
	sigstoreType = "ENCRYPTED SIGSTORE PRIVATE KEY"
	cosignType   = "ENCRYPTED COSIGN PRIVATE KEY"
)

// readPrivate reads a private key. What an encrypted one would cost to decrypt is checked before the password is asked for.
func readPrivate(block *pem.Block, password Password) (crypto.PrivateKey, error) {
	blockType := block.Type
	der, err := block.Bytes, error(nil)
	switch {
	case blockType == sigstoreType || blockType == cosignType:
		der, err = decryptSigstore(der, password)
		blockType = pkcs8Type
	case blockType == pbes2Type:
		der, err = decryptPKCS8(der, password)
		blockType = pkcs8Type
	case block.Headers["DEK-Info"] != "":
		der, err = decryptPEM(block, password)
	}
	if err != nil {
		return nil, err
	}
	if other, ok := otherKind(wantPrivate, der, "-in FILE"); ok {
		return nil, other.err(wantPrivate)
	}
	var key crypto.PrivateKey
	switch blockType {
	case sec1Type:
		key, err = x509.ParseECPrivateKey(der)
	case pkcs1Type:
		key, err = x509.ParsePKCS1PrivateKey(der)
	default:
		key, err = x509.ParsePKCS8PrivateKey(der)
	}
	if err != nil {
		return nil, notParsed(block.Type, err)
	}
	return key, nil
}

// notParsed says why there is no key in a PEM block, without the words of a parser.
func notParsed(blockType string, err error) error {
	if text := err.Error(); strings.Contains(text, "asn1") || strings.Contains(text, "Parse") {
		return fmt.Errorf("the block %s does not hold a key of that type, or is damaged", blockType)
	}
	return err
}

// ask gives the password, which may be empty.
func (p Password) ask() ([]byte, error) {
	if p == nil {
		return nil, ErrPassword
	}
	secret, err := p()
	if err == nil && len(secret) > limits.Password {
		return nil, fmt.Errorf("a password of %d bytes, want at most %d", len(secret), limits.Password)
	}
	return secret, err
}

// decryptSigstore reads the JSON that Sigstore's tools encrypt a key to: scrypt and NaCl secretbox.
func decryptSigstore(data []byte, password Password) ([]byte, error) {
	var box struct {
		KDF struct {
			Name   string
			Params struct{ N, R, P int }
			Salt   []byte
		}
		Cipher struct {
			Name  string
			Nonce []byte
		}
		Ciphertext []byte
	}
	if err := json.Unmarshal(data, &box); err != nil {
		return nil, errors.New("the encrypted key is not the JSON that Sigstore's tools write")
	}
	const nonce = 24 // bytes
	switch {
	case box.KDF.Name != "scrypt" || box.Cipher.Name != "nacl/secretbox":
		return nil, fmt.Errorf("is encrypted with %.40q and %.40q, want scrypt and nacl/secretbox", box.KDF.Name, box.Cipher.Name)
	case len(box.Cipher.Nonce) != nonce:
		return nil, fmt.Errorf("the encrypted key has a nonce of %d bytes, want %d", len(box.Cipher.Nonce), nonce)
	}
	n, r, p := box.KDF.Params.N, box.KDF.Params.R, box.KDF.Params.P
	if err := checkScrypt(n, r, p); err != nil {
		return nil, err
	}
	if r != 8 || p != 1 || n != 1<<15 && n != 1<<16 && n != 1<<17 { // as package encrypted has them
		return nil, fmt.Errorf("is encrypted with scrypt N=%d, r=%d, p=%d; Sigstore's tools write N=32768, 65536 or 131072, r=8, p=1", n, r, p)
	}
	secret, err := password.ask()
	if err != nil {
		return nil, err
	}
	der, err := encrypted.Decrypt(data, secret)
	if err != nil { // all else has been checked
		return nil, ErrPassword
	}
	return der, nil
}

// checkScrypt refuses parameters of RFC 7914 with which a password would take too long, or too much memory.
func checkScrypt(n, r, p int) error {
	inRange := 1 < n && n <= limits.ScryptWork && 0 < r && r <= limits.ScryptBlocks && 0 < p && p <= limits.ScryptBlocks
	blocks := int64(r) * int64(p)
	if !inRange || 128*int64(n)*int64(r) > limits.ScryptMemory || blocks > limits.ScryptBlocks || int64(n)*blocks > limits.ScryptWork {
		return fmt.Errorf("is encrypted with scrypt N=%d, r=%d, p=%d; want at most %d MiB of memory (128*N*r bytes) and N*r*p of %d",
			n, r, p, limits.ScryptMemory>>20, limits.ScryptWork)
	}
	return nil
}

// decryptPEM decrypts what openssl wrote before PKCS #8 (RFC 1421), with a key from one round of MD5.
func decryptPEM(block *pem.Block, password Password) ([]byte, error) {
	secret, err := password.ask()
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 keys in this format are still in use; how weak it is, is the question of their holders
	der, err := x509.DecryptPEMBlock(block, secret)
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrPassword
	case err != nil:
		name, _, _ := strings.Cut(block.Headers["DEK-Info"], ",")
		return nil, notRead("in the old PEM format with ", fmt.Sprintf("%.60q", name))
	}
	if !isSequence(der) {
		return nil, ErrPassword // the padding was right by chance
	}
	return der, nil
}

// isSequence tells a key from what a wrong password makes of one.
func isSequence(der []byte) bool {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(der, &v)
	return err == nil && len(rest) == 0 && v.Tag == asn1.TagSequence
}
