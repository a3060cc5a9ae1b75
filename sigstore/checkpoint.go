package sigstore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/verify"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
)

var errNotIncluded = errors.New("its inclusion proof does not lead to the root hash that the log has signed")

// checkProof bounds an inclusion proof before anything in it is verified: every party that passes a bundle on can add to it.
func checkProof(p *protorekor.InclusionProof) error {
	if p != nil && p.GetCheckpoint().GetEnvelope() == "" {
		return errors.New("an inclusion proof without a checkpoint")
	}
	if n := len(p.GetCheckpoint().GetEnvelope()); n > limits.Checkpoint {
		return fmt.Errorf("a checkpoint of %d bytes, want at most %d", n, limits.Checkpoint)
	}
	if n := len(p.GetHashes()); n > limits.ProofHashes {
		return fmt.Errorf("an inclusion proof of %d hashes, want at most %d", n, limits.ProofHashes)
	}
	for i, h := range p.GetHashes() {
		if len(h) != sha256.Size {
			return fmt.Errorf("an inclusion proof whose hash %d has %d bytes, want %d", i, len(h), sha256.Size)
		}
	}
	return nil
}

// checkpoint is what a log has signed of its tree: a note (c2sp.org/signed-note) with an origin, the tree's size and its
// root hash in its first lines (c2sp.org/tlog-checkpoint).
type checkpoint struct {
	text       string // with the newline at its end
	size       uint64
	root       []byte
	signatures []noteSignature
}

// rekorV1Origin is how the origin of a checkpoint of Rekor v1 ends: with the ID of the tree. That of Rekor v2 is a host.
var rekorV1Origin = lazyregexp.New(` - [0-9]+$`)

// origin is the first line of a proof's checkpoint.
func origin(p *protorekor.InclusionProof) string {
	line, _, _ := strings.Cut(p.GetCheckpoint().GetEnvelope(), "\n")
	return line
}

// noteSignature is one signature line of a note.
type noteSignature struct {
	line  string // with the newline at its end
	name  string // of the key
	keyID []byte // the first four bytes, which with the name tell keys apart
}

const (
	noteKeyID  = 4         // bytes
	notePrefix = "\u2014 " // of a signature line: an em dash and a space
)

// parseCheckpoint reads a checkpoint strictly. It does not check the signatures.
func parseCheckpoint(note string) (*checkpoint, error) {
	end := strings.LastIndex(note, "\n\n")
	if end < 0 || !strings.HasSuffix(note, "\n") {
		return nil, errors.New("a checkpoint that is not a signed note")
	}
	c := &checkpoint{text: note[:end+1]}
	for line := range strings.Lines(note[end+2:]) {
		s, err := parseNoteSignature(line)
		if err != nil {
			return nil, fmt.Errorf("signature %d of the checkpoint: %w", len(c.signatures), err)
		}
		if c.signatures = append(c.signatures, s); len(c.signatures) > limits.NoteSignatures {
			return nil, fmt.Errorf("a checkpoint with more than %d signatures", limits.NoteSignatures)
		}
	}
	lines := strings.SplitN(c.text, "\n", 4)
	if len(lines) < 4 {
		return nil, errors.New("a checkpoint without origin, size and root hash")
	}
	var err error
	if c.size, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return nil, fmt.Errorf("a checkpoint of size %.30q", lines[1])
	}
	if c.root, err = base64.StdEncoding.DecodeString(lines[2]); err != nil {
		return nil, errors.New("a checkpoint whose root hash is not base64")
	}
	return c, nil
}

func parseNoteSignature(line string) (noteSignature, error) {
	name, text, ok := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), notePrefix), " ")
	if !ok || !strings.HasPrefix(line, notePrefix) || name == "" || strings.ContainsFunc(name, unicode.IsSpace) || strings.Contains(name, "+") {
		return noteSignature{}, errors.New("not a dash, a name and a signature")
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(signature) <= noteKeyID || strings.Contains(text, "\r") {
		return noteSignature{}, errors.New("not a key ID and a signature in base64")
	}
	return noteSignature{line, name, signature[:noteKeyID]}, nil
}

// by is the checkpoint with the first signature of that key alone. A note may carry signatures of keys that a verifier does
// not know, which it has to ignore, and two of one key prove no more than one. A key is a name and an ID: another name with the
// log's ID is another key, which stands in for the log's only if no signature has the log's name.
func (c *checkpoint) by(key crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	id := sha256.Sum256(der)
	of := slices.DeleteFunc(slices.Clone(c.signatures), func(s noteSignature) bool { return !bytes.Equal(s.keyID, id[:noteKeyID]) })
	if len(of) == 0 {
		return "", errors.New("the checkpoint is not signed with the log's key")
	}
	first, _, _ := strings.Cut(c.text, "\n")
	log := rekorV1Origin.ReplaceAllString(first, "")
	return c.text + "\n" + of[max(0, slices.IndexFunc(of, func(s noteSignature) bool { return s.name == log }))].line, nil
}

// readProof prepares the inclusion proof of an entry for sigstore-go, which takes any size for that of the tree, and of a proof
// of Rekor v2 any root hash. Of a note of Rekor v1 it takes no signatures of other keys, and verifies each one that there is.
func readProof(p *protorekor.InclusionProof, v2 bool, key crypto.PublicKey) error {
	c, err := parseCheckpoint(p.GetCheckpoint().GetEnvelope())
	if err != nil {
		return err
	}
	if p.GetTreeSize() < 0 || uint64(p.GetTreeSize()) != c.size { // #nosec G115 -- not negative
		return fmt.Errorf("a proof for a tree of size %d, but the checkpoint is of size %d", p.GetTreeSize(), c.size)
	}
	if !bytes.Equal(p.GetRootHash(), c.root) {
		return errNotIncluded
	}
	if !v2 {
		p.Checkpoint.Envelope, err = c.by(key)
	}
	return err
}

// checkIncluded wants an inclusion proof to be of the entry's body as it stands. sigstore-go asks that of Rekor v1 alone: in place
// of a body of Rekor v2 it takes the one that the log should have made of the envelope.
func checkIncluded(entry *protorekor.TransparencyLogEntry) error {
	p := entry.GetInclusionProof()
	root, hashes := hex.EncodeToString(p.GetRootHash()), make([]string, len(p.GetHashes()))
	for i, h := range p.GetHashes() {
		hashes[i] = hex.EncodeToString(h)
	}
	index, size := p.GetLogIndex(), p.GetTreeSize()
	if err := verify.VerifyInclusion(context.Background(), &models.LogEntryAnon{
		Body: base64.StdEncoding.EncodeToString(entry.GetCanonicalizedBody()),
		Verification: &models.LogEntryAnonVerification{InclusionProof: &models.InclusionProof{
			Hashes: hashes, LogIndex: &index, RootHash: &root, TreeSize: &size,
		}},
	}); err != nil {
		return errNotIncluded
	}
	return nil
}
