package signer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// TestOtherKinds has openssl make keys that it signs with and this package does not: each is named, private and public, in
// PEM and in DER, and another key pair is what to do.
func TestOtherKinds(t *testing.T) {
	if testing.Short() {
		t.Skip("runs openssl")
	}
	for found, options := range map[string]string{
		"an Ed448 key":                "-algorithm ED448",
		"an X25519 key":               "-algorithm X25519",
		"an X448 key":                 "-algorithm X448",
		"an RSA key for PSS alone":    "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
		"an EC key over secp256k1":    "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
		"over P-224":                  "-algorithm EC -pkeyopt ec_paramgen_curve:P-224",
		"over brainpoolP256r1":        "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
		"over brainpoolP512t1":        "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP512t1",
		"over the curve 1.3.132.0.17": "-algorithm EC -pkeyopt ec_paramgen_curve:sect283r1",
		"an SM2 key|over SM2":         "-algorithm SM2",
		"a Diffie-Hellman key":        "-algorithm DH -pkeyopt group:ffdhe2048",
	} {
		t.Run(found, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sh(t, dir, "openssl genpkey "+options+" -out a.key; openssl pkey -in a.key -outform DER -out b.key; openssl pkey -in a.key -pubout -out a.pub; "+
				"openssl pkey -in a.key -pubout -outform DER -out b.pub; openssl pkcs8 -topk8 -in a.key -passout pass:x -out c.key")
			if strings.Contains(options, " EC ") {
				sh(t, dir, "openssl ec -in a.key -out d.key")
			}
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(files) < 5 {
				t.Fatal(files, err)
			}
			for _, file := range files {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if filepath.Ext(file) == ".key" {
					_, err = signer.Parse(data, password("x"))
				} else {
					_, err = signer.ParsePublicKey(data)
				}
				var format *signer.FormatError
				if !errors.As(err, &format) || format.Convert("k") != "runattest keygen" {
					t.Fatalf("%s: %v", filepath.Base(file), err)
				}
				first, second, _ := strings.Cut(found, "|")
				if !strings.Contains(format.Found, first) && (second == "" || !strings.Contains(format.Found, second)) {
					t.Errorf("%s: %v, want %s", filepath.Base(file), err, found)
				}
			}
		})
	}
}
