package yamljson

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/lazyregexp"
)

// Ambiguous lists the plain scalars that other readers (those of YAML 1.1, such as PyYAML and Ruby's, and those of Go and
// Rust) read as another value than YAML 1.2's core schema: such a program would use another value than the one that is
// declared here.
func (d *Document) Ambiguous() []Problem {
	a := &Document{most: d.most, pointers: d.pointers}
	a.ambiguous(d.root, false)
	return a.problems
}

// AmbiguousToPyYAML is Ambiguous without a lone point, such as in "path: .", which npm's yaml alone takes for a number: for files that a
// program in Python reads.
func (d *Document) AmbiguousToPyYAML() []Problem {
	a := &Document{most: d.most, pointers: d.pointers, pointIsText: true}
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
		if s := n.Value; isPlain(n) && len(s) <= longestAmbiguous && (s != "." || !d.pointIsText) {
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
		if _, err := strconv.ParseFloat(number, 64); err != nil {
			return // beyond a double: refused when the JSON text is read, in any spelling
		}
		here, hint = "the number "+number, "write "+number11(number)+" for the number; quote it for text"
	}
	d.refuse(n, "yaml-version", fmt.Sprintf("%s is %s here, as in YAML 1.2, and %s for other readers", s, here, other), hint)
}

var (
	bool11   = lazyregexp.New(`(?i)^(y|yes|n|no|on|off|true|false)$`) // Ruby takes them in any case
	date11   = lazyregexp.New(`^-?[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?)?$`)
	base60   = lazyregexp.New(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
	octal11  = lazyregexp.New(`^[-+]?0[0-7_]+$`)
	int11    = lazyregexp.New(`^[-+]?(0|[1-9][0-9]*)$`)
	float11  = lazyregexp.New(`^([-+]?(0|[1-9][0-9]*)\.[0-9]*([eE][-+][0-9]+)?|\.[0-9]+([eE][-+][0-9]+)?)$`)
	points11 = lazyregexp.New(`^[-+]?\._*([eE][-+]?[0-9]+)?$`)
	hex64    = lazyregexp.New(`^0x0*[0-9a-fA-F]{1,16}$`)

	// Digits may have "_" between them; Go and Rust take prefixes in either case, and some second signs; Ruby takes commas.
	based11  = lazyregexp.New(`^[-+]?0_*([bB][-+]?[01_]*[01]|[oO][-+]?[0-7_]*[0-7]|[xX][-+]?[0-9a-fA-F_]*[0-9a-fA-F])_*$`)
	spaced11 = lazyregexp.New(`^\+?[-+]?([0-9][0-9_]*(\._*[0-9_]*)?|\._*[0-9][0-9_]*)([eE][-+]?_*[0-9][0-9_]*)?$|^[-+]_[_.]*[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]+)?$`)
	commas11 = lazyregexp.New(`^[-+]?([1-9](,?[0-9])*|0[0-7,]+|[0-9][0-9_,]*\.[0-9]*([eE][-+][0-9]+)?)$`)
)

// reading11 is what another reader than one of YAML 1.2's core schema takes a plain scalar for, where that is another value;
// else "".
func reading11(s string, inFlow bool) string {
	switch t := coreType(s); {
	case t == jsontree.Number && isCoreSpecial(s), t != jsontree.Number && t != jsontree.String:
		return ""
	case t == jsontree.Number:
		return number11Reading(s)
	case !maybeOther(s):
		return ""
	}
	switch {
	case bool11.MatchString(s):
		return "a boolean"
	case strings.EqualFold(s, "null"):
		return "null"
	case date11.MatchString(s):
		return "a date"
	case s == "=" || s == "<<":
		return "a tag of its own"
	case inFlow && strings.HasPrefix(s, "?"):
		return "a key"
	case len(s) > 1 && s[0] == ':':
		return "a symbol"
	case base60.MatchString(s):
		return "a number in base 60"
	case octal11.MatchString(s):
		return "an octal number"
	case points11.MatchString(s): // "." to npm's yaml
		return "not a number"
	case based11.MatchString(s) || spaced11.MatchString(s) || commas11.MatchString(s): // 1_000 and 1,000
		return "a number"
	}
	return ""
}

// maybeOther is false only for what every reader takes for text, as most scalars are: what begins with a letter and is not a word of YAML 1.1.
func maybeOther(s string) bool {
	if c := s[0] | 0x20; c < 'a' || c > 'z' {
		return true
	}
	return slices.ContainsFunc([]string{"y", "yes", "n", "no", "on", "off", "true", "false", "null"}, func(word string) bool { return strings.EqualFold(s, word) })
}

// number11Reading is reading11 of a number.
func number11Reading(s string) string {
	switch {
	case octal11.MatchString(s) && len(strings.TrimLeft(trimSign(s), "0")) > 1:
		return "an octal number"
	case !int11.MatchString(s) && !float11.MatchString(s) && !hex64.MatchString(s):
		return "text" // 0o17, 1e-5, 08, 007
	}
	return ""
}

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
