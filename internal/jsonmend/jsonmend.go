// Package jsonmend explains what is wrong with text that package canonical refuses, in words that a person can act on.
// It mends a copy of the text to find all mistakes in one pass. The mended text is never used as a value.
package jsonmend

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/lazyregexp"
)

// Mistake is one mistake in a text.
type Mistake struct {
	*canonical.Error
	Message, Hint string

	IsNull    bool // a word that other languages write for null
	IsElement bool // it is an element of an array
	Replaced  bool // the value at Pointer is another one after the mending

	isComment bool
	mend      func(text []byte) // changes the text and not its length; nil if it cannot be mended
}

// All returns all mistakes in src, in the order in which they were found; the mended text, in which every value keeps
// its offset; and its canonical form, or nil if a mistake cannot be mended. It stops at most mistakes, and
// once it has read budget bytes.
func All(src []byte, rules canonical.Options, most, budget int) (found []Mistake, text, form []byte) {
	text = bytes.Clone(src)
	for {
		budget -= len(text)
		form, err := rules.Append(nil, text)
		var ce *canonical.Error
		if !errors.As(err, &ce) {
			return found, text, form
		}
		m := Explain(text, ce)
		if n := len(found); n > 0 {
			switch last := found[n-1]; {
			case m.Code == last.Code && m.Pointer == last.Pointer && (m.Code == "utf8" || m.Code == "surrogate"): // of the same string
				found = found[:n-1]
				m = Mistake{last.Error, last.Message, last.Hint, last.IsNull, last.IsElement, last.Replaced, false, m.mend}
			case m.Code == last.Code && m.Offset == last.Offset && last.Replaced: // by what stands there, where no value can
				return found, text, nil
			case m.mend == nil && last.isComment: // which had the rest of a line that is meant
				return found, text, nil
			}
		}
		found = append(found, m)
		if m.mend == nil || len(found) == most || budget < 0 {
			return found, text, nil
		}
		before := bytes.Clone(text)
		if m.mend(text); bytes.Equal(before, text) {
			return found, text, nil // would go on for ever
		}
	}
}

// LooksLikeYAML tells text whose first line is a key, an element or a document marker of YAML's.
func LooksLikeYAML(text []byte) bool { return yamlStart.Match(text[:min(len(text), 4096)]) }

var yamlStart = lazyregexp.New(`^(\s|#.*\n)*(---|%YAML|- \S|[A-Za-z_][\w.-]*:\s)`)

// Explain says what is wrong with text, which package canonical refuses with e.
func Explain(text []byte, e *canonical.Error) Mistake {
	m := Mistake{Error: e}
	if message, hint, ok := Form(text); ok {
		m.Message, m.Hint = message, hint
		return m
	}
	if e.Code == "syntax" || e.Code == "trailing" {
		if message, hint, ok := Wrapped(text, e.Offset); ok {
			m.Message, m.Hint = "not valid JSON: "+message, hint
			return m
		}
	}
	if e.Code == "syntax" {
		m.syntax(text)
		return m
	}
	m.Message, m.Hint = messages[e.Code][0], messages[e.Code][1]
	switch at := e.Offset; e.Code {
	case "bom":
		m.mend = blank(0, 3)
	case "utf8":
		m.Message, m.Hint = notUTF8(text, at)
		m.mend = put(at, "?")
	case "surrogate":
		m.mend = put(at, "??????")
	case "range", "inexact":
		end := tokenEnd(text, at)
		m.Replaced, m.mend = true, number(at, end)
		if short, ok := shorter(text[at:end]); ok && e.Code == "inexact" {
			m.Hint = "write " + short + ", which is the same double; or quote it to keep every digit"
		}
	case "duplicate":
		m.mend = blankMember(text, at)
	case "trailing":
		m.mend = blank(at, len(text))
		m.trailing(text[at:])
	}
	return m
}

// trailing says what follows the value.
func (m *Mistake) trailing(rest []byte) {
	switch c := rest[0]; {
	case bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) || c == '#':
		m.Message, m.Hint = "not valid JSON: a comment", "remove it; YAML has comments"
	case c == ',' && len(bytes.TrimSpace(rest)) > 1:
		m.Message, m.Hint = "not valid JSON: a comma between two values", "one value a file; several go in a .jsonl file, one a line, with no commas between them"
	case c == ';' || c == ',' || c == '}' || c == ']' || c == ')':
		m.Message, m.Hint = fmt.Sprintf("not valid JSON: %q follows the value", c), "remove it"
	case unicode.In(runeAt(rest, 0), unicode.White_Space, unicode.Cf):
		m.Message, m.Hint = fmt.Sprintf("not valid JSON: %U follows the value", runeAt(rest, 0)), "remove it"
	}
}

// messages are the message and the hint for each code that has no more to say.
var messages = map[canonical.Code][2]string{
	"bom":       {"begins with a byte order mark", "save the file as UTF-8 without a BOM"},
	"utf8":      {"invalid UTF-8", "save the file as UTF-8"},
	"surrogate": {"escape of a lone surrogate, which is not a character", "write the character itself, or both halves of the pair"},
	"duplicate": {"member name appears twice in one object", "remove one of the two"},
	"range":     {"number is beyond the range of a double", "quote it: a string keeps every digit"},
	"inexact":   {"number cannot be kept exactly by JSON implementations (RFC 8785 would round it)", "quote it: a string keeps every digit"},
	"depth":     {"arrays and objects nest too deep", ""},
	"count":     {"too many members and elements", ""},
	"trailing":  {"something follows the value", "one value a file; several go in a .jsonl file, one a line"},
	"size":      {"text too long", ""},
}

// Say is the message and the hint for a code by itself.
func Say(code string) (message, hint string) {
	m := messages[canonical.Code(code)]
	return m[0], m[1]
}

// shorter is the form of a number that has a fraction: the same double, most often in fewer digits. Whole numbers are
// counts and seeds, of which each digit matters.
func shorter(literal []byte) (string, bool) {
	form, err := canonical.Transform(literal)
	if err != nil || !bytes.ContainsAny(literal, ".eE") {
		return "", false
	}
	if bytes.ContainsAny(form, ".eE") {
		return string(form), true
	}
	// A whole double stands for a number with a fraction alone, and where no digit before the fraction is lost.
	whole, err := strconv.ParseInt(string(form), 10, 64)
	return string(form), err == nil && whole != 0 && -1<<53 < whole && whole < 1<<53 && hasFraction(literal)
}

// hasFraction says that a JSON number is not whole.
func hasFraction(literal []byte) bool {
	digits, exponent := string(literal), 0
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(digits[i+1:]); err != nil {
			return false // a number so large or small is 0 or beyond a double
		}
		digits = digits[:i]
	}
	digits, fraction, _ := strings.Cut(digits, ".")
	zeros := len(digits+fraction) - len(strings.TrimRight(digits+fraction, "0"))
	return len(fraction)-zeros > exponent
}

// tokenEnd is the position after the number, word or name at i.
func tokenEnd(text []byte, i int) int {
	for i < len(text) && strings.IndexByte(",:[]{}\"' \t\r\n/#;", text[i]) < 0 {
		i++
	}
	return i
}

func blank(from, to int) func([]byte) {
	return func(text []byte) {
		for i := from; i < to; i++ {
			if text[i] != '\n' {
				text[i] = ' '
			}
		}
	}
}

func put(at int, s string) func([]byte) { return func(text []byte) { copy(text[at:], s) } }

// number puts a zero in the place of a token.
func number(from, to int) func([]byte) {
	return func(text []byte) {
		blank(from, to)(text)
		text[from] = '0'
	}
}

// blankMember blanks the member whose name begins at i, and one comma beside it.
func blankMember(text []byte, i int) func([]byte) {
	from, to := i, i
	for depth := 0; to < len(text); to++ {
		switch c := text[to]; {
		case c == '"':
			to = stringEnd(text, to) - 1
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']' || c == ',') && depth == 0:
			if c == ',' {
				to++
			} else if from = previous(text, i); from < 0 || text[from] != ',' {
				return nil
			}
			return blank(from, to)
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// stringEnd is the position after the string at i.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// previous returns the position of the last character before i that is not white space, or -1.
func previous(text []byte, i int) int {
	return bytes.LastIndexFunc(text[:min(i, len(text))], func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })
}

// syntax says what a person meant, or a program of another language wrote.
func (m *Mistake) syntax(text []byte) {
	at := m.Offset
	say := func(hint, format string, args ...any) {
		m.Message, m.Hint = "not valid JSON: "+fmt.Sprintf(format, args...), hint
	}
	before := previous(text, at)
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		say("", "the text is empty")
		return
	case at >= len(text):
		say("is the file complete? each string, array and object must be closed", "the text ends before the value does")
		return
	case text[at] < ' ':
		hint := "remove it"
		if i := strings.IndexByte("\n\r\t", text[at]); i >= 0 {
			hint = "write " + []string{`\n`, `\r`, `\t`}[i] + " in a string"
		}
		say(hint, "a raw control character, U+%04X", text[at])
		m.mend = put(at, " ")
		return
	}
	if i := escapeBefore(text, at); i >= 0 {
		r := runeAt(text, i+1)
		hint := `escapes are \" \\ \/ \b \f \n \r \t and \u with four hex digits; \\ is a backslash`
		if r == '\'' {
			hint = "write ' without a backslash"
		}
		say(hint, "an escape that JSON does not have, \\%c", r)
		m.mend = put(i, "?")
		return
	}
	switch c := text[at]; {
	case isUnfinished(text, at):
		m.token(text, say)
	case c == '/' && before >= 0 && text[before] >= '0' && text[before] <= '9' && !bytes.HasPrefix(text[at:], []byte("//")) && !bytes.HasPrefix(text[at:], []byte("/*")):
		say("write the quotient, as in 0.5, or quote it", "a fraction")
	case c == '/' || c == '#':
		say("remove it; YAML has comments", "a comment")
		m.isComment = true
		m.mend = blank(at, commentEnd(text, at))
	case (c == '}' || c == ']') && before >= 0 && text[before] == ',':
		m.Error = &canonical.Error{Code: m.Code, Offset: before, Pointer: m.Pointer}
		say("remove it", "a comma before %c", c)
		m.mend = blank(before, before+1)
	case c == ',':
		say("remove it, or write what it separates", "a comma with nothing before it")
		m.mend = blank(at, at+1)
	case c == '\'':
		end := at + 1 + bytes.IndexAny(text[at+1:], "'\"\\\n")
		say("write it in double quotes", "text in single quotes")
		if end > at && text[end] == '\'' {
			m.mend = func(text []byte) { text[at], text[end] = '"', '"' }
		}
	case c >= utf8.RuneSelf && unicode.In(runeAt(text, at), unicode.White_Space, unicode.Cf):
		say("write a blank, or nothing", "%U between two values, which is not white space in JSON", runeAt(text, at))
		m.mend = blank(at, at+utf8.RuneLen(runeAt(text, at)))
	case bytes.HasPrefix(text[at:], []byte("“")) || bytes.HasPrefix(text[at:], []byte("”")) || bytes.HasPrefix(text[at:], []byte("‘")):
		say(`write "`, "a typographic quotation mark")
	default:
		m.token(text, say)
	}
}

func runeAt(text []byte, i int) rune {
	r, _ := utf8.DecodeRune(text[i:])
	return r
}

// escapeBefore is where the backslash of the escape stands that goes wrong at i, or -1.
func escapeBefore(text []byte, i int) int {
	if i > 0 && text[i-1] == '\\' {
		return i - 1
	}
	for j := i - 1; j >= max(i-4, 1); j-- {
		if text[j] == 'u' && text[j-1] == '\\' {
			return j - 1
		}
	}
	return -1
}

func commentEnd(text []byte, i int) int {
	if bytes.HasPrefix(text[i:], []byte("/*")) {
		if n := bytes.Index(text[i+2:], []byte("*/")); n >= 0 {
			return i + 2 + n + 2
		}
		return len(text)
	}
	if text[i] == '/' && !bytes.HasPrefix(text[i:], []byte("//")) {
		return i + 1
	}
	if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}

// isUnfinished tells whether a number that lacks its last digits, such as 5. or 1e, or a part of a word ends at i.
func isUnfinished(text []byte, i int) bool {
	start := i
	for start > 0 && isWord(text[start-1]) {
		start--
	}
	_, err := canonical.Transform(text[start:i])
	return start < i && err != nil
}

// token explains a number that JSON writes in another way, a word, or whatever else is in the way.
func (m *Mistake) token(text []byte, say func(hint, format string, args ...any)) {
	start := m.Offset
	for start > 0 && isWord(text[start-1]) {
		start--
	}
	end := tokenEnd(text, m.Offset)
	word := string(text[start:end])
	c := text[m.Offset]
	before := previous(text, start)
	if from, to := grouped(text, start); from < start && !isKey(text, before, end) {
		number := string(text[from:to])
		say("write "+strings.ReplaceAll(number, ",", ""), "%s is not how JSON writes a number", number)
		m.Error = &canonical.Error{Code: m.Code, Offset: from, Pointer: m.Pointer}
		m.mend = blank(start-1, to)
		return
	}
	_, notJSON := canonical.Transform([]byte(word))
	switch plain := strings.Trim(word, "+-"); {
	case before < 0 && notJSON != nil && !isValueLike(word):
		say(beforeValue(text, end))
		return
	case notJSON == nil || word == "" || !isWord(word[0]):
		switch {
		case before >= 0 && strings.IndexByte("{[:,", text[before]) < 0 && (isWord(c) || strings.IndexByte("\"{[", c) >= 0):
			say("write it between the two", "a comma or a colon is missing")
		case c == '}' || c == ']':
			say("write it, or leave the member out", "a value is missing")
		default:
			say("strings are in double quotes; YAML goes in a .yaml file", "unexpected %q", runeAt(text, m.Offset))
		}
		return
	case len(word) > 20 || // may be a secret
		strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf || !isWord(byte(r)) }):
		say("quote text", "a word that is not quoted")
	case isKey(text, before, end):
		say(fmt.Sprintf("write %q", word), "a name that is not in double quotes")
		return
	case slices.Contains([]string{"true", "false"}, strings.ToLower(word)):
		say("write "+strings.ToLower(word), "%s", word)
		m.mend = put(start, strings.ToLower(word))
		return
	case slices.Contains([]string{"none", "nil", "null", "undefined"}, strings.ToLower(word)):
		say("write null", "%s", word)
		m.IsNull, m.IsElement = true, before >= 0 && text[before] != ':'
	case slices.Contains([]string{"nan", "inf", "infinity"}, strings.ToLower(plain)):
		say(fmt.Sprintf("write %q, if a string does as well; or leave the member out", word), "%s is not a number in JSON", word)
	case word[0] == '+' || word[0] == '-' || word[0] == '.' || word[0] >= '0' && word[0] <= '9':
		hint := "quote it, if it is text"
		if number, ok := respelt(word); ok {
			hint = "write " + number + octalHint(word, number)
		} else if !strings.ContainsAny(word, "0123456789") {
			hint = "write the digits"
		}
		say(hint, "%s is not how JSON writes a number", word)
	default:
		say(fmt.Sprintf("quote text: %q", word), "a word that is not quoted, %s", word)
	}
	m.Error = &canonical.Error{Code: m.Code, Offset: start, Pointer: m.Pointer}
	m.Replaced, m.mend = true, number(start, end)
}

// grouped is where a number with a comma before each three digits, as 1,000,000, begins and ends, of which text[start:] is a later group;
// from is start for other text.
func grouped(text []byte, start int) (from, to int) {
	digits := func(i int) int { // how many there are
		n := 0
		for i+n < len(text) && text[i+n] >= '0' && text[i+n] <= '9' {
			n++
		}
		return n
	}
	isGroup := func(i int) bool { return digits(i) == 3 && (tokenEnd(text, i) == i+3 || text[i+3] == '.') }
	from, to = start, start+3
	for from--; from > max(0, start-5) && digits(from-1) > 0; from-- { // four are too many
	}
	n := digits(max(from, 0))
	if from > 0 && text[from-1] == '-' {
		from--
	}
	if start == 0 || text[start-1] != ',' || !isGroup(start) || n == 0 || n > 3 || text[start-1-n] == '0' || from > 0 && isWord(text[from-1]) {
		return start, start
	}
	for to < len(text) && text[to] == ',' && isGroup(to+1) {
		to += 4
	}
	if to < len(text) && text[to] == '.' {
		to = tokenEnd(text, to)
	}
	before := previous(text, from)
	if _, err := canonical.Transform(bytes.ReplaceAll(text[from:to], []byte(","), nil)); err != nil || before < 0 || text[before] != ':' { // in a list it may be two
		return start, start
	}
	return from, to
}

// isValueLike tells a word that another language has for a value, or a number.
func isValueLike(word string) bool {
	plain := strings.ToLower(strings.Trim(word, "+-"))
	return slices.Contains([]string{"true", "false", "none", "nil", "null", "undefined", "nan", "inf", "infinity"}, plain) ||
		plain != "" && strings.IndexByte(".0123456789", plain[0]) >= 0 && len(plain) <= 20
}

// beforeValue is what to say of text that begins with something else than a value, up to end.
func beforeValue(text []byte, end int) (hint, format string) {
	assigned, isAssigned := bytes.CutPrefix(bytes.TrimLeft(text[min(end, len(text)):], " \t"), []byte("="))
	assigned = bytes.TrimLeft(assigned, " \t\r\n (")
	switch brace := bytes.IndexAny(text, "{["); {
	case isAssigned && !bytes.HasPrefix(assigned, []byte("{")) && !bytes.HasPrefix(assigned, []byte("[")):
		return "write it as JSON or YAML", "this looks like TOML, or a file of variables"
	case brace > 0:
		return "remove what stands before " + string(text[brace]), "text before the value"
	}
	return "a JSON text is an object, an array, a string, a number, true, false or null", "text that is not a value"
}

func isWord(c byte) bool {
	return c >= utf8.RuneSelf || c == '_' || c == '$' || c == '.' || c == '+' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// isKey tells whether the word that ends at end, behind the character at before, stands where a member's name does.
func isKey(text []byte, before, end int) bool {
	rest := bytes.TrimLeft(text[end:], " \t\r\n")
	return before >= 0 && (text[before] == '{' || text[before] == ',') && len(rest) > 0 && rest[0] == ':'
}

// octalHint adds the value that other languages read where a number begins with a zero.
func octalHint(word, number string) string {
	plain := strings.TrimLeft(word, "+-")
	n, err := strconv.ParseUint(plain, 8, 63)
	if err != nil || len(plain) < 2 || plain[0] != '0' || fmt.Sprint(n) == strings.TrimLeft(number, "-") {
		return ""
	}
	return fmt.Sprintf(", or %s%d if it is octal", word[:strings.Count(word[:1], "-")], n)
}

// respelt is how JSON writes a number that is written +1, .5, 5., 01, 1_000 or 0x1F.
func respelt(word string) (string, bool) {
	sign := ""
	switch word[0] {
	case '-':
		sign, word = "-", word[1:]
	case '+':
		word = word[1:]
	}
	word = strings.ReplaceAll(word, "_", "")
	if strings.HasPrefix(strings.ToLower(word), "0x") {
		var n uint64
		if _, err := fmt.Sscanf(word[2:]+" ", "%x ", &n); err != nil || len(word) > 14 {
			return "", false
		}
		word = fmt.Sprint(n)
	}
	digits := strings.IndexAny(word+"e", "eE")
	mantissa, exponent := word[:digits], word[digits:]
	if !strings.ContainsAny(mantissa, "0123456789") { // what it means is not known
		return "", false
	}
	mantissa = strings.TrimRight(mantissa, ".")
	if mantissa = strings.TrimLeft(mantissa, "0"); mantissa == "" || mantissa[0] == '.' {
		mantissa = "0" + mantissa
	}
	number := sign + mantissa + exponent
	if _, err := canonical.Transform([]byte(number)); err != nil {
		return "", false
	}
	return number, true
}
