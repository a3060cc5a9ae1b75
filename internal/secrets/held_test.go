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
	for text, want := range map[string]bool{
		`{"text":"-----BEGIN PRIVATE KEY-----\nMC4"}`: true, `{"text":"AGE-SECRET-KEY-1QQ"}`: true,
		`{"crv":"P-256","d":"a1B2c3D4e5F6g7H8i9J0k1L2","kty":"EC","x":"x","y":"y"}`: true, `{"crv":"P-256","kty":"EC","x":"a1B2c3D4e5F6g7H8i9J0k1L2","y":"y"}`: false,
		`here's my key: {'kty': 'OKP', 'd': 'a1B2c3D4e5F6g7H8i9J0k1L2'}`: true, `the 24" one: {"kty":"OKP","d":"a1B2c3D4e5F6g7H8i9J0k1L2"}`: true,
		`here's: {"d":"a1B2c3D4e5F6g7H8i9J0k1L2","note":"Bob's","kty":"OKP"}`: true,
		`{"text":"-----BEGIN PUBLIC KEY-----"}`:                               false, "": false,
	} {
		if got := HoldsPrivateKey([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
