package capture

import (
	"fmt"
	"strings"

	"github.com/runattest/runattest/identity"
)

// A Remark is what a person should know of a declaration that was captured, before it is signed.
type Remark struct {
	Kind string // "warning" or "note"
	Text string
}

// Remarks are the warnings, what of the source is not in the declaration, what the declaration leaves open, and what looks like a
// secret in it. Text of the source is in them as it is there.
func (c *Captured) Remarks() []Remark {
	if c == nil {
		return nil
	}
	var all []Remark
	for _, w := range c.Warnings {
		all = append(all, Remark{"warning", w.String()})
	}
	if len(c.Unread) > 0 {
		all = append(all, Remark{"note", fmt.Sprintf("not in the declaration, since %s does not read it: header %s", c.Format.Name(), strings.Join(c.Unread, ", "))})
	}
	for _, o := range c.Open {
		all = append(all, Remark{"note", fmt.Sprintf("%s is open: the declaration does not say what it stands for, which may be %s", o.Pointer, o.Hides)})
	}
	if c.Declaration == nil {
		return all
	}
	for _, p := range identity.Lint(c.Declaration.Canonical()) {
		if p.Code == identity.CodeSecret {
			all = append(all, Remark{"warning", fmt.Sprintf("the declaration's %s %s", p.Pointer, p.Message)})
		}
	}
	return all
}

// ParseHeader reads header lines "name: value" for Source.Header.
func ParseHeader(lines ...string) (map[string][]string, error) {
	header := map[string][]string{}
	for i, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("line %d has no name and colon, want a line of a header", i+1) // which may hold a secret
		}
		header[name] = append(header[name], strings.TrimSpace(value))
	}
	return header, nil
}
