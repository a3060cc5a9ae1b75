package services

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"
)

const defaultLifetime = 10 * time.Minute

// Token says what is in a token. The zero value of each field leaves it to the issuer.
type Token struct {
	Email    string         // verified, unless Claims says otherwise; none by default
	Subject  string         // the address, or "unnamed"
	Audience string         // [Audience]
	Age      time.Duration  // since it was issued; 0, negative for a token from the future
	Lifetime time.Duration  // from when it was issued; ten minutes, negative for a token that never was valid
	Claims   map[string]any // more claims, or others
}

// Mint returns a JWT signed with ES256.
func (i *Issuer) Mint(t Token) (string, error) {
	issued := time.Now().Add(-t.Age)
	lifetime := t.Lifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	claims := map[string]any{
		"iss": i.URL,
		"aud": cmp.Or(t.Audience, Audience),
		"sub": cmp.Or(t.Subject, t.Email, "unnamed"),
		"iat": issued.Unix(),
		"nbf": issued.Unix(),
		"exp": issued.Add(lifetime).Unix(),
	}
	if t.Email != "" {
		claims["email"], claims["email_verified"] = t.Email, true
	}
	maps.Copy(claims, t.Claims)
	return i.sign(claims)
}

func (i *Issuer) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "ES256", "typ": "JWT", "kid": keyID})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString(header) + "." + b64.EncodeToString(body)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		return "", err
	}
	var sig [64]byte
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return signed + "." + b64.EncodeToString(sig[:]), nil
}

// What Fulcio makes of a token of [Job].
const (
	JobSubject  = "repo:example/runs:ref:refs/heads/main"
	JobIdentity = "https://github.com/example/runs/.github/workflows/run.yml@refs/heads/main"
)

// Job returns the claims that GitHub makes of a job, all of which Fulcio asks for.
func Job() map[string]any {
	const commit = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	return map[string]any{
		"job_workflow_ref":      "example/runs/.github/workflows/run.yml@refs/heads/main",
		"job_workflow_sha":      commit,
		"workflow_ref":          "example/runs/.github/workflows/run.yml@refs/heads/main",
		"workflow_sha":          commit,
		"workflow":              "run",
		"sha":                   commit,
		"ref":                   "refs/heads/main",
		"event_name":            "push",
		"repository":            "example/runs",
		"repository_id":         "1001",
		"repository_owner":      "example",
		"repository_owner_id":   "1002",
		"repository_visibility": "public",
		"runner_environment":    "github-hosted",
		"run_id":                "1003",
		"run_attempt":           "1",
	}
}
