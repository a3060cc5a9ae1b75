package input

import (
	"bytes"
	"encoding/pem"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// ForeignError says that a file is of another kind than a declaration, and of which.
type ForeignError struct {
	Kind string
	Hint string // what to do, or ""
}

func (e *ForeignError) Error() string { return "is " + e.Kind }

var (
	frontMatter = lazyregexp.New(`(?s)\A---[ \t]*\n.*?\n---[ \t]*\n[ \t\n]*[^ \t\n]`)
	heading     = lazyregexp.New(`\A#{1,6} [^\n]`)
	member      = lazyregexp.New(`(?m)^[ \t]*(?:- )?["']?[\w.$-]+["']?[ \t]*:(?:[ \t]|$)|^[ \t]*[{[]`)
)

// foreign recognizes text of another kind that could not be read as a declaration; nil where it is not known.
func foreign(data []byte) error {
	text := bytes.ReplaceAll(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	text = bytes.TrimLeft(text, " \t\n")
	block, _ := pem.Decode(text)
	switch {
	case block != nil && strings.HasSuffix(block.Type, "PUBLIC KEY"), block != nil && strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return &ForeignError{"a key in PEM (" + strings.ToValidUTF8(block.Type, "?") + ") and no declaration", "a key is named by --key; name the declaration here"}
	case block != nil:
		return &ForeignError{"PEM (" + strings.ToValidUTF8(block.Type, "?") + ") and no declaration", ""}
	case frontMatter.Match(text):
		return &ForeignError{"text below YAML between two lines ---, such as a Prompty file, and no declaration", promptHint}
	case heading.Match(text) && !member.Match(text):
		return &ForeignError{"a text in Markdown and no declaration", promptHint}
	}
	return nil
}

// promptHint is for texts that can be a run's prompt.
const promptHint = "if it is the prompt, write its SHA-256 into the declaration's prompt: digest: {sha256: HEX}; sha256sum FILE prints it"
