package signer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"

	"github.com/runattest/runattest/internal/limits"
)

// PKCS #8's EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018), as openssl writes it: PBKDF2 or scrypt, and AES or
// triple DES in CBC mode.

type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2 struct {
	KDF, Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// prfs are the HMACs of PBKDF2; ciphers the lengths of keys and what makes a cipher of one. Both by OID.
var (
	prfs = map[string]func() hash.Hash{
		"":                    sha1.New, // the default
		"1.2.840.113549.2.7":  sha1.New,
		"1.2.840.113549.2.8":  sha256.New224,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
		"1.2.840.113549.2.12": sha512.New512_224,
		"1.2.840.113549.2.13": sha512.New512_256,
	}
	ciphers = map[string]struct {
		keySize int
		block   func(key []byte) (cipher.Block, error)
	}{
		"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
		"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	}
)

func parseEncryptedKey(der []byte) (*encryptedKey, error) {
	var key encryptedKey
	if rest, err := asn1.Unmarshal(der, &key); err != nil || len(rest) > 0 {
		return nil, errors.New("the encrypted key is not PKCS #8")
	}
	return &key, nil
}

func decryptPKCS8(der []byte, password Password) ([]byte, error) {
	key, err := parseEncryptedKey(der)
	if err != nil {
		return nil, err
	}
	var scheme pbes2
	switch {
	case !key.Algorithm.Algorithm.Equal(oidPBES2):
		return nil, notRead("with ", nameOf(key.Algorithm.Algorithm))
	case !unmarshal(key.Algorithm.Parameters, &scheme):
		return nil, errBadParameters
	}
	c, ok := ciphers[scheme.Cipher.Algorithm.String()]
	if !ok {
		return nil, notRead("with ", nameOf(scheme.Cipher.Algorithm))
	}
	derive, err := kdf(scheme.KDF, c.keySize)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if !unmarshal(scheme.Cipher.Parameters, &iv) {
		return nil, errBadParameters
	}
	secret, err := password.ask()
	if err != nil {
		return nil, err
	}
	symmetric, err := derive(secret)
	if err != nil {
		return nil, err
	}
	block, err := c.block(symmetric)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, key.Data)
}

var errBadParameters = errors.New("the parameters of the key's encryption cannot be read")

func unmarshal(v asn1.RawValue, into any) bool {
	rest, err := asn1.Unmarshal(v.FullBytes, into)
	return err == nil && len(rest) == 0
}

// kdf is what makes a key of a password, at a cost that has been checked.
func kdf(a pkix.AlgorithmIdentifier, size int) (func(password []byte) ([]byte, error), error) {
	switch {
	case a.Algorithm.Equal(oidPBKDF2):
		var p pbkdf2Params
		if !unmarshal(a.Parameters, &p) {
			return nil, errBadParameters
		}
		prf, ok := prfs[p.PRF.Algorithm.String()]
		switch {
		case !ok:
			return nil, notRead("with PBKDF2 and ", nameOf(p.PRF.Algorithm))
		case p.Iterations < 1 || p.Iterations > limits.PBKDF2Iterations:
			found := fmt.Sprintf("is encrypted with %d iterations of PBKDF2, want 1 to %d", p.Iterations, limits.PBKDF2Iterations)
			return nil, &FormatError{wantPrivate, found, writing(reencrypt("", "-in FILE"))}
		case p.KeyLength != 0 && p.KeyLength != size:
			return nil, errBadParameters
		}
		return func(password []byte) ([]byte, error) {
			return pbkdf2.Key(prf, string(password), p.Salt, p.Iterations, size)
		}, nil
	case a.Algorithm.Equal(oidScrypt):
		var p scryptParams
		if !unmarshal(a.Parameters, &p) || p.KeyLength != 0 && p.KeyLength != size {
			return nil, errBadParameters
		}
		if err := checkScrypt(p.N, p.R, p.P); err != nil {
			return nil, &FormatError{wantPrivate, err.Error(), writing(reencrypt("", "-in FILE"))}
		}
		return func(password []byte) ([]byte, error) { return scrypt.Key(password, p.Salt, p.N, p.R, p.P, size) }, nil
	}
	return nil, notRead("with ", nameOf(a.Algorithm))
}

// decryptCBC takes off the padding (RFC 8018, section 6.1.1), which a wrong password seldom leaves right, and a PKCS #8
// key even less.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errors.New("the encrypted key is cut off, or its parameters are for another cipher")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size {
		return nil, ErrPassword
	}
	plain, tail := plain[:len(plain)-padding], plain[len(plain)-padding:]
	for _, b := range tail {
		if int(b) != padding {
			return nil, ErrPassword
		}
	}
	if !isSequence(plain) {
		return nil, ErrPassword
	}
	return plain, nil
}
