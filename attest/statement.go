package attest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// The types that a run attestation carries.
const (
	// StatementType is in-toto Statement v1.
	StatementType = "https://in-toto.io/Statement/v1"
	// PredicateType is the run identity predicate, docs/spec/predicate-run-identity-v1.md.
	PredicateType = "https://github.com/runattest/runattest/run-identity/v1"
	// RunSetType is the run set predicate, docs/spec/predicate-run-set-v1.md: one signature over the Statements of many runs.
	RunSetType = "https://github.com/runattest/runattest/run-set/v1"
	// PayloadType is what DSSE calls an in-toto Statement.
	PayloadType = "application/vnd.in-toto+json"
)

// Statement is an in-toto Statement about a run, before it is signed. New makes it valid;
// it is immutable.
type Statement struct {
	text []byte
	id   identity.ID
}

var _ Signable = (*Statement)(nil)

// StatementOptions are the optional parts of a Statement; the zero value has none.
type StatementOptions struct {
	// Subjects are artifacts to which the run belongs: an image by digest, a model file.
	Subjects []Subject
	// Annotations are signed and no part of the identity: a ticket, a team.
	Annotations map[string]string
	// Detached leaves the declaration out and says where it is; nil embeds it.
	Detached *DeclarationRef
}

// check refuses text that JSON would replace in silence.
func (o StatementOptions) check() error {
	texts := slices.Concat(slices.Collect(maps.Keys(o.Annotations)), slices.Collect(maps.Values(o.Annotations)))
	if o.Detached != nil {
		texts = append(texts, o.Detached.Name, o.Detached.URI)
	}
	for _, s := range o.Subjects {
		texts = append(texts, s.Name)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%+q is not valid UTF-8", text)
		}
	}
	return nil
}

// DeclarationRef says where a detached declaration is to be found. It is a claim: a
// verifier believes the identity, not the place.
type DeclarationRef struct {
	Name      string `json:"name,omitempty"`
	URI       string `json:"uri,omitempty"`
	Size      int64  `json:"size"` // of the canonical form, in bytes; New fills it in
	MediaType string `json:"mediaType"`
}

// New makes the Statement that gives a declared run its identity, in RFC 8785 form.
func New(d *identity.Declaration, o StatementOptions) (*Statement, error) {
	if d.ID().IsZero() {
		return nil, errors.New("statement: no declaration: it is nil or a zero value")
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	room := int64(1024)
	if o.Detached == nil {
		room += d.Size()
	}
	text, err := o.appendStatement(make([]byte, 0, room), d)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	// What a verifier would refuse is not signed.
	if _, err := readStatement(jsontree.Read, text); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	return &Statement{text, d.ID()}, nil
}

// ParseStatement reads a Statement that New has made: as strictly as a verifier, and with the identity recomputed if the
// declaration is in it. So what waits to be signed can be kept as text.
func ParseStatement(text []byte) (*Statement, error) {
	text, err := payloadRules.Append(make([]byte, 0, len(text)), text)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	r := runChecks{}
	if r.content, err = readStatement(jsontree.Read, text); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	id := r.content.id
	if r.content.declaration.Kind() != jsontree.Absent {
		if _, id, err = r.recompute(nil); err != nil {
			return nil, fmt.Errorf("statement: predicate: declaration: %w", err)
		}
	}
	if got := r.content.run; id != r.content.id || !got.isOf(id) {
		return nil, fmt.Errorf("statement: the declaration has the identity %s, the predicate states %s and the subject is %s", id, r.content.id, got.subject())
	}
	return &Statement{text, id}, nil
}

// appendStatement appends the statement in RFC 8785 form: the members of each object in the order of their names.
func (o StatementOptions) appendStatement(out []byte, d *identity.Declaration) ([]byte, error) {
	out = append(out, `{"_type":"`+StatementType+`","predicate":{`...)
	if len(o.Annotations) > 0 {
		annotations, err := marshal(o.Annotations)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, `"annotations":`...), annotations...), ',')
	}
	if o.Detached == nil {
		out = d.AppendCanonical(append(out, `"declaration":`...))
	} else {
		ref := *o.Detached
		ref.Size, ref.MediaType = d.Size(), identity.MediaType
		text, err := marshal(ref)
		if err != nil {
			return nil, err
		}
		out = append(append(out, `"declarationRef":`...), text...)
	}
	out = appendString(append(out, `,"identity":`...), d.ID().String())
	out = append(out, `},"predicateType":"`+PredicateType+`","subject":[`...)
	out = runSubject(d.ID()).append(out)
	for _, s := range o.Subjects {
		out = s.append(append(out, ','))
	}
	return append(out, `]}`...), nil
}

// Bytes are the Statement's RFC 8785 bytes, the payload to be signed.
func (s *Statement) Bytes() []byte { return slices.Clone(s.payload()) }

func (s *Statement) payload() []byte { return zero.IfNil(s).text }

// ID is the identity that the Statement gives to its run.
func (s *Statement) ID() identity.ID { return zero.IfNil(s).id }

// content is the strictly parsed content of a payload, which is not verified yet.
type content struct {
	run         runSubjectText
	subjects    []Subject // besides the run
	id          identity.ID
	declaration jsontree.Value // in canonical form; absent in a detached attestation
	ref         *DeclarationRef
	annotations map[string]string
}

var payloadRules = canonical.Options{
	ExactNumbers: true,
	MaxDepth:     limits.PayloadDepth,
	MaxValues:    limits.PayloadValues,
}

// readStatement reads a payload, which must not change, as a Statement with a run identity predicate: in-toto
// v1, closed objects, no duplicates, exact numbers. Whether the identity is the
// declaration's is another question. The content lives as long as the tree that read makes.
func readStatement(read reading, payload []byte) (content, error) {
	root, err := readInToto(read, payload, PredicateType)
	if err != nil {
		return content{}, err
	}
	return readContent(root)
}

// readTree is readStatement of what was read under payloadRules. The content lives as long as the tree.
func readTree(root jsontree.Value) (content, error) {
	if err := checkSize(root.Raw()); err != nil {
		return content{}, err
	}
	if err := checkInToto(root, PredicateType); err != nil {
		return content{}, err
	}
	return readContent(root)
}

// readContent reads the subjects and the predicate.
func readContent(root jsontree.Value) (content, error) {
	var c content
	if err := c.readSubjects(root.Get("subject")); err != nil {
		return content{}, err
	}
	if err := c.readPredicate(root.Get("predicate")); err != nil {
		return content{}, fmt.Errorf("predicate: %w", err)
	}
	return c, nil
}

// allSubjects are the subjects, the run's first.
func (c *content) allSubjects() []Subject { return append([]Subject{c.run.subject()}, c.subjects...) }

// readSubjects reads the subjects: the run's stands first, and is mostly the only one.
func (c *content) readSubjects(v jsontree.Value) error {
	if v.Kind() == jsontree.Array && v.Len() == 1 {
		name, sum, err := readSubjectText(v.First())
		if err != nil {
			return fmt.Errorf("subject 0: %w", err)
		}
		c.run = runSubjectText{name, sum}
		return nil
	}
	all, err := readSubjects(v)
	if err != nil {
		return err
	}
	c.run, c.subjects = runSubjectText{[]byte(all[0].Name), all[0].SHA256}, all[1:]
	for i, s := range c.subjects {
		if err := s.check(); err != nil {
			return fmt.Errorf("subject %d: %w", i+1, err)
		}
	}
	return nil
}

func (c *content) readPredicate(v jsontree.Value) error {
	if err := checkMembers(v, "identity", "declaration", "declarationRef", "annotations"); err != nil {
		return err
	}
	var err error
	if err = c.id.UnmarshalText(v.Get("identity").Bytes()); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	declaration, ref := v.Get("declaration"), v.Get("declarationRef")
	if (declaration.Kind() == jsontree.Absent) == (ref.Kind() == jsontree.Absent) {
		return errors.New("want exactly one of declaration and declarationRef")
	}
	c.declaration = declaration
	if ref.Kind() != jsontree.Absent {
		if c.ref, err = readRef(ref); err != nil {
			return fmt.Errorf("declarationRef: %w", err)
		}
	}
	if a := v.Get("annotations"); a.Kind() != jsontree.Absent {
		if c.annotations, err = jsontree.Texts(a, limits.Annotations, "annotations"); err != nil {
			return fmt.Errorf("annotations: %w", err)
		}
	}
	return nil
}

func readRef(v jsontree.Value) (*DeclarationRef, error) {
	if err := checkMembers(v, "name", "uri", "size", "mediaType"); err != nil {
		return nil, err
	}
	for name, m := range v.Members() {
		if want := jsontree.String; string(name) != "size" && (m.Kind() != want || len(m.Bytes()) == 0) {
			return nil, fmt.Errorf("%s: want a non-empty string", name)
		}
	}
	size, err := strconv.ParseInt(string(v.Get("size").Raw()), 10, 64)
	if err != nil || size <= 0 || size > limits.Declaration {
		return nil, errors.New("size: want the length of the canonical form in bytes")
	}
	if got := v.Get("mediaType").Text(); got != identity.MediaType {
		return nil, fmt.Errorf("mediaType is %s, want %s", strconv.Quote(got), identity.MediaType)
	}
	return &DeclarationRef{v.Get("name").Text(), v.Get("uri").Text(), size, identity.MediaType}, nil
}
