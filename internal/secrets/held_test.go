package secrets

import (
	"slices"
	"testing"
)

func TestNamed(t *testing.T) {
	got := Named(map[string]string{"team": "blue", "ticket": "T-12", "token": "k3J9x0QpLm27Zt81", "note": "ghp_abcdefghijklmnopqrstuvwxyz0123456789"})
	if !slices.Equal(got, []string{"note", "token"}) {
		t.Errorf("%q", got)
	}
}

func TestHoldsPrivateKey(t *testing.T) {
	const key = "a1B2c3D4e5F6g7H8i9J0k1L2"
	for text, want := range map[string]bool{
		`{"text":"-----BEGIN PRIVATE KEY-----\nMC4"}`: true, `{"text":"AGE-SECRET-KEY-1QQ"}`: true,
		`{"crv":"P-256","d":"a1B2c3D4e5F6g7H8i9J0k1L2","kty":"EC","x":"x","y":"y"}`: true, `{"crv":"P-256","kty":"EC","x":"a1B2c3D4e5F6g7H8i9J0k1L2","y":"y"}`: false,
		// the type and the private member are those of one object
		`{"public":{"crv":"P-256","kty":"EC","x":"x"},"other":{"d":"` + key + `"}}`: false,
		`{"keys":[{"kty":"EC","x":"x"},{"k":"` + key + `"}]}`:                       false,
		`{"d":"` + key + `","jwk":{"kty":"EC","x":"x"}}`:                            false,
		`{"kty":"EC","jwk":{"d":"` + key + `"}}`:                                    false,
		`{"keys":[{"kty":"EC","x":"x"},{"kty":"oct","k":"` + key + `"}]}`:           true,
		`{"d":"` + key + `","other":{"x":{}},"kty":"EC"}`:                           true,
		`{"kty":"OKP","kid":"a}b{","d":"` + key + `"}`:                              true,
		`{"kty":"OKP","kid":"it's }","d":"` + key + `"}`:                            true,
		`{"text":"{\"kty\": \"RSA\", \"kid\": \"}\", \"d\": \"` + key + `\"}"}`:     true,
		`{"text":"{\"a\":{\"kty\": \"RSA\"}, \"d\": \"` + key + `\"}"}`:             false,
		"{'kty': 'oct', 'k': '" + key + "'}":                                        true,
		"[{'kty': 'EC'}, {'k': '" + key + "'}]":                                     false,
		`"kty": "oct", "k": "` + key + `"`:                                          true,
		`{"text":"-----BEGIN PUBLIC KEY-----"}`:                                     false, "": false,
	} {
		if got := HoldsPrivateKey([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
