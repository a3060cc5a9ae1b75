package secrets

import (
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// Secrets in XML: an element whose name or attribute names one, and a name in one element or attribute whose value stands in the next.

var (
	tagName = lazyregexp.New(`^(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)`)
	naming  = lazyregexp.New(`(?i)\b(?:name|key|property)\s*=\s*["']([^"'<>]{1,200})["']`)
	valued  = lazyregexp.New(`(?i)\bvalue\s*=\s*["']([^"'<>]{4,400})["']`)
)

// inTags tells a text with an element in it that has a secret.
func inTags(s string) bool {
	named := "" // by <key>NAME</key>, as property lists have it
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '<')
		if i < 0 {
			return false
		}
		start := at + i + 1
		at = start
		name := tagName.FindStringSubmatch(s[start:min(start+longestName, len(s))])
		if name == nil {
			continue
		}
		end := start + strings.IndexAny(s[start:min(start+2*behind, len(s))], "<>")
		if end < start || s[end] == '<' {
			continue
		}
		at = end
		names := []string{name[1], named}
		named = ""
		if m := naming.FindStringSubmatch(s[start:end]); m != nil {
			if v := valued.FindStringSubmatch(s[start:end]); v != nil && isTagged(m[1], v[1]) {
				return true
			}
			names = append(names, m[1])
		}
		if s[end-1] == '/' {
			continue
		}
		value := content(s[end+1 : min(end+1+behind, len(s))])
		for _, n := range names {
			if n != "" && isTagged(n, value) {
				return true
			}
		}
		if strings.EqualFold(name[1], "key") || strings.EqualFold(name[1], "name") {
			named = value
		}
	}
}

// content is the text of an element that has no others in it, of which s is what follows its opening tag.
func content(s string) string {
	if text, ok := strings.CutPrefix(strings.TrimSpace(s), "<![CDATA["); ok {
		text, _, _ = strings.Cut(text, "]]>")
		return strings.TrimSpace(text)
	}
	text, _, ok := strings.Cut(s, "</")
	if !ok || strings.Contains(text, "<") {
		return ""
	}
	return strings.TrimSpace(text)
}

// isTagged is IsNamed of a value in XML, which in prompts is prose more often than in configurations: it has letters and digits.
func isTagged(name, value string) bool {
	return hasBoth(value) && !strings.ContainsAny(value, " \t\r\n") && IsNamed(name, value)
}
