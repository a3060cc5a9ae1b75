package kms_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/kms"
)

// install puts plugins of these names on an otherwise empty PATH, with a key of this algorithm.
func install(t *testing.T, a signer.Algorithm, names ...string) (folder string, key *signer.PublicKey) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	for _, name := range names {
		if err := os.Symlink(self, filepath.Join(folder, "sigstore-kms-"+name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	t.Setenv("PATH", folder)
	pair, err := signer.Generate(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := signer.Generate(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(keyVariable, string(pair.Private))
	t.Setenv(otherVariable, string(other.Private))
	return folder, pair.Key
}

// TestRoundTrip proves for each algorithm that what a plugin built on sigstore's own handler
// signs is what package signer verifies: the hash follows the key.
func TestRoundTrip(t *testing.T) {
	for _, a := range signer.Algorithms() {
		t.Run(string(a), func(t *testing.T) {
			_, want := install(t, a, "good")
			s, err := kms.Load(t.Context(), "good://some/key", kms.Messages(os.Stderr))
			if err != nil {
				t.Fatal(err)
			}
			message := bytes.Repeat([]byte("message "), 1<<17) // more than a pipe holds
			sig, err := s.Sign(t.Context(), message)
			if err != nil {
				t.Fatal(err)
			}
			if err := want.Verify(message, sig); err != nil {
				t.Error(err)
			}
			public, err := kms.PublicKey(t.Context(), "good://some/key")
			if err != nil || public.Hint() != want.Hint() || s.PublicKey().Hint() != want.Hint() || public.Algorithm() != a {
				t.Errorf("public key: %v", err)
			}
		})
	}
}

// TestProtocol proves what a plugin is given: the version, the key without its scheme, the
// hash of the key's algorithm, and a deadline that is the caller's.
func TestProtocol(t *testing.T) {
	folder, _ := install(t, signer.ECDSAP384, "good")
	record := filepath.Join(t.TempDir(), "record")
	t.Setenv("KMS_TEST_RECORD", record)
	t.Setenv("KMS_TEST_GOOD", filepath.Join(folder, "sigstore-kms-good"))
	if err := os.WriteFile(filepath.Join(folder, "sigstore-kms-recorder"), []byte(recorder), 0o700); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	s, err := kms.Load(ctx, "recorder://host:1/alias/a?b=c://d")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(ctx, []byte("m")); err != nil {
		t.Fatal(err)
	}
	calls := readRecord(t, record)
	if len(calls) != 2 || calls[0].args.MethodName != "publicKey" || calls[1].args.MethodName != "signMessage" {
		t.Fatalf("calls: %+v", calls)
	}
	for _, c := range calls {
		o := c.args.InitOptions
		if o.KeyResourceID != "host:1/alias/a?b=c://d" || o.ProtocolVersion != "v1" || o.RPCOptions == nil {
			t.Errorf("options: %+v", o)
		}
		if o.CtxDeadline == nil || !o.CtxDeadline.Equal(deadline) {
			t.Errorf("deadline %v, want %v", o.CtxDeadline, deadline)
		}
	}
	sign := calls[1].args
	if h := sign.SignMessage.SignOptions.MessageOptions.HashFunc; sign.InitOptions.HashFunc != crypto.SHA384 || h == nil || *h != crypto.SHA384 {
		t.Errorf("hash %v, %v", sign.InitOptions.HashFunc, h)
	}
}

// TestLoadFails proves that no answer but a good one gives a key, and that each bad one ends
// in time with an error that says what was wrong.
func TestLoadFails(t *testing.T) {
	want := map[string]string{
		"hanging":  "no answer in time",
		"silent":   "the answer is not sigstore's KMS plugin protocol",
		"garbage":  "the answer is not sigstore's KMS plugin protocol",
		"trailing": "the answer is not sigstore's KMS plugin protocol",
		"empty":    "no public key in the answer",
		"huge":     "an answer of more than 1048576 bytes",
		"failing":  "exit status 7; it said: credentials are missing",
		"talking":  "exit status 7; it said: credentials are missing",
		"refusing": "access denied xxx",
		"no-pem":   "public key: not PEM",
	}
	for name, text := range want {
		t.Run(name, func(t *testing.T) {
			install(t, signer.ECDSAP256, name)
			start := time.Now()
			patience := 30 * time.Second // a plugin may start slowly, as under the race detector
			if name == "hanging" {
				patience = time.Second
			}
			s, err := kms.Load(t.Context(), name+"://k", kms.Timeout(patience))
			if s != nil || err == nil || !strings.HasPrefix(err.Error(), "sigstore-kms-"+name+": ") || !strings.Contains(err.Error(), text) {
				t.Errorf("got %v, %v; want %q", s, err, text)
			}
			if plugin := (*kms.Error)(nil); !errors.As(err, &plugin) || plugin.Program != "sigstore-kms-"+name {
				t.Errorf("error %T", err)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if took := time.Since(start); took > 25*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestSignFails proves that a signature that is not by the key that was loaded is never
// returned.
func TestSignFails(t *testing.T) {
	want := map[string]string{
		"signs-never":   "no answer in time",
		"no-signature":  "no signature in the answer",
		"bad-signature": "does not verify under the public key that it gave (ecdsa-p256)",
		"other-key":     "does not verify under the public key that it gave (ecdsa-p256)",
		"other-hash":    "does not verify under the public key that it gave (ecdsa-p256)",
	}
	for name, text := range want {
		t.Run(name, func(t *testing.T) {
			install(t, signer.ECDSAP256, name)
			patience := 30 * time.Second
			if name == "signs-never" {
				patience = 5 * time.Second
			}
			s, err := kms.Load(t.Context(), name+"://k", kms.Timeout(patience))
			if err != nil {
				t.Fatal(err)
			}
			sig, err := s.Sign(t.Context(), []byte("message"))
			if sig != nil || err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("got %x, %v; want %q", sig, err, text)
			}
			if name == "other-key" && !errors.Is(err, signer.ErrSignature) {
				t.Errorf("error %v, want one that wraps ErrSignature", err)
			}
		})
	}
}

// TestCancel proves that a caller who gives up has his process killed and waits no longer.
func TestCancel(t *testing.T) {
	install(t, signer.ECDSAP256, "hanging")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	start := time.Now()
	_, err := kms.Load(ctx, "hanging://k")
	if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestChildKeepsPipe proves that a plugin's child that outlives it and holds its output
// open does not hold up the caller.
func TestChildKeepsPipe(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh:", err)
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep:", err)
	}
	folder, _ := install(t, signer.ECDSAP256)
	script := "#!" + sh + "\n" + sleep + " 20 &\necho '{\"errorMessage\":\"gone\"}'\n"
	if err := os.WriteFile(filepath.Join(folder, "sigstore-kms-parent"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = kms.Load(t.Context(), "parent://k")
	if err == nil || !strings.Contains(err.Error(), "gone") || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestMessages proves that a plugin's standard error reaches the caller as it runs, up to a bound.
func TestMessages(t *testing.T) {
	install(t, signer.ECDSAP256, "verbose")
	var messages bytes.Buffer
	if _, err := kms.Load(t.Context(), "verbose://k", kms.Messages(&messages)); err != nil {
		t.Fatal(err)
	}
	if messages.Len() != limits.PluginMessages {
		t.Errorf("%d bytes, want %d", messages.Len(), limits.PluginMessages)
	}
}

// TestMissing proves that the error names what to install.
func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for ref, hint := range map[string]string{
		"awskms:///alias/x": "it is in the package runattest-kms of each release (deb, rpm), in the image whose tag ends in -kms, and for pip, npm and " +
			"all others in the archive runattest-kms_..., whose folder belongs on PATH; or build it: " +
			"go install github.com/runattest/runattest/plugins/cmd/sigstore-kms-awskms@latest",
		"pkcs11://token=x": "it is in the package runattest-pkcs11 of each release (deb, rpm), and for pip, npm and all others on Linux with glibc " +
			"in the archive runattest-pkcs11_..., whose folder belongs on PATH; or build it, with a C compiler: " +
			"CGO_ENABLED=1 go install github.com/runattest/runattest/plugins/cmd/sigstore-kms-pkcs11@latest",
		"my-hsm://x": "keys my-hsm://... need a KMS plugin of that name",
	} {
		_, err := kms.PublicKey(t.Context(), ref)
		var missing *kms.MissingError
		if !errors.As(err, &missing) || !errors.Is(err, exec.ErrNotFound) || !strings.HasPrefix(missing.Hint(), hint) {
			t.Errorf("%s: %v", ref, err)
		}
		if name, _, _ := strings.Cut(ref, ":"); err != nil && err.Error() != "no program sigstore-kms-"+name+" on PATH" {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestNotExecutable: a plugin that is there is not called missing.
func TestNotExecutable(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", t.TempDir()+string(filepath.ListSeparator)+folder)
	program := filepath.Join(folder, "sigstore-kms-good")
	if err := os.WriteFile(program, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	hint := "chmod +x "
	if runtime.GOOS == "windows" {
		hint = "give it a name that ends in .exe"
	}
	var missing *kms.MissingError
	if _, err := kms.Load(t.Context(), "good://k"); !errors.As(err, &missing) || err.Error() != program+": is not executable" || !strings.HasPrefix(missing.Hint(), hint) {
		t.Errorf("%v", err)
	}
}

// TestNotFromHere proves that a program in the working folder is not run, even if PATH has ".".
func TestNotFromHere(t *testing.T) {
	folder, _ := install(t, signer.ECDSAP256, "good")
	t.Chdir(folder)
	t.Setenv("PATH", ".")
	var missing *kms.MissingError
	if _, err := kms.Load(t.Context(), "good://k"); !errors.As(err, &missing) || !errors.Is(err, exec.ErrDot) {
		t.Errorf("error %v", err)
	}
}

// TestReferences proves that a reference cannot name a program by a path or an option.
func TestReferences(t *testing.T) {
	install(t, signer.ECDSAP256, "good")
	for _, ref := range []string{
		"", "file.key", "://k", "good://", "../good://k", "./good://k", "Good://k", "-good://k", "go od://k",
		"good\n://k", "good;x://k", "good.exe://k", "göod://k", strings.Repeat("a", 65) + "://k",
	} {
		s, err := kms.Load(t.Context(), ref)
		var missing *kms.MissingError
		if s != nil || err == nil || errors.As(err, &missing) || !strings.HasPrefix(err.Error(), "key ") {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

// TestAny: a reference of any kind leads to its key.
func TestAny(t *testing.T) {
	folder, want := install(t, signer.ECDSAP256, "good")
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err != nil {
		t.Fatal(err)
	}
	private, public := filepath.Join(folder, "x.key"), filepath.Join(folder, "x.pub")
	for path, text := range map[string][]byte{private: pair.Private, public: pair.Public} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ANY_PRIVATE", string(pair.Private))
	t.Setenv("ANY_PUBLIC", string(pair.Public))
	for _, c := range []struct {
		private, public string
		want            *signer.PublicKey
	}{
		{"good://some/key", "good://some/key", want},
		{private, public, pair.Key},
		{"env://ANY_PRIVATE", "env://ANY_PUBLIC", pair.Key},
	} {
		by, err := kms.LoadAny(t.Context(), c.private, nil)
		if err != nil {
			t.Errorf("%s: %v", c.private, err)
		} else if by.PublicKey().Hint() != c.want.Hint() {
			t.Errorf("%s is another key", c.private)
		}
		key, err := kms.PublicKeyOfAny(t.Context(), c.public)
		if err != nil {
			t.Errorf("%s: %v", c.public, err)
		} else if key.Hint() != c.want.Hint() {
			t.Errorf("%s is another public key", c.public)
		}
	}
	for ref, want := range map[string]string{
		"env://ANY_UNSET": "key: environment variable ANY_UNSET is not set",
		private:           private + ": ",
		"absent://key":    "sigstore-kms-absent",
	} {
		if _, err := kms.PublicKeyOfAny(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", ref, err, want)
		}
	}
}
