package plugin

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// The test binary is a plugin, too: of test://... under the name sigstore-kms-test.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "sigstore-kms-") {
		Main("test", loadTest)
	}
	os.Exit(m.Run())
}

const keyVariable = "PLUGIN_TEST_KEY"

// held is the key in the variable, as a provider would give it.
type held struct{ signature.SignerVerifier }

var errNotHere = errors.New("not in this test")

func (held) CreateKey(context.Context, string) (crypto.PublicKey, error) { return nil, errNotHere }
func (held) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errNotHere
}
func (held) SupportedAlgorithms() []string { return []string{"a", "b"} }
func (held) DefaultAlgorithm() string      { return "a" }

func loadTest(_ context.Context, ref string, hash crypto.Hash, _ ...signature.RPCOption) (kms.SignerVerifier, error) {
	switch ref {
	case "test://host/key":
	case "test://hanging": // a provider that does not mind its context
		time.Sleep(time.Minute)
	default:
		return nil, errors.New("no key " + ref)
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey([]byte(os.Getenv(keyVariable)), cryptoutils.SkipPassword)
	if err != nil {
		return nil, err
	}
	sv, err := signature.LoadSignerVerifier(private, hash)
	return held{sv}, err
}

func setKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := cryptoutils.MarshalPrivateKeyToPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(keyVariable, string(text))
	return key
}

func install(t *testing.T) (program string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(t.TempDir(), "sigstore-kms-test")
	if err := os.Symlink(self, program); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	t.Setenv("PATH", filepath.Dir(program))
	return program
}

// TestSigstoreClient proves that sigstore's own client, which cosign uses, gets a key and a
// signature from a plugin made with Main, and its errors.
func TestSigstoreClient(t *testing.T) {
	key := setKey(t)
	install(t)
	sv, err := cliplugin.LoadSignerVerifier(t.Context(), "test://host/key", crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	public, err := sv.PublicKey(options.WithContext(t.Context()))
	if err != nil || !key.PublicKey.Equal(public) {
		t.Fatalf("public key %v, %v", public, err)
	}
	message := []byte("message")
	sig, err := sv.SignMessage(bytes.NewReader(message), options.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.VerifySignature(bytes.NewReader(sig), bytes.NewReader(message)); err != nil {
		t.Error(err)
	}
	if err := sv.VerifySignature(bytes.NewReader(sig), bytes.NewReader([]byte("other"))); err == nil {
		t.Error("verified another message")
	}
	if a := sv.DefaultAlgorithm(); a != "a" {
		t.Errorf("default algorithm %q", a)
	}
	other, err := cliplugin.LoadSignerVerifier(t.Context(), "test://other", crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.PublicKey(); err == nil || !strings.Contains(err.Error(), "no key test://other") {
		t.Errorf("another key: %v", err)
	}
}

// TestCalls proves that whatever the call, a plugin answers with one JSON object, and that
// people who start it by hand learn what it is.
func TestCalls(t *testing.T) {
	setKey(t)
	for name, c := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"nothing":         {nil, 2, "This is a KMS plugin: runattest and cosign start it for keys test://..."},
		"help":            {[]string{"--help"}, 0, "This is a KMS plugin"},
		"version":         {[]string{"--version"}, 0, "protocol v1"},
		"another version": {[]string{"v2", "{}"}, 1, `protocol "v2", want "v1"`},
		"no JSON":         {[]string{"v1", "x"}, 1, "malformed call"},
		"empty":           {[]string{"v1", "{}"}, 1, "want initOptions and methodName"},
		"null":            {[]string{"v1", "null"}, 1, "want initOptions and methodName"},
		"no method":       {[]string{"v1", `{"initOptions":{}}`}, 1, "want initOptions and methodName"},
		"unknown method":  {[]string{"v1", `{"initOptions":{"keyResourceID":"host/key","hashFunc":5},"methodName":"x"}`}, 0, "unsupported method: x"},
		"no arguments":    {[]string{"v1", `{"initOptions":{"keyResourceID":"host/key","hashFunc":5},"methodName":"publicKey"}`}, 1, "malformed call"},
		"no such key":     {[]string{"v1", `{"initOptions":{"keyResourceID":"none"},"methodName":"publicKey"}`}, 1, "no key test://none"},
		"good": {[]string{"v1", `{"initOptions":{"keyResourceID":"host/key","hashFunc":5},"methodName":"publicKey",
			"publicKey":{"publicKeyOptions":{"rpcOptions":{}}}}`}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run("test", loadTest, append([]string{"sigstore-kms-test"}, c.args...), strings.NewReader(""), &stdout, &stderr)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			if len(c.args) != 2 {
				if stdout.Len() > 0 || !strings.Contains(stderr.String(), c.want) {
					t.Errorf("%s%s", &stdout, &stderr)
				}
				return
			}
			var answer common.PluginResp
			if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
				t.Fatalf("%v in %q", err, &stdout)
			}
			if !strings.Contains(answer.ErrorMessage, c.want) || (c.want == "") != (answer.PublicKey != nil) {
				t.Errorf("answer %s", &stdout)
			}
		})
	}
}

// TestDeadline proves that a plugin ends soon after its deadline though its provider does not,
// so that none is left behind by a caller who died.
func TestDeadline(t *testing.T) {
	program := install(t)
	call, err := json.Marshal(map[string]any{
		"initOptions": map[string]any{"keyResourceID": "hanging", "ctxDeadline": time.Now().Add(500 * time.Millisecond)},
		"methodName":  "publicKey",
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	err = exec.CommandContext(t.Context(), program, "v1", string(call)).Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || time.Since(start) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}
