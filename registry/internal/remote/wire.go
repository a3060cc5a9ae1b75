package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/registry/internal/store"
)

// request is what a registry is asked.
type request struct {
	method string
	path   string // after /v2/REPOSITORY, or a whole URL of the same server
	body   []byte
	header http.Header
	once   bool // it is not repeated where nothing shows that it is
}

// answer is what a registry answers with, its body read.
type answer struct {
	status int
	header http.Header
	url    *url.URL
	data   []byte
}

// ask sends a request and reads the answer. Everything that this takes happens within the timeout: credential helpers,
// token services, redirects, repetitions and the body. An answer that is neither 2xx nor accepted, or denies access, is an *answerError.
func (r *Repository) ask(ctx context.Context, q request, accepted ...int) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	said := &refusals{}
	ctx = context.WithValue(ctx, refusalsKey{}, said)
	actions := []string{auth.ActionPull}
	if q.method != http.MethodGet && q.method != http.MethodHead {
		actions = append(actions, auth.ActionPush)
	}
	ctx = auth.AppendRepositoryScope(ctx, r.repo, actions...)
	req, err := http.NewRequestWithContext(ctx, q.method, r.url(q.path), bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	client := r.again
	if q.once {
		client = r.once
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, said.explain(err)
	}
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header, url: resp.Request.URL}
	for _, status := range accepted {
		if status == a.status {
			if refusal := newAnswerError(resp, false); refusal.denied() {
				return nil, refusal
			}
			return a, nil
		}
	}
	if a.status/100 != 2 {
		return nil, newAnswerError(resp, false)
	}
	if a.status == http.StatusPartialContent { // no range was asked for
		return nil, fmt.Errorf("%s answers with a part of it alone (206)", place(a.url))
	}
	if resp.Request.Method != q.method { // a client goes on with GET
		return nil, fmt.Errorf("it redirects %s to %s, so that nothing is stored", q.method, place(a.url))
	}
	if q.method == http.MethodHead {
		return a, nil
	}
	if a.data, err = readAnswer(resp); err != nil {
		return a, fmt.Errorf("%s %s: %w", q.method, place(a.url), err)
	}
	// Some registries leave the type of what they answer to a write to a framework for pages.
	if q.method != http.MethodGet && looksLikePage(a.data) {
		return nil, a.odd(nil)
	}
	return a, nil
}

// place is a URL without what may be secret in it.
func place(u *url.URL) string {
	where := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return where.String()
}

// isPage tells a page for people, as proxies and logins write it.
func (a *answer) isPage() bool {
	said, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	return said == "text/html" || said == "application/xhtml+xml" || looksLikePage(a.data)
}

func looksLikePage(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) }

// odd says of a success that it is not what was asked for, what it is, and where it comes from.
func (a *answer) odd(why error) error {
	e := &oddError{text: fmt.Sprintf("%s answers %d with ", place(a.url), a.status), page: a.isPage(), why: why}
	said, _ := sentence(a.data)
	switch {
	case len(a.data) == 0:
		e.text += "nothing in it"
	case e.page:
		e.text += "a page for people"
	default:
		e.text += fmt.Sprintf("content of type %q", shown(a.header.Get("Content-Type")))
	}
	if said != "" && (e.page || !strings.HasPrefix(said, "{")) {
		e.text += ": " + said
	}
	return e
}

// noToken says what a token service answers in place of a token. Text of an unknown kind may be a secret, and is not shown.
func (a *answer) noToken() error {
	var object map[string]any
	if json.Unmarshal(a.data, &object) != nil && !a.isPage() && len(a.data) > 0 {
		return &oddError{text: fmt.Sprintf("its token service: want a token: %s answers %d with %d bytes that are not JSON", place(a.url), a.status, len(a.data))}
	}
	return a.odd(errors.New("its token service: want a token"))
}

// oddError is a success that is none.
type oddError struct {
	text string
	page bool
	why  error // nil if the text says all
}

func (e *oddError) Error() string {
	if e.why != nil {
		return e.why.Error() + ": " + e.text
	}
	return e.text
}
func (e *oddError) Unwrap() error { return e.why }

func (r *Repository) url(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	scheme := "https://"
	if r.plain {
		scheme = "http://"
	}
	return scheme + r.repo.Host() + "/v2/" + r.ref.Path + path
}

// errTooLong says that an answer is longer than anything that is read.
var errTooLong = fmt.Errorf("the answer is too long: want at most %d bytes", limits.RegistryContent)

// readAnswer reads a body of at most limits.RegistryContent, in one piece where its length is known.
func readAnswer(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > limits.RegistryContent {
		return nil, errTooLong
	}
	if resp.ContentLength >= 0 {
		data := make([]byte, resp.ContentLength)
		n, err := io.ReadFull(resp.Body, data)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("the answer breaks off after %d of %d bytes: %w", n, len(data), io.ErrUnexpectedEOF)
		}
		return data, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limits.RegistryContent+1))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the answer breaks off after %d bytes: %w", len(data), err)
	}
	if err == nil && len(data) > limits.RegistryContent {
		err = errTooLong
	}
	return data, err
}

// checkDigest holds an answer's content against the digest that the registry says it has.
func (a *answer) checkDigest() error {
	said := digest.Digest(a.header.Get("Docker-Content-Digest"))
	if said == "" || said.Validate() != nil {
		return nil
	}
	if got := said.Algorithm().FromBytes(a.data); got != said {
		return fmt.Errorf("%w: content with the digest %s, of which the registry says that it has %s", store.ErrMismatch, got, said)
	}
	return nil
}

// manifestTypes are the media types that a registry is asked for.
var manifestTypes = []string{
	ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, store.DockerManifest, store.DockerList,
	"application/vnd.oci.artifact.manifest.v1+json",
}

// manifest gets a manifest by tag or digest.
func (r *Repository) manifest(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	a, err := r.ask(ctx, request{method: http.MethodGet, path: "/manifests/" + name, header: http.Header{"Accept": {strings.Join(manifestTypes, ", ")}}})
	if err == nil {
		err = a.checkDigest()
	}
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	mediaType, err := mediaTypeOf(a.header.Get("Content-Type"), a.data)
	if err != nil {
		err = a.odd(err)
	}
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(a.data), Size: int64(len(a.data))}, a.data, err
}

// Fetch gets what a descriptor describes, and nothing else.
func (r *Repository) Fetch(ctx context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := store.CheckSize(d); err != nil {
		return nil, err
	}
	kind, header := "/blobs/", http.Header{}
	if isManifest(d.MediaType) {
		kind, header = "/manifests/", http.Header{"Accept": {strings.Join(append([]string{d.MediaType}, manifestTypes...), ", ")}}
	}
	a, err := r.ask(ctx, request{method: http.MethodGet, path: kind + d.Digest.String(), header: header})
	if errors.Is(err, errTooLong) {
		err = fmt.Errorf("%s: %w: %w", d.Digest, store.ErrMismatch, err)
	}
	if refusal, ok := errors.AsType[*answerError](err); ok {
		refusal.content = d.Digest
	}
	if err != nil {
		return nil, r.named(d.Digest.String(), r.failed(err))
	}
	if got := d.Digest.Algorithm().FromBytes(a.data); got != d.Digest {
		return nil, r.failed(fmt.Errorf("%s: %w: content with the digest %s", d.Digest, store.ErrMismatch, got))
	}
	there := ocispec.Descriptor{MediaType: d.MediaType, Size: int64(len(a.data))}
	if kind == "/manifests/" && !isGeneric(d.MediaType) {
		if there.MediaType, err = mediaTypeOf(a.header.Get("Content-Type"), a.data); err != nil {
			return nil, &store.DescriptorError{Text: fmt.Sprintf("%s: %s", d.Digest, err)}
		}
	}
	// The content has its digest, so that it is the descriptor that is wrong: a client that may push can write any.
	if there.Size != d.Size || there.MediaType != d.MediaType {
		return nil, store.WrongDescriptor(d, there)
	}
	return a.data, nil
}

// put stores a manifest under a name.
func (r *Repository) put(ctx context.Context, m store.Item, name string) error {
	a, err := r.ask(ctx, request{method: http.MethodPut, path: "/manifests/" + name, body: m.Content, header: http.Header{"Content-Type": {m.MediaType}}})
	if err != nil {
		return err
	}
	a.data = m.Content
	return a.checkDigest()
}

// upload stores a blob: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-monolithically
func (r *Repository) upload(ctx context.Context, b store.Item) error {
	begun, err := r.ask(ctx, request{method: http.MethodPost, path: "/blobs/uploads/"})
	if err != nil {
		return err
	}
	location, err := begun.url.Parse(begun.header.Get("Location"))
	if err != nil || begun.header.Get("Location") == "" {
		return fmt.Errorf("it does not say where to upload a blob to: its answer has the Location %q", secrets.Shown(shown(begun.header.Get("Location"))))
	}
	if asked, err := url.Parse(r.url("")); err != nil || !sameServer(location, asked) { // which would get the credentials
		return fmt.Errorf("it wants a blob to be uploaded to another server, %s://%s", location.Scheme, location.Host)
	}
	query := location.Query()
	query.Set("digest", b.Digest.String())
	location.RawQuery = query.Encode()
	_, err = r.ask(ctx, request{method: http.MethodPut, path: location.String(), body: b.Content, header: http.Header{"Content-Type": {"application/octet-stream"}}})
	return err
}

// sameServer says that two URLs have one origin: scheme, host and port.
func sameServer(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		switch {
		case u.Port() != "":
			return u.Port()
		case u.Scheme == "https":
			return "443"
		}
		return "80"
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// refusals are the answers of token services during one request: the client that asks them keeps little of what they say.
type refusals struct {
	last      *answerError
	challenge string  // how the registry says where its token service is
	token     *answer // what the token service said, if that was not a refusal
}

type refusalsKey struct{}

// explain replaces what the client says of a token service's refusal by what the service said.
func (h *refusals) explain(err error) error {
	var answer *errcode.ErrorResponse
	switch {
	case needsLogin(err) && h.last != nil && h.last.said != "":
		return &anonymousError{said: h.last.said, cause: err}
	case h.token != nil && (strings.Contains(err.Error(), "empty token returned") || strings.Contains(err.Error(), "failed to decode response")):
		return h.token.noToken()
	case !errors.As(err, &answer):
		return err
	case h.last != nil && h.last.status == answer.StatusCode:
		return h.last
	}
	said := ""
	if len(answer.Errors) > 0 {
		said = shown(answer.Errors.Error())
	}
	return &answerError{method: answer.Method, url: answer.URL, status: answer.StatusCode, said: said, token: true}
}

// listener records what refusals say. Their bodies are held in memory, and can be read again.
type listener struct{ http.RoundTripper }

// errNoRealm says that a registry names no token service. Requests to a registry have a host.
var errNoRealm = errors.New("it wants a token and does not say from where: want WWW-Authenticate: Bearer realm=\"https://...\"")

// schemeError says that a redirect, or the address of a token service, is not one of HTTP.
type schemeError struct{ to *url.URL }

func (e *schemeError) Error() string {
	if e.to.Opaque != "" {
		return fmt.Sprintf("it leads to a URL of the scheme %s, want https", shown(e.to.Scheme))
	}
	return fmt.Sprintf("it leads to %s, want a URL that begins with https:// and a host", secrets.Shown(shown(place(e.to))))
}

func (l listener) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case req.URL.Scheme != "" && req.URL.Scheme != "https" && req.URL.Scheme != "http", req.URL.Host == "" && req.Response != nil:
		return nil, &schemeError{req.URL}
	case req.URL.Host == "":
		return nil, errNoRealm
	}
	resp, err := l.RoundTripper.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	if challenges := resp.Header.Values("WWW-Authenticate"); len(challenges) > 0 {
		resp.Header.Set("WWW-Authenticate", chosen(challenges))
	}
	said, ok := req.Context().Value(refusalsKey{}).(*refusals)
	switch {
	case !ok:
		return resp, nil
	case resp.StatusCode < 400:
		if err := said.listen(resp); err != nil {
			resp.Body.Close()
			return nil, err
		}
		return resp, nil
	}
	said.challenge = resp.Header.Get("WWW-Authenticate")
	data, err := io.ReadAll(io.LimitReader(resp.Body, limits.RegistryAnswer))
	if closed := resp.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	said.last = newAnswerError(resp, true)
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}

// chosen begins with the challenge that the client answers best (RFC 9110, section 11.6.1: a server may give several, in one line or
// in more): one for a token, for which no password may be needed, or else one for a password. The client reads the first alone.
func chosen(challenges []string) string {
	for _, scheme := range []string{"bearer", "basic"} {
		for _, line := range challenges {
			if at := schemeIn(line, scheme); at >= 0 {
				return lowerNames(line[at:])
			}
		}
	}
	return challenges[0]
}

// lowerNames is a challenge with the names of its parameters in lower case, which are equal in any (RFC 9110, section 11.2).
func lowerNames(challenge string) string {
	text, isName := []byte(challenge), true
	for i, c := range unquoted(challenge) {
		switch {
		case c == '=':
			isName = false
		case c == ',':
			isName = true
		case isName && c >= 'A' && c <= 'Z':
			text[i] = c + 'a' - 'A'
		}
	}
	return string(text)
}

// schemeIn is where a challenge of that scheme begins in a line, or -1: at the line's start or behind a comma, outside of quotes.
func schemeIn(line, scheme string) int {
	starts := true
	for i, c := range unquoted(line) {
		switch c {
		case ' ', '\t':
		case ',':
			starts = true
		default:
			if rest := line[i:]; starts && len(rest) >= len(scheme) && strings.EqualFold(rest[:len(scheme)], scheme) && (len(rest) == len(scheme) || rest[len(scheme)] == ' ') {
				return i
			}
			starts = false
		}
	}
	return -1
}

// unquoted gives the bytes of a line of challenges that stand outside of quotes, and the mark that ends a quote, each with its place.
func unquoted(line string) iter.Seq2[int, byte] {
	return func(yield func(int, byte) bool) {
		quoted := false
		for i := 0; i < len(line); i++ {
			c := line[i]
			switch {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			}
			if !quoted && !yield(i, c) {
				return
			}
		}
	}
}

// listen keeps the beginning of what a token service answers.
func (h *refusals) listen(resp *http.Response) error {
	if !strings.Contains(h.challenge, `"`+place(resp.Request.URL)) {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limits.RegistryAnswer))
	h.token = &answer{status: resp.StatusCode, header: resp.Header, url: resp.Request.URL, data: data}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), resp.Body), resp.Body}
	return err
}

// answerError is an answer that is a refusal.
type answerError struct {
	method string
	url    *url.URL
	status int
	codes  []string
	said   string // by the registry, cut and visible
	token  bool   // it is the token service that refuses
	busy   bool   // the registry says for how long it wants to be left alone
	wait   time.Duration

	content digest.Digest // what was asked for, if the registry has named it before
}

func newAnswerError(resp *http.Response, token bool) *answerError {
	e := &answerError{method: resp.Request.Method, url: resp.Request.URL, status: resp.StatusCode, token: token}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, limits.RegistryAnswer)) // what can be read of it
	e.said, e.codes = sentence(data)
	e.wait, e.busy = retryAfter(resp)
	return e
}

func (e *answerError) Error() string {
	text := fmt.Sprintf("%s %s: %s", e.method, place(e.url), e.why())
	if e.token {
		return "its token service: " + text
	}
	return text
}

// why is the status, and what the registry says of it.
func (e *answerError) why() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", e.status, http.StatusText(e.status)))
	if e.said != "" {
		text += ": " + e.said
	}
	return text
}

// denied tells a refusal of access, which a registry may give the status of something that is not there.
func (e *answerError) denied() bool {
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	case http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented:
		return e.has("DENIED", "UNAUTHORIZED")
	}
	return false
}

func (e *answerError) has(codes ...string) bool {
	for _, code := range codes {
		for _, have := range e.codes {
			if strings.EqualFold(have, code) {
				return true
			}
		}
	}
	return false
}
