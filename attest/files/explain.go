package files

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/signer"
)

// Explain is why data could not be read as what is wanted, a Kind: an *OtherKindError for text of another kind.
func Explain(err error, data []byte, wanted string) error {
	if err == nil {
		return nil
	}
	if kind := Kind(data); kind != "" && kind != wanted {
		return &OtherKindError{kind, jsonmend.Mend(data)}
	}
	return err
}

// OtherKindError says that a file is of another kind than what is wanted.
type OtherKindError struct {
	Kind string
	mend string
}

func (e *OtherKindError) Error() string {
	return "it is " + cmp.Or(zero.IfNil(e).Kind, "something else")
}

// Mending is a hint with a command that makes text of the file, "" for what is text.
func (e *OtherKindError) Mending() string { return zero.IfNil(e).mend }

// NotKeyError says that a file is not a key.
type NotKeyError struct {
	Path string
	Kind string // "" if it is not plain to see
	err  error  // of the parser
}

func (e *NotKeyError) Error() string {
	switch e = zero.IfNil(e); {
	case e.Kind != "":
		return fmt.Sprintf("%s: is %s, want a key in PEM", e.Path, e.Kind)
	case e.err == nil:
		return "is not a key"
	}
	return e.err.Error()
}

func (e *NotKeyError) Unwrap() error { return zero.IfNil(e).err }

// ExplainKey is why a key could not be read from the file of that name: a *NotKeyError for text of another kind, and for what is
// not known. For a damaged key, and for what is not a file, it is err.
func ExplainKey(err error, path string) error {
	if err == nil {
		return nil
	}
	if info, wrong := os.Stat(path); wrong != nil || !info.Mode().IsRegular() || info.Size() > limits.Key {
		return err
	}
	data, wrong := boundedfile.Read(path, limits.Key)
	if wrong != nil {
		return err
	}
	format, ok := errors.AsType[*signer.FormatError](err)
	switch kind := Kind(data); {
	case !ok && (kind == input.KindPrivateKey || kind == input.KindPublicKey):
		return err
	case ok && format.Known():
		return &NotKeyError{path, "", err}
	default:
		return &NotKeyError{path, kind, err}
	}
}

// JSONError says what is wrong with text that package canonical refuses, and where.
type JSONError struct {
	YAML bool   // it looks like YAML
	Hint string // an edit or a command; "" if none is known
	text string
	err  error // of the parser
}

func (e *JSONError) Error() string {
	if e = zero.IfNil(e); e.text == "" {
		return "not valid JSON"
	}
	return e.text
}

func (e *JSONError) Unwrap() error { return zero.IfNil(e).err }

// ExplainJSON is why package canonical refuses data: a *JSONError with the line and the column, unless the data is a key, which is
// not quoted, or err is not a *canonical.Error.
func ExplainJSON(err error, data []byte) error {
	wrong, ok := errors.AsType[*canonical.Error](err)
	if !ok {
		return err
	}
	if kind := Kind(data); IsKey(kind) {
		return fmt.Errorf("is %s, want JSON", kind)
	}
	if jsonmend.LooksLikeYAML(data) {
		return &JSONError{YAML: true, text: "line 1, column 1: not valid JSON: this looks like YAML", err: err}
	}
	m := jsonmend.Explain(data, wrong)
	line, column := yamljson.LineColumn(data, m.Offset)
	return &JSONError{Hint: m.Hint, text: fmt.Sprintf("line %d, column %d: %s (%v)", line, column, m.Message, err), err: err}
}

// WithoutBundles leaves out the bundles among several files, such as the signatures that a pattern names with their policies. They
// stay where there is nothing else. Streams are not read.
func WithoutBundles(paths ...string) (others, bundles []string) {
	for _, path := range paths {
		var data []byte
		var err error
		if !input.IsStream(path) {
			data, err = boundedfile.Read(path, limits.Bundle)
		}
		if err == nil && Kind(data) == input.KindBundle {
			bundles = append(bundles, path)
		} else {
			others = append(others, path)
		}
	}
	if len(others) == 0 {
		return paths, nil
	}
	return others, bundles
}
