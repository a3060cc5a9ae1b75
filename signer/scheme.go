package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // to name what is refused
	"crypto/sha256"
	_ "crypto/sha3"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/runattest/runattest/internal/zero"
)

// Scheme says how Verify wants a message to be signed with such a key.
func (k *PublicKey) Scheme() string {
	k = zero.IfNil(k)
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return fmt.Sprintf("ECDSA %s with %s%s", key.Curve.Params().Name, k.algorithm.Hash(), inDER)
	case *rsa.PublicKey:
		return "RSA PKCS #1 v1.5 with " + k.algorithm.Hash().String()
	}
	return "Ed25519"
}

// OtherScheme is the scheme in which signature is by the key over message, where that is another one than
// Scheme; "" if there is none. It explains why Verify says no, and proves nothing: one key and two
// schemes are two algorithms, and the holder of the key has agreed to one.
func (k *PublicKey) OtherScheme(message, signature []byte) string {
	return NewSchemes(message).Of(k, signature)
}

// Schemes finds the schemes of signatures over one message, which it hashes once for however many keys.
type Schemes struct {
	message []byte
	made    bool // by NewSchemes
	digests []digest
	first   [1]digest // memory for the digests: mostly there are no more
	tried   int       // operations with public keys: what a stranger's signature costs, at most maxTried of each key
	work    *Work
	sum     [sha256.Size]byte // of the message, with work
}

// digest is that of the message.
type digest struct {
	by  crypto.Hash
	sum []byte
}

// maxTried is one for each hash, and one to see what a signature may be.
const maxTried = len(schemeHashes) + 1

// NewSchemes is for signatures over message, which is not kept longer than the Schemes.
func NewSchemes(message []byte) *Schemes {
	s := &Schemes{message: message, made: true}
	s.digests = s.first[:0]
	return s
}

func (s *Schemes) digest(h crypto.Hash) []byte {
	for i := range s.digests {
		if s.digests[i].by == h {
			return s.digests[i].sum
		}
	}
	s.work.Spend(len(s.message) / hashedAsCheck)
	d := digest{by: h}
	if h == crypto.SHA256 {
		sum := sha256.Sum256(s.message)
		d.sum = sum[:]
	} else {
		w := h.New()
		w.Write(s.message)
		d.sum = w.Sum(nil)
	}
	s.digests = append(s.digests, d)
	return d.sum
}

// Verify is PublicKey.Verify of a key, in its own scheme. It is not safe for concurrent use.
func (s *Schemes) Verify(k *PublicKey, signature []byte) error {
	if s == nil || !s.made {
		return ErrSignature
	}
	k = zero.IfNil(k)
	if !k.canMake(len(signature)) {
		return ErrSignature
	}
	own := s.once(k, "own", signature, func() string {
		if s.try(k, func() bool { return k.verify(s.message, s.digest, signature) }) {
			return "own"
		}
		return ""
	})
	if own == "" {
		return ErrSignature
	}
	return nil
}

// Of is OtherScheme of a key. It is not safe for concurrent use.
func (s *Schemes) Of(k *PublicKey, signature []byte) string {
	if s == nil || !s.made {
		return ""
	}
	k = zero.IfNil(k)
	_, isECDSA := k.key.(*ecdsa.PublicKey) // DER says where it ends
	if !k.canMake(len(signature)) && (!isECDSA || len(signature) > longestBuffer) {
		return "" // before what a signature of any length would cost
	}
	return s.once(k, "other", signature, func() string { return s.other(k, signature) })
}

func (s *Schemes) other(k *PublicKey, signature []byte) string {
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		return s.ecdsa(k, key, signature)
	case *rsa.PublicKey:
		return s.rsa(k, key, signature)
	case ed25519.PublicKey:
		if !k.canMake(len(signature)) {
			return ""
		}
		ph := &ed25519.Options{Hash: crypto.SHA512}
		if s.try(k, func() bool { return ed25519.VerifyWithOptions(key, s.digest(crypto.SHA512), signature, ph) == nil }) {
			return "Ed25519ph"
		}
		for _, h := range schemeHashes { // as a KMS does that is given digests
			if s.try(k, func() bool { return ed25519.Verify(key, s.digest(h), signature) }) {
				return "Ed25519 over " + h.String()
			}
		}
	}
	return ""
}

// schemeHashes are those that other clients sign with.
var schemeHashes = [...]crypto.Hash{
	crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA224, crypto.SHA1, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512,
}

// longestBuffer is how long an ECDSA signature may be with the bytes behind it.
const longestBuffer = 1024

const inDER = " in ASN.1 DER"

func (s *Schemes) ecdsa(k *PublicKey, key *ecdsa.PublicKey, signature []byte) string {
	own := k.algorithm.Hash()
	der, form := signature, inDER
	if size := len(signature) / 2; k.isP1363(len(signature)) && !isDER(signature) {
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		var err error
		if der, err = asn1.Marshal(struct{ R, S *big.Int }{r, s}); err != nil {
			return ""
		}
		form = ", r and s side by side (IEEE P1363)"
	} else if der = startInDER(signature); der == nil || !k.canMake(len(der)) {
		return ""
	} else if len(der) < len(signature) {
		form = inDER + " with bytes behind it"
	}
	for _, h := range schemeHashes {
		if h == own && form == inDER {
			continue
		}
		if s.try(k, func() bool { return ecdsa.VerifyASN1(key, s.digest(h), der) }) {
			return fmt.Sprintf("ECDSA %s with %s%s", key.Curve.Params().Name, h, form)
		}
	}
	return ""
}

func (s *Schemes) rsa(k *PublicKey, key *rsa.PublicKey, signature []byte) string {
	if !k.canMake(len(signature)) {
		return ""
	}
	n := new(big.Int).SetBytes(signature)
	if n.Cmp(key.N) >= 0 {
		return ""
	}
	var block []byte
	s.try(k, func() bool {
		block = n.Exp(n, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, key.Size())) // which says at once of most that they are by another key
		return false
	})
	switch {
	case block == nil:
	case bytes.HasPrefix(block, []byte{0, 1, 0xff}):
		for _, h := range schemeHashes {
			if h == k.algorithm.Hash() {
				continue
			}
			if s.try(k, func() bool { return rsa.VerifyPKCS1v15(key, h, s.digest(h), signature) == nil }) {
				return "RSA PKCS #1 v1.5 with " + h.String()
			}
		}
	case block[len(block)-1] == 0xbc:
		for _, h := range schemeHashes {
			var mask crypto.Hash
			if s.try(k, func() bool { // which counts, for it hashes about as long as an operation takes
				mask = pssMask(block, key.N.BitLen()-1, h, s.digest(h))
				return mask != 0
			}) {
				return "RSA-PSS with " + pssName(h, mask)
			}
		}
	}
	return ""
}

func pssName(h, mask crypto.Hash) string {
	if h == mask {
		return h.String()
	}
	return fmt.Sprintf("%s (MGF1 with %s)", h, mask)
}

// pssMask is the hash with which the mask of RSA-PSS was made; 0 if it is not that of this message.
func pssMask(block []byte, bits int, h crypto.Hash, digest []byte) crypto.Hash {
	for _, mask := range [...]crypto.Hash{h, crypto.SHA1} {
		if isPSS(block, bits, h, mask, digest) {
			return mask
		}
	}
	return 0
}

// isPSS is the decoding of RSA-PSS (RFC 8017, section 9.1.2) with a salt of any length: the standard library has one digest for
// the message and the mask. It serves to name a scheme, and accepts nothing.
func isPSS(block []byte, bits int, h, mask crypto.Hash, digest []byte) bool {
	if bits%8 == 0 { // the block has a byte more than is encoded
		if block[0] != 0 {
			return false
		}
		block = block[1:]
	}
	split := len(block) - h.Size() - 1
	if split < 1 {
		return false
	}
	db, sum := bytes.Clone(block[:split]), block[split:len(block)-1]
	for i, pad := 0, mgf1(mask, sum, split); i < split; i++ {
		db[i] ^= pad[i]
	}
	db[0] &= 0xff >> (8*len(block) - bits)
	salt := bytes.TrimLeft(db, "\x00")
	if len(salt) == 0 || salt[0] != 1 {
		return false
	}
	w := h.New()
	w.Write(make([]byte, 8))
	w.Write(digest)
	w.Write(salt[1:])
	return bytes.Equal(w.Sum(nil), sum)
}

// mgf1 is a mask of n bytes (RFC 8017, appendix B.2.1).
func mgf1(h crypto.Hash, seed []byte, n int) []byte {
	var mask []byte
	for i := uint32(0); len(mask) < n; i++ {
		w := h.New()
		w.Write(seed)
		w.Write(binary.BigEndian.AppendUint32(nil, i))
		mask = w.Sum(mask)
	}
	return mask[:n]
}

func isDER(signature []byte) bool {
	der := startInDER(signature)
	return der != nil && len(der) == len(signature)
}

// startInDER is a signature in DER without what stands behind it, such as the rest of a buffer; nil if it is none.
func startInDER(signature []byte) []byte {
	var parts struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &parts)
	if err != nil {
		return nil
	}
	return signature[:len(signature)-len(rest)]
}
