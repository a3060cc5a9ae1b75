package yamljson

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/runattest/runattest/internal/jsontree"
)

// Ambiguous lists the plain scalars that readers of YAML 1.1 (PyYAML, Ruby, older tools of Go) take for another value
// than YAML 1.2 says: a program that reads the same file uses something else than what the document says here.
func (d *Document) Ambiguous() []Problem {
	a := &Document{most: d.most, pointers: d.pointers}
	a.ambiguous(d.root, false)
	return a.problems
}

func (d *Document) ambiguous(n *yaml.Node, inFlow bool) {
	flow := n.Style&yaml.FlowStyle != 0
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.step(n.Content[i].Value)
			if key := n.Content[i]; key.Value != "<<" && coreType(key.Value) == jsontree.String { // others are refused
				d.ambiguous(key, flow)
			}
			d.ambiguous(n.Content[i+1], flow)
			d.back()
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			d.step(strconv.Itoa(i))
			d.ambiguous(e, flow)
			d.back()
		}
	case yaml.ScalarNode:
		if s := n.Value; isPlain(n) && len(s) <= longestAmbiguous {
			if other := reading11(s, inFlow); other != "" {
				d.warn(n, s, other)
			}
		}
	}
}

// longestAmbiguous is the length of a scalar that may be taken for a number, a date or a word.
const longestAmbiguous = 400

func (d *Document) warn(n *yaml.Node, s, other string) {
	here, hint := "text", "quote it: "+strconv.Quote(s)
	if coreType(s) == jsontree.Number {
		number, _ := jsonNumber(s)
		here, hint = "the number "+number, "write "+number11(number)+" for the number; quote it for text"
	}
	d.refuse(n, "yaml-version", fmt.Sprintf("%s is %s here, as in YAML 1.2, and %s for readers of YAML 1.1", s, here, other), hint)
}

var (
	bool11      = regexp.MustCompile(`^(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$`)
	binary11    = regexp.MustCompile(`^[-+]?0b[01_]+$`)
	hex11       = regexp.MustCompile(`^[-+]?0x[0-9a-fA-F_]+$`)
	octal11     = regexp.MustCompile(`^[-+]?0[0-7_]+$`)
	octal12     = regexp.MustCompile(`^0o[0-7_]+$`)
	leadingZero = regexp.MustCompile(`^[-+]?0[0-9]+$`)
	float11     = regexp.MustCompile(`^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)$`)
	int11       = regexp.MustCompile(`^[-+]?(0|[1-9][0-9_]*)$`)
	base60      = regexp.MustCompile(`^[-+]?([1-9][0-9_]*(:[0-5]?[0-9])+|[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*)$`)
	date11      = regexp.MustCompile(`^[0-9]{4}-([0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)$`)
)

// reading11 is what a plain scalar is for a reader of YAML 1.1, where that is another value; else "".
func reading11(s string, inFlow bool) string {
	isNumber := coreType(s) == jsontree.Number && !isCoreSpecial(s)
	switch {
	case bool11.MatchString(s):
		return "a boolean"
	case date11.MatchString(s):
		return "a date"
	case s == "=" || s == "<<":
		return "a tag of its own"
	case inFlow && strings.HasPrefix(s, "?"):
		return "a key"
	case base60.MatchString(s):
		return "a number in base 60"
	case octal12.MatchString(s):
		return "text"
	case octal11.MatchString(s):
		if digits := strings.TrimLeft(trimSign(s), "0"); isNumber && len(digits) < 2 {
			return "" // one octal digit, or none
		}
		return "an octal number"
	case isNumber && leadingZero.MatchString(s):
		return "text" // 08
	case isNumber && !isCoreHex(s) && !int11.MatchString(s) && !float11.MatchString(s):
		return "text" // 1e-5
	case !isNumber && (binary11.MatchString(s) || hex11.MatchString(s) || int11.MatchString(s) || float11.MatchString(s)):
		return "a number" // 1_000
	}
	return ""
}

func isCoreHex(s string) bool { return strings.HasPrefix(s, "0x") }

// number11 spells a JSON number so that every reader takes it for that number.
func number11(literal string) string {
	at := strings.IndexAny(literal, "eE")
	if at < 0 {
		return literal
	}
	mantissa, exponent := literal[:at], literal[at+1:]
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}
