package gateway

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
)

// The gateway's headers. Every name that begins with Airun- is the gateway's.
const (
	headerPrefix     = "airun-"
	headerKey        = "Airun-Key"
	headerParent     = "Airun-Parent"
	headerAnnotation = "Airun-Annotation"
	headerIdentity   = "Airun-Identity"
	headerJournal    = "Airun-Journal"
)

// fold is a header's name as a server may read it that makes a variable of it.
func fold(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// isOurs tells a name that is the gateway's.
func isOurs(name string) bool { return strings.HasPrefix(fold(name), headerPrefix) }

// removeOurs takes the gateway's headers out.
func removeOurs(h http.Header) {
	for name := range h {
		if isOurs(strings.TrimPrefix(name, http.TrailerPrefix)) {
			delete(h, name)
		}
	}
}

// hopByHop are what Connection may name: anything else would be taken out of the request behind the gateway's back.
var hopByHop = []string{"close", "keep-alive", "te", "upgrade", "http2-settings", "proxy-connection"}

// overriding begin the names of headers that some servers take for another method or path.
var overriding = []string{"x-http-method", "x-method-override", "x-original-u", "x-rewrite-u", "x-override-url"}

// steering begin the names that tables read, or that say what a body is.
var steering = []string{"anthropic-", "openai-", "x-ms-", "content-", "transfer-"}

func hasPrefixOf(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// usual are the names that a request may have where the configuration closes the list.
var usual = []string{
	"accept", "accept-encoding", "accept-language", "anthropic-beta", "anthropic-dangerous-direct-browser-access", "anthropic-version", "api-key", "authorization", "baggage",
	"cache-control", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect", "http-referer", "idempotency-key", "keep-alive", "openai-beta",
	"openai-organization", "openai-project", "originator", "pragma", "priority", "referer", "sec-fetch-mode", "session-id", "te", "traceparent", "tracestate", "user-agent",
	"x-api-key", "x-app", "x-goog-api-client", "x-goog-api-key", "x-goog-user-project", "x-ms-oai-image-generation-deployment", "x-request-id", "x-title",
}

// checkHeaders refuses headers that would change the request behind what is signed.
func (g *Gateway) checkHeaders(r *http.Request) *refusal {
	if len(r.Trailer) > 0 || r.Header.Get("Trailer") != "" {
		return refuse(trailerRefused, "the request announces trailers")
	}
	if len(r.Header) > limits.GatewayHeaders {
		return refuse(headerRefused, "%d headers, want at most %d", len(r.Header), limits.GatewayHeaders)
	}
	for name, lines := range r.Header {
		folded := fold(name)
		switch {
		case len(name) > limits.GatewayName:
			return refuse(headerRefused, "the name of a header has %d bytes, want at most %d", len(name), limits.GatewayName)
		case strings.HasPrefix(folded, headerPrefix) && !slices.Contains([]string{headerKey, headerParent, headerAnnotation}, name):
			return refuse(headerRefused, "%s is the gateway's: a client may send %s, %s and %s", name, headerParent, headerAnnotation, headerKey)
		case hasPrefixOf(folded, overriding):
			return refuse(headerRefused, "%s overrides the method or the path", name)
		case strings.Contains(name, "_") && hasPrefixOf(folded, steering):
			return refuse(headerRefused, "%s has an underscore, which some servers take for a hyphen", name)
		case folded == "connection":
			for option := range strings.SplitSeq(strings.Join(lines, ","), ",") {
				if option = strings.ToLower(strings.TrimSpace(option)); option != "" && !slices.Contains(hopByHop, option) {
					return refuse(headerRefused, "Connection names %s, which would be taken out on the way", option)
				}
			}
		case g.config.Headers == HeadersClosed && !isOurs(name) && !strings.HasPrefix(folded, "x-stainless-") && !slices.Contains(usual, folded):
			return refuse(headerRefused, "the header %s is not on the list, and the configuration closes it", name)
		}
	}
	return nil
}

// checkMediaType refuses a body of another type than the endpoint takes. No type is taken for the endpoint's.
func checkMediaType(r *http.Request, e *endpoint) *refusal {
	lines := r.Header.Values("Content-Type")
	switch {
	case len(lines) == 0 || e.does == passed && r.ContentLength == 0:
		return nil
	case len(lines) > 1:
		return refuse(mediaTypeRefused, "there are %d content types", len(lines))
	case strings.Contains(lines[0], "*"): // of RFC 2231, which servers read in different ways
		return refuse(mediaTypeRefused, "the content type %q has an extended parameter", lines[0])
	}
	name, parameters, err := mime.ParseMediaType(lines[0])
	switch charset, has := parameters["charset"]; {
	case err == nil && name == "multipart/form-data" && (e.multipart || e.does == undeclared):
	case err != nil || name != "application/json":
		return refuse(mediaTypeRefused, "the content type %q is not application/json", lines[0])
	case has && !strings.EqualFold(charset, "utf-8"):
		return refuse(mediaTypeRefused, "the charset %q is not utf-8", charset)
	}
	return nil
}

// parents are the runs that the client names, checked as the configuration says.
func (g *Gateway) parents(r *http.Request, client string) ([]identity.ID, *refusal) {
	lines := r.Header.Values(headerParent)
	if len(lines) > limits.GatewayParents {
		return nil, refuse(parentRefused, "%d parents, want at most %d", len(lines), limits.GatewayParents)
	}
	if len(lines) > 0 && g.config.Parents == ParentsNone {
		return nil, refuse(parentRefused, "%s is given, and the configuration takes none", headerParent)
	}
	var ids []identity.ID
	for _, line := range lines {
		id, err := identity.ParseID(line)
		switch {
		case err != nil:
			return nil, refuse(parentRefused, "%s: %v", headerParent, err)
		case slices.Contains(ids, id):
			return nil, refuse(parentRefused, "%s: %s is there twice", headerParent, id)
		case g.config.Parents == ParentsJournal && !g.journal.Holds(client, id):
			return nil, refuse(parentRefused, "%s: the journal holds no run %s of this client", headerParent, id)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// annotations are those of the client, under client/NAME.
func annotations(r *http.Request) (map[string]string, *refusal) {
	all := map[string]string{}
	lines := r.Header.Values(headerAnnotation)
	if most := limits.Annotations - 3; len(lines) > most {
		return nil, refuse(headerRefused, "%d annotations, want at most %d", len(lines), most)
	}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return nil, refuse(headerRefused, "%s: want NAME=VALUE", headerAnnotation)
		case !utf8.ValidString(line):
			return nil, refuse(headerRefused, "%s: not valid UTF-8", headerAnnotation)
		}
		name = "client/" + name
		if _, has := all[name]; has {
			return nil, refuse(headerRefused, "%s: the name is there twice", headerAnnotation)
		}
		all[name] = value
	}
	return all, nil
}

// baggageWith is W3C baggage with the run's identity in it, in place of a member of that name. Where the identity is zero, or
// the baggage would be larger than the specification has readers take, it is the client's, without that member. The identity is
// first, where a reader finds it that takes only so many members.
func baggageWith(lines []string, id identity.ID) string {
	var members []string
	for member := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		name, _, _ := strings.Cut(member, "=")
		if strings.TrimSpace(name) != "" && !strings.EqualFold(baggageName(name), baggageIdentity) {
			members = append(members, strings.TrimSpace(member))
		}
	}
	theirs := strings.Join(members, ",")
	all := strings.Join(append([]string{baggageIdentity + "=" + id.String()}, members...), ",")
	if id.IsZero() || len(all) > limits.GatewayBaggage {
		return theirs
	}
	return all
}

// baggageIdentity is the name under which baggage has the run's identity.
const baggageIdentity = "airun.identity"

// baggageName is a member's name as a reader may take it: libraries decode what is percent-encoded, and some a plus as a space, before
// they remove what is around it.
func baggageName(name string) string {
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return strings.TrimFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}
