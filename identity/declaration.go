package identity

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// Schema is the value of a declaration's "schema" member: type, version and domain separation in one.
const Schema = "https://github.com/runattest/runattest/declaration/v1"

// MediaType is the media type of a declaration's canonical form.
const MediaType = "application/vnd.runattest.declaration.v1+json"

// Kind says what sort of run is declared.
type Kind string

// The kinds of runs.
const (
	Inference  Kind = "inference"
	Agent      Kind = "agent"
	Training   Kind = "training"
	Evaluation Kind = "evaluation"
	Batch      Kind = "batch"
	Other      Kind = "other"
)

var kinds = [...]Kind{Inference, Agent, Training, Evaluation, Batch, Other}

// Declaration is a valid declaration with its identity. It is immutable, safe for
// concurrent use, and made by Parse, ParseYAML and Build alone.
type Declaration struct {
	text  []byte // canonical form
	id    ID
	kind  Kind
	model [3][]byte // its name, provider and version
	once  sync.Once // root is set
	root  jsontree.Value
}

// newDeclaration is the declaration that v is, which is valid. It keeps the text of v, and not v.
func newDeclaration(v jsontree.Value) *Declaration {
	d := &Declaration{text: v.Raw(), id: ID{sha256.Sum256(v.Raw())}}
	kind := v.Get("kind").Bytes()
	for _, k := range kinds {
		if k == Kind(kind) {
			d.kind = k
		}
	}
	model := v.Get("model")
	d.model = [...][]byte{model.Get("name").Bytes(), model.Get("provider").Bytes(), model.Get("version").Bytes()}
	return d
}

// tree is what the text says; absent in the zero Declaration. It is made when it is first asked for: a verifier need not.
func (d *Declaration) tree() jsontree.Value {
	d = zero.IfNil(d)
	d.once.Do(func() {
		if d.text != nil {
			d.root, _ = jsontree.Parse(d.text) // which is canonical
		}
	})
	return d.root
}

var _ json.Marshaler = (*Declaration)(nil)

// Parse reads a declaration from JSON text: I-JSON (RFC 7493), every number exact,
// valid under the declaration's schema. The error is an *InvalidError that lists
// what is wrong. data is not kept.
func Parse(data []byte) (*Declaration, error) {
	if d := parseValid(data); d != nil {
		return d, nil
	}
	return nil, &InvalidError{surveyJSON(data).problems}
}

// parseValid is the declaration in JSON text, or nil where anything is wrong.
func parseValid(data []byte) *Declaration {
	text, err := canonicalText(data)
	if err != nil {
		return nil
	}
	m := jsontree.Borrow()
	defer m.Return()
	root, err := m.Parse(text)
	if err != nil || len(validate(root)) > 0 {
		return nil
	}
	return newDeclaration(root)
}

// FromTree is the declaration that v is, in a text that package canonical has put into canonical form with exact numbers; nil
// if anything is wrong, which Parse of v.Raw says. So a declaration inside another text is not read again. It refers to the
// text, which must not change, and not to v.
func FromTree(v jsontree.Value) *Declaration {
	size := len(v.Raw())
	if size == 0 || size > limits.Declaration || v.Values() > limits.DeclarationValues || v.DeeperThan(limits.DeclarationDepth) || len(validate(v)) > 0 {
		return nil
	}
	return newDeclaration(v)
}

// Compute is the identity that data has under the rules for JSON text and numbers
// alone, whether or not the declaration is valid under its schema. A verifier needs
// it to tell a changed declaration from an invalid one; every other caller wants Parse.
// The error is an *InvalidError.
func Compute(data []byte) (ID, error) {
	text, err := canonicalText(data)
	if err != nil {
		return ID{}, err
	}
	return ID{sha256.Sum256(text)}, nil
}

var rules = canonical.Options{
	ExactNumbers: true,
	MaxDepth:     limits.DeclarationDepth,
	MaxValues:    limits.DeclarationValues,
}

func canonicalText(data []byte) ([]byte, error) {
	if len(data) > limits.Declaration {
		return nil, &InvalidError{[]Problem{sizeProblem(len(data), limits.Declaration)}}
	}
	text, err := rules.Append(make([]byte, 0, len(data)), data)
	if err != nil {
		return nil, textError(data, err)
	}
	if len(text) > limits.Declaration { // numbers such as 1e20 grow
		return nil, &InvalidError{[]Problem{sizeProblem(len(text), limits.Declaration)}}
	}
	return text, nil
}

// ID is the identity of the run: SHA-256 over Canonical.
func (d *Declaration) ID() ID { return zero.IfNil(d).id }

// Canonical is the declaration's canonical form (RFC 8785), no newline at its end.
// The caller owns the copy.
func (d *Declaration) Canonical() []byte { return append([]byte(nil), zero.IfNil(d).text...) }

// AppendCanonical appends the canonical form to dst.
func (d *Declaration) AppendCanonical(dst []byte) []byte { return append(dst, zero.IfNil(d).text...) }

// Size is the length of the canonical form in bytes.
func (d *Declaration) Size() int64 { return int64(len(zero.IfNil(d).text)) }

// MarshalJSON writes the canonical form.
func (d *Declaration) MarshalJSON() ([]byte, error) {
	text := zero.IfNil(d).Canonical()
	if len(text) == 0 {
		return nil, errors.New("no declaration: it is nil or a zero value")
	}
	return text, nil
}

// Kind is the sort of run that is declared.
func (d *Declaration) Kind() Kind { return zero.IfNil(d).kind }

// Model is the model that the run uses.
func (d *Declaration) Model() Model { return modelOf(d.tree().Get("model")) }

// ModelName is what Model says of the model's name, provider and version.
func (d *Declaration) ModelName() (name, provider, version string) {
	d = zero.IfNil(d)
	return string(d.model[0]), string(d.model[1]), string(d.model[2])
}

// Context lists the resources that the run is given, in the declaration's order.
func (d *Declaration) Context() []Resource { return resourcesOf(d.tree().Get("context")) }

// Parents are the identities of the runs that this one descends from, in the declaration's order; nil where the
// declaration has no such member.
func (d *Declaration) Parents() []ID {
	parents := d.tree().Get("parents")
	if parents.Kind() == jsontree.Absent {
		return nil
	}
	ids := []ID{}
	for _, v := range parents.Elements() {
		id, err := ParseID(v.Text())
		if err != nil {
			continue // validate has seen it: unreachable
		}
		ids = append(ids, id)
	}
	return ids
}
