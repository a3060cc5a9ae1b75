// Package input reads the texts of declarations, bundles and requests from files and standard input, one or several, as
// commands take them. It tells texts of other kinds that are given in their place, and parses none.
package input

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// Stdin is the name of standard input.
const Stdin = "-"

// IsStdin tells the names of standard input.
func IsStdin(path string) bool { return path == Stdin || path == "/dev/stdin" }

// Name is a file's name in messages.
func Name(path string) string {
	if path == Stdin {
		return "standard input"
	}
	return path
}

// Read reads a file, or stdin for "-", at most limit bytes.
func Read(path string, stdin io.Reader, limit int64) ([]byte, error) {
	if path == Stdin {
		return boundedfile.ReadFrom(stdin, Name(path), limit)
	}
	return boundedfile.Read(path, limit)
}

// Text is the text of one declaration or request and how it is written.
type Text struct {
	Name  string // the file, with the line where it holds several
	Lines bool   // from JSON Lines
	Line  int    // in them, from 1; 0 where that is not known
	YAML  bool   // not JSON
	Data  []byte
}

// ErrBundle says that a bundle was given for a declaration, and ErrSet that a run set was.
var (
	ErrBundle = errors.New("is a bundle and no declaration")
	ErrSet    = errors.New("is a run set and no declaration")
)

// Signed is ErrBundle or ErrSet for text of that kind, valid or not, and nil for any other.
func (t Text) Signed() error {
	switch {
	case !t.YAML && isRunSet(t.Data):
		return ErrSet
	case t.IsBundle():
		return ErrBundle
	}
	return nil
}

// IsBundle tells by its members that the text is a bundle or an envelope, valid or not, and no declaration.
func (t Text) IsBundle() bool {
	if !bytes.Contains(t.Data, []byte(`"dsseEnvelope"`)) && !bytes.Contains(t.Data, []byte(`"payloadType"`)) && !bytes.Contains(t.Data, []byte(bundleType)) {
		return false // of most texts that says enough
	}
	var members map[string]json.RawMessage
	if t.YAML || json.Unmarshal(t.Data, &members) != nil {
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
	return !has("schema") && (bytes.HasPrefix(members["mediaType"], []byte(`"`+bundleType)) || has("statement", "path", "bundle") || has("verificationMaterial", "dsseEnvelope") ||
		has("payload", "payloadType", "signatures"))
}

// bundleType begins the media type of a Sigstore bundle of any version.
const bundleType = "application/vnd.dev.sigstore.bundle"

// Declarations gives the declarations in a file, or in stdin for "-": one of JSON or YAML,
// or several of JSON Lines. The file's extension tells which; without one the first
// character does: JSON begins with a brace. An error ends the sequence.
func Declarations(path string, stdin io.Reader) iter.Seq2[Text, error] {
	return Spooled(nil).declarations(path, stdin)
}

// Blob is the text of one bundle.
type Blob struct {
	Name string
	Data []byte
}

// Bundles gives the bundles in a file, or in stdin for "-": one, or several of JSON Lines.
// An error ends the sequence; a run set is ErrRunSet.
func Bundles(path string, stdin io.Reader) iter.Seq2[Blob, error] {
	return func(yield func(Blob, error) bool) {
		s, err := OpenSource(path, stdin)
		if err != nil {
			yield(Blob{Name: Name(path)}, err)
			return
		}
		defer s.Close() // only read: nothing to lose
		s.Bundles()(yield)
	}
}

// Requests gives the bodies of requests in a file, or in stdin for "-": one, or several of JSON Lines.
// An error ends the sequence.
func Requests(path string, stdin io.Reader) iter.Seq2[Text, error] {
	return Spooled(nil).texts(path, stdin, limits.CaptureBody, false)
}

// Whole gives a file, or stdin for "-", as one request: a batch in JSON Lines, or YAML.
func Whole(path string, stdin io.Reader) iter.Seq2[Text, error] {
	return func(yield func(Text, error) bool) {
		r, name, closeFile, err := open(path, stdin)
		if err != nil {
			yield(Text{Name: name}, err)
			return
		}
		defer closeFile()
		data, err := boundedfile.ReadFrom(r, name, limits.CaptureBody)
		yield(Text{Name: name, Data: data}, err)
	}
}

// texts gives the texts in a file, at most limit bytes each. If mayBeYAML, a file of YAML is one, and a run set is its first
// line, for Signed to tell.
func (s Spooled) texts(path string, stdin io.Reader, limit int, mayBeYAML bool) iter.Seq2[Text, error] {
	return func(yield func(Text, error) bool) {
		r, name, closeFile, err := s.open(path, stdin)
		if err != nil {
			yield(Text{Name: name}, err)
			return
		}
		defer closeFile()
		buffered := bufio.NewReader(r)
		if mayBeYAML {
			if yamljson.IsYAML(path, startOf(buffered)) {
				data, err := boundedfile.ReadFrom(buffered, name, int64(limit)) // the smaller cap for YAML is the parser's
				yield(Text{Name: name, Data: data, YAML: true}, err)
				return
			}
		}
		for item, err := range documents(path, buffered, name, limit) {
			if err == nil && item.Line <= 1 && mayBeYAML && isRunSet(item.Data) { // whose other lines are statements
				yield(Text{Name: name, Data: item.Data}, nil)
				return
			}
			if !yield(Text{Name: itemName(name, item), Lines: item.Line > 0, Line: item.Line, Data: item.Data}, err) {
				return
			}
		}
	}
}

// startOf is what there is of a stream's start, with the first character that is not blank, and no more: the next line may come once
// this one is answered.
func startOf(r *bufio.Reader) []byte {
	for n := 1; ; n = r.Buffered() + 1 {
		_, err := r.Peek(n)
		start, _ := r.Peek(min(r.Buffered(), yamljson.Sniffed))
		if err != nil || len(start) == yamljson.Sniffed || yamljson.ShowsForm(start) {
			return start
		}
	}
}

// One is the text of the one declaration in a file; several are an error.
func One(path string, stdin io.Reader) (Text, error) {
	var found *Text
	for t, err := range Declarations(path, stdin) {
		if err != nil {
			return Text{}, err
		}
		if found != nil {
			return Text{}, fmt.Errorf("%s: holds several declarations, want one", Name(path))
		}
		found = &t
	}
	if found == nil {
		return Text{}, fmt.Errorf("%s: holds no declaration", Name(path))
	}
	return *found, nil
}

func open(path string, stdin io.Reader) (r io.Reader, name string, closeFile func(), err error) {
	if path == Stdin && stdin == nil {
		return nil, Name(path), nil, errNoStdin
	}
	if path == Stdin {
		return &untilEnd{r: stdin}, Name(path), func() {}, nil
	}
	f, err := boundedfile.Open(path)
	if err != nil {
		return nil, path, nil, err
	}
	return &untilEnd{r: f}, path, func() { f.Close() }, nil // only read: nothing to lose
}

var errNoStdin = errors.New("standard input: no reader is given for it")

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

// HoldOne says that the files of these names hold one document in all: there is one, and it is not one of lines by its name.
func HoldOne(paths ...string) bool {
	return len(paths) == 1 && strings.EqualFold(filepath.Ext(paths[0]), ".json")
}

// documents goes by the file's name, so that a bad first line of JSON Lines does not hide
// the others and a .json file is one document; what another stream is, its first line tells.
func documents(path string, r io.Reader, name string, limit int) iter.Seq2[jsonlines.Item, error] {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jsonl", ".ndjson":
		return jsonlines.Lines(r, name, limit)
	}
	if HoldOne(path) {
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
