package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// comment is where a comment of an expression begins, at its slashes, and where it ends, in bytes.
type comment struct{ start, end int }

// comments finds the comments of an expression: CEL ends them at a line feed, and nowhere else.
func comments(expr string) []comment {
	var found []comment
	for i := 0; i < len(expr); {
		switch {
		case strings.HasPrefix(expr[i:], "//"):
			end := len(expr)
			if n := strings.IndexByte(expr[i:], '\n'); n >= 0 {
				end = i + n
			}
			found = append(found, comment{i, end})
			i = end
		case expr[i] == '"' || expr[i] == '\'' || expr[i] == '`':
			i = literalEnd(expr, i)
		default:
			i++
		}
	}
	return found
}

// literals finds the strings and quoted names of an expression, with their quotes, outside of comments.
func literals(expr string) []comment {
	var found []comment
	for i := 0; i < len(expr); {
		switch {
		case strings.HasPrefix(expr[i:], "//"):
			n := strings.IndexByte(expr[i:], '\n')
			if n < 0 {
				return found
			}
			i += n
		case expr[i] == '"' || expr[i] == '\'' || expr[i] == '`':
			end := literalEnd(expr, i)
			found = append(found, comment{i, end})
			i = end
		default:
			i++
		}
	}
	return found
}

// literalEnd is the offset behind the string, or the quoted name, whose quotes begin at start.
func literalEnd(expr string, start int) int {
	quote := expr[start : start+1]
	if triple := strings.Repeat(quote, 3); quote != "`" && strings.HasPrefix(expr[start:], triple) {
		quote = triple
	}
	raw := isRaw(expr[:start])
	for i := start + len(quote); i < len(expr); i++ {
		switch {
		case expr[i] == '\\' && !raw:
			i++
		case strings.HasPrefix(expr[i:], quote):
			return i + len(quote)
		}
	}
	return len(expr)
}

// isRaw tells that the string that follows is a raw one, r"..." or br"...", in which a backslash is itself.
func isRaw(before string) bool {
	letter := func(allowed string) bool {
		if before == "" || !strings.Contains(allowed, before[len(before)-1:]) {
			return false
		}
		before = before[:len(before)-1]
		return true
	}
	if !letter("rR") {
		return false
	}
	letter("bB")
	last, _ := utf8.DecodeLastRuneInString(before)
	return last != '_' && (last > unicode.MaxASCII || !unicode.IsLetter(last) && !unicode.IsDigit(last))
}

// withoutComments is an expression as it counts, for where its lines are joined.
func withoutComments(expr string) string {
	var b strings.Builder
	done := 0
	for _, c := range comments(expr) {
		b.WriteString(expr[done:c.start])
		done = c.end
	}
	return b.String() + expr[done:]
}

// otherBreaks end a line for people, and not for CEL.
const otherBreaks = "\r\v\f\u0085\u2028\u2029"

// writtenBreak is a line break as YAML has it in double quotes, or CEL in a string: text in a comment. A letter behind those
// that no one writes for a line break makes a path of them.
var writtenBreak = lazyregexp.New(`(\\(?:[nr]|[xX](?:0[aAbBcCdD]|85)|u(?:000[aAbBcCdD]|0085|202[89])|U0000(?:000[aAbBcCdD]|0085|202[89])|01[2-5]|205))|(\\[vfNLP])(?:\W|_)`)

// writtenBreakIn is a written line break in a comment behind which something stands, "" if there is none.
func writtenBreakIn(comment string) string {
	at := writtenBreak.FindStringSubmatchIndex(comment)
	if at == nil {
		return ""
	}
	start, end := at[2], at[3]
	if start < 0 {
		start, end = at[4], at[5]
	}
	if strings.TrimSpace(comment[end:]) == "" { // and nothing is taken in
		return ""
	}
	return comment[start:end]
}

// checkComments refuses a comment that has taken in a line that its author wrote below it: YAML folds the lines of
// every scalar that is not a literal block, and CEL ends a comment at a line feed alone.
func checkComments(s Source, expr string, behind int) []Problem {
	for _, c := range comments(expr) {
		text := strings.TrimRightFunc(expr[c.start:c.end], unicode.IsSpace)
		first := behind + utf8.RuneCountInString(expr[:c.start])
		last := first + utf8.RuneCountInString(text) - 1
		p := Problem{Code: codeComment, At: first}
		switch {
		case s.Line != nil && s.Line(first) != s.Line(last):
			p.Message = "YAML joins the lines here, so that the comment takes in what follows on the next line"
			p.Hint = "write the value as a literal block, which keeps its lines: | in place of > or of quotes"
		case strings.ContainsAny(text, otherBreaks):
			p.Message = "the comment takes in what follows a line break that does not end it: want a line feed"
			p.Hint = `end the comment with a line feed: \n in double quotes, or the end of a line in a literal block (|)`
		case s.Form != Literal && writtenBreakIn(text) != "":
			p.Message = "the comment takes in what follows " + writtenBreakIn(text) + ", which is text here and no line break"
			p.Hint = writtenBreakHint(s.Form)
		default:
			continue
		}
		return []Problem{p}
	}
	return nil
}

// writtenBreakHint fits those who mean a line break, and those who mean a backslash.
func writtenBreakHint(form Form) string {
	if form == JSON {
		return `write \n, with one backslash, where the comment ends; a path in it with /`
	}
	return "write the value as a literal block (|), which keeps lines and backslashes, and end the comment with its line"
}
