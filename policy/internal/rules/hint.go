package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/unseen"
	"github.com/runattest/runattest/internal/visible"
)

// CEL says which types met, and not what to write instead.

var (
	overloadPattern   = lazyregexp.New(`^found no matching overload for '(.+?)' applied to '(?:(.+)\.)?\((.*)\)'`)
	unknownName       = lazyregexp.New(`^undeclared reference to '([^']*)'`)
	unknownMember     = lazyregexp.New(`^undefined field '([^']*)'`)
	hyphened          = lazyregexp.New(`([A-Za-z_][\w.]*)\.(\w+(?:-\w+)+)`)
	hasOwnNames       = lazyregexp.New(`^\.?(?:declaration\.(?:parameters|constraints|extensions)\b|annotations\b)|^[a-z]\w*\.content\b`)
	memberNames       = lazyregexp.New(`\.([\pL_][\pL\pM\pN_]*)`)
	arrowInCall       = lazyregexp.New(`\(\s*\w+\s*=>`)
	lengthMember      = lazyregexp.New(`\.(?:len|length|count|size)\b`)
	bareDate          = lazyregexp.New(`\b[12]\d{3}-[01]\d-[0-3]\d\b`)
	namesWithEnds     = lazyregexp.New(`\b([A-Za-z_]\w*)\s*([.,(\[]?)`)
	hyphensInBrackets = lazyregexp.New(`\[\s*(\w+(?:-\w+)+)\s*\]`)
	lexerStopped      = lazyregexp.New(`token recognition error at: '(.)`)
)

// celHint is what to do about what CEL says of an expression at an offset, in characters; "" if that is not known.
func celHint(message, expr string, offset int) string {
	if m := overloadPattern.FindStringSubmatch(message); m != nil {
		args := splitTypes(m[3])
		if m[2] != "" {
			args = append([]string{m[2]}, args...)
		}
		if date := bareDate.FindString(withoutStrings(withoutComments(expr))); date != "" && slices.Contains(args, "timestamp") {
			return `write timestamp("` + date + `T00:00:00Z")`
		}
		return overloadHint(m[1], args)
	}
	if m := unknownName.FindStringSubmatch(message); m != nil {
		for _, member := range hyphened.FindAllStringSubmatch(withoutStrings(withoutComments(expr)), -1) {
			if !strings.HasSuffix(member[2], "-"+m[1]) {
				continue
			}
			if hasOwnNames.MatchString(member[1]) {
				return `write ` + member[1] + `["` + member[2] + `"]: - subtracts`
			}
			return "a name with - in it, which subtracts, is one in parameters, constraints, extensions or annotations: declaration.parameters[\"" + member[2] + "\"]"
		}
		return nameHint(m[1], withoutStrings(withoutComments(expr)))
	}
	if m := unknownMember.FindStringSubmatch(message); m != nil {
		return memberHint(ownerOf(expr, offset), m[1])
	}
	switch {
	case strings.HasPrefix(message, "Syntax error: "):
		return syntaxHint(message, expr)
	case strings.HasPrefix(message, "reserved identifier: "):
		return foreignHint(expr)
	case message == "type 'type(Declaration)' does not support field selection":
		return "write " + elsewhere["Declaration"]
	case strings.HasSuffix(message, "does not support field selection") && lengthMember.MatchString(withoutStrings(withoutComments(expr))):
		return "write size(x)"
	case strings.HasPrefix(message, "type 'list(") && strings.HasSuffix(message, "does not support field selection"):
		return `look at the elements: list.exists(x, x.name == "..."), or list.all(...)`
	case strings.HasPrefix(message, "type 'timestamp' does not support"):
		return "write getFullYear(), getMonth(), getDate(), getDayOfWeek() or getHours() behind it"
	case strings.HasPrefix(message, "invalid argument to has()"):
		return `write has(object.member), or "name" in object`
	case strings.HasPrefix(message, "expected type 'bool'"):
		return boolHint
	}
	return ""
}

const convertHint = "convert one of them: double(x), or int(x)"

var numbers, numberLists = []string{"int", "uint", "double"}, []string{"list(int)", "list(uint)", "list(double)"}

const boolHint = `compare first, as in declaration.kind == "training": !, && and || want conditions`

// overloadHint is how values of these types are brought together, or what the function wants.
func overloadHint(function string, args []string) string {
	has := func(kind ...string) bool {
		return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(kind, a) })
	}
	switch function {
	case operators.LogicalNot, operators.LogicalAnd, operators.LogicalOr:
		return boolHint
	case operators.Conditional:
		return "write condition ? a : b with a and b of one type"
	case operators.In:
		if len(args) == 2 && slices.Contains(numbers, args[0]) && slices.Contains(numberLists, args[1]) {
			return convertHint
		}
		if len(args) == 2 && objects()[args[0]] != nil {
			return `compare a member of it, as in signer.name in ["a", "b"]`
		}
		return `write x in [a, b]; a part of a text is found with text.contains("part")`
	case operators.Index:
		return `write object.member, list[0], or list.exists(x, x.name == "...")`
	case operators.Negate:
		return "- wants a number: int(x) or double(x) makes one of text"
	}
	if _, isOperator := operators.FindReverse(function); !isOperator {
		if function == "contains" && len(args) > 0 && (isListType(args[0]) || strings.HasPrefix(args[0], "map")) {
			return "write x in list, or name in object"
		}
		return signatureHint(function)
	}
	switch {
	case has("null", "null_type"):
		return "null is not in declarations: ask has(declaration.model.version), or !has(...)"
	case has("bool") && has("string"):
		return "true and false stand without quotes"
	case has("bool"):
		return "join conditions with &&: a < b && b < c"
	case has("timestamp", "google.protobuf.Timestamp") && has("string"):
		return `write timestamp("2026-01-31T12:00:00Z")`
	case has("timestamp", "google.protobuf.Timestamp", "duration", "google.protobuf.Duration") && has("int", "uint", "double", "string"):
		return `write duration("90s"), with the units h, m and s`
	case has("string") && has("int", "uint", "double"):
		return "write a number without quotes, or convert: int(x) or double(x) makes a number of text, string(x) text of a number"
	case function == operators.Modulo && has("double"):
		return "% takes whole numbers: int(x) makes one"
	case has("double") && has("int", "uint"):
		return convertHint
	case (function == operators.Equals || function == operators.NotEquals) && len(args) == 2 && args[1] == "list("+args[0]+")":
		return "write x in [a, b], or !(x in [a, b])"
	case function == operators.Add && slices.ContainsFunc(args, isListType):
		return "write list + [x]"
	case slices.ContainsFunc(args, isListType):
		return `look at the elements: list.exists(x, x == "..."), list.all(...), or size(list)`
	}
	return "compare members, as in declaration.model.name; json(x) is any value as text"
}

func isListType(name string) bool { return strings.HasPrefix(name, "list") }

// splitTypes splits a list of types at the commas that are not inside a type.
func splitTypes(s string) []string {
	var all []string
	depth, start := 0, 0
	for i, c := range s {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			all, start = append(all, s[start:i]), i+1
		}
	}
	all = append(all, s[start:])
	for i, one := range all {
		all[i] = strings.TrimSpace(one)
	}
	return all
}

// signatureHint says what a function takes.
func signatureHint(function string) string {
	e, err := environment()
	if err != nil || e.Functions()[function] == nil {
		return ""
	}
	var forms []string
	for _, o := range e.Functions()[function].OverloadDecls() {
		var args []string
		for _, t := range o.ArgTypes() {
			args = append(args, t.String())
		}
		call := function + "(" + strings.Join(args, ", ") + ")"
		if o.IsMemberFunction() && len(args) > 0 {
			call = args[0] + "." + function + "(" + strings.Join(args[1:], ", ") + ")"
		}
		if !slices.Contains(forms, call) {
			forms = append(forms, call)
		}
	}
	return "want " + strings.Join(forms, ", or ")
}

// elsewhere are names that other languages have, and what rules write.
var elsewhere = map[string]string{
	"len": "size(x)", "length": "size(x)", "count": "size(x)",
	"any": "list.exists(x, condition)", "some": "list.exists(x, condition)", "every": "list.all(x, condition)",
	"lower": "text.lowerAscii()", "toLower": "text.lowerAscii()", "toLowerCase": "text.lowerAscii()", "lowercase": "text.lowerAscii()",
	"strip": "text.trim()", "includes": `text.contains("part"), or x in list`, "indexOf": `text.contains("part")`,
	"startswith": `text.startsWith("...")`, "endswith": `text.endsWith("...")`, "match": `text.matches(r"...")`, "search": `text.matches(r"...")`,
	"get": "object.?member.orValue(x)", "exists": "list.exists(x, condition), or has(object.member)", "all": "list.all(x, condition)",
	"equals": "a == b", "has": `has(object.member), or "name" in object`, "isEmpty": "size(x) == 0", "empty": "size(x) == 0",
	"substring": `text.startsWith("..."), or text.matches(r"^...")`, "charAt": `text.startsWith("..."), or text.matches(r"^...")`,
	"True": "true", "False": "false", "TRUE": "true", "FALSE": "false",
	"nil": "has(object.member), or !has(object.member)", "None": "has(object.member), or !has(object.member)", "undefined": "has(object.member), or !has(object.member)", "NULL": "has(object.member), or !has(object.member)",
	"signers": "signer.name, or signer.kind: a run has one signer", "Declaration": "declaration, in small letters",
	"year": "now.getFullYear()", "hour": "now.getHours()", "weekday": "now.getDayOfWeek(), 0 for Sunday",
	"float": "double(x)", "number": "double(x), or int(x)", "str": "string(x)", "date": `timestamp("2026-01-31T12:00:00Z")`,
	"regex": `text.matches(r"...")`, "regexp": `text.matches(r"...")`, "re": `text.matches(r"...")`,
	"math": "a > b ? a : b for the larger of two", "max": "a > b ? a : b", "min": "a < b ? a : b", "abs": "x < 0 ? -x : x",
	"input": "declaration.kind, signer.name and the like: the variables stand alone", "data": "declaration.kind, signer.name and the like: the variables stand alone",
	"model": "declaration.model", "kind": "declaration.kind", "prompt": "declaration.prompt", "parameters": "declaration.parameters",
	"context": "declaration.context", "constraints": "declaration.constraints", "parents": "declaration.parents",
}

// nameHint is for a variable or a function that is not there, in an expression without strings and comments.
func nameHint(name, code string) string {
	if instead, ok := elsewhere[name]; ok {
		return "write " + instead
	}
	for _, quoted := range hyphensInBrackets.FindAllStringSubmatch(code, -1) {
		if slices.Contains(strings.Split(quoted[1], "-"), name) {
			return `write ["` + quoted[1] + `"]`
		}
	}
	behind := namesWithEnds.FindAllStringSubmatch(code, -1)
	isUsed := func(ends string) bool {
		return slices.ContainsFunc(behind, func(m []string) bool { return m[1] == name && m[2] != "" && strings.Contains(ends, m[2]) })
	}
	if isUsed(",") && isUsed(".") { // the variable of a macro that is not there, which has a hint of its own
		return ""
	}
	isCall := isUsed("(")
	e, err := environment()
	if err != nil {
		return ""
	}
	var functions, variables []string
	for f := range e.Functions() {
		if _, isOperator := operators.FindReverse(f); !isOperator && !strings.ContainsAny(f, "_@") {
			functions = append(functions, f)
		}
	}
	for _, v := range e.Variables() {
		if _, isObject := objects()[v.Name()]; v.Type().Kind() != types.TypeKind && !isObject {
			variables = append(variables, v.Name())
		}
	}
	slices.Sort(functions)
	slices.Sort(variables)
	if alike := alikeNames(name, append(functions, variables...)); len(alike) > 0 {
		return "did you mean " + strings.Join(alike, ", or ") + "?"
	}
	if isCall {
		return "the functions are " + strings.Join(functions, ", ")
	}
	if isUsed(".[") {
		return "the variables are " + strings.Join(variables, ", ")
	}
	return `write text in quotes, "` + name + `"; the variables are ` + strings.Join(variables, ", ")
}

// alikeNames are those nearest to name, which differ from it in case, or in two bytes at most.
func alikeNames(name string, all []string) []string {
	most := min(2, (len(name)+1)/3)
	var alike []string
	for _, one := range all {
		n := distance(strings.ToLower(one), strings.ToLower(name))
		if n < most {
			most, alike = n, nil
		}
		if n == most {
			alike = append(alike, one)
		}
	}
	slices.Sort(alike)
	return alike
}

// distance is how many bytes have to be changed, added or removed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

const implicationHint = "if a, then b, is !a || b"

const arrowHint = "write list.exists(x, condition), with a comma behind the name"

// foreign are operators of other languages.
var foreign = []struct {
	pattern *lazyregexp.Regexp
	hint    string
}{
	{lazyregexp.New(`(?i)\bbetween\b`), "write a <= x && x <= b"},
	{lazyregexp.New(`(?i)\b(and|or|not)\b`), "and is &&, or is ||, not is !: !(x in [a, b])"},
	{lazyregexp.New(`/\*|\*/`), "a comment begins with // and ends with its line"},
	{lazyregexp.New(`<>`), "unequal is !="},
	{lazyregexp.New(`\(\s*\w+\s*(?:->|=>)`), arrowHint},
	{lazyregexp.New(`\w->\w`), "a member stands behind a dot: declaration.kind"},
	{lazyregexp.New(`->|=>`), implicationHint},
	{lazyregexp.New(`\.\s*""`), `write object["name"], without the dot`},
	{lazyregexp.New(`\smatches\s`), `write a dot before it and brackets behind: text.matches(r"...")`},
	{lazyregexp.New(`\s(?:matches|contains|startsWith|endsWith)\s`), `write a dot before it and brackets behind: text.contains("...")`},
	{lazyregexp.New(`\[\s*\*\s*\]`), `look at the elements: list.exists(x, x.name == "...")`},
	{lazyregexp.New(`\b\d+[smhd]\b`), `write duration("90s"), with the units h, m and s`},
	{lazyregexp.New(`\?\?|\?\.\w`), "write object.?member.orValue(x)"},
	{lazyregexp.New(`\bif\b|\?[^:?.]*$`), "write condition ? a : b"},
	{lazyregexp.New(`\breturn\b`), "a rule is one expression: leave return out"},
	{lazyregexp.New(`\blike\b`), `write text.matches(r"..."), text.startsWith("...") or text.contains("...")`},
	{lazyregexp.New(`\bis\b`), "is it equal? write =="},
	{lazyregexp.New(`!~`), `write !text.matches(r"...")`},
	{lazyregexp.New(`\bin\s*[({]`), "write x in [a, b]"},
	{lazyregexp.New(`\*\*|\^`), "powers have no operator: multiply"},
	{lazyregexp.New(`\[[^][?{]*:[^][]*\]`), `part of a text or list is not taken out: text.startsWith("..."), text.matches(r"^...")`},
	{lazyregexp.New(`\.\w+\(\s*\w+\s*:`), arrowHint},
	{lazyregexp.New(`\b\d+_\d`), "write the digits of a number without _"},
	{lazyregexp.New(`\d\s*%\s*(?:$|[)\]&|,])`), "% is the remainder of a division, and no part of a number: write the number itself, as the declaration has it"},
	{lazyregexp.New(`;`), "a rule is one expression: join conditions with &&, without a semicolon"},
}

// foreignHint knows the operators of other languages, where they stand outside strings and comments.
func foreignHint(expr string) string {
	code := withoutStrings(withoutComments(expr))
	for _, f := range foreign {
		if f.pattern.MatchString(code) {
			return f.hint
		}
	}
	return ""
}

// withoutStrings is an expression whose strings are empty.
func withoutStrings(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); {
		end := i + 1
		if strings.IndexByte("\"'`", expr[i]) >= 0 {
			end = literalEnd(expr, i)
			b.WriteString(`""`)
		} else {
			b.WriteByte(expr[i])
		}
		i = end
	}
	return b.String()
}

// asciiOperators are the operators of CEL for what word processors and mathematics have.
var asciiOperators = map[string]string{
	"≠": "!=", "≤": "<=", "≥": ">=", "−": "-", "–": "-", "×": "*", "÷": "/", "∧": "&&", "∨": "||", "¬": "!", "→": "!a || b for if a, then b",
}

func syntaxHint(message, expr string) string {
	if at := lexerStopped.FindStringSubmatch(message); at != nil {
		if r, _ := utf8.DecodeRuneInString(at[1]); r >= utf8.RuneSelf && (unicode.IsSpace(r) || !unicode.IsPrint(r)) {
			return fmt.Sprintf("remove the character %U, which looks like a blank or like nothing", r)
		}
		if r, _ := utf8.DecodeRuneInString(at[1]); r >= utf8.RuneSelf && unicode.IsLetter(r) {
			for _, name := range memberNames.FindAllStringSubmatch(withoutStrings(withoutComments(expr)), -1) {
				isWrong := slices.ContainsFunc(unseen.Mistakes(name[1]), unseen.Finding.IsCertain)
				if !isWrong && strings.ContainsRune(name[1], r) {
					return fmt.Sprintf("%U is not one of the letters a to z: members of parameters, constraints, extensions and annotations that have it are written [%q], not .%s", r, name[1], name[1])
				}
			}
			return fmt.Sprintf("%U is not one of the letters a to z, which names have: write the name in those, and text in quotes", r)
		}
		if ascii, ok := asciiOperators[at[1]]; ok {
			return "write " + ascii
		}
		switch at[1] {
		case "#":
			return "a comment begins with //"
		case "~":
			return `write text.matches(r"...")`
		case "=":
			switch code := withoutStrings(withoutComments(expr)); {
			case strings.Contains(code, "!=="):
				return "unequal is !="
			case strings.Contains(code, "=~"):
				return `write text.matches(r"...")`
			case arrowInCall.MatchString(code):
				return arrowHint
			case strings.Contains(code, "=<"):
				return "at most is <="
			case strings.Contains(code, "=>"):
				return "at least is >=, at most is <=; if a, then b, is !a || b"
			}
			return "is it equal? write =="
		case "&", "|":
			return "and is &&, or is ||"
		case `"`, "'":
			if strings.Contains(message, `\`) {
				return `CEL has no such escape: write a raw string, r"..."`
			}
			return "close the string with the quote with which it begins, on the same line; in YAML a blank and # begin a comment: there, put the whole expression in quotes, or below |"
		case "“", "”", "‘", "’", "«", "»":
			return `write straight quotes: "..."`
		}
	}
	if strings.Contains(message, "'`") {
		return `write text in double quotes, and a member with - or a blank in its name as object["name"]`
	}
	return foreignHint(expr)
}

// typedCall is a call that says which types met, where CEL says that it has no such overload.
type typedCall struct{ interpreter.InterpretableCall }

// Exec evaluates the call.
func (c *typedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	value := c.InterpretableCall.Exec(frame)
	err, ok := value.(*types.Err)
	if !ok || err.NodeID() != c.ID() || !strings.HasPrefix(err.Error(), noSuchOverload) {
		return value
	}
	var args []string
	for _, a := range c.Args() {
		args = append(args, a.Exec(frame).Type().TypeName())
	}
	return types.NewErrWithNodeID(c.ID(), "%s", overloadMessage(c.Function(), args))
}

// Eval evaluates the call.
func (c *typedCall) Eval(vars interpreter.Activation) ref.Val {
	return c.Exec(interpreter.AsFrame(vars))
}

const noSuchOverload = "no such overload"

// overloadMessage says which types met in a call, and what to write.
func overloadMessage(function string, args []string) string {
	name, isOperator := operators.FindReverse(function)
	if !isOperator {
		name = function
	}
	message := name + " does not take " + strings.Join(args, " and ")
	if hint := overloadHint(function, args); hint != "" {
		message += "; " + hint
	}
	return message
}

// evaluationError is what an evaluation ended with. && and || do not say what they met.
func evaluationError(err error) string {
	text := err.Error()
	if text == noSuchOverload {
		text = "a value is not a bool; " + boolHint
	}
	return visible.OneLine(text)
}

var _ interpreter.InterpretableCall = (*typedCall)(nil)

// typeHint is for an expression that is of a type of its own.
func typeHint(t *cel.Type) string {
	if isListType(t.String()) {
		return "write list.exists(x, condition), list.all(x, condition), or size(list) > 0"
	}
	return boolHint
}
