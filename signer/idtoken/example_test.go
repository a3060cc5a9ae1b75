package idtoken_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/runattest/runattest/signer/idtoken"
)

// A GitLab CI job with `id_tokens: {SIGSTORE_ID_TOKEN: {aud: sigstore}}` has its token in a variable.
func Example() {
	job := map[string]string{"SIGSTORE_ID_TOKEN": tokenOf("project_path:example/runs", "sigstore")}
	sources := idtoken.Ambient(func(name string) string { return job[name] })
	token, from, err := idtoken.First(context.Background(), "sigstore", sources...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(from, "says", token.UnverifiedClaims().Subject)
	fmt.Println(token)
	// Output:
	// SIGSTORE_ID_TOKEN says project_path:example/runs
	// [identity token]
}

// A token for another audience is not sent to Fulcio.
func ExampleToken_Check() {
	token, err := idtoken.Parse(tokenOf("project_path:example/runs", "https://gitlab.example"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.Check("sigstore", time.Now()))
	// Output:
	// identity token: audience "https://gitlab.example", want "sigstore"; ask the issuer for a token with that audience (aud)
}

func tokenOf(subject, audience string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":"https://gitlab.example","sub":%q,"aud":%q,"exp":%d}`, subject, audience, time.Now().Add(time.Hour).Unix())
	return b64([]byte(`{"alg":"RS256"}`)) + "." + b64([]byte(claims)) + "." + b64([]byte("the signature"))
}
