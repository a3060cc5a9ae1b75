package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

const loginPage = `<!DOCTYPE html><html><head><title>Sign in to Acme</title></head><body></body></html>`

func page(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(code)
		fmt.Fprint(w, loginPage)
	}
}

func typed(code int, contentType, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// breaksOff promises more than it sends.
func breaksOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
	w.Header().Set("Content-Length", "500")
	fmt.Fprint(w, `{"schemaVersion":2,`)
}

// TestOddAnswers: whatever a server, a proxy or a login answers in a registry's place, the error says where, what came and
// what to do, and nothing is resolved, listed as empty, or attached.
func TestOddAnswers(t *testing.T) {
	toLogin := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/login") {
			page(200)(w, r)
			return
		}
		http.Redirect(w, r, "/login?token=secret", http.StatusMovedPermanently)
	}
	const said = `{"errors":[{"code":"UNAVAILABLE","message":"maintenance until noon"}]}`
	for name, c := range map[string]struct {
		answer     func(http.ResponseWriter, *http.Request)
		want, hint string
	}{
		"login page":           {page(200), "a page for people: Sign in to Acme", "login page"},
		"redirect to a login":  {toLogin, "/login answers 200 with a page for people: Sign in to Acme", "login page"},
		"200 with an error":    {typed(200, "application/json", said), "maintenance until noon", ""},
		"of a manifest's type": {typed(200, ocispec.MediaTypeImageManifest, said), "maintenance until noon", ""},
		"of an index's type":   {typed(200, ocispec.MediaTypeImageIndex, said), "maintenance until noon", ""},
		"an empty object":      {typed(200, ocispec.MediaTypeImageIndex, `{}`), "has no members of one", ""},
		"text":                 {typed(200, "text/plain", "OK"), "OK", ""},
		"nothing":              {typed(200, "", ""), "answers 200 with nothing in it", ""},
		"proxy login":          {page(407), "407 Proxy Authentication Required", "HTTPS_PROXY"},
		"quota":                {typed(403, "application/json", `{"errors":[{"code":"DENIED","message":"project quota exceeded"}]}`), "project quota exceeded", "quota raised"},
		"needs a login, says":  {unauthorized(`{"errors":[{"code":"UNAUTHORIZED","message":"tokens of bots are rotated on Mondays"}]}`), "(the registry says: tokens of bots are rotated on Mondays)", "log in"},
		"needs a login":        {unauthorized(`{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`), "app needs credentials", "log in"},
		"breaks off":           {breaksOff, "the answer breaks off after 19 of 500 bytes", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			s.artifact()
			_, a := resolve(t, s.host+"/app:v1")
			bundle := sign(t, 1, attest.StatementOptions{}, a)
			hintOf := func(step string, err error) {
				t.Helper()
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), s.host) || strings.Contains(err.Error(), "secret") {
					t.Errorf("%s: %v; want %q", step, err, c.want)
				}
				failed := (*registry.Error)(nil)
				if c.hint != "" && (!errors.As(err, &failed) || !strings.Contains(string(failed.Hint), c.hint)) {
					t.Errorf("%s: %v, hint %q, want %q", step, err, failed.Hint, c.hint)
				}
			}
			only := func(part string) {
				s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if strings.Contains(r.URL.Path, part) || strings.HasPrefix(r.URL.Path, "/login") {
						c.answer(w, r)
						return
					}
					next.ServeHTTP(w, r)
				})
			}
			once := func(ref string) *registry.Target {
				t.Helper()
				o, err := registry.Open(parse(t, ref), registry.Options{Timeout: 5 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				return o
			}
			only("/manifests/")
			_, err := once(s.host + "/app:v1").Resolve(context.Background())
			hintOf("resolve", err)
			only("/referrers/")
			if strings.HasPrefix(name, "breaks off") || strings.HasPrefix(name, "needs") || name == "quota" {
				c.hint, c.want = "", "" // the list alone is refused, in words of its own
			}
			l, err := once(s.host+"/app:v1").List(context.Background(), a)
			if l != nil {
				t.Errorf("list: %d", l.Len())
			}
			hintOf("list", err)
			only("/")
			if attached, err := once(s.host+"/app:v1").Attach(context.Background(), a, bundle); err == nil {
				t.Errorf("attached: %v", attached)
			}
		})
	}
}

func unauthorized(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, body)
	}
}

// TestNotStored: a redirect or a page in answer to a write is not success.
func TestNotStored(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"a page": page(200),
		"moved": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login", http.StatusMovedPermanently)
		},
	} {
		for _, api := range []bool{true, false} {
			s := newServer(t, api)
			s.artifact()
			target, a := resolve(t, s.host+"/app:v1")
			s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				switch {
				case r.URL.Path == "/login":
					page(200)(w, r)
				case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/"):
					answer(w, r)
				default:
					next.ServeHTTP(w, r)
				}
			})
			attached, err := target.Attach(context.Background(), a, sign(t, 1, attest.StatementOptions{}, a))
			if err == nil || !strings.Contains(err.Error(), s.host) || !strings.Contains(err.Error(), "PUT") && !strings.Contains(err.Error(), "a page for people") {
				t.Errorf("%s: %v, %v", name, attached, err)
			}
		}
	}
}

// TestPageForBlob: a login page in answer to the question whether a blob is there does not keep it from being stored.
func TestPageForBlob(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/blobs/") {
			page(200)(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
	attach(t, s.host+"/app:v1", 1)
	if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

// TestTokenServiceAnswers: what a token service answers instead of a token is said.
func TestTokenServiceAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"an error with 200": {typed(200, "application/json", `{"errors":[{"code":"DENIED","message":"robot account disabled"}]}`), "robot account disabled"},
		"details with 200":  {typed(200, "application/json", `{"details":"robot account disabled"}`), "robot account disabled"},
		"a page":            {page(200), "Sign in to Acme"},
		"nothing":           {typed(200, "application/json", ``), "token"},
		"an empty object":   {typed(200, "application/json", `{}`), "token"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			service := httptest.NewServer(http.HandlerFunc(c.answer))
			defer service.Close()
			s.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+service.URL+`/token",service="acme"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
			_, err := open(t, s.host+"/app:v1").Resolve(context.Background())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "token service") || !strings.Contains(err.Error(), service.URL) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}
