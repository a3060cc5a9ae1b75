package idtoken

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/testing/deadline"
)

const secret = "opaque-secret-of-the-platform"

// platform is a server that gives tokens, and how a machine meets it.
type platform struct {
	name    string
	machine func(t *testing.T, address string) machine
	handler func(t *testing.T, raw string) http.HandlerFunc
}

func platforms() []platform {
	return []platform{
		{"GitHub Actions", githubMachine, githubHandler},
		{"Buildkite", func(t *testing.T, address string) machine {
			return newMachine(t, "BUILDKITE_AGENT_ACCESS_TOKEN", secret, "BUILDKITE_AGENT_ENDPOINT", address+"/v3/", "BUILDKITE_JOB_ID", "job/7")
		}, buildkiteHandler},
		{"Google", func(t *testing.T, address string) machine {
			return newMachine(t, "GCE_METADATA_HOST", strings.TrimPrefix(address, "http://"))
		}, googleHandler},
		{"Google", func(t *testing.T, address string) machine {
			m := newMachine(t, "GCE_METADATA_HOST", strings.TrimPrefix(address, "http://"), "GOOGLE_SERVICE_ACCOUNT_NAME", "runs@example.iam.gserviceaccount.com")
			m.credentials = address
			return m
		}, impersonateHandler},
	}
}

func githubMachine(t *testing.T, address string) machine {
	return newMachine(t, "ACTIONS_ID_TOKEN_REQUEST_URL", address+"/actions?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", secret)
}

// expect answers a request that is not the one wanted with 400.
func expect(t *testing.T, w http.ResponseWriter, r *http.Request, want string) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	got := strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Metadata-Flavor"), string(body)}, "|")
	if got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
		http.Error(w, "another request was expected", http.StatusBadRequest)
	}
	return got == want
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		panic(err)
	}
}

func githubHandler(t *testing.T, raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if expect(t, w, r, "GET|/actions?api-version=2.0&audience=sigstore|bearer "+secret+"||") {
			answer(w, map[string]any{"count": len(raw), "value": raw})
		}
	}
}

func buildkiteHandler(t *testing.T, raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if expect(t, w, r, "POST|/v3/jobs/job%2F7/oidc/tokens|Token "+secret+`||{"audience":"sigstore"}`) {
			answer(w, map[string]any{"token": raw})
		}
	}
}

const accounts = "/computeMetadata/v1/instance/service-accounts/default/"

func googleHandler(t *testing.T, raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if expect(t, w, r, "GET|"+accounts+"identity?audience=sigstore&format=full||Google|") {
			fmt.Fprint(w, raw)
		}
	}
}

func impersonateHandler(t *testing.T, raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if expect(t, w, r, "GET|"+accounts+"token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform||Google|") {
				answer(w, map[string]any{"access_token": secret, "expires_in": 3000, "token_type": "Bearer"})
			}
			return
		}
		if expect(t, w, r, "POST|/v1/projects/-/serviceAccounts/runs@example.iam.gserviceaccount.com:generateIdToken|Bearer "+secret+`||{"audience":"sigstore","includeEmail":true}`) {
			answer(w, map[string]any{"token": raw})
		}
	}
}

// newServer is one whose handler has the body already: until it is read, a server does not see
// that the client has gone.
func newServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went before it had sent all
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// fault is what goes wrong: a handler around the good one, and what comes of it.
type fault struct {
	name  string
	wrap  func(good http.Handler, asked int64, w http.ResponseWriter, r *http.Request)
	want  string // in the error; nothing when a token comes
	asked int64  // how often in all, for the first request; 0 when it does not matter
	slow  bool
}

func respond(status int, contentType, body string) func(http.Handler, int64, http.ResponseWriter, *http.Request) {
	return func(_ http.Handler, _ int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// cutShort promises more than it sends.
func cutShort(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, `{"value":"ey`)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func first(n int64, bad http.HandlerFunc) func(http.Handler, int64, http.ResponseWriter, *http.Request) {
	return func(good http.Handler, asked int64, w http.ResponseWriter, r *http.Request) {
		if asked <= n {
			bad(w, r)
			return
		}
		good.ServeHTTP(w, r)
	}
}

func faults() []fault {
	unavailable := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "later", http.StatusServiceUnavailable) }
	return []fault{
		{"none", first(0, nil), "", 0, false},
		{"503 twice, then good", first(2, unavailable), "", 0, false},
		{"429, then good", first(1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }), "", 0, false},
		{"cut once, then good", first(1, func(w http.ResponseWriter, _ *http.Request) { cutShort(w) }), "", 0, false},
		{"slow once, then good", first(1, func(_ http.ResponseWriter, r *http.Request) { hang(r) }), "", 0, true},
		{"redirect within the host", func(good http.Handler, asked int64, w http.ResponseWriter, r *http.Request) {
			if asked == 1 {
				http.Redirect(w, r, r.URL.String(), http.StatusTemporaryRedirect)
				return
			}
			good.ServeHTTP(w, r)
		}, "", 0, false},
		{"503 for ever", first(99, unavailable), "answers 503 Service Unavailable: later, after 3 attempts", 3, false},
		{"cut for ever", first(99, func(w http.ResponseWriter, _ *http.Request) { cutShort(w) }), "the answer was cut short", 3, false},
		{"slow for ever", first(99, func(_ http.ResponseWriter, r *http.Request) { hang(r) }), "no answer within 400ms, after 3 attempts", 3, true},
		{"trickling for ever", first(99, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		}), "no answer within 400ms, after 3 attempts", 3, true},
		{"web page", respond(200, "text/html; charset=utf-8", "<html>Sign in</html>"), "answers with a web page", 1, false},
		{"web page that does not say so", respond(200, "", "\n<!doctype html>"), "answers with a web page", 1, false},
		{"web page, 403", respond(403, "text/html", "<html>"+secret), "answers 403 Forbidden: a web page", 1, false},
		{"oversized", respond(200, "application/json", strings.Repeat(" ", maxAnswer+1)), "answers with more than 65536 bytes", 1, false},
		{"refused, with an echo", func(_ http.Handler, _ int64, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "{\"message\":\"bad: %s\x1b[2J %s\"}", r.Header.Get("Authorization"), jwt(nil))
		}, "answers 401 Unauthorized", 1, false},
		{"no redirect at all", respond(302, "", ""), "answers 302", 1, false},
		{"garbage", respond(200, "application/json", "garbage"), "", -1, false},
		{"empty", respond(200, "application/json", ""), "", -1, false},
		{"no token in it", respond(200, "application/json", `{"count":0}`), "", -1, false},
		{"two tokens in it", respond(200, "application/json", `{"token":"a","value":"a","access_token":"a","token":"b","value":"b","access_token":"b"}`), "", -1, false},
	}
}

func TestPlatformsAndFaults(t *testing.T) {
	for i, p := range platforms() {
		for _, f := range faults() {
			t.Run(fmt.Sprintf("%s %d/%s", p.name, i, f.name), func(t *testing.T) {
				t.Parallel()
				raw := jwt(nil)
				good := p.handler(t, raw)
				var asked atomic.Int64
				server := newServer(t, func(w http.ResponseWriter, r *http.Request) { f.wrap(good, asked.Add(1), w, r) })
				m := p.machine(t, server.URL)
				if f.slow {
					m.patience = hurried
				}
				if f.slow && f.want == "" { // a busy machine may be slow more than once
					m.patience.waits = slices.Repeat(quick.waits, 30)
				}
				token, from, err := First(t.Context(), "sigstore", m.sources()...)
				if from != p.name {
					t.Errorf("from %q, want %q", from, p.name)
				}
				if f.want == "" && f.asked == 0 {
					if err != nil || token.Raw() != raw {
						t.Errorf("another token, or an error: %v", err)
					}
					return
				}
				wantError(t, err, f.want, append(strings.Split(raw, "."), secret)...)
				// A request that is given up after 400 ms may never reach a server on a loaded machine; the error counts attempts.
				if n := asked.Load(); f.asked > 0 && (n > f.asked || n < f.asked && !f.slow) {
					t.Errorf("asked %d times, want %d", n, f.asked)
				}
			})
		}
	}
}

func TestPlatformsRefuseTokens(t *testing.T) {
	for i, p := range platforms() {
		for _, c := range []struct{ name, raw, want string }{
			{"expired", jwt(claims{"exp": time.Now().Add(-2 * time.Minute).Unix()}), "expired at "},
			{"for others", jwt(claims{"aud": "https://github.com/example"}), `audience "https://github.com/example", want "sigstore"`},
			{"garbage", "garbage", "1 parts between dots"},
			{"duplicate claims", rawJWT(`{"alg":"ES256"}`, `{"aud":"sigstore","aud":"sigstore"}`), "claims:"},
		} {
			t.Run(fmt.Sprintf("%s %d/%s", p.name, i, c.name), func(t *testing.T) {
				server := httptest.NewServer(p.handler(t, c.raw))
				defer server.Close()
				_, _, err := First(t.Context(), "sigstore", p.machine(t, server.URL).sources()...)
				wantError(t, err, p.name+": identity token: ", c.raw, secret)
				wantError(t, err, c.want)
			})
		}
	}
}

func TestPlatformsDown(t *testing.T) {
	for i, p := range platforms() {
		t.Run(fmt.Sprint(p.name, i), func(t *testing.T) {
			server := httptest.NewServer(http.NotFoundHandler())
			server.Close()
			_, _, err := First(t.Context(), "sigstore", p.machine(t, server.URL).sources()...)
			wantError(t, err, "connection refused", secret)
			wantError(t, err, "after 3 attempts")
			if errors.Is(err, ErrNoIdentity) {
				t.Error("a server that is down is passed over")
			}
		})
	}
}

// Cancelling the context ends the wait, also between attempts.
func TestPlatformsEndWithTheContext(t *testing.T) {
	for i, p := range platforms() {
		for name, bad := range map[string]http.HandlerFunc{
			"slow":        func(_ http.ResponseWriter, r *http.Request) { hang(r) },
			"unavailable": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		} {
			t.Run(fmt.Sprint(p.name, i, name), func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					time.AfterFunc(20*time.Millisecond, cancel)
					bad(w, r)
				})
				m := p.machine(t, server.URL)
				m.patience = patience{attempt: time.Minute, waits: []time.Duration{time.Minute}}
				start := time.Now()
				_, _, err := First(ctx, "sigstore", m.sources()...)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v, want that it was cancelled", err)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}

// A server may ask for more time than the waits, but not for any.
func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "2": 2 * time.Second, "3600": maxWait, "9223372037": 0, "99999999999999999999": 0, "-1": 0, "Wed, 21 Oct 2015 07:28:00 GMT": 0,
	} {
		resp := &http.Response{Header: http.Header{"Retry-After": {value}}}
		if got := retryAfter(resp); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestNoRedirectElsewhere(t *testing.T) {
	for i, p := range platforms() {
		t.Run(fmt.Sprint(p.name, i), func(t *testing.T) {
			var reached atomic.Bool
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
			defer elsewhere.Close()
			server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
			defer server.Close()
			_, _, err := First(t.Context(), "sigstore", p.machine(t, server.URL).sources()...)
			wantError(t, err, "redirects to "+elsewhere.URL+", another host or scheme", secret)
			if reached.Load() {
				t.Error("the other host was asked")
			}
		})
	}
	server := httptest.NewServer(nil)
	defer server.Close()
	server.Config.Handler = http.RedirectHandler(server.URL, http.StatusFound)
	_, _, err := First(t.Context(), "sigstore", githubMachine(t, server.URL).sources()...)
	wantError(t, err, "more than 3 redirects")
}

func TestOnlyEncrypted(t *testing.T) {
	for address, want := range map[string]string{
		"http://192.0.2.1":           "http://192.0.2.1: want https",
		"http://localhost.example":   "want https",
		"http://127.0.0.1.example":   "want https",
		"ftp://127.0.0.1":            "want https",
		"pipelines.actions.example/": "no host",
		"http://a b":                 "not a URL",
	} {
		_, _, err := First(t.Context(), "sigstore", githubMachine(t, address).sources()...)
		wantError(t, err, want, secret)
	}
	server := httptest.NewUnstartedServer(githubHandler(t, jwt(nil)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	server.StartTLS()
	defer server.Close()
	_, _, err := First(t.Context(), "sigstore", githubMachine(t, server.URL).sources()...)
	wantError(t, err, "certificate", secret)
	if strings.Contains(err.Error(), "attempts") {
		t.Errorf("asked again of a server that cannot be trusted: %v", err)
	}
}

func TestGoogleWithoutAccount(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<!DOCTYPE html><title>Error 404</title>")
	}))
	defer server.Close()
	own, other := platforms()[2], platforms()[3]
	_, _, err := First(t.Context(), "sigstore", own.machine(t, server.URL).sources()...)
	wantError(t, err, "no service account")
	if !errors.Is(err, ErrNoIdentity) {
		t.Errorf("%v is not ErrNoIdentity", err)
	}
	_, _, err = First(t.Context(), "sigstore", other.machine(t, server.URL).sources()...)
	wantError(t, err, "GOOGLE_SERVICE_ACCOUNT_NAME: the machine has no service account that could impersonate runs@example")
	if errors.Is(err, ErrNoIdentity) {
		t.Error("an account that the user named is skipped")
	}
}

func TestBuildkiteWithoutJob(t *testing.T) {
	_, _, err := First(t.Context(), "sigstore", newMachine(t, "BUILDKITE_AGENT_ACCESS_TOKEN", secret).sources()...)
	wantError(t, err, "BUILDKITE_JOB_ID: not set", secret)
}

// hang answers nothing until the client has gone, which a server notices once it has read the request.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// TestTimeEndsAfterAnAnswer: the last answer is named where the time ends before a better one.
func TestTimeEndsAfterAnAnswer(t *testing.T) {
	ctx, end := deadline.New(t.Context())
	asked := 0
	err := patience{attempt: time.Minute, waits: quick.waits}.try(ctx, func(ctx context.Context) error {
		if asked++; asked == 1 {
			return &passing{error: errors.New("answered 503")}
		}
		end()
		<-ctx.Done()
		return &passing{error: ctx.Err()}
	})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), "; before that: answered 503") {
		t.Errorf("got %v", err)
	}
}
