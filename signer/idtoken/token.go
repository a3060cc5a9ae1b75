package idtoken

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/canonical"
)

// Token is an identity token: a signed JWT (RFC 7519) whose signature has not been checked.
// It prints as a placeholder under every verb; Raw returns the token itself. Parse and sources make it.
type Token struct {
	raw    string
	claims UnverifiedClaims
}

var _ fmt.Formatter = Token{}

// UnverifiedClaims are the claims of a token whose signature has not been checked.
// A claim that is absent is empty, and a time that is absent is zero.
type UnverifiedClaims struct {
	Issuer        string   // iss
	Subject       string   // sub
	Email         string   // email
	EmailVerified bool     // email_verified, which some issuers write as a string
	Audience      []string // aud, which may be one string
	Expiry        time.Time
	NotBefore     time.Time
}

// Raw returns the token in compact serialisation. It is a secret: its holder can act as the subject.
func (t Token) Raw() string { return t.raw }

// UnverifiedClaims returns the claims of the token.
func (t Token) UnverifiedClaims() UnverifiedClaims {
	c := t.claims
	c.Audience = slices.Clone(c.Audience)
	return c
}

// Format keeps the token out of logs.
func (Token) Format(f fmt.State, _ rune) {
	if f != nil {
		fmt.Fprint(f, "[identity token]")
	}
}

// Parse reads a JWT in compact serialisation: three parts of unpadded base64url, of which
// the first two are JSON objects without duplicate names. It is at most 64 KiB long and has no
// space around it. The claims that [UnverifiedClaims] names have the types that RFC 7519 and OpenID Connect
// give them; all others are ignored. No error contains the token.
func Parse(raw string) (Token, error) {
	switch parts := strings.Count(raw, ".") + 1; {
	case raw == "":
		return Token{}, errors.New("identity token: empty")
	case len(raw) > maxToken:
		return Token{}, fmt.Errorf("identity token: %d bytes, want at most %d", len(raw), maxToken)
	case parts == 5:
		return Token{}, errors.New("identity token: encrypted, as its five parts say; want a signed JWT, which has three")
	case parts != 3:
		return Token{}, fmt.Errorf("identity token: %d parts between dots, want the three of a signed JWT", parts)
	}
	var decoded [3][]byte
	for i, part := range strings.Split(raw, ".") {
		var err error
		if decoded[i], err = decodePart(part); err != nil {
			return Token{}, fmt.Errorf("identity token: %s: %w", [...]string{"header", "claims", "signature"}[i], err)
		}
	}
	if err := checkHeader(decoded[0]); err != nil {
		return Token{}, fmt.Errorf("identity token: header: %w", err)
	}
	claims, err := parseClaims(decoded[1])
	if err != nil {
		return Token{}, fmt.Errorf("identity token: claims: %w", err)
	}
	return Token{raw, claims}, nil
}

// Check returns an error if the token should not be sent to an audience at a time: it has
// expired or is not valid yet, by more than a minute, or is meant for another audience.
func (t Token) Check(audience string, now time.Time) error {
	c := t.claims
	switch {
	case t.raw == "":
		return errors.New("identity token: none")
	case audience == "":
		return errors.New("identity token: no audience asked for; Fulcio's is \"sigstore\"")
	case c.Expiry.IsZero():
		return errors.New("identity token: no expiry (exp), want a token of OpenID Connect")
	case now.After(c.Expiry.Add(clockSkew)):
		return fmt.Errorf("identity token: expired at %s, and it is now %s (clocks may differ by %v); get a new one",
			stamp(c.Expiry), stamp(now), clockSkew)
	case c.NotBefore.After(now.Add(clockSkew)):
		return fmt.Errorf("identity token: not valid before %s, and it is now %s (clocks may differ by %v); set this machine's clock, or wait",
			stamp(c.NotBefore), stamp(now), clockSkew)
	case !slices.Contains(c.Audience, audience):
		return fmt.Errorf("identity token: audience %s, want %q; ask the issuer for a token with that audience (aud)",
			quoted(c.Audience), audience)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// decodePart is base64url without padding, line ends and spare bits.
func decodePart(part string) ([]byte, error) {
	if part == "" {
		return nil, errors.New("empty")
	}
	// The decoder passes over line ends.
	if strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("a newline inside, want one line")
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("not base64url without padding: %w", err)
	}
	return data, nil
}

// object reads a JSON object without duplicates. Names are compared as they are: encoding/json
// alone would take AUD for aud.
func object(text []byte) (map[string]json.RawMessage, error) {
	limits := canonical.Options{MaxDepth: maxDepth, MaxValues: maxValues}
	text, err := limits.Append(nil, text)
	if err != nil {
		return nil, err
	}
	if text[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	var members map[string]json.RawMessage
	return members, json.Unmarshal(text, &members)
}

func checkHeader(text []byte) error {
	members, err := object(text)
	if err != nil {
		return err
	}
	alg, err := text1(members, "alg")
	switch {
	case err != nil:
		return err
	case alg == "" || strings.EqualFold(alg, "none"):
		return errors.New("alg: none, want a signed token")
	}
	return nil
}

func parseClaims(text []byte) (UnverifiedClaims, error) {
	members, err := object(text)
	if err != nil {
		return UnverifiedClaims{}, err
	}
	var c UnverifiedClaims
	for name, to := range map[string]*string{"iss": &c.Issuer, "sub": &c.Subject, "email": &c.Email} {
		if *to, err = text1(members, name); err != nil {
			return UnverifiedClaims{}, err
		}
	}
	if c.Expiry, err = numericDate(members, "exp"); err != nil {
		return UnverifiedClaims{}, err
	}
	if c.NotBefore, err = numericDate(members, "nbf"); err != nil {
		return UnverifiedClaims{}, err
	}
	if c.Audience, err = audiences(members["aud"]); err != nil {
		return UnverifiedClaims{}, err
	}
	c.EmailVerified, err = verified(members["email_verified"])
	return c, err
}

// text1 is one string, or nothing where there is none.
func text1(members map[string]json.RawMessage, name string) (string, error) {
	value, ok := members[name]
	if !ok {
		return "", nil
	}
	var s *string
	if err := json.Unmarshal(value, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s: want a string", name)
	}
	return *s, nil
}

// numericDate is a NumericDate of RFC 7519: seconds since 1970, with or without a fraction.
func numericDate(members map[string]json.RawMessage, name string) (time.Time, error) {
	value, ok := members[name]
	if !ok {
		return time.Time{}, nil
	}
	const year10000 = 253402300800
	var seconds *float64
	if err := json.Unmarshal(value, &seconds); err != nil || seconds == nil || *seconds < 0 || *seconds >= year10000 {
		return time.Time{}, fmt.Errorf("%s: want a number of seconds since 1970, before the year 10000", name)
	}
	whole, fraction := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), nil
}

func audiences(value json.RawMessage) ([]string, error) {
	if value == nil {
		return nil, nil
	}
	var several []*string
	if value[0] == '"' {
		several = []*string{nil}
		value = slices.Concat([]byte("["), value, []byte("]"))
	}
	if err := json.Unmarshal(value, &several); err != nil || slices.Contains(several, nil) || several == nil {
		return nil, errors.New("aud: want a string or a list of strings")
	}
	names := make([]string, len(several))
	for i, s := range several {
		names[i] = *s
	}
	return names, nil
}

func verified(value json.RawMessage) (bool, error) {
	switch string(value) {
	case "true", `"true"`, `"True"`:
		return true, nil
	case "", "false", `"false"`, `"False"`:
		return false, nil
	}
	return false, errors.New("email_verified: want true or false")
}
