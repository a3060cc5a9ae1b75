package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// A registry that leads to other servers: by redirects, links and the address of its token service.

// stranger is another server, which remembers the credentials that it was sent.
type stranger struct {
	*httptest.Server
	mu    sync.Mutex
	asked int
	told  []string
}

func newStranger(t *testing.T, answer http.HandlerFunc) *stranger {
	t.Helper()
	s := &stranger{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked++
		if said := r.Header.Get("Authorization"); said != "" {
			s.told = append(s.told, said)
		}
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// login writes alice's credentials for a registry into Docker's configuration.
func login(t *testing.T, host string) {
	t.Helper()
	auth := base64.StdEncoding.EncodeToString([]byte("alice:secret"))
	writeFile(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, host, auth))
}

func wantsLogin(w http.ResponseWriter, r *http.Request) bool {
	if user, password, _ := r.BasicAuth(); user == "alice" && password == "secret" {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

// Storage elsewhere is followed to, and is sent no credentials, also when it asks for them.
func TestRedirectsCarryNoCredentials(t *testing.T) {
	for _, greedy := range []bool{false, true} {
		s := newServer(t, true)
		s.artifact()
		attach(t, s.host+"/app:v1", 1)
		login(t, s.host)
		storage := newStranger(t, func(w http.ResponseWriter, r *http.Request) {
			if !greedy || !wantsLogin(w, r) {
				s.inner.ServeHTTP(w, r)
			}
		})
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case wantsLogin(w, r):
			case strings.Contains(r.URL.Path, "/blobs/"):
				http.Redirect(w, r, storage.URL+r.URL.Path, http.StatusTemporaryRedirect)
			default:
				next.ServeHTTP(w, r)
			}
		})
		found, _, errs := fetchAll(t, s.host+"/app:v1")
		if want := 1; !greedy && (len(found) != want || len(errs) > 0) || greedy && len(found) > 0 {
			t.Errorf("greedy %v: %d found, %v", greedy, len(found), errs)
		}
		if len(storage.told) > 0 || storage.asked == 0 {
			t.Errorf("greedy %v: asked %d times, and told %v", greedy, storage.asked, storage.told)
		}
	}
}

// A token service gets the credentials, but not a server to which it redirects; only the registry gets the token.
func TestTokenService(t *testing.T) {
	for _, sendsOn := range []bool{false, true} {
		s := newServer(t, true)
		s.artifact()
		attach(t, s.host+"/app:v1", 1)
		login(t, s.host)
		third := newStranger(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v2/") {
				s.inner.ServeHTTP(w, r)
				return
			}
			fmt.Fprint(w, `{"token":"anonymous"}`)
		})
		service := newStranger(t, func(w http.ResponseWriter, r *http.Request) {
			if sendsOn {
				http.Redirect(w, r, third.URL+"/token", http.StatusTemporaryRedirect)
			} else if !wantsLogin(w, r) {
				fmt.Fprint(w, `{"token":"alice"}`)
			}
		})
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case r.Header.Get("Authorization") != "Bearer alice":
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+service.URL+`/token",service="here"`)
				w.WriteHeader(http.StatusUnauthorized)
			case strings.Contains(r.URL.Path, "/blobs/"):
				http.Redirect(w, r, third.URL+r.URL.Path, http.StatusTemporaryRedirect)
			default:
				next.ServeHTTP(w, r)
			}
		})
		target := open(t, s.host+"/app:v1")
		a, err := target.Resolve(context.Background())
		if sendsOn {
			if err == nil || !strings.Contains(err.Error(), `user "alice"`) || strings.Contains(err.Error(), "secret") {
				t.Errorf("sent on: %v", err)
			}
		} else if err != nil {
			t.Error(err)
		} else if l, err := target.List(context.Background(), a); err != nil {
			t.Error(err)
		} else {
			for _, err := range l.Bundles(context.Background()) {
				if err != nil {
					t.Error(err)
				}
			}
		}
		if len(service.told) == 0 || third.asked == 0 || len(third.told) > 0 {
			t.Errorf("sent on %v: the service was told %d times, the third asked %d times and told %v", sendsOn, len(service.told), third.asked, third.told)
		}
	}
}

// A registry may give several challenges, in one line or in more (RFC 9110, section 11.6.1): the one for a token is answered.
func TestSeveralChallenges(t *testing.T) {
	for _, before := range [][]string{
		{"Negotiate", "BEARER"}, {`Basic realm="x"`, "BEARER"}, {`Basic realm="a, Bearer x", BEARER`}, {"Negotiate, BEARER, Basic realm=\"x\""}, {"CAPITALS"}, {`Digest realm="a\", bearer b",nonce=1 , BEARER`},
	} {
		s := newServer(t, true)
		s.artifact()
		service := newStranger(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.Query().Get("service"); !strings.EqualFold(got, "here") || before[0] == "CAPITALS" && got != "Here" {
				t.Errorf("%q: the service is %q", before, got)
			}
			fmt.Fprint(w, `{"token":"any"}`)
		})
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Header.Get("Authorization") == "Bearer any" {
				next.ServeHTTP(w, r)
				return
			}
			for _, line := range before {
				line = strings.Replace(line, "CAPITALS", `Bearer Realm="`+service.URL+`/token",SERVICE="Here",Scope=A`, 1)
				w.Header().Add("WWW-Authenticate", strings.Replace(line, "BEARER", `bearer realm="`+service.URL+`/token",service="here"`, 1))
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
		if _, err := open(t, s.host+"/app:v1").Resolve(context.Background()); err != nil {
			t.Errorf("%q: %v", before, err)
		}
	}
}

// A refusal by a store that the registry leads to is not the registry's, and a login there does not help.
func TestRefusedElsewhere(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	attach(t, s.host+"/app:v1", 1)
	store := newStranger(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`)
	})
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, store.URL+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
	target := open(t, s.host+"/app:v1")
	for _, err := range bundleErrors(t, target) {
		failed, _ := errors.AsType[*registry.Error](err)
		if failed == nil || failed.Hint != "" || !strings.Contains(err.Error(), strings.TrimPrefix(store.URL, "http://")) || !strings.Contains(err.Error(), "Request has expired") {
			t.Errorf("%v", err)
		}
	}
}

// bundleErrors is what comes of each bundle that is attached to the target's artifact: its error, or nil.
func bundleErrors(t *testing.T, target *registry.Target) []error {
	t.Helper()
	a, err := target.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := target.List(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var all []error
	for _, err := range l.Bundles(t.Context()) {
		all = append(all, err)
	}
	if len(all) == 0 {
		t.Error("nothing was read")
	}
	return all
}

// A refusal of one blob is not one of the repository, and a redirect to something else than HTTP is not one to plain HTTP.
func TestBlobAlone(t *testing.T) {
	to := func(where string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", where)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
		login  bool
	}{
		"forbidden":    {status(http.StatusForbidden, `{}`), "reading sha256:", true},
		"unauthorized": {status(http.StatusUnauthorized, `{}`), "reading sha256:", true},
		"file":         {to("file:///etc/x"), "it leads to file:///etc/x, want a URL", false},
		"s3":           {to("s3://bucket/key?secret=1"), "it leads to s3://bucket/key, want a URL", false},
		"ftp":          {to("ftp://u:p@192.0.2.1/x"), "it leads to ftp://192.0.2.1/x, want a URL", false},
		"mailto":       {to("mailto:x"), "it leads to a URL of the scheme mailto, want https", false},
		"data":         {to("data:text/plain,x"), "it leads to a URL of the scheme data, want https", false},
		"no host":      {to("http:///x"), "it leads to http:///x, want a URL", false},
	} {
		for _, insecure := range []bool{false, true} {
			s := newServer(t, true)
			s.artifact()
			attach(t, s.host+"/app:v1", 1)
			s.spoil(onPath("/blobs/", c.answer))
			target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{InsecureHTTP: insecure})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range bundleErrors(t, target) {
				failed, _ := errors.AsType[*registry.Error](err)
				if failed == nil || !strings.Contains(err.Error(), c.want) || (failed.Hint != "") != c.login {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// Plain HTTP to another machine, or from a registry with TLS, needs the option.
func TestNoWayToPlainHTTP(t *testing.T) {
	const away = "192.0.2.1"
	local := newStranger(t, func(http.ResponseWriter, *http.Request) {})
	s := newServer(t, true)
	s.artifact()
	front := httptest.NewTLSServer(s)
	defer front.Close()
	secure := strings.TrimPrefix(front.URL, "https://")
	login(t, s.host)
	ca := encodePEM(front.Certificate().Raw)
	for name, r := range map[string]struct {
		host string
		o    registry.Options
		lead string
		want string
	}{
		"TLS to this machine":        {secure, registry.Options{CA: ca}, local.URL, "plain HTTP at 127.0.0.1"},
		"TLS to another":             {secure, registry.Options{CA: ca}, "http://" + away, "plain HTTP at " + away},
		"this machine to another":    {s.host, registry.Options{}, "http://" + away, "plain HTTP at " + away},
		"this machine to its friend": {s.host, registry.Options{}, "http://localhost.example.test", "plain HTTP at localhost.example.test"},
	} {
		for way, answer := range map[string]http.HandlerFunc{
			"redirect": func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, r.lead+req.URL.Path, http.StatusTemporaryRedirect)
			},
			"token service": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+r.lead+`/token",service="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			},
		} {
			s.spoil(onPath("/manifests/", answer))
			target, err := registry.Open(parse(t, r.host+"/app:v1"), r.o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			_, err = target.Resolve(ctx)
			cancel()
			var failed *registry.Error
			if !errors.As(err, &failed) || way == "redirect" && (!strings.Contains(err.Error(), r.want) || failed.Hint == "") {
				t.Errorf("%s, %s: %v; want %q", name, way, err, r.want)
			}
		}
	}
	if local.asked > 0 {
		t.Errorf("asked %d times", local.asked)
	}
}

// A list of referrers that breaks off after a page is not taken for a registry that has no such lists.
func TestLostPage(t *testing.T) {
	for name, lost := range map[string]http.HandlerFunc{
		"not there": http.NotFound,
		"bad":       status(http.StatusBadRequest, `{}`),
		"a page":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
	} {
		s := newServer(t, true)
		s.artifact()
		attach(t, s.host+"/app:v1", 1)
		s.spoil(onPath("/referrers/", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("page") != "" {
				lost(w, r)
				return
			}
			w.Header().Set("Link", `<?page=2>; rel="next"`)
			s.inner.ServeHTTP(w, r)
		}))
		found, _, errs := fetchAll(t, s.host+"/app:v1")
		var failed *registry.Error
		if len(found) != 0 || len(errs) != 1 || !errors.As(errs[0], &failed) || !strings.Contains(errs[0].Error(), "page 2") {
			t.Errorf("%s: %d found, %v", name, len(found), errs)
		}
	}
}

// The registry dies before the index is written, after everything else; attaching again completes it.
func TestInterruptedIndex(t *testing.T) {
	s := newServer(t, false)
	s.artifact()
	dead := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isIndexWrite(r) {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	}
	target, a := resolve(t, s.host+"/app:v1")
	bundle := sign(t, 1, attest.StatementOptions{}, a)
	s.spoil(dead)
	var failed *registry.Error
	if _, err := target.Attach(context.Background(), a, bundle); !errors.As(err, &failed) {
		t.Fatalf("%v", err)
	}
	s.spoil(nil)
	if attached, err := open(t, s.host+"/app:v1").Attach(context.Background(), a, bundle); err != nil || attached[0].Existed {
		t.Fatalf("%v, %v", attached, err)
	}
	if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

// Each of the requests that store something is repeated when the registry is too busy for it.
func TestUploadsObeyRetryAfter(t *testing.T) {
	for _, part := range []string{"POST /blobs/", "PUT /blobs/", "PUT /manifests/sha256:"} {
		s := newServer(t, true)
		s.artifact()
		method, path, _ := strings.Cut(part, " ")
		var at []time.Time
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == method && strings.Contains(r.URL.Path, path) {
				s.mu.Lock()
				at = append(at, time.Now())
				first := len(at) == 1
				s.mu.Unlock()
				if first {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
		attach(t, s.host+"/app:v1", 1)
		if len(at) < 2 || at[len(at)-1].Sub(at[0]) < time.Second {
			t.Errorf("%s: asked at %v", part, at)
		}
		if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
			t.Errorf("%s: %d found, %v", part, len(found), errs)
		}
	}
}
