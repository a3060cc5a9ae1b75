package evidence

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/runattest/runattest/internal/settree"
)

// SetHead is what the one signature of a run set is over: the root of the tree of its Statements, how many there are, and
// the set's annotations, and not those of a run.
type SetHead struct {
	Root        [32]byte
	Size        uint64 // 1 to 2^32
	Annotations map[string]string
}

// Bytes are the RFC 8785 bytes of the head without its annotations. Their SHA-256 is the digest of the set's subject, so
// that a program which verifies attestations about files can verify one about a set.
func (h SetHead) Bytes() []byte { return settree.HeadBytes(h.Root, h.Size) }

// MarshalJSON writes the predicate of a run set.
func (h SetHead) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Root        string            `json:"root"`
		Size        uint64            `json:"size"`
		Tree        string            `json:"tree"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}{hex.EncodeToString(h.Root[:]), h.Size, settree.Name, h.Annotations})
}

// InSet says where in which set a run is. One run in a set says nothing of how many others there are.
type InSet struct {
	Head  SetHead
	Index uint64 // from 0
}

// MarshalJSON writes the head's members, and the index.
func (s InSet) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Root        string            `json:"root"`
		Size        uint64            `json:"size"`
		Index       uint64            `json:"index"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}{hex.EncodeToString(s.Head.Root[:]), s.Head.Size, s.Index, s.Head.Annotations})
}

// String is for people.
func (s InSet) String() string {
	text := strconv.AppendUint(append(make([]byte, 0, 128), "index "...), s.Index, 10)
	text = strconv.AppendUint(append(text, " of "...), s.Head.Size, 10)
	return string(hex.AppendEncode(append(text, " in the set with root "...), s.Head.Root[:]))
}

// Clone is a copy that shares nothing.
func (s *InSet) Clone() *InSet {
	if s == nil {
		return nil
	}
	c := *s
	c.Head.Annotations = maps.Clone(c.Head.Annotations)
	return &c
}
