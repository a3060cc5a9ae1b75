package idtoken

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// issuer is an OpenID Connect provider that accepts every login, and whose answers a test can alter.
type issuer struct {
	t         *testing.T
	url       string
	key       *ecdsa.PrivateKey
	discovery map[string]any // over the usual
	claims    claims         // over the usual
	device    map[string]any // over the usual
	pending   int            // how often a device is told to ask again
	token     http.HandlerFunc
	challenge string
	nonce     string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key}
	i.token = i.exchange
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]any{
			"issuer": i.url, "jwks_uri": i.url + "/keys", "token_endpoint": i.url + "/token",
			"authorization_endpoint": i.url + "/authorize", "device_authorization_endpoint": i.url + "/device",
			"code_challenge_methods_supported": []string{"S256", "plain"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		}
		maps.Copy(all, i.discovery)
		answer(w, all)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		point, err := i.key.PublicKey.Bytes()
		if err != nil {
			t.Error(err)
			return
		}
		b64 := base64.RawURLEncoding.EncodeToString
		answer(w, map[string]any{"keys": []any{map[string]string{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": b64(point[1:33]), "y": b64(point[33:]),
		}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		i.begin(r)
		i.nonce = r.FormValue("nonce")
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?"+url.Values{"code": {"the-code"}, "state": {r.FormValue("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /device", func(w http.ResponseWriter, r *http.Request) {
		i.begin(r)
		all := map[string]any{"device_code": "the-code", "user_code": "ABCD-EFGH", "verification_uri": i.url + "/enter", "expires_in": 60, "interval": 1}
		maps.Copy(all, i.device)
		answer(w, all)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { i.token(w, r) })
	server := newServer(t, mux.ServeHTTP)
	i.url = server.URL
	return i
}

func (i *issuer) begin(r *http.Request) {
	i.challenge = r.FormValue("code_challenge")
	if r.FormValue("code_challenge_method") != "S256" || r.FormValue("client_id") != "sigstore" || r.FormValue("scope") != "openid email" {
		i.t.Errorf("the login begins with %v", r.Form)
	}
}

func (i *issuer) exchange(w http.ResponseWriter, r *http.Request) {
	if i.pending > 0 {
		i.pending--
		refuse(w, "authorization_pending", "")
		return
	}
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if cmp.Or(r.FormValue("code"), r.FormValue("device_code")) != "the-code" || r.FormValue("client_id") != "sigstore" ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != i.challenge {
		i.t.Errorf("the exchange is %v", r.Form)
		refuse(w, "invalid_grant", "")
		return
	}
	answer(w, map[string]any{"id_token": i.mint(), "access_token": secret, "token_type": "Bearer", "expires_in": 60})
}

func refuse(w http.ResponseWriter, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description})
}

func (i *issuer) mint() string {
	all := claims{"iss": i.url, "sub": "ada", "email": "ada@example.com", "aud": "sigstore", "exp": time.Now().Add(time.Minute).Unix()}
	if i.nonce != "" {
		all["nonce"] = i.nonce
	}
	maps.Copy(all, i.claims)
	body, err := json.Marshal(all)
	if err != nil {
		i.t.Error(err)
	}
	raw := rawJWT(`{"alg":"ES256","kid":"1"}`, string(body))
	signed := raw[:strings.LastIndex(raw, ".")]
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		i.t.Error(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature[:])
}

// options sign in at the issuer with a browser that this test is.
func (i *issuer) options(out io.Writer) LoginOptions {
	return LoginOptions{Issuer: i.url, Out: out, Open: i.visit, patience: quick}
}

func (i *issuer) visit(page string) error {
	go func() { i.get(page, http.StatusOK) }()
	return nil
}

func (i *issuer) get(page string, want int) {
	resp, err := http.Get(page)
	if err != nil {
		i.t.Error(err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		i.t.Errorf("%s: %s, want %d", page, resp.Status, want)
	}
}

func TestBrowser(t *testing.T) {
	i := newIssuer(t)
	var out bytes.Buffer
	token, from, err := First(t.Context(), "sigstore", Browser(i.options(&out)))
	if err != nil {
		t.Fatal(err)
	}
	if got := token.UnverifiedClaims(); got.Email != "ada@example.com" || got.Issuer != i.url || from != "browser" {
		t.Errorf("from %s: %+v", from, got)
	}
	if !strings.Contains(out.String(), i.url+"/authorize?") || strings.Contains(out.String(), token.Raw()) {
		t.Errorf("the person is told %q", &out)
	}
}

func TestBrowserDoesNotOpen(t *testing.T) {
	i := newIssuer(t)
	out, told := io.Pipe()
	o := i.options(told)
	o.Open = func(string) error { return errors.New("there is no display\x1b[2J") }
	go func() { // the person
		var text strings.Builder
		for !strings.HasSuffix(text.String(), "\n") || !strings.Contains(text.String(), "http") {
			var b [4096]byte
			n, err := out.Read(b[:])
			if err != nil {
				return
			}
			text.Write(b[:n])
		}
		before, page, _ := strings.Cut(text.String(), "\n")
		if want := "no browser opens (there is no display[2J); to sign in, open this page on this machine:"; before != want {
			t.Errorf("told %q, want %q", before, want)
		}
		i.get(strings.TrimSpace(page), http.StatusOK)
	}()
	if _, err := Browser(o).Token(t.Context(), "sigstore"); err != nil {
		t.Error(err)
	}
}

// A request without the right state is refused, and the login goes on.
func TestStrangersAtTheRedirect(t *testing.T) {
	i := newIssuer(t)
	o := i.options(io.Discard)
	o.Open = func(page string) error {
		u, err := url.Parse(page)
		if err != nil {
			return err
		}
		redirect, state := u.Query().Get("redirect_uri"), u.Query().Get("state")
		if u, err := url.Parse(redirect); err != nil || u.Hostname() != "localhost" || u.Path != "/auth/callback" {
			t.Errorf("the redirect is to %q", redirect)
		}
		go func() {
			for _, stranger := range []string{
				redirect, redirect + "?code=x", redirect + "?code=x&state=", redirect + "?code=x&state=" + state[1:],
				redirect + "?error=x", redirect + "/other?code=x&state=" + state, redirect + "?code=x&iss=https://other.example&state=" + state,
			} {
				i.get(stranger, http.StatusBadRequest)
			}
			resp, err := http.Post(redirect+"?code=x&state="+state, "text/plain", nil)
			if err != nil {
				t.Error(err)
			} else if resp.Body.Close(); resp.StatusCode != http.StatusBadRequest {
				t.Errorf("POST: %s", resp.Status)
			}
			i.get(page, http.StatusOK)
		}()
		return nil
	}
	if _, err := Browser(o).Token(t.Context(), "sigstore"); err != nil {
		t.Error(err)
	}
}

var browserFaults = []struct {
	name, want string
	alter      func(*issuer, *LoginOptions)
}{
	{"the person says no", "refused: access_denied: not today", func(i *issuer, o *LoginOptions) {
		o.Open = func(page string) error {
			u, _ := url.Parse(page)
			q := url.Values{"state": {u.Query().Get("state")}, "error": {"access_denied"}, "error_description": {"not\x1b today"}}
			return i.visit(u.Query().Get("redirect_uri") + "?" + q.Encode())
		}
	}},
	{"the issuer says no", "refused: invalid_grant: not today", func(i *issuer, _ *LoginOptions) {
		i.token = func(w http.ResponseWriter, _ *http.Request) { refuse(w, "invalid_grant", "not today") }
	}},
	{"echo of everything", "refused", func(i *issuer, o *LoginOptions) {
		o.ClientSecret = secret
		i.token = func(w http.ResponseWriter, r *http.Request) { refuse(w, "x", fmt.Sprint(r.Header, jwt(nil), secret)) }
	}},
	{"unavailable", "answers 503 Service Unavailable, after 3 attempts", func(i *issuer, _ *LoginOptions) {
		i.token = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
	}},
	{"web page", "answers with a web page", func(i *issuer, _ *LoginOptions) {
		i.token = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }
	}},
	{"no token", "no id_token in it", func(i *issuer, _ *LoginOptions) {
		i.token = func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"access_token": "x"}) }
	}},
	{"expired", "expired at 1970", func(i *issuer, _ *LoginOptions) { i.claims = claims{"exp": 5} }},
	{"for others", `audience "other", want "sigstore"`, func(i *issuer, _ *LoginOptions) { i.claims = claims{"aud": "other"} }},
	{"of an earlier login", "the nonce differs", func(i *issuer, _ *LoginOptions) { i.claims = claims{"nonce": "other"} }},
	{"of no login", "the nonce differs", func(i *issuer, _ *LoginOptions) { i.claims = claims{"nonce": ""} }},
	{"of another issuer", "does not verify", func(i *issuer, _ *LoginOptions) { i.claims = claims{"iss": "https://other.example"} }},
	{"signed by another key", "does not verify", func(i *issuer, _ *LoginOptions) {
		other := newIssuer(i.t)
		i.token = func(w http.ResponseWriter, _ *http.Request) {
			other.claims = claims{"iss": i.url, "nonce": i.nonce}
			answer(w, map[string]any{"id_token": other.mint(), "access_token": "x"})
		}
	}},
	{"no PKCE", "does not support PKCE", func(i *issuer, _ *LoginOptions) {
		i.discovery = map[string]any{"code_challenge_methods_supported": []string{"plain"}}
	}},
	{"another issuer's discovery", "cannot learn how to sign in", func(i *issuer, _ *LoginOptions) {
		i.discovery = map[string]any{"issuer": "https://other.example"}
	}},
	{"no issuer", "answers 404 Not Found", func(i *issuer, o *LoginOptions) {
		o.Issuer += "/elsewhere"
		o.Issuer = strings.Replace(o.Issuer, i.url, newServer(i.t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(404)
		}).URL, 1)
	}},
	{"issuer over http", "want https", func(_ *issuer, o *LoginOptions) { o.Issuer = "http://192.0.2.1" }},
	{"page that is a file", "authorization_endpoint", func(i *issuer, _ *LoginOptions) {
		i.discovery = map[string]any{"authorization_endpoint": "file:///etc/passwd"}
	}},
	{"redirect to elsewhere", "want http://localhost:PORT/PATH", func(_ *issuer, o *LoginOptions) { o.RedirectURL = "http://192.0.2.1:80/" }},
	{"redirect without a port", "want http://localhost:PORT/PATH", func(_ *issuer, o *LoginOptions) { o.RedirectURL = "http://localhost/" }},
}

func TestBrowserFaults(t *testing.T) {
	for _, c := range browserFaults {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			o := i.options(io.Discard)
			c.alter(i, &o)
			token, err := Browser(o).Token(t.Context(), "sigstore")
			wantError(t, err, c.want, secret, jwt(nil), base64.StdEncoding.EncodeToString([]byte(secret)))
			if token.Raw() != "" {
				t.Error("a token beside an error")
			}
		})
	}
}

func TestRedirectURL(t *testing.T) {
	free := httptest.NewServer(nil) // a port that will be free
	free.Close()
	i := newIssuer(t)
	o := i.options(io.Discard)
	o.RedirectURL = free.URL + "/back"
	o.Open = func(page string) error {
		if u, err := url.Parse(page); err != nil || u.Query().Get("redirect_uri") != o.RedirectURL {
			t.Errorf("the redirect is not %s: %s", o.RedirectURL, page)
		}
		return i.visit(page)
	}
	if _, err := Browser(o).Token(t.Context(), "sigstore"); err != nil {
		t.Error(err)
	}
}

func TestDevice(t *testing.T) {
	i := newIssuer(t)
	i.pending = 1
	var out bytes.Buffer
	token, from, err := First(t.Context(), "sigstore", Device(i.options(&out)))
	if err != nil {
		t.Fatal(err)
	}
	if token.UnverifiedClaims().Email != "ada@example.com" || from != "device code" || i.pending != 0 {
		t.Errorf("from %s, %d pending: %+v", from, i.pending, token.UnverifiedClaims())
	}
	want := "to sign in, open this page on any machine:\n" + i.url + "/enter\nand enter the code ABCD-EFGH\n"
	if out.String() != want {
		t.Errorf("told %q, want %q", &out, want)
	}
}

func TestDeviceFaults(t *testing.T) {
	for _, c := range []struct {
		name, want string
		alter      func(*issuer)
	}{
		{"no devices", "has no device_authorization_endpoint", func(i *issuer) { i.discovery = map[string]any{"device_authorization_endpoint": ""} }},
		{"negative interval", "interval: -5", func(i *issuer) { i.device = map[string]any{"interval": -5} }},
		{"vast interval", "interval: 9000000000000000000", func(i *issuer) { i.device = map[string]any{"interval": int64(9e18)} }},
		{"no code", "device_code: missing", func(i *issuer) { i.device = map[string]any{"device_code": ""} }},
		{"code that writes on the screen", "user_code: want", func(i *issuer) { i.device = map[string]any{"user_code": "A\x1b[2J"} }},
		{"page that is a file", "verification_uri:", func(i *issuer) { i.device = map[string]any{"verification_uri": "file:///etc/passwd"} }},
		{"page that writes on the screen", "verification_uri:", func(i *issuer) { i.device = map[string]any{"verification_uri": "https://a/\u009b"} }},
		{"the person says no", "refused: access_denied", func(i *issuer) {
			i.token = func(w http.ResponseWriter, _ *http.Request) { refuse(w, "access_denied", "") }
		}},
		{"too late", "refused: expired_token", func(i *issuer) {
			i.token = func(w http.ResponseWriter, _ *http.Request) { refuse(w, "expired_token", "") }
		}},
		{"expired", "expired at 1970", func(i *issuer) { i.claims = claims{"exp": 5} }},
		{"for others", `audience "other"`, func(i *issuer) { i.claims = claims{"aud": "other"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			c.alter(i)
			_, err := Device(i.options(io.Discard)).Token(t.Context(), "sigstore")
			wantError(t, err, c.want, secret)
		})
	}
}

// Cancelling the context ends the wait, during the login and before the issuer has answered at all.
func TestLoginsEndWithTheContext(t *testing.T) {
	for name, source := range map[string]func(LoginOptions) Source{"browser": Browser, "device": Device} {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, silent issuer %t", name, silent), func(t *testing.T) {
				i := newIssuer(t)
				i.pending = 1000
				o := i.options(io.Discard)
				o.Open = func(string) error { return nil }
				o.patience.attempt = time.Minute
				if silent {
					hang := newServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }).URL
					i.discovery = map[string]any{"device_authorization_endpoint": hang}
					if name == "browser" {
						o.Issuer = hang
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
				defer cancel()
				start := time.Now()
				_, err := source(o).Token(ctx, "sigstore")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want that time was up", err)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}
