package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/visible"
)

// A Printer prints results to Out, as text or as one JSON object a line, and what is worth knowing to Err. Control and
// invisible characters are escaped, in JSON as JSON does.
type Printer struct {
	Out, Err io.Writer
	JSON     bool
	Asked    int // the line of the input that results answer, the first member of each JSON object; 0 for none
}

// Info prints something worth knowing for a person, without secrets that it quotes.
func (p *Printer) Info(format string, args ...any) {
	fmt.Fprintln(p.Err, visible.Escape(secrets.Shown(fmt.Sprintf(format, args...))))
}

// InfoLines is Info for what another program writes, line by line, such as that a token wants to be touched.
func (p *Printer) InfoLines() io.Writer { return infoLines{p} }

type infoLines struct{ *Printer }

func (l infoLines) Write(data []byte) (int, error) {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			l.Info("%s", line)
		}
	}
	return len(data), nil
}

// Line prints a line of text results.
func (p *Printer) Line(format string, args ...any) error {
	_, err := fmt.Fprintln(p.Out, visible.Escape(fmt.Sprintf(format, args...)))
	return err
}

// Lines prints lines of text results, up to the first that cannot be printed.
func (p *Printer) Lines(lines ...string) error {
	for _, line := range lines {
		if err := p.Line("%s", line); err != nil {
			return err
		}
	}
	return nil
}

// Object prints a JSON result on a line of its own.
func (p *Printer) Object(v any) error {
	text, err := visible.JSON(v)
	if err != nil {
		return err
	}
	if p.Asked > 0 {
		text = append(fmt.Appendf(nil, `{"line":%d,`, p.Asked), text[len("{"):]...)
	}
	_, err = fmt.Fprintf(p.Out, "%s\n", text)
	return err
}

// Result prints one result: the object in JSON, and for people a line.
func (p *Printer) Result(object any, format string, args ...any) error {
	if p.JSON {
		return p.Object(object)
	}
	return p.Line(format, args...)
}

// WriteRaw writes bytes that are a result by themselves, such as a canonical form.
func (p *Printer) WriteRaw(data []byte) error {
	w := bufio.NewWriter(p.Out)
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Flush()
}
