package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// An upstream is a configured one, with what follows from its configuration.
type upstream struct {
	Upstream
	url      *url.URL
	protocol *protocol
	patience time.Duration // for the headers of an answer
}

// A route is where a request goes.
type route struct {
	up       *upstream
	path     string // behind the upstream's prefix, as it is sent
	query    string // as it is sent
	endpoint *endpoint
}

// plain tells a character that stands in a path for itself, for every server.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~:@", c) >= 0
}

// checkPath refuses a path that two servers could read as two.
func checkPath(path string) *refusal {
	for i := range len(path) {
		if c := path[i]; c != '/' && !plain(c) {
			return refuse(pathRefused, "the path has the character %q, want letters, digits and -._~:@", c)
		}
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		switch {
		case segment == "." || segment == "..":
			return refuse(pathRefused, "the path has a dot segment")
		case segment == "" && path != "/":
			return refuse(pathRefused, "the path has an empty segment: look for // in the client's base URL, or a slash at its end")
		}
	}
	return nil
}

// cutSecret takes the URL secret off a path. It takes the same time for every path of one length.
func (g *Gateway) cutSecret(path string) (string, *refusal) {
	if g.secret == ([sha256.Size]byte{}) {
		return path, nil
	}
	segment, rest, more := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	got := sha256.Sum256([]byte(segment))
	if subtle.ConstantTimeCompare(got[:], g.secret[:]) != 1 {
		return "", refuse(clientUnknown, "the path does not begin with the URL secret")
	}
	if more {
		return "/" + rest, nil
	}
	return "/", nil
}

// route finds the upstream and the endpoint of a request. The route has an upstream with a refusal, too, where one is found.
func (g *Gateway) route(r *http.Request) (route, *refusal) {
	if r.Method == http.MethodConnect || !strings.HasPrefix(r.RequestURI, "/") {
		return route{}, refuse(pathRefused, "the target is not a path")
	}
	path, query, _ := strings.Cut(r.RequestURI, "?")
	path, no := g.cutSecret(path)
	if no != nil {
		return route{}, no
	}
	to := route{path: path, query: query}
	for _, up := range g.upstreams { // longest prefix first
		if rest, ok := strings.CutPrefix(path, up.Prefix); ok && (rest == "" || rest[0] == '/') {
			to.up, to.path = up, rest
			break
		}
	}
	if no := checkPath(path); no != nil {
		return to, no
	}
	if to.up == nil {
		return to, refuse(endpointUnknown, "no upstream has the path %s: want one of %s", path, strings.Join(g.prefixes(), ", "))
	}
	if to.path == "" {
		to.path = "/"
	}
	if r.Header.Get("Upgrade") != "" {
		return to, refuse(upgradeRefused, "no upgrade to another protocol: use HTTP")
	}
	if r.Method == http.MethodHead && to.path == "/" {
		return to, nil
	}
	if to.endpoint = to.up.protocol.find(r.Method, to.path); to.endpoint == nil {
		hint := fmt.Sprintf(to.up.protocol.baseHint, "http://"+r.Host+to.up.Prefix)
		return to, refuse(endpointUnknown, "%s %s is not an endpoint of %s that the gateway knows; %s", r.Method, to.path, to.up.Provider, hint)
	}
	if r.Method != http.MethodPost && r.ContentLength != 0 { // a server that does not look at the method could run it
		return to, refuse(endpointUnknown, "%s %s is an endpoint of %s without a body: send none", r.Method, to.path, to.up.Provider)
	}
	return to, to.checkQuery()
}

func (g *Gateway) prefixes() []string {
	var l []string
	for _, up := range g.upstreams {
		l = append(l, up.Prefix+"/")
	}
	slices.Sort(l)
	return l
}

// checkQuery refuses members that an endpoint does not name. Names and values stand for themselves, so that the upstream reads
// the same; an endpoint that computes nothing takes any but those that override the method.
func (to *route) checkQuery() *refusal {
	seen := map[string]bool{}
	for piece := range strings.SplitSeq(to.query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if to.endpoint.does == passed {
			if decoded, err := url.QueryUnescape(name); err != nil || slices.Contains([]string{"$httpmethod", "_method", "x-http-method-override"}, strings.ToLower(decoded)) {
				return refuse(queryRefused, "the query is malformed or overrides the method")
			}
			continue
		}
		switch known := queryValues[name]; {
		case piece == "" && to.query == "":
		case !slices.Contains(to.endpoint.query, name):
			return refuse(queryRefused, "the query has a member that %s %s does not take: its name has %d bytes", to.endpoint.method, to.endpoint.path, len(name))
		case seen[name]:
			return refuse(queryRefused, "the query has %s twice", name)
		case strings.ContainsAny(value, ";#%+"):
			return refuse(queryRefused, "the value of %s in the query has a character that servers read in different ways", name)
		case known != nil && !slices.Contains(known, value):
			return refuse(queryRefused, "the query has a value of %s that is not one of %s", name, strings.Join(known, ", "))
		default:
			seen[name] = true
		}
	}
	return nil
}

// target is what the table is shown of path and query.
func (to *route) target() string {
	var members []string
	for piece := range strings.SplitSeq(to.query, "&") {
		if name, _, _ := strings.Cut(piece, "="); piece != "" && !slices.Contains(transportQuery, name) {
			members = append(members, piece)
		}
	}
	if len(members) == 0 {
		return to.path
	}
	return to.path + "?" + strings.Join(members, "&")
}
