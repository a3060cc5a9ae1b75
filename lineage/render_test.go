package lineage

import (
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// hostile is a name that wants out of a label, a line, an attribute, a terminal and a browser.
const hostile = "k\"];\n n9 --> n8 \\\" <img src=x onerror=alert(1)> #quot; `%%` \x1b[2J\u202e ]]:::missing |end| &quot; \xff"

func TestHostileNames(t *testing.T) {
	f := newLineage(t, hostile)
	parent := f.run(1, nil)
	child, childID := f.declare(2, parent)
	f.add(hostile, f.sign(newSigner(t, signer.Ed25519), statement(childID, child)))
	g := f.build(Options{Rejected: func(_ context.Context, runs []identity.ID) (map[identity.ID]string, error) {
		return map[identity.ID]string{parent: hostile}, nil
	}})
	dotNode := regexp.MustCompile(`^  n\d+ \[label="(?:[^"\\<>\x00-\x1f]|\\["\\n])*", (?:color|penwidth|style)[^"]*"#[0-9a-f]{6}"[a-z0-9=, ]*\];$`)
	mermaidNode := regexp.MustCompile(`^  n\d+\["(?:[A-Za-z0-9 .,:_/@-]|#\d+;|<br/>)*"\]:::(?:verified|unverified|missing|earlier|rejected)$`)
	for name, c := range map[string]struct {
		write func(io.Writer, ...Node) error
		line  *regexp.Regexp
		edge  string
		lines int
	}{
		"dot":     {g.WriteDOT, dotNode, "  n0 -> n1;", 2 + 3 + 1},
		"mermaid": {g.WriteMermaid, mermaidNode, "  n0 --> n1", 1 + 3 + 5},
	} {
		var b strings.Builder
		if err := c.write(&b, g.Roots()...); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		nodes, edges := 0, 0
		for _, line := range lines {
			if c.line.MatchString(line) {
				nodes++
			} else if line == c.edge {
				edges++
			}
		}
		if nodes != 2 || edges != 1 || len(lines) != c.lines {
			t.Errorf("%s: %d nodes, %d edges and %d lines, want 2, 1 and %d:\n%s", name, nodes, edges, len(lines), c.lines, &b)
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("%s: control characters:\n%q", name, &b)
		}
	}
	tree := text(t, func(w io.Writer) error { return g.WriteText(w, g.Roots()...) })
	if strings.Count(tree, "\n") != 2 || strings.ContainsAny(tree, "\x1b\u202e") {
		t.Errorf("text: %q", tree)
	}
	object := text(t, func(w io.Writer) error { return g.WriteJSON(w, g.Roots()...) })
	if !json.Valid([]byte(object)) || strings.Count(object, "\n") != 1 || strings.Contains(object, "\x1b") {
		t.Errorf("JSON: %q", object)
	}
}

// TestGraphvizReads has Graphviz itself read the drawing, where there is one.
func TestGraphvizReads(t *testing.T) {
	program, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("no Graphviz here")
	}
	f := newLineage(t, hostile)
	f.run(2, []identity.ID{f.run(1, nil)})
	g := f.build(Options{})
	cmd := exec.Command(program, "-Tplain")
	cmd.Stdin = strings.NewReader(text(t, func(w io.Writer) error { return g.WriteDOT(w, g.Roots()...) }))
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count("\n"+string(out), "\nnode ") != 2 || strings.Count(string(out), "\nedge ") != 1 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestLongChain: nothing is recursive, and a chain takes lines and not their square.
func TestLongChain(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	f := newLineage(t, "alice")
	last := f.run(0, nil)
	for i := 1; i < n; i++ {
		last = f.run(i, []identity.ID{last})
	}
	g := f.build(Options{})
	if roots := g.Roots(); len(roots) != 1 || roots[0].ID() != last || !g.Complete(roots...) || g.Counts().Verified != n {
		t.Fatalf("%d roots, %+v", len(roots), g.Counts())
	}
	depth := 0
	for s := range g.Walk(g.Roots()...) {
		depth = max(depth, s.Depth)
	}
	if depth != n-1 {
		t.Errorf("depth %d, want %d", depth, n-1)
	}
	for name, write := range map[string]func(io.Writer, ...Node) error{"text": g.WriteText, "json": g.WriteJSON, "dot": g.WriteDOT, "mermaid": g.WriteMermaid} {
		var b strings.Builder
		if err := write(&b, g.Roots()...); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), "airun:1:"); got < n || b.Len() > 500*n {
			t.Errorf("%s: %d identities in %d bytes for %d runs", name, got, b.Len(), n)
		}
	}
	all, err := g.Ancestors(f.verified(n, []identity.ID{last}))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for range all {
		count++
	}
	if count != n {
		t.Errorf("%d ancestors, want %d", count, n)
	}
}

// TestTree shows the shape: each run once, and referred to after that.
func TestTree(t *testing.T) {
	f := newLineage(t, "alice")
	eldest := f.run(1, nil)
	left, right := f.run(2, []identity.ID{eldest}), f.run(3, []identity.ID{eldest})
	child := f.run(4, []identity.ID{left, right}, at(0))
	g := f.build(Options{})
	const ok = "  agent  verified: key alice"
	want := child.String() + ok + "  by 2026-01-31T12:00:00Z\n" +
		"├── " + left.String() + ok + "\n" +
		"│   └── " + eldest.String() + ok + "\n" +
		"└── " + right.String() + ok + "\n" +
		"    └── " + eldest.String() + "  (above)\n"
	if got := text(t, func(w io.Writer) error { return g.WriteText(w, g.Roots()...) }); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestManySignatures: of a run that was signed keyless again and again each signature has a key of its own.
func TestManySignatures(t *testing.T) {
	g := &Graph{index: map[identity.ID]int32{}}
	for i := range 100_000 {
		by := evidence.SignerIdentity{Kind: evidence.SignedByCertificate, Name: "ci@acme.example", Issuer: "https://acme.example", KeyHint: strconv.Itoa(i / 2)}
		if err := g.add(finding{signer: by}); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	if n := len((Node{g, 0}).Signers()); n != 50_000 {
		t.Errorf("%d signers", n)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("to list the signers takes %v", took)
	}
}
