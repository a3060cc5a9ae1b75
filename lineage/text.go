package lineage

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/runattest/runattest/internal/visible"
)

// deepest is how far the text tree is indented; below, a line has its depth in front. Otherwise a chain
// of runs would take the square of its length.
const deepest = 24

// Summary says in lines for people how many of what there are, and which gaps the ancestry of these runs has. Text from bundles
// has its unseen characters escaped.
func (g *Graph) Summary(of ...Node) []string {
	c := g.Counts()
	lines := []string{fmt.Sprintf("%d runs: %d verified, %d unverified, %d missing; %d declared before a parent by trusted time; %d statements of other types",
		g.Len(), c.Verified, c.Unverified, c.Missing, c.Earlier, c.Other)}
	if c.Rejected > 0 {
		lines = append(lines, fmt.Sprintf("%d rejected by approvers of the policy", c.Rejected))
	}
	gaps := 0
	for n := range g.Gaps(of...) {
		if gaps++; gaps == 1 {
			lines = append(lines, visible.Escape(fmt.Sprintf("incomplete: %s: %s", n.ID(), n.Gap())))
		}
	}
	if gaps > 1 {
		lines = append(lines, fmt.Sprintf("and %d more gaps in the ancestry", gaps-1))
	}
	return lines
}

// WriteText writes the roots' ancestry as a tree for people: each run stands below those that
// name it as a parent, is printed once, and referred to after that. Text from bundles has its
// unseen characters escaped.
func (g *Graph) WriteText(w io.Writer, roots ...Node) error {
	if err := g.canWrite(w); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	var lasts []bool // of the steps on the way down
	for s := range g.Walk(roots...) {
		lasts = append(lasts[:min(s.Depth, deepest+1)], s.Last)
		writeIndent(out, s, lasts)
		out.WriteString(s.Node.ID().String())
		if s.Again {
			out.WriteString("  (above)")
		} else {
			out.WriteString("  " + visible.Escape(s.Node.describe()))
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

func writeIndent(out *bufio.Writer, s Step, lasts []bool) {
	if s.Depth == 0 {
		return
	}
	if s.Depth > deepest {
		fmt.Fprintf(out, "%*s%d: ", 4*deepest, "depth ", s.Depth)
		return
	}
	for _, last := range lasts[1:s.Depth] {
		if last {
			out.WriteString("    ")
		} else {
			out.WriteString("│   ")
		}
	}
	if s.Last {
		out.WriteString("└── ")
	} else {
		out.WriteString("├── ")
	}
}

// describe is a node in one line, without its ID and not yet escaped.
func (n Node) describe() string {
	var parts []string
	if kind := n.Kind(); kind != "" {
		parts = append(parts, string(kind))
	}
	switch n.State() {
	case Missing:
		return strings.Join(append(parts, "MISSING"+strings.TrimPrefix(n.Gap(), "missing")), "  ")
	case Unverified:
		return strings.Join(append(parts, "NOT VERIFIED"+strings.TrimPrefix(n.Gap(), "not verified")), "  ")
	}
	parts = append(parts, "verified: "+strings.Join(n.signerNames(), "; "))
	if t, ok := n.DeclaredBy(); ok {
		parts = append(parts, "by "+visible.Time(t))
	}
	switch gap := n.Gap(); {
	case n.Rejected() != "":
		parts = append(parts, "REJECTED"+strings.TrimPrefix(gap, "rejected"))
	case gap != "":
		parts = append(parts, strings.ToUpper(gap[:1])+gap[1:])
	}
	return strings.Join(parts, "  ")
}

// signerNames returns the names of the signers for people.
func (n Node) signerNames() []string {
	var names []string
	for _, by := range n.Signers() {
		name := by.Kind + " " + by.Name
		if by.Issuer != "" {
			name = by.Name + ", as " + by.Issuer + " says"
		}
		names = append(names, name)
	}
	return names
}
