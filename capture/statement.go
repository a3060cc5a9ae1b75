package capture

import (
	"crypto/sha256"
	"errors"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
)

// The annotations of an attestation that say how its declaration was captured. They are claims of the signer, and no part of
// the run.
const (
	// Annotation names the table: its value is the format's name.
	Annotation = "capture"
	// AnnotationCustomID is what the batch calls the request.
	AnnotationCustomID = "custom_id"
	// AnnotationCaptured says when the source was written, if that is after the run had started: its value is then AfterStart.
	AnnotationCaptured = "captured"
	AfterStart         = "after-start"
)

// Annotations are what an attestation of the declaration says of how it was captured.
func (c *Captured) Annotations() map[string]string {
	c = zero.IfNil(c)
	annotations := map[string]string{Annotation: c.Format.Name()}
	if t := c.Format.table; t != nil && t.afterStart {
		annotations[AnnotationCaptured] = AfterStart
	}
	if c.CustomID != "" {
		annotations[AnnotationCustomID] = c.CustomID
	}
	return annotations
}

// WrittenAfterStart tells whether a declaration says that it is of an API whose sources are written after the run has started: a
// signature over it does not prove what was declared before.
func WrittenAfterStart(d *identity.Declaration) bool {
	_, f := formatOf(rootOf(d), nil) // what prepare makes is not asked for
	return f.table != nil && f.table.afterStart
}

// afterStart is the warning of such a source.
const afterStart = "it is written after the run has started: a signature over it does not prove what was declared before"

// SourceDigest is the SHA-256 of the exact bytes of the source, for an attestation that names them. It is an error if they hold
// more than the run: a secret that was withheld, which a published digest lets be guessed, or the other requests of a batch.
func (c *Captured) SourceDigest() ([sha256.Size]byte, error) {
	c = zero.IfNil(c)
	var none [sha256.Size]byte
	switch {
	case c.Withholds():
		return none, errors.New("the source holds a secret, which its digest lets be guessed")
	case c.CustomID != "":
		return none, errors.New("the source is a batch, which holds other requests too")
	case c.Digest == none:
		return none, errors.New("the source is a folder, which has no digest of its own: the declaration has those of its files")
	}
	return c.Digest, nil
}
