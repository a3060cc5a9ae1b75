package idtoken

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Browser signs a person in with a browser on this machine: the authorization code flow with
// PKCE, state and nonce, and a redirect to a loopback address (RFC 8252). It also prints the address of the page, for
// machines on which no browser opens. It waits for at most five minutes, or until ctx ends.
func Browser(o LoginOptions) Source { return o.source("browser", (*login).withBrowser) }

func (l *login) withBrowser() (*oauth2.Token, error) {
	listener, redirect, err := listen(l.RedirectURL)
	if err != nil {
		return nil, fmt.Errorf("redirect URL: %w", err)
	}
	l.config.RedirectURL = redirect.String()
	state := rand.Text()
	l.nonce = rand.Text()
	page := l.config.AuthCodeURL(state, oauth2.AccessTypeOnline, oauth2.S256ChallengeOption(l.pkce), oidc.Nonce(l.nonce))
	if err := checkPage(page); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: its authorization_endpoint: %w", l.Issuer, err), listener.Close())
	}
	answers := make(chan callback, 1)
	server := &http.Server{
		Handler:           &redirectHandler{path: cmp.Or(redirect.Path, "/"), state: state, issuer: l.Issuer, answers: answers},
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    maxAnswer,
	}
	go server.Serve(listener)
	defer stop(server)
	if err := l.Open(page); err != nil {
		fmt.Fprintf(l.Out, "no browser opens (%s); to sign in, open this page on this machine:\n%s\n", printable(err.Error()), page)
	} else {
		fmt.Fprintf(l.Out, "to sign in, go on in the browser, or open this page:\n%s\n", page)
	}
	select {
	case <-l.ctx.Done():
		return nil, l.ctx.Err()
	case answer := <-answers:
		if answer.code == "" {
			return nil, l.refusal(answer.err, answer.description)
		}
		return l.config.Exchange(l.ctx, answer.code, oauth2.VerifierOption(l.pkce))
	}
}

// listen opens the address to which the issuer redirects the browser. The URL names localhost, as issuers expect; the
// listener itself is on a loopback address, because the name may resolve to another one.
func listen(redirect string) (net.Listener, *url.URL, error) {
	u := &url.URL{Scheme: "http", Path: "/auth/callback"}
	host, port := "localhost", "0"
	if redirect != "" {
		var err error
		if u, err = url.Parse(redirect); err != nil {
			return nil, nil, errors.New("not a URL, want http://localhost:PORT/PATH")
		}
		if host, port = u.Hostname(), u.Port(); u.Scheme != "http" || !isLoopback(host) || port == "" {
			return nil, nil, fmt.Errorf("%s: want http://localhost:PORT/PATH", printable(redirect))
		}
	}
	addresses := []string{host}
	if host == "localhost" {
		addresses = []string{"127.0.0.1", "::1"}
	}
	var failed error
	for _, address := range addresses {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, port))
		if err == nil {
			u.Host = net.JoinHostPort(host, fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
			return listener, u, nil
		}
		failed = cmp.Or(failed, err)
	}
	return nil, nil, failed
}

func stop(server *http.Server) {
	// The browser may not have received the final page yet.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
}

// callback is the result that the redirect carries: a code, or an error.
type callback struct{ code, err, description string }

// redirectHandler takes one callback. It refuses a request without the right state and keeps
// waiting: any page or program on this machine can send requests here.
type redirectHandler struct {
	path, state, issuer string
	answers             chan<- callback
}

func (h *redirectHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'")
	query := r.URL.Query()
	issuer := query.Get("iss") // RFC 9207: not every issuer says it
	if r.Method != http.MethodGet || r.URL.Path != h.path ||
		subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(h.state)) != 1 || issuer != "" && issuer != h.issuer {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "<!doctype html><title>Not signed in</title><p>This is not the login that is under way.")
		return
	}
	answer := callback{query.Get("code"), query.Get("error"), query.Get("error_description")}
	if answer.code == "" {
		io.WriteString(w, "<!doctype html><title>Not signed in</title><p>Not signed in. The terminal says why.")
	} else {
		io.WriteString(w, "<!doctype html><title>Signed in</title><p>Signed in. You can close this page.")
	}
	select {
	case h.answers <- answer:
	default: // the page was loaded again
	}
}
