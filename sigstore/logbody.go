package sigstore

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	_ "crypto/sha512" // of hashedrekord
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// The kinds of entries that are about an envelope, each with its version.
const (
	hashedRekord = "hashedrekord 0.0.2" // Rekor v2
	dsseEntry    = "dsse 0.0.1"         // Rekor v1
	intotoEntry  = "intoto 0.0.2"       // Rekor v1, before dsse
)

// logBody is what the body of a log entry says of the envelope that it is about. It is read before the libraries read it:
// every party that passes a bundle on can put entries into it, and the libraries verify the envelope of an intoto entry under
// the keys that it brings along, whatever those cost.
//
//	hashedrekord  signature, key, digest of the signed message
//	dsse          signature, key, SHA-256 of the payload
//	intoto        signature, key, SHA-256 of the payload, its type, and at times the payload itself
//
// The hash of an envelope, which dsse and intoto have besides, is over the text that a client sent to the log. No bundle
// carries that text, so that nothing can be held against it.
type logBody struct {
	kind      string
	spec      jsontree.Value
	size      int               // of the body
	sum       [sha256.Size]byte // of the body in canonical form
	signature []byte
	verifier  []byte // DER: a certificate or a public key
	digest    []byte
	hash      crypto.Hash // of digest

	payloadType string // of intoto alone
	payload     []byte // nil where the log has not kept it, as Rekor does not
}

// readBody opens and reads.
func readBody(entry *protorekor.TransparencyLogEntry, e evidence.Envelope) (*logBody, error) {
	b, err := openBody(entry, e)
	if err != nil {
		return nil, err
	}
	return b, b.read()
}

// openBody takes the body of any log's entry, which must be of the kind and version that the entry states. An intoto entry may
// bring along the payload of e, and nothing that is longer.
func openBody(entry *protorekor.TransparencyLogEntry, e evidence.Envelope) (*logBody, error) {
	body := entry.GetCanonicalizedBody()
	most := limits.LogEntryBody + base64.StdEncoding.EncodedLen(base64.StdEncoding.EncodedLen(len(e.Payload)))
	if len(body) > most {
		return nil, fmt.Errorf("a body of %d bytes, want at most %d", len(body), most)
	}
	text, err := canonical.Options{MaxDepth: limits.BundleDepth, MaxValues: limits.BundleValues}.Append(nil, body)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	root, err := jsontree.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if err := onlyMembers(root, "apiVersion", "kind", "spec"); err != nil {
		return nil, err
	}
	b := &logBody{kind: root.Get("kind").Text() + " " + root.Get("apiVersion").Text(), spec: root.Get("spec"), size: len(body), sum: sha256.Sum256(text)}
	kind, version := root.Get("kind").Text(), root.Get("apiVersion").Text()
	if stated := entry.GetKindVersion(); stated.GetKind() != kind || stated.GetVersion() != version {
		return nil, fmt.Errorf("kindVersion is %s, but the body is of kind %s", describeKind(stated.GetKind(), stated.GetVersion()), describeKind(kind, version))
	}
	return b, nil
}

// describeKind quotes a kind and its version, either of which may be missing: as one text, unless blanks or unusual characters would make
// it look like that of another kind.
func describeKind(kind, version string) string {
	usual := func(r rune) bool { return r < utf8.RuneSelf && r > ' ' }
	switch {
	case strings.ContainsFunc(kind+version, func(r rune) bool { return !usual(r) }):
		return fmt.Sprintf("%+q in version %+q", kind, version)
	case kind+version == "":
		return "missing"
	}
	return strconv.Quote(strings.TrimSpace(kind + " " + version))
}

// read reads the body as the logs write it, strictly, and without what only a proposal has.
func (b *logBody) read() error {
	var err error
	switch b.kind {
	case hashedRekord:
		err = b.readHashedRekord(b.spec)
	case dsseEntry:
		err = b.readDSSE(b.spec)
	case intotoEntry:
		err = b.readIntoto(b.spec)
	case "intoto 0.0.1":
		return errors.New("an entry of kind \"intoto 0.0.1\", which does not say which signature it is about")
	default:
		kind, version, _ := strings.Cut(b.kind, " ")
		return fmt.Errorf("the kind of the entry is %s, which is about no envelope", describeKind(kind, version))
	}
	if err == nil && b.payload == nil && b.size > limits.LogEntryBody {
		return fmt.Errorf("a body of %d bytes, want at most %d", b.size, limits.LogEntryBody)
	}
	return err
}

func (b *logBody) readHashedRekord(spec jsontree.Value) error {
	record := spec.Get("hashedRekordV002")
	data, signature := record.Get("data"), record.Get("signature")
	verifier := signature.Get("verifier")
	key, certificate := verifier.Get("publicKey"), verifier.Get("x509Certificate")
	holder := key
	if key.Kind() == jsontree.Absent {
		holder = certificate
	}
	if err := errors.Join(onlyMembers(spec, "hashedRekordV002"), onlyMembers(record, "data", "signature"),
		onlyMembers(data, "algorithm", "digest"), onlyMembers(signature, "content", "verifier"),
		onlyMembers(verifier, "keyDetails", "publicKey", "x509Certificate"), onlyMembers(holder, "rawBytes")); err != nil {
		return err
	}
	if key.Kind() != jsontree.Absent && certificate.Kind() != jsontree.Absent {
		return errors.New("body: has a public key and a certificate")
	}
	hashes := map[string]crypto.Hash{
		protocommon.HashAlgorithm_SHA2_256.String(): crypto.SHA256,
		protocommon.HashAlgorithm_SHA2_384.String(): crypto.SHA384,
		protocommon.HashAlgorithm_SHA2_512.String(): crypto.SHA512,
	}
	var ok bool
	if b.hash, ok = hashes[data.Get("algorithm").Text()]; !ok {
		return fmt.Errorf("body: hashes with %.30q", data.Get("algorithm").Text())
	}
	return decoded{
		{"digest", data.Get("digest"), 1, &b.digest},
		{"signature", signature.Get("content"), 1, &b.signature},
		{"key", holder.Get("rawBytes"), 1, &b.verifier},
	}.read()
}

func (b *logBody) readDSSE(spec jsontree.Value) error {
	if err := onlyMembers(spec, "envelopeHash", "payloadHash", "signatures"); err != nil {
		return err
	}
	one, err := oneSignature(spec.Get("signatures"), "signature", "verifier")
	if err != nil {
		return err
	}
	if err := b.readHashes(spec.Get("envelopeHash"), spec.Get("payloadHash")); err != nil {
		return err
	}
	if err := (decoded{
		{"signature", one.Get("signature"), 1, &b.signature},
		{"verifier", one.Get("verifier"), 1, &b.verifier},
	}).read(); err != nil {
		return err
	}
	return b.openPEM()
}

// readIntoto reads signature and payload as the entries have them: the base64 of their base64.
func (b *logBody) readIntoto(spec jsontree.Value) error {
	content := spec.Get("content")
	envelope := content.Get("envelope")
	if err := errors.Join(onlyMembers(spec, "content"), onlyMembers(content, "envelope", "hash", "payloadHash"),
		onlyMembers(envelope, "payload", "payloadType", "signatures")); err != nil {
		return err
	}
	one, err := oneSignature(envelope.Get("signatures"), "keyid", "publicKey", "sig")
	if err != nil {
		return err
	}
	if err := b.readHashes(content.Get("hash"), content.Get("payloadHash")); err != nil {
		return err
	}
	all := decoded{
		{"signature", one.Get("sig"), 2, &b.signature},
		{"public key", one.Get("publicKey"), 1, &b.verifier},
	}
	if payload := envelope.Get("payload"); payload.Kind() != jsontree.Absent {
		all = append(all, decodedPart{"payload", payload, 2, &b.payload})
	}
	if err := all.read(); err != nil {
		return err
	}
	b.payloadType = envelope.Get("payloadType").Text()
	return b.openPEM()
}

// readHashes wants the SHA-256 of an envelope and takes that of the payload.
func (b *logBody) readHashes(envelope, payload jsontree.Value) error {
	for name, h := range map[string]jsontree.Value{"envelope": envelope, "payload": payload} {
		if err := onlyMembers(h, "algorithm", "value"); err != nil {
			return err
		}
		sum, err := hex.DecodeString(h.Get("value").Text())
		if err != nil || len(sum) != sha256.Size || h.Get("algorithm").Text() != "sha256" {
			return fmt.Errorf("body: the hash of the %s is not SHA-256 in hex", name)
		}
		if name == "payload" {
			b.digest, b.hash = sum, crypto.SHA256
		}
	}
	return nil
}

// openPEM takes the one certificate or key out of its PEM.
func (b *logBody) openPEM() error {
	block, rest := pem.Decode(b.verifier)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("body: want one certificate or public key in PEM")
	}
	b.verifier = block.Bytes
	return nil
}

// oneSignature is the only element of a list of signatures: a bundle has one.
func oneSignature(list jsontree.Value, members ...string) (jsontree.Value, error) {
	if list.Kind() != jsontree.Array || list.Len() != 1 {
		return jsontree.Value{}, fmt.Errorf("body: is about %d signatures, want one", list.Len())
	}
	for _, one := range list.Elements() {
		return one, onlyMembers(one, members...)
	}
	return jsontree.Value{}, nil
}

// decoded are members in base64, some of them twice.
type decoded []decodedPart

type decodedPart struct {
	name  string
	value jsontree.Value
	times int
	into  *[]byte
}

func (d decoded) read() error {
	for _, part := range d {
		data := part.value.Bytes()
		for range part.times {
			out := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
			n, err := base64.StdEncoding.Decode(out, data)
			if err != nil {
				return fmt.Errorf("body: %s: not base64", part.name)
			}
			data = out[:n]
		}
		if len(data) == 0 {
			return fmt.Errorf("body: has no %s", part.name)
		}
		*part.into = data
	}
	return nil
}

func onlyMembers(v jsontree.Value, allowed ...string) error {
	if v.Kind() != jsontree.Object {
		return errors.New("body: not an entry as logs write it")
	}
	for name := range v.Members() {
		if !slices.Contains(allowed, string(name)) {
			return fmt.Errorf("body: %.100q is not in an entry as logs write it", name)
		}
	}
	return nil
}

// about wants the entry to be about this envelope, signed by this signer: everything that the body says.
func (b *logBody) about(e evidence.Envelope, by entrySigner) error {
	signed := e.Payload
	if b.kind == hashedRekord {
		signed = e.Message()
	}
	h := b.hash.New()
	h.Write(signed)
	switch {
	case !bytes.Equal(b.signature, e.Signature):
		return errors.New("is about another signature")
	case !by.has(b.verifier):
		return errors.New("is about another signer's key or certificate")
	case !bytes.Equal(b.digest, h.Sum(nil)):
		return errors.New("is about another payload")
	case b.kind == intotoEntry && b.payloadType != e.PayloadType:
		return errors.New("is about another type of payload")
	case b.payload != nil && !bytes.Equal(b.payload, e.Payload):
		return errors.New("holds another payload")
	}
	return nil
}

// has says whether that is the signer's certificate or public key in DER.
func (s entrySigner) has(der []byte) bool {
	if s.certificate != nil {
		return bytes.Equal(der, s.certificate.leaf.Raw)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return false
	}
	key, err := signer.NewCertifiedKey(parsed)
	return err == nil && key.Hint() == s.key.Key.Hint()
}
