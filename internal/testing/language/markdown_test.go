package language

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// columns is the largest width of a line of Markdown prose, in characters.
const columns = 120

var linkDefinition = regexp.MustCompile(`^\s*\[[^\]]+\]:\s`)

// findWide lists the lines of prose that are too wide. Tables, code and link definitions cannot be wrapped and are
// exempt.
func findWide(text string) []finding {
	var found []finding
	fence, blank, code := "", true, false
	for i, line := range strings.Split(text, "\n") {
		inner := strings.TrimLeft(line, " ")
		switch {
		case fence != "":
			if strings.HasPrefix(inner, fence) {
				fence = ""
			}
		case strings.HasPrefix(inner, "```"), strings.HasPrefix(inner, "~~~"):
			fence = inner[:3]
		case inner == "":
			blank = true
			continue
		default:
			code = strings.HasPrefix(line, "    ") && (blank || code)
			width := utf8.RuneCountInString(line)
			if width > columns && !code && !strings.HasPrefix(inner, "|") && !linkDefinition.MatchString(line) {
				found = append(found, finding{1 + i, fmt.Sprintf("%d columns, want at most %d", width, columns)})
			}
		}
		blank = false
	}
	return found
}
