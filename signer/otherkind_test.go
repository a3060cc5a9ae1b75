package signer_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
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

// TestPointForms has openssl write EC keys with points that crypto/x509 refuses: the form is named, and the command that is told
// writes the same key as it is read. Such a point in a private key is passed over.
func TestPointForms(t *testing.T) {
	if testing.Short() {
		t.Skip("runs openssl")
	}
	for _, curve := range []string{"P-256", "P-384", "P-521"} {
		for _, form := range []string{"compressed", "hybrid"} {
			t.Run(curve+" "+form, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				size := map[string]int{"P-256": 32, "P-384": 48, "P-521": 66}[curve]
				size = map[string]int{"compressed": 1 + size, "hybrid": 1 + 2*size}[form]
				sh(t, dir, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"+curve+" -out k.key; openssl pkey -in k.key -pubout -out k.pem; "+
					"openssl pkey -in k.key -pubout -ec_conv_form "+form+" -out a.pub; openssl pkey -in k.key -pubout -outform DER -ec_conv_form "+form+" -out b.pub; "+
					"base64 b.pub >c.pub; sed 's/$/\\r/' a.pub >d.pub; grep -v -- - a.pub >e.pub; tail -c "+strconv.Itoa(size)+" b.pub >g.pub; base64 g.pub >h.pub; xxd -p g.pub >i.pub; openssl pkey -in k.key -ec_conv_form "+form+" -out f.key")
				read := func(file string) []byte {
					data, err := os.ReadFile(filepath.Join(dir, file))
					if err != nil {
						t.Fatal(err)
					}
					return data
				}
				want, err := signer.ParsePublicKey(read("k.pem"))
				if err != nil {
					t.Fatal(err)
				}
				inDER, raw := "this is an EC key in DER", "this is a "+form+" point of "+curve
				withPoint := " with a " + form + " point, want "
				for file, found := range map[string]string{
					"a.pub": "this is an EC key" + withPoint + "an uncompressed one",
					"d.pub": "this is an EC key" + withPoint + "an uncompressed one",
					"b.pub": inDER + withPoint + "PEM with an uncompressed one",
					"c.pub": inDER + " in base64" + withPoint + "PEM with an uncompressed one",
					"e.pub": inDER + " in base64" + withPoint + "PEM with an uncompressed one",
					"g.pub": raw + ", want a public key in PEM",
					"h.pub": raw + " in base64, want a public key in PEM",
					"i.pub": raw + " in hex, want a public key in PEM",
				} {
					_, err := signer.ParsePublicKey(read(file))
					var format *signer.FormatError
					if !errors.As(err, &format) || format.Found != found || !strings.Contains(format.Convert(file), "-ec_conv_form uncompressed") {
						t.Fatalf("%s: %v, want %s", file, err, found)
					}
					sh(t, dir, format.Convert(file))
					if got, err := signer.ParsePublicKey(read(file + ".pem")); err != nil || got.Hint() != want.Hint() {
						t.Errorf("%s: after %s: %v", file, format.Convert(file), err)
					}
					var private *signer.FormatError
					if _, err := signer.Parse(read(file), nil); !errors.As(err, &private) || !strings.Contains(private.Found, "sign with the private") {
						t.Errorf("%s for a private key: %v", file, err)
					}
				}
				if key, err := signer.Parse(read("f.key"), nil); err != nil || key.PublicKey().Hint() != want.Hint() {
					t.Errorf("the private key: %v", err)
				}
			})
		}
	}
}

// TestPointAsText: a point whose first bytes are zero where those of UTF-16 text are is a point.
func TestPointAsText(t *testing.T) {
	tried := 0
	for d := uint64(1); tried < 3; d++ {
		scalar := binary.BigEndian.AppendUint64(make([]byte, 58), d)
		key, err := ecdh.P521().NewPrivateKey(scalar)
		if err != nil {
			t.Fatal(err)
		}
		x, y := key.PublicKey().Bytes()[1:67], key.PublicKey().Bytes()[67:]
		point := append([]byte{2 | y[65]&1}, x...)
		if point[1] != 0 || point[3] != 0 {
			continue
		}
		tried++
		var format *signer.FormatError
		if _, err := signer.ParsePublicKey(point); !errors.As(err, &format) || format.Found != "this is a compressed point of P-521, want a public key in PEM" {
			t.Errorf("%x: %v", point, err)
		}
	}
}

// TestPointOfCertificate: a certificate whose key has such a point is one all the same.
func TestPointOfCertificate(t *testing.T) {
	if testing.Short() {
		t.Skip("runs openssl")
	}
	dir := t.TempDir()
	sh(t, dir, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.key; openssl pkey -in k.key -ec_conv_form compressed -out c.key; "+
		"openssl req -x509 -key c.key -subj /CN=a -outform DER -out a.crt")
	data, err := os.ReadFile(filepath.Join(dir, "a.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.ParsePublicKey(data); err == nil || !strings.Contains(err.Error(), "this is a certificate in DER") {
		t.Error(err)
	}
}

// TestRawKeyLikePGP: 32 bytes can be an Ed25519 key whatever they begin with; a key of PGP is longer.
func TestRawKeyLikePGP(t *testing.T) {
	for _, first := range []byte{0x94, 0x95, 0x98, 0x99, 0xc5, 0xc6} {
		key := append([]byte{first}, bytes.Repeat([]byte{0xa5}, 31)...)
		if _, err := signer.Parse(key, nil); err == nil || !strings.Contains(err.Error(), "this is 32 bytes, want PEM") {
			t.Errorf("%#x: %v", first, err)
		}
		if _, err := signer.ParsePublicKey(append(key, 0)); err == nil || !strings.Contains(err.Error(), "a PGP key") {
			t.Errorf("%#x, and more bytes: %v", first, err)
		}
	}
}
