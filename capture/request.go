package capture

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
)

// A request is what a source says beside its body.
type request struct {
	provider string
	model    string // that the path names, or ""
	revision string // of the model, that the caller gives, or ""
	location string // that the path names, or ""
	settings []setting
}

// A setting is a named header or query member that enters the declaration.
type setting struct {
	name   string // header:NAME or query:NAME
	values []string
	set    bool
}

// read takes from a source what the table names beside the body.
func (t *table) read(src Source) (request, []Warning, []Unknown, error) {
	r := request{provider: src.Provider}
	if r.provider == "" {
		r.provider = t.provider
	}
	if len(t.providers) > 0 && !takes(t.providers, r.provider) {
		return r, nil, nil, t.error("", "provider "+quote(r.provider)+" is not one of "+strings.Join(t.providers, ", "), t.otherwise)
	}
	if !utf8.ValidString(r.provider) {
		return r, nil, nil, t.error("", "the provider's name is not valid UTF-8", "")
	}
	switch named := src.Model != "" || src.Revision != ""; {
	case t.callerModel && src.Model == "":
		return r, nil, nil, t.error("", "the source does not name the model", "name the model that it is for")
	case !t.callerModel && named:
		return r, nil, nil, t.error("", "the request names its model, and another is given beside it", "")
	case !utf8.ValidString(src.Model + src.Revision):
		return r, nil, nil, t.error("", "the model's name or its revision is not valid UTF-8", "")
	}
	r.model, r.revision = src.Model, src.Revision
	if src.Target != "" && len(t.paths) == 0 {
		return r, nil, nil, t.error("", "a path is given, and this format reads a file", "")
	}
	target, query, _ := strings.Cut(src.Target, "?")
	if src.Target != "" {
		if why := ambiguous(target, query); why != "" {
			return r, nil, nil, t.error("", fmt.Sprintf("the path %s has %s, which servers read in different ways", quote(target), why), "")
		}
		var err error
		if r.model, r.location, err = t.pathNames(target, r.provider); err != nil {
			return r, nil, nil, err
		}
	}
	var warnings []Warning
	var unknown []Unknown
	if r.provider == "azure" {
		warnings = append(warnings, Warning{"", "provider azure: a deployment's name belongs to a resource; azure:RESOURCE says which"})
	}
	for _, h := range t.headers {
		var lines []string
		for name, values := range src.Header {
			switch {
			case lowerASCII(name) == h.name:
				lines = append(lines, values...)
			case fold(name) == h.name:
				return r, nil, nil, t.error("", fmt.Sprintf("the header line %s is not %s, and some readers take it for that", quote(name), h.name), "")
			}
		}
		f, more, err := t.setting("header:"+h.name, h, lines)
		if err != nil {
			return r, nil, nil, err
		}
		unknown = append(unknown, more...)
		if f != nil {
			r.settings = append(r.settings, *f)
		} else if h.want {
			warnings = append(warnings, Warning{"header:" + h.name, "the header is missing, and the API asks for it"})
		}
	}
	members, err := parseQuery(query)
	if err != nil {
		return r, nil, nil, t.error("", err.Error(), "")
	}
	for _, q := range t.query {
		for name := range members {
			if name != q.name && fold(name) == q.name {
				return r, nil, nil, t.error("", fmt.Sprintf("the query member %s is not %s, and some readers take it for that", quote(name), q.name), "")
			}
		}
		f, more, err := t.setting("query:"+q.name, q, members[q.name])
		if err != nil {
			return r, nil, nil, err
		}
		unknown = append(unknown, more...)
		if f != nil {
			r.settings = append(r.settings, *f)
		}
	}
	return r, warnings, unknown, nil
}

// unread are the names of header lines that the table does not name, sorted.
func (t *table) unread(header map[string][]string) []string {
	var l []string
	for name := range header {
		if name = fold(name); !slices.ContainsFunc(t.headers, func(n named) bool { return n.name == name }) {
			l = append(l, name)
		}
	}
	slices.Sort(l)
	return slices.Compact(l)
}

// setting is what lines say of a named member, or nil where they say nothing.
func (t *table) setting(name string, n named, lines []string) (*setting, []Unknown, error) {
	size := 0
	for _, l := range lines {
		if size += len(l); size > limits.CaptureMember {
			return nil, nil, t.error("", fmt.Sprintf("%s has more than %d bytes", name, limits.CaptureMember), "")
		}
		if !utf8.ValidString(l) {
			return nil, nil, t.error("", name+" is not valid UTF-8", "")
		}
	}
	if !n.set {
		switch len(lines) {
		case 0:
			return nil, nil, nil
		case 1:
			return &setting{name: name, values: []string{strings.Trim(lines[0], " \t")}}, nil, nil
		}
		return nil, nil, t.error("", fmt.Sprintf("%s is there %d times, want it once", name, len(lines)), "")
	}
	var values []string
	for _, l := range lines {
		for v := range strings.SplitSeq(l, ",") {
			if v = strings.Trim(v, " \t"); v != "" && !slices.Contains(n.drop, v) {
				values = append(values, v)
			}
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	var unknown []Unknown
	for _, v := range values {
		if !slices.Contains(n.known, v) {
			unknown = append(unknown, Unknown{Pointer: name, Name: "flag " + v})
		}
	}
	if len(values) == 0 {
		return nil, nil, nil
	}
	return &setting{name, values, true}, unknown, nil
}

// parseQuery is url.ParseQuery that keeps what it is given in order and takes nothing twice for once.
func parseQuery(query string) (map[string][]string, error) {
	members := map[string][]string{}
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		n, err := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, fmt.Errorf("the query has a percent sign without two hexadecimal digits")
		}
		n = lowerASCII(n)
		members[n] = append(members[n], v)
	}
	return members, nil
}

// lowerASCII is a name without the case of ASCII letters: the one in which servers compare names of header lines and query members.
func lowerASCII(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
}

// errPath says that a path is none of a table's.
var errPath = errors.New("another path")

// pathNames holds a path against those of the table, and tells the model and the location that it names.
func (t *table) pathNames(target, provider string) (model, location string, err error) {
	var known []string
	for _, p := range t.paths {
		model, location, ok := p.match(target)
		switch {
		case !ok:
			known = append(known, p.pattern)
		case len(p.providers) > 0 && !takes(p.providers, provider):
			return "", "", t.error("", fmt.Sprintf("the path %s is one of %s, and the provider is %s", quote(target), strings.Join(p.providers, ", "), quote(provider)), "")
		default:
			return t.modelName(model), location, nil
		}
	}
	unknown := t.error("", fmt.Sprintf("the path %s is not one of %s", quote(target), strings.Join(known, ", ")), "")
	unknown.err = errPath
	if slices.ContainsFunc(t.paths, func(p path) bool { return p.isEndOf(target) }) {
		unknown.Message = fmt.Sprintf("the path %s has a segment before its end that may name a model or a resource, which the declaration would not say", quote(target))
		unknown.Hint = "put what stands before /v1 into the URL of the upstream, whose provider's name says what it leads to, and give the path behind it"
	}
	return "", "", unknown
}

// modelName is a model's name without the table's prefix, unless what is left has more than one part: "models/tunedModels/x" is not
// "tunedModels/x".
func (t *table) modelName(name string) string {
	if bare, ok := strings.CutPrefix(name, t.modelPrefix); ok && !strings.Contains(bare, "/") {
		return bare
	}
	return name
}

// ambiguous says what in a path and query some servers resolve, drop or take for a separator, so that two targets may be one, or "".
func ambiguous(target, query string) string {
	if strings.ContainsAny(target, "\\;#") || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "a backslash, a semicolon, a number sign, a blank or a control character"
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(target, "/"), "/") {
		decoded, err := url.PathUnescape(segment)
		switch {
		case err != nil:
			return "a percent sign without two hexadecimal digits"
		case segment == "":
			return "an empty segment"
		case decoded == "." || decoded == "..":
			return "a dot segment"
		case strings.ContainsAny(decoded, "/\\") || strings.ContainsFunc(decoded, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return "a percent-encoded slash, backslash or control character"
		case strings.Contains(decoded, "%"):
			return "a percent-encoded percent sign"
		}
	}
	if strings.ContainsAny(query, ";#") {
		return "a semicolon or a number sign in its query"
	}
	return ""
}

// baseSegments are those of APIs that take the model from the body. Any other may be the name of a model or a resource.
var baseSegments = []string{"api", "beta", "compatible-mode", "cortex", "inference", "openai", "paas", "serving-endpoints"}

// apiVersion is v1, v1beta1, v4.
var apiVersion = lazyregexp.New(`^v[0-9][0-9a-z]{0,15}$`)

// isBase tells the beginning of a path that names nothing which the declaration would not say.
func isBase(before string) bool {
	for segment := range strings.SplitSeq(strings.TrimPrefix(before, "/"), "/") {
		if segment != "" && !slices.Contains(baseSegments, segment) && !apiVersion.MatchString(segment) {
			return false
		}
	}
	return true
}

// isEndOf tells that the pattern is the end of a path.
func (p path) isEndOf(target string) bool {
	end, isEnd := strings.CutPrefix(p.pattern, "...")
	return isEnd && strings.HasPrefix(target, "/") && strings.HasSuffix(target, end)
}

// match tells whether a path has the pattern, and which model and location it names.
func (p path) match(target string) (model, location string, ok bool) {
	if end, isEnd := strings.CutPrefix(p.pattern, "..."); isEnd {
		return "", "", p.isEndOf(target) && isBase(strings.TrimSuffix(target, end))
	}
	patterns, segments := strings.Split(p.pattern, "/"), strings.Split(target, "/")
	if len(patterns) != len(segments) {
		return "", "", false
	}
	var names []string
	inModel := false
	for i, pattern := range patterns {
		core, opens := strings.CutPrefix(pattern, "{")
		core, suffix, closes := strings.Cut(core, "}")
		inModel = inModel || opens && core != "location"
		name, hasSuffix := strings.CutSuffix(segments[i], suffix)
		isAny := core == "*" || opens && closes
		if !hasSuffix || !isAny && name != core {
			return "", "", false
		}
		if isAny {
			var err error
			if name, err = url.PathUnescape(name); err != nil || name == "" || !utf8.ValidString(name) || core != "model" && strings.Contains(name, "/") {
				return "", "", false
			}
		}
		if inModel {
			names = append(names, name)
		} else if core == "location" && opens {
			location = name
		}
		inModel = inModel && !closes
	}
	return strings.Join(names, "/"), location, true
}

func (t *table) error(pointer, message, hint string) *Error {
	return &Error{Format: t.name(), Pointer: pointer, Offset: -1, Message: message, Hint: hint}
}

// quote shows what others wrote, in part.
func quote(s string) string {
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
