// Package input reads declarations and bundles from files and standard input, as the
// commands take them.
package input

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// Stdin is the name of standard input.
const Stdin = "-"

// Name is a file's name in messages.
func Name(path string) string {
	if path == Stdin {
		return "standard input"
	}
	return path
}

// Text is the text of one declaration and how it is written.
type Text struct {
	Name  string // the file, with the line where it holds several
	Lines bool   // from JSON Lines
	Data  []byte
	yaml  bool
}

// ErrBundle says that a bundle was given for a declaration.
var ErrBundle = errors.New("is a bundle and no declaration")

// Parse reads the declaration.
func (t Text) Parse() (*identity.Declaration, error) {
	parse := identity.Parse
	if t.yaml {
		parse = identity.ParseYAML
	}
	d, err := parse(t.Data)
	if err != nil && t.IsBundle() {
		err = ErrBundle
	}
	if err != nil {
		err = cmp.Or(foreign(t.Data), err)
	}
	return d, err
}

// IsBundle tells by its members that the text is a bundle or an envelope, valid or not, and no declaration.
func (t Text) IsBundle() bool {
	if !bytes.Contains(t.Data, []byte(`"dsseEnvelope"`)) && !bytes.Contains(t.Data, []byte(`"payloadType"`)) && !bytes.Contains(t.Data, []byte(bundleType)) {
		return false // of most texts that says enough
	}
	var members map[string]json.RawMessage
	if t.yaml || json.Unmarshal(t.Data, &members) != nil {
		return false
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := members[name]; !ok {
				return false
			}
		}
		return true
	}
	return !has("schema") && (bytes.HasPrefix(members["mediaType"], []byte(`"`+bundleType)) || has("verificationMaterial", "dsseEnvelope") ||
		has("payload", "payloadType", "signatures"))
}

// bundleType begins the media type of a Sigstore bundle of any version.
const bundleType = "application/vnd.dev.sigstore.bundle"

// Lint lists what is wrong with the declaration, or doubtful in it. Its error is ErrBundle.
func (t Text) Lint() ([]identity.Problem, error) {
	lint := identity.Lint
	if t.yaml {
		lint = identity.LintYAML
	}
	problems := lint(t.Data)
	wrong := func(p identity.Problem) bool { return p.Severity == identity.Error }
	if slices.ContainsFunc(problems, wrong) && t.IsBundle() {
		return nil, ErrBundle
	}
	return problems, nil
}

// Declarations gives the declarations in a file, or in stdin for "-": one of JSON or YAML,
// or several of JSON Lines. The file's extension tells which; without one the first
// character does: JSON begins with a brace. An error ends the sequence.
func Declarations(path string, stdin io.Reader) iter.Seq2[Text, error] {
	return func(yield func(Text, error) bool) {
		r, name, closeFile, err := open(path, stdin)
		if err != nil {
			yield(Text{Name: name}, err)
			return
		}
		defer closeFile()
		buffered := bufio.NewReader(r)
		start, _ := buffered.Peek(yamljson.Sniffed) // what there is
		if yamljson.IsYAML(path, start) {
			data, err := boundedfile.ReadFrom(buffered, name, limits.Declaration) // the smaller cap for YAML is the parser's
			yield(Text{Name: name, Data: data, yaml: true}, err)
			return
		}
		for item, err := range documents(path, buffered, name, limits.Declaration) {
			if !yield(Text{Name: itemName(name, item), Lines: item.Line > 0, Data: item.Data}, err) {
				return
			}
		}
	}
}

// Blob is the text of one bundle or request.
type Blob struct {
	Name string
	Data []byte
}

// Bundles gives the bundles in a file, or in stdin for "-": one, or several of JSON Lines.
// An error ends the sequence.
func Bundles(path string, stdin io.Reader) iter.Seq2[Blob, error] {
	return blobs(path, stdin, limits.Bundle)
}

// Requests gives the bodies of requests in a file, or in stdin for "-": one, or several of JSON Lines.
// An error ends the sequence.
func Requests(path string, stdin io.Reader) iter.Seq2[Blob, error] {
	return blobs(path, stdin, limits.CaptureBody)
}

// Whole gives a file, or stdin for "-", as one request: a batch in JSON Lines, or YAML.
func Whole(path string, stdin io.Reader) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		r, name, closeFile, err := open(path, stdin)
		if err != nil {
			yield(Blob{Name: name}, err)
			return
		}
		defer closeFile()
		data, err := boundedfile.ReadFrom(r, name, limits.CaptureBody)
		yield(Blob{name, data}, err)
	}
}

func blobs(path string, stdin io.Reader, limit int) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		r, name, closeFile, err := open(path, stdin)
		if err != nil {
			yield(Blob{Name: name}, err)
			return
		}
		defer closeFile()
		for item, err := range documents(path, r, name, limit) {
			if !yield(Blob{itemName(name, item), item.Data}, err) {
				return
			}
		}
	}
}

// One is the one declaration in a file; several are an error.
func One(path string, stdin io.Reader) (*identity.Declaration, error) {
	var found *Text
	for t, err := range Declarations(path, stdin) {
		if err != nil {
			return nil, err
		}
		if found != nil {
			return nil, fmt.Errorf("%s: holds several declarations, want one", Name(path))
		}
		found = &t
	}
	if found == nil {
		return nil, fmt.Errorf("%s: holds no declaration", Name(path))
	}
	d, err := found.Parse()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name(path), err)
	}
	return d, nil
}

func open(path string, stdin io.Reader) (r io.Reader, name string, closeFile func(), err error) {
	if path == Stdin {
		return &untilEnd{r: stdin}, Name(path), func() {}, nil
	}
	f, err := boundedfile.Open(path)
	if err != nil {
		return nil, path, nil, err
	}
	return &untilEnd{r: f}, path, func() { f.Close() }, nil // only read: nothing to lose
}

// untilEnd reads no further once the end was seen: a terminal would wait for another line, or another Ctrl-D.
type untilEnd struct {
	r   io.Reader
	err error
}

func (u *untilEnd) Read(p []byte) (n int, err error) {
	if u.err == nil {
		n, u.err = u.r.Read(p)
	}
	return n, u.err
}

// documents goes by the file's name, so that a bad first line of JSON Lines does not hide
// the others and a .json file is one document; what another stream is, its first line tells.
func documents(path string, r io.Reader, name string, limit int) iter.Seq2[jsonlines.Item, error] {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jsonl", ".ndjson":
		return jsonlines.Lines(r, name, limit)
	case ".json":
		return jsonlines.One(r, name, limit)
	}
	return jsonlines.Read(r, name, limit)
}

func itemName(name string, item jsonlines.Item) string {
	if item.Line == 0 {
		return name
	}
	return fmt.Sprintf("%s:%d", name, item.Line)
}
