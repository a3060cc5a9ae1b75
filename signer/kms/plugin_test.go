package kms_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"

	"github.com/runattest/runattest/internal/limits"
)

// The test binary is the plugins, too: started under the name sigstore-kms-NAME it behaves
// as NAME says.
func TestMain(m *testing.M) {
	if name, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "sigstore-kms-"); ok {
		os.Exit(behave(name))
	}
	os.Exit(m.Run())
}

// keyVariable holds the private key of the plugins, otherVariable another one.
const keyVariable, otherVariable = "KMS_TEST_KEY", "KMS_TEST_OTHER_KEY"

func behave(name string) int {
	args, err := handler.GetPluginArgs(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the arguments are not the protocol's:", err)
		return 1
	}
	signing := args.MethodName == common.SignMessageMethodName
	switch name {
	case "hanging":
		time.Sleep(time.Minute)
	case "signs-never":
		if signing {
			time.Sleep(time.Minute)
		}
	case "silent":
		return 0
	case "garbage":
		fmt.Print("not JSON")
		return 0
	case "empty":
		fmt.Print("{}")
		return 0
	case "trailing":
		fmt.Print("{}{}")
		return 0
	case "huge":
		_, err := io.Copy(os.Stdout, endless{}) // ends with the pipe
		fmt.Fprintln(os.Stderr, err)
		return 1
	case "failing":
		fmt.Fprintln(os.Stderr, "starting\ncredentials are missing")
		return 7
	case "talking":
		fmt.Fprintln(os.Stderr, strings.Repeat("retrying\n", limits.PluginMessages)+"credentials are missing")
		return 7
	case "refusing":
		fmt.Print(`{"errorMessage":"access\n  denied ` + strings.Repeat("x", 5000) + `"}`)
		return 1
	case "no-pem":
		fmt.Print(`{"publicKey":{"publicKeyPEM":"AAAA"}}`)
		return 0
	case "no-signature":
		if signing {
			fmt.Print(`{"signMessage":{"signature":""}}`)
			return 0
		}
	case "bad-signature":
		if signing {
			fmt.Print(`{"signMessage":{"signature":"AAAA"}}`)
			return 0
		}
	case "verbose":
		_, _ = io.CopyN(os.Stderr, endless{}, 1<<20) // the reader may go away
	}
	return answer(args, name == "other-key" && signing, name == "other-hash" && signing)
}

// answer does what the protocol asks, by sigstore's own code for the plugin's side.
func answer(args *common.PluginArgs, other, wrongHash bool) int {
	variable := keyVariable
	if other {
		variable = otherVariable
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey([]byte(os.Getenv(variable)), cryptoutils.SkipPassword)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	hash := args.InitOptions.HashFunc
	if wrongHash {
		hash = crypto.SHA512
		args.SignMessage.SignOptions.MessageOptions.HashFunc = &hash
	}
	sv, err := signature.LoadSignerVerifier(private, hash)
	if err == nil {
		_, err = handler.Dispatch(os.Stdout, os.Stdin, args, &holder{SignerVerifier: sv})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
}

// holder is what handler.Dispatch wants besides signing.
type holder struct{ signature.SignerVerifier }

var errNotHere = errors.New("not in this test")

func (*holder) CreateKey(context.Context, string) (crypto.PublicKey, error) { return nil, errNotHere }
func (*holder) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errNotHere
}
func (*holder) SupportedAlgorithms() []string { return nil }
func (*holder) DefaultAlgorithm() string      { return "" }

// recorded is a call as a plugin saw it.
type recorded struct{ args common.PluginArgs }

// recorder is a shell script in the plugin's place: it keeps what it was given, then does
// as the good plugin.
const recorder = `#!/bin/sh
printf '%s\n' "$1" "$2" >>"$KMS_TEST_RECORD"
exec "$KMS_TEST_GOOD" "$@"
`

func readRecord(t *testing.T, file string) []recorded {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		if lines[i] != "v1" {
			t.Errorf("first argument %q, want v1", lines[i])
		}
		var r recorded
		if err := json.Unmarshal([]byte(lines[i+1]), &r.args); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
