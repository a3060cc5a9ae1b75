package files

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/signer"
)

// A Text is the text of one declaration, and how it is written.
type Text = input.Text

// ParseDeclaration reads a declaration. Its error says of a bundle, a key and some other texts what they are.
func ParseDeclaration(t Text) (*identity.Declaration, error) {
	parse := identity.Parse
	if t.YAML {
		parse = identity.ParseYAML
	}
	t = withoutBreak(t)
	d, err := parse(t.Data)
	if err != nil {
		err = cmp.Or(t.Signed(), foreign(t.Data), err)
	}
	if invalid, ok := errors.AsType[*identity.InvalidError](err); ok {
		tellFormats(t, invalid.Problems)
		inLine(t, invalid.Problems)
	}
	return d, err
}

// withoutBreak leaves out the line break behind a line, so that what is missing at its end is missing in that line.
func withoutBreak(t Text) Text {
	if t.Line > 0 {
		t.Data = bytes.TrimRight(t.Data, "\r\n")
	}
	return t
}

// inLine has the problems of a line name its number in the file, of which the text knows only that it is its first.
func inLine(t Text, problems []identity.Problem) {
	for i := range problems {
		if t.Line > 0 && problems[i].Line > 0 {
			problems[i].Line = t.Line
		}
	}
}

// tellFormats adds to the hint of what is not a declaration the formats by which it may be captured.
func tellFormats(t Text, problems []identity.Problem) {
	if len(problems) == 0 || !problems[0].IsForeign() {
		return
	}
	formats, _ := capture.Detect(capture.Source{Body: t.Data})
	var names []string
	for _, f := range formats {
		names = append(names, f.Name())
	}
	if len(names) > 0 {
		problems[0].Hint += "; capture makes one from it, by the format " + strings.Join(names, " or ")
	}
}

// foreign recognizes text of another kind that could not be read as a declaration; nil where it is not known.
func foreign(data []byte) error {
	if what := signer.PrivateKeyIn(data); what != "" && !bytes.Contains(data, []byte("PRIVATE KEY")) { // which has a name of its own
		return &input.ForeignError{Kind: what + " and no declaration", IsKey: true}
	}
	return input.Foreign(data)
}

// OneDeclaration reads the one declaration in a file, or in stdin for "-"; several are an error.
func OneDeclaration(path string, stdin io.Reader) (*identity.Declaration, error) {
	t, err := input.One(path, stdin)
	if err != nil {
		return nil, err
	}
	d, err := ParseDeclaration(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", input.Name(path), err)
	}
	return d, nil
}

// Lint lists what is wrong with a declaration, or doubtful in it, with what package capture knows of providers' defaults. Its
// error says that the text is not a declaration but a bundle or a key.
func Lint(t Text) ([]identity.Problem, error) {
	lint := identity.Lint
	if t.YAML {
		lint = identity.LintYAML
	}
	t = withoutBreak(t)
	problems := lint(t.Data)
	wrong := func(p identity.Problem) bool { return p.Severity == identity.Error }
	if slices.ContainsFunc(problems, wrong) {
		if err := t.Signed(); err != nil {
			return nil, err
		}
		if other, ok := errors.AsType[*input.ForeignError](foreign(t.Data)); ok && other.IsKey { // of other texts, the problems say more
			return nil, other
		}
	}
	tellFormats(t, problems)
	inLine(t, problems)
	if d, err := ParseDeclaration(t); err == nil {
		problems = append(problems, capture.Lint(d)...)
	}
	return problems, nil
}
