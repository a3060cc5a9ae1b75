package signer_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// TestEncryptedByOpenSSL reads what openssl writes, with its password and no other; what is not read is named, and the
// command that the error gives converts it.
func TestEncryptedByOpenSSL(t *testing.T) {
	if testing.Short() {
		t.Skip("runs openssl")
	}
	const key = "openssl ecparam -name prime256v1 -genkey -noout -out p.pem; openssl pkcs8 -topk8 -in p.pem -out k.pem -passout pass:"
	for name, c := range map[string]struct{ make, notRead string }{
		"by default":        {make: key + "secret"},
		"HMAC with SHA-1":   {make: key + "secret -v2prf hmacWithSHA1"},
		"HMAC with SHA-224": {make: key + "secret -v2prf hmacWithSHA224"},
		"HMAC with SHA-384": {make: key + "secret -v2prf hmacWithSHA384"},
		"HMAC with SHA-512": {make: key + "secret -v2prf hmacWithSHA512"},
		"AES-128":           {make: key + "secret -v2 aes-128-cbc"},
		"AES-192":           {make: key + "secret -v2 aes-192-cbc"},
		"3DES":              {make: key + "secret -v2 des3"},
		"scrypt":            {make: key + "secret -scrypt"},
		"scrypt p=4":        {make: key + "secret -scrypt -scrypt_N 16384 -scrypt_r 8 -scrypt_p 4"},
		"traditional EC":    {make: "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -aes256 -passout pass:secret -out k.pem"},
		"traditional RSA":   {make: "openssl genrsa 2048 2>/dev/null | openssl rsa -des3 -traditional -passout pass:secret -out k.pem"},

		"PBE-SHA1-3DES":            {key + "secret -v1 PBE-SHA1-3DES", "with PBE-SHA1-3DES"},
		"PBE-MD5-DES":              {key + "secret -provider legacy -provider default -v1 PBE-MD5-DES", "with PBE-MD5-DES"},
		"PBE-SHA1-DES":             {key + "secret -provider legacy -provider default -v1 PBE-SHA1-DES", "with PBE-SHA1-DES"},
		"PBE-SHA1-RC2-40":          {key + "secret -provider legacy -provider default -v1 PBE-SHA1-RC2-40", "with PBE-SHA1-RC2-40"},
		"PBE-SHA1-RC4-128":         {key + "secret -provider legacy -provider default -v1 PBE-SHA1-RC4-128", "with PBE-SHA1-RC4-128"},
		"rc2-cbc":                  {key + "secret -provider legacy -provider default -v2 rc2-cbc", "with rc2-cbc"},
		"bf-cbc":                   {key + "secret -provider legacy -provider default -v2 bf-cbc", "with bf-cbc"},
		"cast5-cbc":                {key + "secret -provider legacy -provider default -v2 cast5-cbc", "with cast5-cbc"},
		"seed-cbc":                 {key + "secret -provider legacy -provider default -v2 seed-cbc", "with seed-cbc"},
		"triple DES in CFB mode":   {key + "secret -provider legacy -provider default -v2 des-ede3-cfb", "with algorithm"},
		"AES in OFB mode":          {key + "secret -v2 aes-128-ofb", "with algorithm"},
		"traditional and Blowfish": {"openssl ecparam -name prime256v1 -genkey -noout | openssl ec -bf-cbc -provider legacy -provider default -passout pass:secret -out k.pem", "BF-CBC"},
		"DER":                      {key + "secret -v2 aes-256-cbc -outform DER", "DER, want PEM"},
		"DER and rc2-cbc":          {key + "secret -provider legacy -provider default -v2 rc2-cbc -outform DER", "DER, want PEM"},
		"camellia":                 {key + "secret -v2 camellia-256-cbc", "with camellia-256-cbc"},
		"aria":                     {key + "secret -v2 aria-128-cbc", "with aria-128-cbc"},
		"traditional and camellia": {"openssl ecparam -name prime256v1 -genkey -noout | openssl ec -camellia128 -passout pass:secret -out k.pem", "CAMELLIA-128-CBC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "k.pem")
			sh(t, dir, c.make)
			_, err := signer.Load(ctx, file, password("secret"))
			if c.notRead == "" {
				if err != nil {
					t.Fatal(err)
				}
				for _, wrong := range []string{"", "Secret"} {
					if _, err := signer.Load(ctx, file, password(wrong)); !errors.Is(err, signer.ErrPassword) || strings.Contains(err.Error(), "asn1") {
						t.Errorf("password %q: %v", wrong, err)
					}
				}
				return
			}
			var format *signer.FormatError
			if !errors.As(err, &format) || errors.Is(err, signer.ErrPassword) || !strings.Contains(err.Error(), c.notRead) {
				t.Fatalf("%v, want %q", err, c.notRead)
			}
			sh(t, dir, strings.Replace(format.Convert("k.pem"), "pkcs8 ", "pkcs8 -passin pass:secret -passout pass:other ", 1))
			if _, err := signer.Load(ctx, file+".key.pem", password("other")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEmptyPassword opens what is encrypted with the empty password, by it alone.
func TestEmptyPassword(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pair.Private)
	box, err := encrypted.EncryptWithCustomKDFParameters(block.Bytes, nil, encrypted.Legacy)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]byte{
		"Sigstore": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: box}),
		"cosign":   pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED COSIGN PRIVATE KEY", Bytes: box}),
	}
	dir := t.TempDir()
	t.Run("openssl", func(t *testing.T) {
		sh(t, dir, "openssl genpkey -algorithm ED25519 -out p.pem; openssl pkcs8 -topk8 -in p.pem -passout pass: -out k.pem")
		if keys["PKCS #8"], err = os.ReadFile(filepath.Join(dir, "k.pem")); err != nil {
			t.Fatal(err)
		}
	})
	for name, text := range keys {
		for _, p := range []signer.Password{password(""), func() ([]byte, error) { return nil, nil }} {
			if _, err := signer.Parse(text, p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, p := range []signer.Password{password("x"), nil} {
			if _, err := signer.Parse(text, p); !errors.Is(err, signer.ErrPassword) {
				t.Errorf("%s with another password: %v", name, err)
			}
		}
	}
}

type parameters struct{ kdf, cipher pkix.AlgorithmIdentifier }

func algorithm(t *testing.T, oid asn1.ObjectIdentifier, parameters any) pkix.AlgorithmIdentifier {
	t.Helper()
	der, err := asn1.Marshal(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}
}

// pkcs8 is an encrypted key with these parameters and 32 bytes of ciphertext.
func (p parameters) pkcs8(t *testing.T, ciphertext int) []byte {
	t.Helper()
	scheme := algorithm(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, []pkix.AlgorithmIdentifier{p.kdf, p.cipher})
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{scheme, make([]byte, ciphertext)})
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
}

func aes(t *testing.T, iv int) pkix.AlgorithmIdentifier {
	return algorithm(t, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, make([]byte, iv))
}

func scryptOf(t *testing.T, n, r, p int) pkix.AlgorithmIdentifier {
	return algorithm(t, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}, struct {
		Salt    []byte
		N, R, P int
	}{[]byte("salt"), n, r, p})
}

func pbkdf2Of(t *testing.T, iterations int) pkix.AlgorithmIdentifier {
	return algorithm(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {
		Salt       []byte
		Iterations int
	}{[]byte("salt"), iterations})
}

func box(t *testing.T, n, r, p, nonce int) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"kdf":        map[string]any{"name": "scrypt", "params": map[string]int{"N": n, "r": r, "p": p}, "salt": []byte("salt")},
		"cipher":     map[string]any{"name": "nacl/secretbox", "nonce": make([]byte, nonce)},
		"ciphertext": make([]byte, 64),
	})
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: text})
}

// TestHostileEncryption holds that what would take long, too much memory, or a panic is refused before the password is
// asked for, and that what tools write is not.
func TestHostileEncryption(t *testing.T) {
	errAsked := errors.New("asked")
	ask := func() ([]byte, error) { return nil, errAsked }
	huge := 1 << 40
	hostile := map[string][]byte{
		"scrypt N=2^30":          parameters{scryptOf(t, 1<<30, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt N=2^21":          parameters{scryptOf(t, 1<<21, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt N=2^40":          parameters{scryptOf(t, huge, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt r=2^20":          parameters{scryptOf(t, 2, 1<<20, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt p=2^20":          parameters{scryptOf(t, 1<<14, 8, 1<<20), aes(t, 16)}.pkcs8(t, 32),
		"scrypt p=64":            parameters{scryptOf(t, 1<<14, 8, 64), aes(t, 16)}.pkcs8(t, 32),
		"scrypt r*p=2^20":        parameters{scryptOf(t, 2, 1<<10, 1<<10), aes(t, 16)}.pkcs8(t, 32),
		"scrypt N=0":             parameters{scryptOf(t, 0, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt N=-1":            parameters{scryptOf(t, -1, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt r=0":             parameters{scryptOf(t, 1<<14, 0, 1), aes(t, 16)}.pkcs8(t, 32),
		"PBKDF2 2*10^9":          parameters{pbkdf2Of(t, 2_000_000_000), aes(t, 16)}.pkcs8(t, 32),
		"PBKDF2 20 million":      parameters{pbkdf2Of(t, 20_000_000), aes(t, 16)}.pkcs8(t, 32),
		"PBKDF2 0":               parameters{pbkdf2Of(t, 0), aes(t, 16)}.pkcs8(t, 32),
		"PBKDF2 -1":              parameters{pbkdf2Of(t, -1), aes(t, 16)}.pkcs8(t, 32),
		"Sigstore N=2^30":        box(t, 1<<30, 8, 1, 24),
		"Sigstore N=2^18":        box(t, 1<<18, 8, 1, 24),
		"Sigstore r=2^20":        box(t, 1<<16, 1<<20, 1, 24),
		"Sigstore p=2^20":        box(t, 1<<16, 8, 1<<20, 24),
		"Sigstore N=-1":          box(t, -1, 8, 1, 24),
		"Sigstore without nonce": box(t, 1<<16, 8, 1, 0),
	}
	for name, text := range hostile {
		t.Setenv("RUNATTEST_TEST_KEY", string(text))
		for how, read := range map[string]func() (signer.Signer, error){
			"text":     func() (signer.Signer, error) { return signer.Parse(text, ask) },
			"variable": func() (signer.Signer, error) { return signer.Load(ctx, "env://RUNATTEST_TEST_KEY", ask) },
		} {
			if _, err := read(); err == nil || errors.Is(err, errAsked) || errors.Is(err, signer.ErrPassword) {
				t.Errorf("%s as %s: %v", name, how, err)
			}
		}
	}
	for name, text := range map[string][]byte{
		"openssl's scrypt":     parameters{scryptOf(t, 1<<14, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"scrypt N=2^17":        parameters{scryptOf(t, 1<<17, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"PBKDF2 10 million":    parameters{pbkdf2Of(t, 10_000_000), aes(t, 16)}.pkcs8(t, 32),
		"Sigstore N=32768":     box(t, 1<<15, 8, 1, 24),
		"Sigstore N=65536":     box(t, 1<<16, 8, 1, 24),
		"Sigstore N=131072":    box(t, 1<<17, 8, 1, 24),
		"PBKDF2 one iteration": parameters{pbkdf2Of(t, 1), aes(t, 16)}.pkcs8(t, 32),
	} {
		if _, err := signer.Parse(text, ask); !errors.Is(err, errAsked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string][]byte{ // which made the library panic
		"a short IV":      parameters{pbkdf2Of(t, 1), aes(t, 8)}.pkcs8(t, 32),
		"no IV":           parameters{pbkdf2Of(t, 1), aes(t, 0)}.pkcs8(t, 32),
		"cut off":         parameters{pbkdf2Of(t, 1), aes(t, 16)}.pkcs8(t, 31),
		"no ciphertext":   parameters{pbkdf2Of(t, 1), aes(t, 16)}.pkcs8(t, 0),
		"N not a power":   parameters{scryptOf(t, 10_000, 8, 1), aes(t, 16)}.pkcs8(t, 32),
		"nothing encoded": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"}),
	} {
		if _, err := signer.Parse(text, password("x")); err == nil || errors.Is(err, signer.ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if limits.PBKDF2Iterations < 10_000_000 || limits.ScryptMemory < 128*(1<<17)*8 {
		t.Error("what tools write is refused")
	}
}

// TestEveryCut takes an encrypted key apart byte by byte: never a panic, never another error than those documented.
func TestEveryCut(t *testing.T) {
	text := parameters{pbkdf2Of(t, 1), aes(t, 16)}.pkcs8(t, 32)
	block, _ := pem.Decode(text)
	for i := range block.Bytes {
		for _, der := range [][]byte{block.Bytes[:i], append(append(append([]byte{}, block.Bytes[:i]...), block.Bytes[i]^0xff), block.Bytes[i+1:]...)} {
			_, err := signer.Parse(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), password(""))
			if err == nil {
				t.Fatalf("byte %d: taken", i)
			}
		}
	}
}

// FuzzParse holds that no text panics or takes long.
func FuzzParse(f *testing.F) {
	for _, a := range []signer.Algorithm{signer.ECDSAP256, signer.Ed25519} {
		pair, err := signer.Generate(a, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pair.Private)
		f.Add(pair.Public)
	}
	f.Add([]byte("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"))
	f.Add([]byte("ssh-ed25519 AAAA"))
	f.Add([]byte(`{"kty":"OKP","d":"AAAA"}`))
	f.Add([]byte("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="))
	f.Add([]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCsAAAAAAAAAAAAAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	errAsked := errors.New("asked") // what the password opens is not decrypted: that may take seconds, within the limits
	f.Fuzz(func(t *testing.T, data []byte) {
		by, err := signer.Parse(data, func() ([]byte, error) { return nil, errAsked })
		if (by == nil) == (err == nil) {
			t.Fatalf("%v and %v", by, err)
		}
		var format *signer.FormatError
		if errors.As(err, &format) {
			_ = format.Convert("k")
		}
	})
}
