package services

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Person is who signs in with an [Issuer] when a browser comes by, unasked.
const Person = "ada@example.com"

// outOfBand is the redirect URI of a client that has the person copy the code.
const outOfBand = "urn:ietf:wg:oauth:2.0:oob"

// login is one that began.
type login struct{ client, challenge, nonce, redirect string }

// begin keeps a login and returns its code. Without a PKCE challenge (RFC 7636) there is none.
func (i *Issuer) begin(w http.ResponseWriter, r *http.Request) (code string, ok bool) {
	l := login{r.FormValue("client_id"), r.FormValue("code_challenge"), r.FormValue("nonce"), r.FormValue("redirect_uri")}
	if r.FormValue("code_challenge_method") != "S256" || l.challenge == "" || l.client == "" {
		http.Error(w, "want a client_id and a code_challenge with S256", http.StatusBadRequest)
		return "", false
	}
	code = rand.Text()
	i.logins.Store(code, l)
	return code, true
}

// authorize is the page at which the person would sign in.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	code, ok := i.begin(w, r)
	if !ok {
		return
	}
	back := r.FormValue("redirect_uri")
	if back == outOfBand {
		fmt.Fprintln(w, code)
		return
	}
	query := url.Values{"code": {code}, "state": {r.FormValue("state")}}
	http.Redirect(w, r, back+"?"+query.Encode(), http.StatusFound)
}

// device begins the login of a machine without a browser (RFC 8628), which the person grants elsewhere, at once.
func (i *Issuer) device(w http.ResponseWriter, r *http.Request) {
	if code, ok := i.begin(w, r); ok {
		answer(w, map[string]any{
			"device_code": code, "user_code": "ADA", "verification_uri": i.URL, "expires_in": 60, "interval": 1,
		})
	}
}

// exchange gives a token for the code of a login, once, to who began it.
func (i *Issuer) exchange(w http.ResponseWriter, r *http.Request) {
	value, ok := i.logins.LoadAndDelete(r.FormValue("code") + r.FormValue("device_code"))
	l, _ := value.(login)
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(challenge[:]) != l.challenge || r.FormValue("redirect_uri") != l.redirect {
		w.Header().Set("Content-Type", "application/json")
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
		return
	}
	token := Token{Email: Person, Audience: l.client, Lifetime: time.Minute}
	if l.nonce != "" {
		token.Claims = map[string]any{"nonce": l.nonce}
	}
	jwt, err := i.Mint(token)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"id_token": jwt, "access_token": rand.Text(), "token_type": "Bearer", "expires_in": 60})
}
