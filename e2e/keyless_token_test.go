package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

type badToken struct {
	token  string
	asked  bool // only the authority can know
	reason string
}

func badTokens(d *desk, s *services.Services) map[string]badToken {
	d.t.Helper()
	mint := func(t services.Token) string { return d.minted(s.Issuer, t) }
	const processing = "answered 400 Bad Request: There was an error processing the identity token"
	good := mint(services.Token{Email: ada})
	return map[string]badToken{
		"expired":         {mint(services.Token{Email: ada, Age: time.Hour}), false, "expired"},
		"not yet valid":   {mint(services.Token{Email: ada, Age: -time.Hour}), false, "not valid before"},
		"other audience":  {mint(services.Token{Email: ada, Audience: "another service"}), false, "audience"},
		"unknown issuer":  {mint(services.Token{Email: ada, Claims: map[string]any{"iss": "http://127.0.0.1:9"}}), true, processing},
		"issuer's name":   {mint(services.Token{Email: ada, Claims: map[string]any{"iss": s.CI.URL}}), true, processing},
		"signature":       {good[:strings.LastIndex(good, ".")+1] + strings.Repeat("A", 86), true, processing},
		"mail unverified": {mint(services.Token{Email: ada, Claims: map[string]any{"email_verified": false}}), false, "not verified by identity provider"},
		"empty":           {"", false, "empty"},
		"no token":        {"Dear authority,", false, "identity token"},
	}
}

// A token that cannot work is refused where it stands: the authority is not asked, and its refusal, which says
// little, is not all that a person gets.
func TestBadTokens(t *testing.T) {
	d, s := useOurs(t)
	fulcio := startFront(t, s.Fulcio.URL, none)
	for name, c := range badTokens(d, s) {
		t.Run(name, func(t *testing.T) {
			d := d.in(t)
			d.write("bad", []byte(c.token))
			before := fulcio.Requests()
			d.touchesNothing(func() {
				o := d.signsKeyless("none.sigstore.json", "--fulcio", fulcio.URL, "--identity-token", "bad")
				if c.asked {
					o.failed(c.reason)
				} else {
					o.malformed(c.reason)
				}
			})
			want := 0
			if c.asked {
				want = 1
			}
			if n := fulcio.Requests() - before; n != want {
				t.Errorf("the authority was asked %d times, want %d", n, want)
			}
		})
	}
}

// No token at all is a question of usage.
func TestNoToken(t *testing.T) {
	d, _ := useOurs(t)
	d.touchesNothing(func() {
		d.signs("none.sigstore.json", "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json").malformed("SIGSTORE_ID_TOKEN")
		d.signsKeyless("none.sigstore.json", "--identity-token", "none").malformed("--identity-token: neither a JWT nor a file that can be read")
	})
}
