package idtoken

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type claims map[string]any

// jwt is a token whose signature is not one.
func jwt(c claims) string {
	all := claims{"iss": "https://issuer.example", "sub": "runs", "aud": "sigstore", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, c)
	body, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return rawJWT(`{"alg":"ES256","typ":"JWT"}`, string(body))
}

func rawJWT(header, body string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(body)) + "." + b64([]byte("no signature"))
}

func TestParse(t *testing.T) {
	const header = `{"alg":"ES256"}`
	for _, c := range []struct {
		body string
		want UnverifiedClaims
	}{
		{`{}`, UnverifiedClaims{}},
		{`{"iss":"i","sub":"s","email":"a@b.c","email_verified":true,"aud":"sigstore","exp":1700000000,"nbf":1600000000.5}`, UnverifiedClaims{
			"i", "s", "a@b.c", true, []string{"sigstore"}, time.Unix(1700000000, 0).UTC(), time.Unix(1600000000, 5e8).UTC(),
		}},
		{`{"email_verified":"true","aud":["a","b"]}`, UnverifiedClaims{EmailVerified: true, Audience: []string{"a", "b"}}},
		{`{"email_verified":"false","aud":[]}`, UnverifiedClaims{Audience: []string{}}},
		{`{"AUD":"other","aud":"one","Iss":7}`, UnverifiedClaims{Audience: []string{"one"}}},
	} {
		raw := rawJWT(header, c.body)
		token, err := Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		if diff := cmp.Diff(c.want, token.UnverifiedClaims()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, diff)
		}
		if token.Raw() != raw {
			t.Errorf("%s: Raw is not what was parsed", c.body)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const header = `{"alg":"ES256"}`
	good := rawJWT(header, `{}`)
	parts := strings.Split(good, ".")
	for _, c := range []struct{ name, raw, want string }{
		{"nothing", "", "empty"},
		{"a word", "token", "1 parts"},
		{"two parts", parts[0] + "." + parts[1], "2 parts"},
		{"encrypted", good + ".e30.e30", "encrypted"},
		{"no signature", parts[0] + "." + parts[1] + ".", "signature: empty"},
		{"space before", " " + good, "header: not base64url"},
		{"line end behind", good + "\n", "signature: a newline"},
		{"line end inside", parts[0][:4] + "\r\n" + parts[0][4:] + "." + parts[1] + "." + parts[2], "header: a newline"},
		{"padding", rawJWT(`{"alg":"RS25"}`, `{}`) + "=", "signature: not base64url"},
		{"base64 of the other kind", parts[0] + "." + parts[1] + ".+/+/", "signature: not base64url"},
		{"spare bits", parts[0] + "." + parts[1] + ".AB", "signature: not base64url"},
		{"too long", parts[0] + "." + parts[1] + "." + strings.Repeat("A", maxToken), "want at most 65536"},
		{"header is not JSON", rawJWT(`alg`, `{}`), "header:"},
		{"header is a list", rawJWT(`[]`, `{}`), "header: not a JSON object"},
		{"no algorithm", rawJWT(`{}`, `{}`), "alg: none"},
		{"not signed", rawJWT(`{"alg":"NONE"}`, `{}`), "alg: none"},
		{"algorithm is a number", rawJWT(`{"alg":1}`, `{}`), "alg: want a string"},
		{"two algorithms", rawJWT(`{"alg":"ES256","alg":"none"}`, `{}`), "header:"},
		{"claims are not JSON", rawJWT(header, `{"iss"`), "claims:"},
		{"claims are null", rawJWT(header, `null`), "claims: not a JSON object"},
		{"something behind", rawJWT(header, `{}{}`), "claims:"},
		{"two audiences by name", rawJWT(header, `{"aud":"sigstore","aud":"other"}`), "/aud"},
		{"two audiences, one escaped", rawJWT(header, `{"aud":"sigstore","\u0061ud":"other"}`), "/aud"},
		{"not UTF-8", rawJWT(header, "{\"iss\":\"\xff\"}"), "claims:"},
		{"deep", rawJWT(header, strings.Repeat(`{"a":`, 20)+"1"+strings.Repeat("}", 20)), "claims:"},
		{"issuer is null", rawJWT(header, `{"iss":null}`), "iss: want a string"},
		{"subject is a number", rawJWT(header, `{"sub":1}`), "sub: want a string"},
		{"email is a list", rawJWT(header, `{"email":["a@b.c"]}`), "email: want a string"},
		{"audience is null", rawJWT(header, `{"aud":null}`), "aud: want"},
		{"audience is a number", rawJWT(header, `{"aud":1}`), "aud: want"},
		{"audience has null", rawJWT(header, `{"aud":["sigstore",null]}`), "aud: want"},
		{"expiry is a string", rawJWT(header, `{"exp":"1700000000"}`), "exp: want a number"},
		{"expiry is null", rawJWT(header, `{"exp":null}`), "exp: want a number"},
		{"expiry is negative", rawJWT(header, `{"exp":-1}`), "exp: want a number"},
		{"expiry is vast", rawJWT(header, `{"exp":1e300}`), "exp: want a number"},
		{"not before is vast", rawJWT(header, `{"nbf":253402300800}`), "nbf: want a number"},
		{"verified is a number", rawJWT(header, `{"email_verified":1}`), "email_verified: want"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := Parse(c.raw)
			wantError(t, err, c.want, parts[0], parts[1])
			if token.Raw() != "" {
				t.Error("there is a token beside the error")
			}
		})
	}
}

// wantError looks for a text in an error, and for what must not be there.
func wantError(t *testing.T, err error, want string, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", want)
	}
	text := err.Error()
	if !strings.Contains(text, want) {
		t.Errorf("error %q, want one with %q", text, want)
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the error tells %q: %q", secret, text)
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
		t.Errorf("the error has control characters: %q", text)
	}
}

func TestCheck(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, c := range []struct {
		name, audience string
		claims         claims
		want           string // nothing when the token is good
	}{
		{"good", "sigstore", claims{"exp": in(time.Hour)}, ""},
		{"one of several", "sigstore", claims{"exp": in(time.Hour), "aud": []string{"other", "sigstore"}}, ""},
		{"just expired", "sigstore", claims{"exp": in(-time.Minute)}, ""},
		{"expired", "sigstore", claims{"exp": in(-61 * time.Second)},
			"expired at 2026-03-04T05:05:06Z, and it is now 2026-03-04T05:06:07Z (clocks may differ by 1m0s); get a new one"},
		{"a little early", "sigstore", claims{"exp": in(time.Hour), "nbf": in(time.Minute)}, ""},
		{"early", "sigstore", claims{"exp": in(time.Hour), "nbf": in(61 * time.Second)}, "not valid before 2026-03-04T05:07:08Z"},
		{"no end", "sigstore", claims{"exp": 0, "aud": "sigstore"}, "expired at 1970"},
		{"other audience", "sigstore", claims{"exp": in(time.Hour), "aud": "https://gitlab.example"},
			`audience "https://gitlab.example", want "sigstore"; ask the issuer`},
		{"audience in other letters", "sigstore", claims{"exp": in(time.Hour), "aud": "Sigstore"}, `audience "Sigstore"`},
		{"several others", "sigstore", claims{"exp": in(time.Hour), "aud": []string{"a", "b\n"}}, `audience "a", "b", want`},
		{"no audience", "sigstore", claims{"exp": in(time.Hour), "aud": []string{}}, "audience none"},
		{"empty audience", "", claims{"exp": in(time.Hour), "aud": ""}, "no audience asked for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := Parse(jwt(c.claims))
			if err != nil {
				t.Fatal(err)
			}
			err = token.Check(c.audience, now)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, c.want, token.Raw())
		})
	}
	noExpiry, err := Parse(rawJWT(`{"alg":"ES256"}`, `{"aud":"sigstore"}`))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, noExpiry.Check("sigstore", now), "no expiry")
	wantError(t, Token{}.Check("sigstore", now), "none")
}

func TestTokenIsNotPrinted(t *testing.T) {
	raw := jwt(nil)
	token, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("signing", "token", token)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("signing", "token", token)
	data, err := json.Marshal(map[string]any{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(data), fmt.Sprint(token), fmt.Sprint([]Token{token}), fmt.Sprint(&token)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, token))
	}
	for _, text := range texts {
		for part := range strings.SplitSeq(raw, ".") {
			if strings.Contains(text, part) || strings.Contains(text, fmt.Sprintf("%x", part)) {
				t.Errorf("the token is in %q", text)
			}
		}
	}
}

func TestClaimsAreCopies(t *testing.T) {
	token, err := Parse(jwt(nil))
	if err != nil {
		t.Fatal(err)
	}
	token.UnverifiedClaims().Audience[0] = "other"
	if err := token.Check("sigstore", time.Now()); err != nil {
		t.Error(err)
	}
}

// FuzzParse holds that what is parsed is written in one way only, and that errors tell nothing.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		jwt(nil), jwt(claims{"aud": []string{"a", "b"}, "email": "a@b.c", "email_verified": "true", "nbf": 1.5}),
		rawJWT(`{"alg":"none"}`, `{}`), rawJWT(`{"alg":"ES256"}`, `{"aud":"a","aud":"b"}`), "a.b.c", "..", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := Parse(raw)
		if err != nil {
			if token.Raw() != "" {
				t.Fatal("a token beside an error")
			}
			return
		}
		parts := strings.Split(raw, ".")
		if len(parts) != 3 || token.Raw() != raw {
			t.Fatalf("parsed %q as %q", raw, token.Raw())
		}
		for _, part := range parts {
			data, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil || base64.RawURLEncoding.EncodeToString(data) != part {
				t.Fatalf("%q is not the one way to write its bytes", part)
			}
		}
		c := token.UnverifiedClaims()
		for _, audience := range c.Audience {
			err := token.Check(audience, c.Expiry)
			if want := audience != "" && !c.Expiry.IsZero() && !c.NotBefore.After(c.Expiry.Add(time.Minute)); (err == nil) != want {
				t.Fatalf("Check of its own audience and expiry: %v", err)
			}
		}
	})
}
