package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
)

// SegmentType is the predicate type of a closed segment, docs/spec/predicate-journal-segment-v1.md.
const SegmentType = "https://github.com/runattest/runattest/journal-segment/v1"

// head is what the Statement of a closed segment says.
type head struct {
	Number   int
	Lines    int
	File     [sha256.Size]byte  // of the segment's file
	Last     [sha256.Size]byte  // of its last line
	Previous *[sha256.Size]byte // of the file of the segment before; nil in the first
	Gateway  [sha256.Size]byte  // the journal's id
}

// equal says that two are of the same segment, with the same lines.
func (h head) equal(o head) bool {
	same := h.Previous == nil && o.Previous == nil || h.Previous != nil && o.Previous != nil && *h.Previous == *o.Previous
	h.Previous, o.Previous = nil, nil
	return same && h == o
}

// checkPlace finds that it is of another journal, or of another segment.
func (h head) checkPlace(gateway [sha256.Size]byte, number int) error {
	switch {
	case h.Gateway != gateway:
		return errors.New("is of a segment of another journal: gateway differs")
	case h.Number != number:
		return fmt.Errorf("is of segment %d, want %d", h.Number, number)
	}
	return nil
}

// follows says that a file may be that of the segment before.
func (h head) follows(file [sha256.Size]byte) bool { return h.Previous == nil || *h.Previous == file }

type headPredicate struct {
	Number   int    `json:"number"`
	Lines    int    `json:"lines"`
	Last     string `json:"last"`
	Previous string `json:"previous,omitempty"`
	Gateway  string `json:"gateway"`
}

// claim is the Statement.
func (h head) claim() (*attest.Claim, error) {
	p := headPredicate{Number: h.Number, Lines: h.Lines, Last: hex.EncodeToString(h.Last[:]), Gateway: hex.EncodeToString(h.Gateway[:])}
	if h.Previous != nil {
		p.Previous = hex.EncodeToString(h.Previous[:])
	}
	return attest.NewClaim(SegmentType, []attest.Subject{{Name: linesName(h.Number), SHA256: h.File}}, p)
}

// readHead reads a Statement's subjects and predicate, strictly.
func readHead(subjects []attest.Subject, predicate []byte) (h head, err error) {
	form, err := canonical.Options{ExactNumbers: true, MaxDepth: 2, MaxValues: 10}.Append(nil, predicate)
	if err != nil {
		return h, fmt.Errorf("predicate: %w", err)
	}
	root, err := jsontree.Parse(form)
	if err == nil {
		err = checkMembers(root, "number", "lines", "last", "previous", "gateway")
	}
	if err == nil {
		h.Number, err = readCount(root, "number", 1)
	}
	if err == nil {
		h.Lines, err = readCount(root, "lines", 1)
	}
	if err != nil {
		return h, fmt.Errorf("predicate: %w", err)
	}
	if h.Last, err = parseDigest(root.Get("last").Text()); err != nil {
		return h, fmt.Errorf("predicate: last: %w", err)
	}
	if h.Gateway, err = parseDigest(root.Get("gateway").Text()); err != nil {
		return h, fmt.Errorf("predicate: gateway: %w", err)
	}
	if previous := root.Get("previous"); previous.Kind() != jsontree.Absent {
		sum, err := parseDigest(previous.Text())
		if err != nil {
			return h, fmt.Errorf("predicate: previous: %w", err)
		}
		h.Previous = &sum
	}
	if (h.Previous == nil) != (h.Number == 1) {
		return h, errors.New("predicate: previous: want it in every segment but the first")
	}
	if len(subjects) != 1 || subjects[0].Name != linesName(h.Number) {
		return h, fmt.Errorf("subject: want exactly one, %s", linesName(h.Number))
	}
	h.File = subjects[0].SHA256
	return h, nil
}

// unverifiedHead is what a segment's bundle says.
func unverifiedHead(data []byte) (head, error) {
	b, err := attest.ParseBundle(bytes.TrimSuffix(data, []byte("\n")))
	if err != nil {
		return head{}, err
	}
	if got := b.UnverifiedPredicateType(); got != SegmentType {
		return head{}, fmt.Errorf("predicateType is %q, want %s", got, SegmentType)
	}
	c, err := b.UnverifiedClaim()
	if err != nil {
		return head{}, err
	}
	var subjects []attest.Subject
	for _, s := range c.Subjects {
		sum, err := parseDigest(s.Digest["sha256"])
		if err != nil || len(s.Digest) != 1 {
			return head{}, errors.New("subject: want a SHA-256")
		}
		subjects = append(subjects, attest.Subject{Name: s.Name, SHA256: sum})
	}
	return readHead(subjects, c.Predicate)
}
