package signer_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/signer"
)

var ctx = context.Background()

func password(s string) signer.Password { return func() ([]byte, error) { return []byte(s), nil } }

func TestRoundTrip(t *testing.T) {
	for _, a := range signer.Algorithms() {
		t.Run(string(a), func(t *testing.T) {
			pair, err := signer.Generate(a, nil)
			if err != nil {
				t.Fatal(err)
			}
			private, err := signer.Parse(pair.Private, nil)
			if err != nil {
				t.Fatal(err)
			}
			public, err := signer.ParsePublicKey(pair.Public)
			if err != nil {
				t.Fatal(err)
			}
			if public.Algorithm() != a || public.Hint() != private.PublicKey().Hint() {
				t.Errorf("public key %s %s", public.Algorithm(), public.Hint())
			}
			message := []byte("message")
			sig, err := private.Sign(ctx, message)
			if err != nil {
				t.Fatal(err)
			}
			if err := public.Verify(message, sig); err != nil {
				t.Fatal(err)
			}
			mangle(t, public, message, sig)
		})
	}
}

// mangle flips every bit of the signature and the message, and cuts and lengthens both.
func mangle(t *testing.T, key *signer.PublicKey, message, sig []byte) {
	t.Helper()
	refuse := func(what string, message, sig []byte) {
		t.Helper()
		if err := key.Verify(message, sig); !errors.Is(err, signer.ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range sig {
		c := slices.Clone(sig)
		c[i] ^= 1 << (i % 8)
		refuse("signature bit", message, c)
	}
	for i := range message {
		c := slices.Clone(message)
		c[i] ^= 1
		refuse("message bit", c, sig)
	}
	refuse("no signature", message, nil)
	refuse("short signature", message, sig[:len(sig)-1])
	refuse("long signature", message, append(slices.Clone(sig), 0))
	refuse("short message", message[:len(message)-1], sig)
}

// TestHint holds the hint to the keyid that Go's verifiers of DSSE ask for, and knows a key by the hint that cosign writes.
func TestHint(t *testing.T) {
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(pair.Public)
	sum := sha256.Sum256(block.Bytes)
	want, err := dsse.SHA256KeyID(pair.Key.Public())
	if got := pair.Key.Hint(); err != nil || got != want || !strings.HasPrefix(got, "SHA256:") {
		t.Errorf("hint %s, want %s, %v", got, want, err)
	}
	for _, hint := range []string{pair.Key.Hint(), base64.StdEncoding.EncodeToString(sum[:])} {
		if !pair.Key.IsNamedBy(hint) || pair.Key.IsNamedBy(hint[1:]) || new(signer.PublicKey).IsNamedBy(hint) {
			t.Errorf("%s", hint)
		}
	}
	if pair.Key.IsNamedBy("") || new(signer.PublicKey).IsNamedBy("") {
		t.Error("a key is named by nothing")
	}
}

func TestEncrypted(t *testing.T) {
	pair, err := signer.Generate(signer.ECDSAP256, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(pair.Private), "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----") {
		t.Errorf("private key %.60s", pair.Private)
	}
	if _, err := signer.Parse(pair.Private, password("secret")); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]signer.Password{"none": nil, "wrong": password("Secret"), "empty": password("")} {
		if _, err := signer.Parse(pair.Private, p); !errors.Is(err, signer.ErrPassword) {
			t.Errorf("password %s: %v", name, err)
		}
	}
	if _, err := signer.Generate(signer.Ed25519, []byte{}); !errors.Is(err, signer.ErrPassword) {
		t.Errorf("an empty password: %v", err)
	}
}

// TestPlainKeyAsksForNoPassword keeps a password prompt away from keys that need none.
func TestPlainKeyAsksForNoPassword(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = signer.Parse(pair.Private, func() ([]byte, error) { t.Error("asked"); return nil, nil })
	if err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "k.key")
	large := filepath.Join(dir, "large")
	if err := errors.Join(os.WriteFile(file, pair.Private, 0o600), os.WriteFile(large, make([]byte, 1<<20), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RUNATTEST_TEST_KEY", string(pair.Private))
	for _, ref := range []string{file, "env://RUNATTEST_TEST_KEY"} {
		s, err := signer.Load(ctx, ref, nil)
		if err != nil || s.PublicKey().Hint() != pair.Key.Hint() {
			t.Errorf("%s: %v", ref, err)
		}
	}
	var scheme *signer.UnknownSchemeError
	for ref, want := range map[string]func(error) bool{
		"env://RUNATTEST_NOT_SET": func(err error) bool { return strings.Contains(err.Error(), "not set") },
		"nokms://x":               func(err error) bool { return errors.As(err, &scheme) && scheme.Scheme == "nokms" },
		filepath.Join(dir, "no"):  func(err error) bool { return errors.Is(err, fs.ErrNotExist) },
		dir:                       func(err error) bool { return errors.Is(err, boundedfile.ErrInput) },
		large:                     func(err error) bool { return errors.Is(err, boundedfile.ErrInput) },
	} {
		if s, err := signer.Load(ctx, ref, nil); err == nil || !want(err) {
			t.Errorf("%s: got %v, %v", ref, s, err)
		}
	}
}

func TestRefusedKeys(t *testing.T) {
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	odd := ecdsaKey(t, elliptic.P224())
	publicPEM := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	for name, c := range map[string]struct{ text, want string }{
		"a private key":  {string(pair.Private), "this is a private key"},
		"two keys":       {string(pair.Public) + string(pair.Public), "more than one"},
		"no PEM":         {"some text", "not PEM"},
		"empty":          {"", "not PEM"},
		"RSA 1024":       {publicPEM(&weak.PublicKey), "1024 bits"},
		"P-224":          {publicPEM(&odd.PublicKey), "P-224"},
		"garbage in PEM": {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public key"},
		"certificate":    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"},
		"too large":      {strings.Repeat("x", 1<<20), "at most"},
	} {
		if _, err := signer.ParsePublicKey([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signer.Parse(slices.Concat(pair.Private, pair.Private), nil); err == nil || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("two private keys: %v", err)
	}
	if _, err := signer.Parse(pair.Public, nil); err == nil || !strings.Contains(err.Error(), "this is a public key") {
		t.Errorf("signing with a public key: %v", err)
	}
	vast := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 8192), E: 65537}
	if _, err := signer.NewPublicKey(vast); err == nil || !strings.Contains(err.Error(), "8193 bits") {
		t.Errorf("RSA of 8193 bits: %v", err)
	}
	if _, err := signer.New(weak); err == nil {
		t.Error("signing with RSA 1024")
	}
}

func FuzzParsePublicKey(f *testing.F) {
	for _, a := range []signer.Algorithm{signer.ECDSAP256, signer.Ed25519, signer.RSA2048} {
		pair, err := signer.Generate(a, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pair.Public)
		f.Add(pair.Private)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := signer.ParsePublicKey(data)
		if err != nil {
			return
		}
		text, err := key.PEM()
		if err != nil {
			t.Fatal(err)
		}
		again, err := signer.ParsePublicKey(text)
		if err != nil || again.Hint() != key.Hint() {
			t.Fatalf("written and read again: %v", err)
		}
	})
}

func ecdsaKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// withPublic is a key with the public half of another.
func withPublic(key *ecdsa.PrivateKey, public ecdsa.PublicKey) *ecdsa.PrivateKey {
	mixed := *key
	mixed.PublicKey = public
	return &mixed
}

// TestNewRefuses holds that a key with which Sign could only fail is refused at once.
func TestNewRefuses(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := slices.Clone(private)
	other[40] ^= 1                                        // in the public half
	modulus := new(big.Int).Lsh(big.NewInt(1), 8_000_000) // for which the library would take hours
	tooLarge := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: modulus.Add(modulus, big.NewInt(1)), E: 65537}, D: modulus, Primes: []*big.Int{modulus, modulus}}
	good, other256, other384 := ecdsaKey(t, elliptic.P256()), ecdsaKey(t, elliptic.P256()), ecdsaKey(t, elliptic.P384())
	for name, key := range map[string]crypto.Signer{
		"nil":                    nil,
		"a seed":                 ed25519.PrivateKey(private.Seed()),
		"another public half":    other,
		"an empty Ed25519 key":   ed25519.PrivateKey(nil),
		"another ECDSA half":     withPublic(good, other256.PublicKey),
		"another curve":          withPublic(good, other384.PublicKey),
		"ECDSA without a point":  withPublic(good, ecdsa.PublicKey{Curve: elliptic.P256()}),
		"a nil ECDSA key":        (*ecdsa.PrivateKey)(nil),
		"a zero ECDSA key":       new(ecdsa.PrivateKey),
		"an ECDSA public part":   &ecdsa.PrivateKey{PublicKey: good.PublicKey},
		"a nil RSA key":          (*rsa.PrivateKey)(nil),
		"a zero RSA key":         new(rsa.PrivateKey),
		"a nil pointer to a key": (*ed25519.PrivateKey)(nil),
		"an RSA key too large":   tooLarge,
	} {
		if by, err := signer.New(key); err == nil || strings.Contains(err.Error(), "runtime error") {
			t.Errorf("%s: %v, %v", name, by, err)
		}
	}
	for _, key := range []crypto.Signer{private, good} {
		if _, err := signer.New(key); err != nil {
			t.Error(err)
		}
	}
}

// TestCreate: the private key is its owner's alone, no file is replaced, and none of two is left alone.
func TestCreate(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	private, public := filepath.Join(dir, "a.key"), filepath.Join(dir, "a.pub")
	if err := pair.Create(private, public); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(private); err != nil {
		t.Error(err)
	} else if info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	if by, err := signer.Load(t.Context(), private, nil); err != nil || by.PublicKey().Hint() != pair.Key.Hint() {
		t.Error(err)
	}
	other := filepath.Join(dir, "b.key")
	if err := pair.Create(other, public); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a public key: %v", err)
	}
	if _, err := os.Lstat(other); err == nil {
		t.Error("a private key is left alone")
	}
	if err := pair.Create(private, filepath.Join(dir, "b.pub")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a private key: %v", err)
	}
}
