package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// Answers as registries, proxies and servers of files give them.

// rewrite changes the answers of a registry.
func rewrite(change func(r *http.Request, a *httptest.ResponseRecorder), chunked bool) front {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		a := httptest.NewRecorder()
		next.ServeHTTP(a, r)
		change(r, a)
		for name, values := range a.Header() {
			w.Header()[name] = values
		}
		if chunked {
			w.Header().Del("Content-Length")
		}
		w.WriteHeader(a.Code)
		if chunked {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(a.Body.Bytes())
	}
}

// What is attached is attached, listed and is about the right artifact, whatever the headers of manifests say.
func TestManifestsHoweverServed(t *testing.T) {
	for name, r := range map[string]struct {
		contentType string
		chunked     bool
	}{
		"as they are": {"-", false},
		"chunked":     {"-", true},
		"JSON":        {"application/json", false},
		"JSON, UTF-8": {"application/json; charset=utf-8", true},
		"bytes":       {"application/octet-stream", false},
		"text":        {"text/plain", false},
		"nothing":     {"", false},
		"malformed":   {";;;", false},
		"another":     {"application/vnd.docker.distribution.manifest.v2+json", false},
	} {
		for _, api := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", name, api), func(t *testing.T) {
				s := newServer(t, api)
				s.artifact()
				s.spoil(rewrite(func(q *http.Request, a *httptest.ResponseRecorder) {
					if q.Method == http.MethodGet && a.Code == http.StatusOK && !strings.Contains(q.URL.Path, "/blobs/") && r.contentType != "-" {
						a.Header()["Content-Type"] = []string{r.contentType}
					}
				}, r.chunked))
				attach(t, s.host+"/app:v1", 1)
				found, _, errs := fetchAll(t, s.host+"/app:v1")
				if len(found) != 1 || len(errs) > 0 {
					t.Fatalf("%d found, %v", len(found), errs)
				}
				s.spoil(nil)
				var m ocispec.Manifest
				_, a := resolve(t, s.host+"/app@"+found[0].Referrer)
				if err := json.Unmarshal(a.Manifest(), &m); err != nil || m.Subject.MediaType != ocispec.MediaTypeImageManifest {
					t.Errorf("the subject is of media type %q, %v", m.Subject.MediaType, err)
				}
			})
		}
	}
}

// Nothing is made up for what does not say what it is, or says two things.
func TestManifestsOfNoKind(t *testing.T) {
	for name, body := range map[string]string{
		"empty":            `{}`,
		"no JSON":          `<html>`,
		"two kinds":        `{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}`,
		"an index and one": `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"layers":[]}`,
		"JSON":             `{"schemaVersion":2,"mediaType":"application/json","layers":[],"config":{}}`,
	} {
		s := newServer(t, true)
		s.spoil(onPath("/manifests/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		}))
		if _, err := open(t, s.host+"/app:v1").Resolve(context.Background()); err == nil || !strings.Contains(err.Error(), "manifest") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A stored manifest is stored whether the registry says 201 or 200; a blob, too.
func TestStoredHoweverAnswered(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		s.artifact()
		s.spoil(rewrite(func(r *http.Request, a *httptest.ResponseRecorder) {
			if r.Method == http.MethodPut && a.Code == http.StatusCreated {
				a.Code = http.StatusOK
			}
		}, false))
		attach(t, s.host+"/app:v1", 1)
		if _, _, err := open(t, s.host+"/app").PushRun(context.Background(), declare(t, 2), sign(t, 2, attest.StatementOptions{})); err != nil {
			t.Error(err)
		}
		if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
			t.Errorf("%d found, %v", len(found), errs)
		}
	})
}

// The next page is found in whatever way RFC 8288 lets a registry name it.
func TestNextPage(t *testing.T) {
	for name, r := range map[string]struct {
		links []string
		want  string // in the error; "" for both attestations, "-" for the first page's alone
	}{
		"plain":              {[]string{`<P>; rel="next"`}, ""},
		"a token":            {[]string{`<P>; rel=next`}, ""},
		"no space":           {[]string{`<P>;rel=next`}, ""},
		"space":              {[]string{` < P > ; rel = "next" ; x`}, ""},
		"relation types":     {[]string{`<P>; rel="prefetch NEXT"`}, ""},
		"upper case":         {[]string{`<P>; REL="Next"`}, ""},
		"other parameters":   {[]string{`<P>; title="a, \"b\"; rel=last"; rel="next"; x=y`}, ""},
		"single quotes":      {[]string{`<P>; rel='next'`}, ""},
		"several in one":     {[]string{`<https://docs.test/a,b>; rel=help, <P>; rel="next", <?page=9>; rel="last"`}, ""},
		"several headers":    {[]string{`<https://docs.test>; rel="help"`, `<P>; rel="next"`}, ""},
		"twice the same":     {[]string{`<P>; rel="next"`, `<P>; rel="next"`}, ""},
		"absolute":           {[]string{`<U>; rel="next"`}, ""},
		"none is next":       {[]string{`<https://docs.test>; rel="help", </>; rel=nextish; title=next`}, "-"},
		"next, no relation":  {[]string{`<P?next>; title="rel=next"; rel="x"`}, "-"},
		"only the first rel": {[]string{`<P>; rel="x"; rel="next"`}, "-"},
		"of another page":    {[]string{`<P>; rel="next"; anchor="/other"`}, "-"},
		"empty":              {[]string{``, `,`}, "-"},
		"no relation":        {[]string{`<P>`}, ""},
		"an empty relation":  {[]string{`<P>; rel=""`}, "-"},
		"two pages":          {[]string{`<P>; rel="next", <?page=3>; rel="next"`}, "several pages"},
		"another server":     {[]string{`<https://evil.test/v2>; rel="next"`}, "another server"},
		"broken":             {[]string{`P; rel="next"`}, "want <URL>"},
		"no end":             {[]string{`<P>; rel="next`}, "want <URL>"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			s.artifact()
			attach(t, s.host+"/app:v1", 1, 2)
			s.spoil(func(w http.ResponseWriter, r2 *http.Request, next http.Handler) {
				if !strings.Contains(r2.URL.Path, "/referrers/") {
					next.ServeHTTP(w, r2)
					return
				}
				a := httptest.NewRecorder()
				next.ServeHTTP(a, r2)
				index := decodeIndex(t, a.Body.Bytes())
				slices.SortFunc(index.Manifests, func(a, b ocispec.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
				if r2.URL.Query().Get("page") == "" {
					index.Manifests = index.Manifests[:1]
					for _, link := range r.links {
						link = strings.ReplaceAll(strings.ReplaceAll(link, "P", "?page=2"), "U", "http://"+s.host+r2.URL.Path+"?page=2")
						w.Header().Add("Link", link)
					}
				} else {
					index.Manifests = index.Manifests[1:]
				}
				w.Header().Set("Content-Type", index.MediaType)
				_, _ = w.Write(encode(t, index))
			})
			found, _, errs := fetchAll(t, s.host+"/app:v1")
			switch {
			case r.want == "" && (len(found) != 2 || len(errs) > 0), r.want == "-" && (len(found) != 1 || len(errs) > 0):
				t.Errorf("%d found, %v", len(found), errs)
			case r.want != "" && r.want != "-" && (len(errs) != 1 || !strings.Contains(errs[0].Error(), r.want)):
				t.Errorf("%d found, %v; want %q", len(found), errs, r.want)
			}
		})
	}
}

// What a registry says of a refusal is shown, in one visible line, and the hint is for that case.
func TestRefusalsSayWhy(t *testing.T) {
	said := func(code, message string) string {
		return fmt.Sprintf(`{"errors":[{"code":%q,"message":%s}]}`, code, encode(t, message))
	}
	for name, r := range map[string]struct {
		status     int
		body       string
		login      bool // alice is logged in
		want, hint string
	}{
		"quota":             {403, said("DENIED", "storage quota of project acme exceeded"), true, "storage quota of project acme exceeded", "quota raised"},
		"policy, anonymous": {403, said("DENIED", "blocked by policy no-latest"), false, "blocked by policy no-latest", "log in"},
		"a bare refusal":    {403, said("DENIED", "requested access to the resource is denied"), true, "is refused (403", "log in"},
		"plain text":        {403, "Your address is not allowed here", true, "Your address is not allowed here", ""},
		"a page":            {403, "<html><head><title>Blocked by Acme</title></head>", true, "Blocked by Acme", ""},
		"of another kind":   {403, `{"message":"subscription ended"}`, true, "subscription ended", ""},
		"numbers as codes":  {403, `{"errors":[{"code":7,"message":"license expired","detail":{"a":1}}]}`, true, "license expired", ""},
		"escapes":           {403, said("DENIED", "\x1b[2Jgone\nhint: rm -rf"), true, `\u{1b}[2Jgone hint: rm -rf`, ""},
		"no repository":     {404, said("NAME_UNKNOWN", "project acme was archived"), true, "project acme was archived", ""},
		"hidden":            {404, said("DENIED", "you are not a member"), true, "access to app is refused (404 Not Found: you are not a member)", ""},
		"no manifest":       {404, said("MANIFEST_UNKNOWN", "manifest unknown"), true, "no such tag or artifact: v1", ""},
		"rate limit":        {429, said("TOOMANYREQUESTS", "You have reached your pull rate limit"), true, "You have reached your pull rate limit", "try again"},
		"rate, anonymous":   {429, said("TOOMANYREQUESTS", "You have reached your pull rate limit"), false, "You have reached your pull rate limit", "logged in"},
		"unauthorized":      {401, said("UNAUTHORIZED", "token of bob has been revoked"), true, "token of bob has been revoked", "log in"},
		"a bad request":     {400, `nothing about it`, true, "nothing about it", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			s.artifact()
			if r.login {
				login(t, s.host)
			}
			s.spoil(func(w http.ResponseWriter, q *http.Request, next http.Handler) {
				if r.login && q.Header.Get("Authorization") == "" {
					wantsLogin(w, q)
					return
				}
				if r.status == http.StatusTooManyRequests {
					w.Header().Set("Retry-After", "3600")
				}
				w.WriteHeader(r.status)
				fmt.Fprint(w, r.body)
			})
			_, err := open(t, s.host+"/app:v1").Resolve(context.Background())
			hint := ""
			if failed := (*registry.Error)(nil); errors.As(err, &failed) {
				hint = string(failed.Hint)
			}
			if err == nil || !strings.Contains(err.Error(), r.want) || strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v; want %q", err, r.want)
			}
			if !strings.Contains(hint, r.hint) || (hint == "") != (r.hint == "") {
				t.Errorf("hint %q; want %q", hint, r.hint)
			}
		})
	}
}

// A sentence has an end.
func TestRefusalsAreCut(t *testing.T) {
	s := newServer(t, true)
	s.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.Copy(w, bytes.NewReader(bytes.Repeat([]byte("no "), 1<<20)))
	})
	if _, err := open(t, s.host+"/app:v1").Resolve(context.Background()); err == nil || len(err.Error()) > 3000 {
		t.Errorf("%d bytes", len(fmt.Sprint(err)))
	}
}

// A refused list of referrers is not reported as a refused artifact, and is not replaced by the fallback.
func TestListAloneIsRefused(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404} {
		s := newServer(t, true)
		subject := s.artifact()
		attach(t, s.host+"/app:v1", 1)
		s.put("manifest", strings.ReplaceAll(subject.Digest.String(), ":", "-"), ocispec.MediaTypeImageIndex,
			[]byte(`{"schemaVersion":2,"mediaType":"`+ocispec.MediaTypeImageIndex+`","manifests":[]}`))
		s.spoil(onPath("/referrers/", status(code, `{"errors":[{"code":"DENIED","message":"listing is for members"}]}`)))
		found, l, errs := fetchAll(t, s.host+"/app:v1")
		if l != nil || len(found) > 0 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "the list of what refers to the artifact is refused") ||
			!strings.Contains(errs[0].Error(), "listing is for members") {
			t.Errorf("%d: %d found, %v", code, len(found), errs)
		}
	}
}

// So is the index that lists referrers where there is no API.
func TestIndexAloneIsRefused(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404} {
		s := newServer(t, false)
		s.artifact()
		attach(t, s.host+"/app:v1", 1)
		s.spoil(onPath("/manifests/sha256-", status(code, `{"errors":[{"code":"DENIED","message":"this tag is for members"}]}`)))
		found, l, errs := fetchAll(t, s.host+"/app:v1")
		if l != nil || len(found) > 0 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "this tag is for members") ||
			!strings.Contains(errs[0].Error(), "the list of what refers to the artifact is refused") {
			t.Errorf("%d: %d found, %v", code, len(found), errs)
		}
	}
}

// A token service without an address is not taken for one in plain HTTP.
func TestTokenServiceIsNowhere(t *testing.T) {
	for challenge, want := range map[string]string{
		`Bearer service="x"`:                      "does not say from where",
		`Bearer realm="https://tokens.test`:       "does not say from where",
		`Bearer realm="",service="x"`:             "does not say from where",
		`Bearer realm="::"`:                       `it leads to what is not a URL, "::"`,
		`Bearer realm="http://tokens.test/token"`: "it leads to plain HTTP at tokens.test",
		`Bearer realm="file:///etc/passwd"`:       "uses unsupported scheme \"file\"",
	} {
		s := newServer(t, true)
		s.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		})
		_, err := open(t, s.host+"/app:v1").Resolve(context.Background())
		failed, _ := errors.AsType[*registry.Error](err)
		if err == nil || !strings.Contains(err.Error(), want) || failed == nil || (failed.Hint == registry.HintRedirectedHTTP) != strings.Contains(want, "plain HTTP") {
			t.Errorf("%s: %v", challenge, err)
		}
	}
}

// What the token service says is shown, too.
func TestTokenServiceSaysWhy(t *testing.T) {
	s := newServer(t, true)
	login(t, s.host)
	service := newStranger(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"details":"personal access token expired"}`)
	})
	s.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+service.URL+`/token"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, err := open(t, s.host+"/app:v1").Resolve(context.Background())
	if err == nil || !strings.Contains(err.Error(), "personal access token expired") || !strings.Contains(err.Error(), "token service") {
		t.Errorf("%v", err)
	}
}

// Hints about plain HTTP are for servers that want TLS, and ask for nothing that is given.
func TestPlainHTTPHints(t *testing.T) {
	plain := newServer(t, true)
	plain.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "no such thing")
	})
	secure := httptest.NewTLSServer(plain)
	defer secure.Close()
	for name, r := range map[string]struct {
		host     string
		insecure bool
		want     string
		not      string
	}{
		"plain":           {plain.host, false, "", "plain HTTP"},
		"plain, insecure": {plain.host, true, "", "plain HTTP"},
		"TLS":             {strings.TrimPrefix(secure.URL, "https://"), false, string(registry.HintLocalTLS), "do not allow"},
		"TLS, insecure":   {strings.TrimPrefix(secure.URL, "https://"), true, string(registry.HintHasTLS), "authority"},
	} {
		target, err := registry.Open(parse(t, r.host+"/app:v1"), registry.Options{InsecureHTTP: r.insecure, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		_, err = target.Resolve(context.Background())
		var failed *registry.Error
		if !errors.As(err, &failed) || !strings.Contains(string(failed.Hint), r.want) || strings.Contains(string(failed.Hint), r.not) {
			t.Errorf("%s: %v, hint %q", name, err, failed.Hint)
		}
	}
}

// Uploads do not follow the registry to another server.
func TestUploadsStay(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	login(t, s.host)
	other := newStranger(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	target, a := resolve(t, s.host+"/app:v1")
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case wantsLogin(w, r):
		case r.Method == http.MethodPost:
			w.Header().Set("Location", other.URL+"/upload")
			w.WriteHeader(http.StatusAccepted)
		default:
			next.ServeHTTP(w, r)
		}
	})
	if _, err := target.Attach(context.Background(), a, sign(t, 1, attest.StatementOptions{}, a)); err == nil || other.asked > 0 {
		t.Errorf("%v; the other server was asked %d times", err, other.asked)
	}
}

// Content under the digest that was asked for is that content, and nothing else, however it comes.
func TestChunkedLies(t *testing.T) {
	s := newServer(t, true)
	subject := s.artifact()
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasSuffix(r.URL.Path, subject.Digest.String()) && strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			w.(http.Flusher).Flush()
			fmt.Fprint(w, `{"schemaVersion":2,"config":{},"layers":[]}`)
			return
		}
		next.ServeHTTP(w, r)
	})
	_, err := open(t, s.host+"/app@"+subject.Digest.String()).Resolve(context.Background())
	if !errors.Is(err, registry.ErrMismatch) {
		t.Errorf("%v", err)
	}
}

// TestPartOfAList: what says that it is a part of what was asked for is an error: what it lacks may be a rejection.
func TestPartOfAList(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	attach(t, s.host+"/app:v1", 1)
	s.spoil(rewrite(func(r *http.Request, a *httptest.ResponseRecorder) {
		if strings.Contains(r.URL.Path, "/referrers/") {
			a.Code = http.StatusPartialContent
		}
	}, false))
	if _, _, errs := fetchAll(t, s.host+"/app:v1"); len(errs) != 1 || !strings.Contains(errs[0].Error(), "206") {
		t.Errorf("%v", errs)
	}
}
