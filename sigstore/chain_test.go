package sigstore

import (
	"bytes"
	"testing"

	"github.com/runattest/runattest/internal/testing/pkitest"
)

// FuzzParseChain: what is read comes back from the certificates written again, and no check panics.
func FuzzParseChain(f *testing.F) {
	seeds := 0
	for name, data := range pkitest.Files() {
		if bytes.HasSuffix([]byte(name), []byte(".pem")) {
			f.Add(data)
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		chain, err := parseChain(data)
		if err != nil {
			return
		}
		again, err := parseChain(certificates(chain...))
		if err != nil || len(again) != len(chain) {
			t.Fatalf("%d certificates, then %d, %v", len(chain), len(again), err)
		}
		for i := range chain {
			if !chain[i].Equal(again[i]) {
				t.Errorf("certificate %d is another", i)
			}
		}
		_ = checkCertifier(chain, period{})
		_ = checkStamper(chain, period{})
	})
}
