package capture

import (
	"net/url"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// below is the mode below a member of that name.
func (m mode) below(name []byte) mode {
	n := squeeze(string(name))
	m.hidden = m.hidden || m.secrets.isSecret(n)
	m.address = notURL
	if strings.HasSuffix(n, "url") || strings.HasSuffix(n, "uri") || strings.HasSuffix(n, "endpoint") {
		if m.address = otherURL; m.secrets == toolSecrets {
			m.address = serverURL
		}
	}
	return m
}

// Names that lead to secrets, squeezed. The endings are for all, the others for one kind of place each.
var (
	secretEndings = []string{"apikey", "accesskey", "accesstoken", "authtoken", "secret", "password", "authorization", "credentials", "connectionstring"}
	unknownNames  = []string{"key", "token"}
	toolEndings   = []string{"token", "headers"}
	toolNames     = []string{"env"}
)

func (s secrecy) isSecret(name string) bool {
	ends := func(end string) bool { return strings.HasSuffix(name, end) }
	switch s {
	case unknownSecrets:
		return slices.ContainsFunc(secretEndings, ends) || slices.Contains(unknownNames, name)
	case toolSecrets:
		return slices.ContainsFunc(secretEndings, ends) || slices.ContainsFunc(toolEndings, ends) || slices.Contains(toolNames, name)
	}
	return false
}

// plainNames lead, in a tool, to what users or models write: schemas, arguments, inputs and results.
var plainNames = []string{"arguments", "input", "input_examples", "input_schema", "inputSchema", "json_schema", "output",
	"output_schema", "outputSchema", "parameters", "result", "schema"}

func isPlain(name string) bool { return slices.Contains(plainNames, name) }

// querySecrets are the members of a URL's query whose values are secret wherever the URL stands.
var querySecrets = []string{"access_token", "accesstoken", "api-key", "api_key", "apikey", "auth", "authorization", "awsaccesskeyid", "googleaccessid",
	"key", "key-pair-id", "password", "policy", "se", "secret", "sig", "signature", "sip", "ske", "skoid", "sks", "skt", "sktid", "skv",
	"sp", "spr", "sr", "srt", "ss", "st", "sv", "token"}

// queryFamilies are beginnings of such names.
var queryFamilies = []string{"x-amz-", "x-goog-"}

// url appends a URL without what is secret in it.
func (w *walker) url(dst []byte, v jsontree.Value, a address) []byte {
	if a == remote {
		w.note(LeftOpen, "").hides = "content"
	}
	text := v.Text()
	clean, path, ok := cleanURL(text, a == serverURL)
	if !ok {
		w.fail("a URL with a backslash where its host stands, which readers take for different hosts")
		return dst
	}
	if a == serverURL && path != "" && path != "/" {
		w.note(PathKept, "")
	}
	if clean == text {
		return append(dst, v.Raw()...)
	}
	w.note(Withheld, "in part")
	return appendString(dst, []byte(clean))
}

// cleanURL is a URL with [secret] for its user information and for the values of secret members of its query, or of all
// of them; and its path.
func cleanURL(s string, allValues bool) (clean, path string, ok bool) {
	rest, fragment := s, ""
	if i := strings.IndexByte(s, '#'); i >= 0 {
		rest, fragment = s[:i], s[i:]
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	path = rest
	if start := authorityStart(rest); start >= 0 {
		end := len(rest)
		if i := strings.IndexByte(rest[start:], '/'); i >= 0 {
			end = start + i
		}
		authority := rest[start:end]
		if strings.IndexByte(authority, '\\') >= 0 {
			return "", "", false
		}
		path = rest[end:]
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			rest = rest[:start] + "[secret]" + authority[at:] + path
		}
	}
	if !hasQuery {
		return rest + fragment, path, true
	}
	pieces := strings.Split(query, "&")
	for i, p := range pieces {
		name, value, isPair := strings.Cut(p, "=")
		switch {
		case isPair && value != "" && (allValues || isQuerySecret(name)):
			pieces[i] = name + "=[secret]"
		case !isPair && allValues && p != "":
			pieces[i] = "[secret]"
		}
	}
	return rest + "?" + strings.Join(pieces, "&") + fragment, path, true
}

// authorityStart is where the authority of a URL begins, or -1.
func authorityStart(s string) int {
	if strings.HasPrefix(s, "//") {
		return 2
	}
	scheme, _, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || strings.ContainsFunc(scheme, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '+' && r != '-' && r != '.'
	}) {
		return -1
	}
	return len(scheme) + 3
}

func isQuerySecret(name string) bool {
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	name = fold(name)
	return slices.Contains(querySecrets, name) ||
		slices.ContainsFunc(queryFamilies, func(f string) bool { return strings.HasPrefix(name, f) })
}
