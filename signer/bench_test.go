package signer_test

import (
	"testing"

	"github.com/runattest/runattest/signer"
)

// BenchmarkParse opens a private key that is not encrypted, and one that is, as keygen and cosign encrypt it: docs/keys.md
// states the time of the second.
func BenchmarkParse(b *testing.B) {
	for name, secret := range map[string]string{"plain": "", "password": "secret"} {
		b.Run(name, func(b *testing.B) {
			var password []byte
			if secret != "" {
				password = []byte(secret)
			}
			pair, err := signer.Generate(signer.ECDSAP256, password)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := signer.Parse(pair.Private, func() ([]byte, error) { return password, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
