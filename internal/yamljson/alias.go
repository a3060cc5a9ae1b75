package yamljson

import (
	"bytes"

	"go.yaml.in/yaml/v4"
)

// place is where a node begins, from 1.
type place struct{ line, column int }

// rereads is how often the largest text may be read again because of aliases without an anchor, and a smaller one more often.
const rereads = 4

// loadPastAliases is load, also of a text with aliases that have no anchor: text such as *.py. The parser stops at the first of
// them. So it gets a copy in which each is plain text of the same length, and stray says where they are.
func loadPastAliases(data []byte, noun string, l Limits) (root *yaml.Node, stray map[place]bool, problem *Problem) {
	root, problem = load(data, noun, l)
	first, copied := problem, bytes.Clone(data)
	for problem != nil && problem.Code == "yaml-alias" {
		at := (&Document{src: copied}).offset(problem.Line, problem.Column)
		if at >= len(copied) || copied[at] != '*' || len(stray) == l.Problems || len(stray)*len(data) > rereads*l.Bytes {
			return nil, nil, first
		}
		if stray == nil {
			stray = map[place]bool{}
		}
		copied[at] = 'x'
		stray[place{problem.Line, problem.Column}] = true
		root, problem = load(copied, noun, l)
	}
	if problem != nil && stray != nil { // of the text as it is
		problem = first
	}
	return root, stray, problem
}

// isAlias says whether a node is an alias, or stands for one.
func (d *Document) isAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Kind == yaml.ScalarNode && d.stray[place{n.Line, n.Column}]
}
