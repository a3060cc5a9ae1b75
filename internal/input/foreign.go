package input

import (
	"bytes"
	"encoding/pem"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// ForeignError says that a file is of another kind than a declaration, and of which.
type ForeignError struct {
	Kind     string
	IsKey    bool // a key, which is named elsewhere
	IsPrompt bool // a text that can be a run's prompt
}

func (e *ForeignError) Error() string { return "is " + e.Kind }

var (
	frontMatter = lazyregexp.New(`(?s)\A---[ \t]*\n.*?\n---[ \t]*\n[ \t\n]*[^ \t\n]`)
	heading     = lazyregexp.New(`\A#{1,6} [^\n]`)
	member      = lazyregexp.New(`(?m)^[ \t]*(?:- )?["']?[\w.$-]+["']?[ \t]*:(?:[ \t]|$)|^[ \t]*[{[]`)
)

// Foreign recognizes text of another kind that could not be read as a declaration: a *ForeignError, or nil where it is not
// known.
func Foreign(data []byte) error {
	text := bytes.ReplaceAll(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), []byte("\r\n"), []byte("\n"))
	text = bytes.TrimLeft(text, " \t\n")
	block, _ := pem.Decode(text)
	switch {
	case block != nil && strings.HasSuffix(block.Type, "PUBLIC KEY"), block != nil && strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return &ForeignError{Kind: "a key in PEM (" + strings.ToValidUTF8(block.Type, "?") + ") and no declaration", IsKey: true}
	case block != nil:
		return &ForeignError{Kind: "PEM (" + strings.ToValidUTF8(block.Type, "?") + ") and no declaration"}
	case frontMatter.Match(text):
		return &ForeignError{Kind: "text below YAML between two lines ---, such as a Prompty file, and no declaration", IsPrompt: true}
	case heading.Match(text) && !member.Match(text):
		return &ForeignError{Kind: "a text in Markdown and no declaration", IsPrompt: true}
	}
	return nil
}
