package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/overloads"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/regexplang"
)

// form is what each text of a member is like, of which not every text is one.
type form struct {
	pattern    *lazyregexp.Regexp
	what, hint string
	// lacks tells characters that no such text has.
	lacks func(rune) bool
}

// forms are those of members, and of what functions give, as members of String.
var forms = sync.OnceValue(func() map[string]form {
	return map[string]form{
		"Digest.sha256": {lazyregexp.New(`^[0-9a-f]{64}$`), "a SHA-256", "want 64 hex digits in lower case", notIn(hexDigits)},
		"Digest.sha384": {lazyregexp.New(`^[0-9a-f]{96}$`), "a SHA-384", "want 96 hex digits in lower case", notIn(hexDigits)},
		"Digest.sha512": {lazyregexp.New(`^[0-9a-f]{128}$`), "a SHA-512", "want 128 hex digits in lower case", notIn(hexDigits)},

		"Run.id":              formOfID,
		"Run.parents":         formOfID,
		"Declaration.parents": formOfID,
		"Ancestor.id":         formOfID,
		"Ancestor.parents":    formOfID,

		memberAlgorithm: {lazyregexp.New(`^(ecdsa-p(256|384|521)|ed25519|rsa-[1-9][0-9]{3,4})$`), "the algorithm of a key",
			"want ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519, or rsa- and the number of bits, such as rsa-3072", notIn("abcdefghijklmnopqrstuvwxyz0123456789-")},

		ofLowerASCII: {lazyregexp.New(`^[^A-Z]*$`), "text in lower case", "write it in lower case", func(r rune) bool { return r >= 'A' && r <= 'Z' }},
		ofJSON:       {lazyregexp.New(`^(["[{0-9-]|(true|false|null)$)`), "JSON text without blanks between its parts", `write texts in their quotation marks, and no blank behind a colon`, nil},
		ofTrim:       {lazyregexp.New(`^(\S((?s:.*)\S)?)?$`), "text without blanks at its ends", "leave the blanks out", nil},
	}
})

const (
	hexDigits       = "0123456789abcdef"
	beginningOfID   = "airun:1:sha256:"
	memberAlgorithm = "Signer.algorithm"

	memberApprover, memberApproverRole = "Approval.approver", "Approval.role"

	ofLowerASCII = "String.lowerAscii()"
	ofTrim       = "String.trim()"
	ofJSON       = "String.json()"
)

// spaced is in JSON text with a blank behind or before a colon, and in none without, where a backslash is before a quotation mark inside
// of a text.
var spaced = lazyregexp.New(`[^\\]"([ \t\r\n]+:|:[ \t\r\n])`)

var formOfID = form{lazyregexp.New(`^airun:1:sha256:[0-9a-f]{64}$`), "the identity of a run",
	"want airun:1:sha256: and 64 hex digits in lower case, as runattest id prints it", notIn(beginningOfID + hexDigits)}

func notIn(characters string) func(rune) bool {
	return func(r rune) bool { return !strings.ContainsRune(characters, r) }
}

// misformed says what a constant is not, with which members are compared that only have such texts. An empty one asks whether
// the member is there.
func (c comparison) misformed() (what, hint string) {
	if c.text == "" || slices.Contains(c.also, c.text) {
		return "", ""
	}
	for _, m := range c.members {
		f := forms()[m]
		if f.pattern == nil || f.pattern.MatchString(c.text) {
			return "", ""
		}
		what, hint = f.what, f.hint
	}
	return what, hint
}

// functionMatches is tested on pieces of texts besides startsWith, endsWith and contains.
const functionMatches = "matches"

var verbs = map[string]string{overloads.StartsWith: "begins with", overloads.EndsWith: "ends with", overloads.Contains: "contains", functionMatches: "matches"}

// checkPieces refuses beginnings, ends, parts and patterns that no text of a member has: a SHA-256 does not begin with "sha256:", and no
// kind of run with "Train".
func (s Scope) checkPieces(checked *cel.Ast) []Problem {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), ast.KindMatcher(ast.CallKind)) {
		call := e.AsCall()
		args := call.Args()
		if call.IsMemberFunction() {
			args = append([]ast.Expr{call.Target()}, args...)
		}
		function := call.FunctionName()
		if len(args) != 2 || !slices.Contains([]string{overloads.StartsWith, overloads.EndsWith, overloads.Contains, functionMatches}, function) {
			continue
		}
		of, pieces := textsIn(checked, args[0]), textsIn(checked, args[1])
		if of.open || len(of.members) == 0 || pieces.open || len(pieces.members) > 0 {
			continue
		}
		i := slices.IndexFunc(pieces.constants, func(text string) bool {
			return !slices.ContainsFunc(of.constants, func(c string) bool { return isTrueOf(c, function, text) }) &&
				!slices.ContainsFunc(of.members, func(m string) bool { return s.mayHave(m, function, text) })
		})
		if i < 0 {
			continue
		}
		member, text := of.members[0], pieces.constants[i]
		what, hint := forms()[member].what, forms()[member].hint
		if words, closed := s.Words[member]; closed {
			what, hint = quoted(words), ""
		}
		return whole(codeValue, hint, fmt.Sprintf("%s is %s, which never %s %.64q", nameOf(member), what, verbs[function], text))
	}
	return nil
}

// isTrueOf says whether a function of a text and a constant is true.
func isTrueOf(text, function, constant string) bool {
	switch function {
	case overloads.StartsWith:
		return strings.HasPrefix(text, constant)
	case overloads.EndsWith:
		return strings.HasSuffix(text, constant)
	case overloads.Contains:
		return strings.Contains(text, constant)
	}
	re, err := compileRegex(constant)
	return err != nil || re.MatchString(text)
}

// mayHave says whether a function of a text of the member and of a constant may be true.
func (s Scope) mayHave(member, function, constant string) bool {
	if member == memberApprover || member == memberApproverRole { // a pattern may be for the approvers of several policies
		return true
	}
	if words, closed := s.Words[member]; closed {
		return slices.ContainsFunc(words, func(w string) bool { return isTrueOf(w, function, constant) })
	}
	f, known := forms()[member]
	switch {
	case !known:
		return true
	case function == functionMatches && slices.Contains([]string{ofTrim, ofLowerASCII, ofJSON, memberAlgorithm}, member):
		return f.lacks == nil || !regexplang.IsNowhereWithout(constant, f.lacks)
	}
	switch member {
	case ofTrim:
		return function == overloads.Contains || function == overloads.StartsWith && strings.TrimLeft(constant, " \t\r\n") == constant ||
			function == overloads.EndsWith && strings.TrimRight(constant, " \t\r\n") == constant
	case ofJSON:
		return !spaced.MatchString(constant)
	case ofLowerASCII:
		return f.pattern.MatchString(constant)
	case memberAlgorithm:
		return strings.Contains("rsa-", strings.Trim(constant, "0123456789")) || // of some number of bits
			slices.ContainsFunc([]string{"ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519"}, func(w string) bool { return isTrueOf(w, function, constant) })
	}
	return s.hasPart(member, function, constant)
}

// hasPart says whether a digest, or the identity of a run, may begin with a text, end with it, contain it, or match a pattern. Each is a
// beginning and hex digits.
func (s Scope) hasPart(member, function, text string) bool {
	digits, isDigest := map[string]int{"Digest.sha256": 64, "Digest.sha384": 96, "Digest.sha512": 128}[member]
	var places []string
	if !isDigest {
		places, digits = strings.Split(beginningOfID, ""), 64
	}
	places = append(places, slices.Repeat([]string{hexDigits}, digits)...)
	last := len(places) - len(text) // at which it may begin
	fits := func(at int) bool {
		for i, place := range places[at : at+len(text)] {
			if strings.IndexByte(place, text[i]) < 0 {
				return false
			}
		}
		return true
	}
	switch {
	case function == functionMatches:
		return s.Steps == nil || regexplang.MatchesPart(text, places, s.Steps)
	case last < 0:
		return false
	case function == overloads.StartsWith:
		return fits(0)
	case function == overloads.EndsWith:
		return fits(last)
	}
	for at := range last + 1 {
		if fits(at) {
			return true
		}
	}
	return false
}
