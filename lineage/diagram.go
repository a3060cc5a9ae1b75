package lineage

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/runattest/runattest/internal/visible"
)

// diagram is a language for graphs.
type diagram struct {
	begin, end string
	node       string // number, label, class
	edge       string // number of the parent and of the child
	newline    string // within a label
	escape     func(string) string
}

var dot = diagram{
	begin:   "digraph runs {\n  node [shape=box, fontname=\"monospace\"];\n",
	end:     "}\n",
	node:    "  n%d [label=\"%s\", %s];\n",
	edge:    "  n%d -> n%d;\n",
	newline: `\n`,
	escape:  strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, "&amp;", `<`, "&lt;", `>`, "&gt;").Replace,
}

var mermaid = diagram{
	begin: "flowchart TB\n",
	end: "  classDef verified stroke:#2a2\n  classDef unverified stroke:#c22,stroke-width:2px\n" +
		"  classDef missing stroke:#c22,stroke-dasharray:4\n  classDef earlier stroke:#c80,stroke-width:2px\n  classDef rejected stroke:#c22,stroke-width:4px\n",
	node:    "  n%d[\"%s\"]:::%s\n",
	edge:    "  n%d --> n%d\n",
	newline: "<br/>",
	escape:  escapeMermaid,
}

// WriteDOT writes the roots' ancestry for Graphviz, parents above their children.
func (g *Graph) WriteDOT(w io.Writer, roots ...Node) error {
	if err := g.canWrite(w); err != nil {
		return err
	}
	return g.draw(w, dot, roots, func(class string) string {
		return map[string]string{
			"verified":   `color="#22aa22"`,
			"unverified": `color="#cc2222", penwidth=2`,
			"missing":    `color="#cc2222", style=dashed`,
			"earlier":    `color="#cc8800", penwidth=2`,
			"rejected":   `color="#cc2222", penwidth=4`,
		}[class]
	})
}

// WriteMermaid writes the roots' ancestry as a Mermaid flowchart, parents above their children.
func (g *Graph) WriteMermaid(w io.Writer, roots ...Node) error {
	if err := g.canWrite(w); err != nil {
		return err
	}
	return g.draw(w, mermaid, roots, func(class string) string { return class })
}

func (g *Graph) draw(w io.Writer, d diagram, roots []Node, style func(class string) string) error {
	out := bufio.NewWriter(w)
	out.WriteString(d.begin)
	for n := range g.Ancestry(roots...) {
		fmt.Fprintf(out, d.node, n.i, n.label(d), style(n.class()))
		for p := range n.Parents() {
			fmt.Fprintf(out, d.edge, p.i, n.i)
		}
	}
	out.WriteString(d.end)
	return out.Flush()
}

func (n Node) class() string {
	if n.Rejected() != "" {
		return "rejected"
	}
	if _, earlier := n.EarlierThan(); earlier && n.State() == Verified {
		return "earlier"
	}
	return n.State().String()
}

// label has the whole identity, so that it can be copied out of a drawing.
func (n Node) label(d diagram) string {
	lines := []string{n.ID().String()}
	if kind := n.Kind(); kind != "" {
		lines = append(lines, string(kind))
	}
	lines = append(lines, n.signerNames()...)
	if gap := n.Gap(); gap != "" {
		lines = append(lines, gap)
	}
	for i, line := range lines {
		lines[i] = d.escape(visible.Escape(line))
	}
	return strings.Join(lines, d.newline)
}

// escapeMermaid leaves nothing that could end a label, begin markup or be a keyword's punctuation: everything but
// plain characters is written as Mermaid's decimal entity.
func escapeMermaid(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" .,:-_/@", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
