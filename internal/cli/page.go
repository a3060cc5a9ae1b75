package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
)

// examplesHeading is the line before the examples of a page.
const examplesHeading = "Examples:"

// A Page is the help of one command, without the flags, which the command declares. As a text it is
//
//	sign --key KEY DECLARATION...            the usage line, which begins with the command's name
//	Sign the identity of a run               the summary: one line
//
//	Sign the identity of each declared ...   the description: any lines, or left out with the empty line before it
//
//	Examples:
//
//	  runattest sign --key my.key run.json   the examples, each indented, to the end
//
// with one empty line between the parts, no white space at the end of a line, and one newline at the end.
type Page struct {
	Usage, Summary, Description, Examples string
}

// ParsePage reads the text of a page.
func ParsePage(text string) (Page, error) {
	var p Page
	head, examples, ok := strings.Cut(text, "\n\n"+examplesHeading+"\n\n")
	if !ok {
		return p, fmt.Errorf("want a line %q between two empty lines", examplesHeading)
	}
	first, description, _ := strings.Cut(head, "\n\n")
	p.Usage, p.Summary, _ = strings.Cut(first, "\n")
	p.Description, p.Examples = description, strings.TrimSuffix(examples, "\n")
	switch {
	case p.Usage == "" || p.Summary == "" || strings.Contains(p.Summary, "\n"):
		return p, errors.New("want two lines at the beginning: the usage and the summary")
	case !strings.HasPrefix(p.Examples, "  "):
		return p, errors.New("want examples that are indented by two spaces")
	case strings.Contains(text, "\n\n\n") || strings.HasSuffix(text, "\n\n") || !strings.HasSuffix(text, "\n"):
		return p, errors.New("want one empty line between parts, and one newline at the end")
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); strings.TrimRight(line, " \t\r") != line {
			return p, fmt.Errorf("%q: white space at the end of a line", line)
		}
	}
	return p, nil
}

// NewCommand makes a command with the help in the file PAGE.txt. The pages are parts of the program: a page that is
// missing or malformed is a mistake in it, and a panic.
func NewCommand(pages fs.FS, page string) *cobra.Command {
	file := page + ".txt"
	text, err := fs.ReadFile(pages, file)
	if err != nil {
		panic(err)
	}
	p, err := ParsePage(string(text))
	if err != nil {
		panic(fmt.Errorf("%s: %w", file, err))
	}
	return &cobra.Command{Use: p.Usage, Short: p.Summary, Long: p.Description, Example: p.Examples}
}
