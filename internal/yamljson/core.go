package yamljson

import (
	"math/big"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/runattest/runattest/internal/jsontree"
)

// isPlain tells a scalar without quotes, the only one whose type is read off its text.
func isPlain(n *yaml.Node) bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == yaml.ScalarNode && n.Style&quoted == 0
}

// coreType returns the type of a plain scalar in the core schema (YAML 1.2.2, section 10.3.2),
// and Absent for a lone indicator, which is not a plain scalar in YAML 1.2.
func coreType(s string) jsontree.Kind {
	switch s {
	case "?", "-", ":":
		return jsontree.Absent
	case "", "~", "null", "Null", "NULL":
		return jsontree.Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return jsontree.Bool
	}
	if isCoreInt(s) || isCoreFloat(s) || isCoreSpecial(s) {
		return jsontree.Number
	}
	return jsontree.String
}

// isCoreInt tells [-+]?[0-9]+, 0o[0-7]+ and 0x[0-9a-fA-F]+.
func isCoreInt(s string) bool {
	if digits, ok := strings.CutPrefix(s, "0o"); ok {
		return digits != "" && allBytes(digits, func(c byte) bool { return c >= '0' && c <= '7' })
	}
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		return digits != "" && allBytes(digits, isHexDigit)
	}
	digits := trimSign(s)
	return digits != "" && allBytes(digits, isDigit)
}

// isCoreFloat tells [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?.
func isCoreFloat(s string) bool {
	whole, fraction, exponent := splitFloat(s)
	if exponent != "" && (trimSign(exponent[1:]) == "" || !allBytes(trimSign(exponent[1:]), isDigit)) {
		return false
	}
	if !allBytes(whole, isDigit) || fraction != "" && !allBytes(fraction[1:], isDigit) {
		return false
	}
	return whole != "" || len(fraction) > 1
}

// isCoreSpecial tells [-+]?(\.inf|\.Inf|\.INF) and \.nan|\.NaN|\.NAN.
func isCoreSpecial(s string) bool {
	switch trimSign(s) {
	case ".inf", ".Inf", ".INF":
		return true
	}
	return s == ".nan" || s == ".NaN" || s == ".NAN"
}

// splitFloat cuts an unsigned or signed number into its digits before the point, the
// point with what follows, and the exponent with its letter.
func splitFloat(s string) (whole, fraction, exponent string) {
	s = trimSign(s)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		s, exponent = s[:i], s[i:]
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		s, fraction = s[:i], s[i:]
	}
	return s, fraction, exponent
}

// jsonNumber is the JSON literal of a core schema number, digit for digit; false for
// infinity and not-a-number.
func jsonNumber(s string) (string, bool) {
	if isCoreSpecial(s) {
		return "", false
	}
	for prefix, base := range map[string]int{"0o": 8, "0x": 16} {
		if digits, ok := strings.CutPrefix(s, prefix); ok {
			if digits = strings.TrimLeft(digits, "0"); len(digits) > 400 {
				return "1e400", true // beyond a double, and said so when the JSON text is read
			}
			n, ok := new(big.Int).SetString("0"+digits, base)
			return n.String(), ok
		}
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign = "-"
	}
	whole, fraction, exponent := splitFloat(s)
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction == "." {
		fraction = ""
	}
	return sign + whole + fraction + exponent, true
}

func trimSign(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:]
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHexDigit(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func allBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
