package services

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Audience is the one that Fulcio takes.
const Audience = "sigstore"

// The types of issuer, in Fulcio's words: what of a token goes into the certificate.
const (
	Email    = "email"           // the address, as the subject's alternative name
	Workflow = "github-workflow" // the workflow's URI, and what else GitHub says of a job: see [Job]
)

// Issuer is an OpenID Connect provider of the tests' own, which mints whatever token it is asked for, over HTTP too:
//
//	GET /token?email=ada@example.com&sub=&aud=sigstore&lifetime=10m&age=0s    a token
//	GET /actions?audience=sigstore   {"value": a token of [Job]}, as GitHub's runners have it
//
// The second asks for "Authorization: bearer runner". People sign in too, with a browser or a device code: they are [Person].
type Issuer struct {
	*local
	Type string

	key    *ecdsa.PrivateKey
	logins sync.Map // from code to login
}

const keyID = "e2e"

// RunnerToken is what a job on GitHub would have in ACTIONS_ID_TOKEN_REQUEST_TOKEN.
const RunnerToken = "runner"

// StartIssuer starts an issuer of one type.
func StartIssuer(issuerType string) (*Issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	i := &Issuer{Type: issuerType, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /token", i.token)
	mux.HandleFunc("GET /actions", i.actions)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /device", i.device)
	mux.HandleFunc("POST /token", i.exchange)
	i.local, err = serve(mux)
	return i, err
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer":                                i.URL,
		"jwks_uri":                              i.URL + "/keys",
		"authorization_endpoint":                i.URL + "/authorize",
		"device_authorization_endpoint":         i.URL + "/device",
		"token_endpoint":                        i.URL + "/token",
		"code_challenge_methods_supported":      []string{"S256"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := i.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keyID,
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]),
		"y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}}})
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	t := Token{Email: r.FormValue("email"), Subject: r.FormValue("sub"), Audience: r.FormValue("aud")}
	for name, d := range map[string]*time.Duration{"lifetime": &t.Lifetime, "age": &t.Age} {
		if value := r.FormValue(name); value != "" {
			var err error
			if *d, err = time.ParseDuration(value); err != nil {
				http.Error(w, name+": "+err.Error(), http.StatusBadRequest)
				return
			}
		}
	}
	if i.Type == Workflow && t.Email == "" && t.Subject == "" {
		t.Subject, t.Claims = JobSubject, Job()
	}
	token, err := i.Mint(t)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, token)
}

func (i *Issuer) actions(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Authorization"), "bearer "+RunnerToken) {
		http.Error(w, "no runner", http.StatusUnauthorized)
		return
	}
	token, err := i.Mint(Token{Subject: JobSubject, Audience: r.FormValue("audience"), Claims: Job()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"count": len(token), "value": token})
}

func answer(w http.ResponseWriter, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data)
}
