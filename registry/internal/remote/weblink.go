package remote

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// weblink is a link of a Link header: https://www.rfc-editor.org/rfc/rfc8288#section-3
type weblink struct {
	target, anchor string
	rels           []string // in lower case
	related        bool     // it has a rel, empty or not
}

// errLink says that a Link header is not as RFC 8288 has it. What it would have led to may be missing.
var errLink = errors.New("want <URL>; rel=next")

// parseLinks reads a Link header: links with commas between.
func parseLinks(header string) (links []weblink, err error) {
	rest := trimSpace(header)
	for rest != "" {
		if rest[0] == ',' { // empty elements of a list are allowed
			rest = trimSpace(rest[1:])
			continue
		}
		var link weblink
		end := strings.IndexByte(rest, '>')
		if rest[0] != '<' || end < 0 {
			return nil, errLink
		}
		link.target, rest = trimSpace(rest[1:end]), trimSpace(rest[end+1:])
		seen := map[string]bool{}
		for rest != "" && rest[0] == ';' {
			var name, value string
			if name, value, rest, err = cutParameter(trimSpace(rest[1:])); err != nil {
				return nil, err
			}
			switch {
			case seen[name]: // the first one counts
			case name == "rel":
				link.rels, link.related = strings.Fields(strings.ToLower(strings.Trim(value, "'"))), true // some quote as HTML does
			case name == "anchor":
				link.anchor = value
			}
			seen[name] = true
		}
		if rest != "" && rest[0] != ',' {
			return nil, errLink
		}
		links = append(links, link)
	}
	return links, nil
}

// cutParameter takes a parameter off the front of s: a name, and perhaps a value, which is a token or a quoted string.
func cutParameter(s string) (name, value, rest string, err error) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		return strings.ToLower(trimSpace(s)), "", "", nil
	}
	name, rest = strings.ToLower(trimSpace(s[:end])), s[end:]
	if rest[0] != '=' {
		return name, "", rest, nil
	}
	rest = trimSpace(rest[1:])
	if !strings.HasPrefix(rest, `"`) {
		if end = strings.IndexAny(rest, ";,"); end < 0 {
			end = len(rest)
		}
		return name, trimSpace(rest[:end]), rest[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return name, b.String(), trimSpace(rest[i+1:]), nil
		case c == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "", errLink // the string does not end
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }

// nextPage is where the answer's links lead to as the next page, on the same server; "" is nowhere. A link that does not say
// what it is leads there: other clients follow it, and what it has may not be passed over.
func (a *answer) nextPage() (string, error) {
	var found []string
	for _, header := range a.header.Values("Link") {
		links, err := parseLinks(header)
		if err != nil {
			return "", fmt.Errorf("the Link %q: %w", shown(header), err)
		}
		for _, link := range links {
			if link.related && !slices.Contains(link.rels, "next") || !a.isHere(link.anchor) {
				continue
			}
			next, err := a.url.Parse(link.target)
			if err != nil {
				return "", fmt.Errorf("the Link %q: %w", shown(header), err)
			}
			if !sameServer(next, a.url) {
				return "", fmt.Errorf("it goes on at another server, %s", (&url.URL{Scheme: next.Scheme, Host: next.Host}).String())
			}
			if to := next.String(); !slices.Contains(found, to) {
				found = append(found, to)
			}
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", errors.New("it goes on at several pages at once")
}

// isHere says that a link is about the page that has it, and not about another one, its anchor.
func (a *answer) isHere(anchor string) bool {
	about, err := a.url.Parse(anchor)
	if err != nil {
		return false
	}
	here := *a.url
	here.Fragment, about.Fragment = "", ""
	return about.String() == here.String()
}
