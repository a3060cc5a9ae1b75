package idtoken

import (
	"context"
	"io/fs"
	"os"

	"github.com/runattest/runattest/internal/boundedfile"
)

// machine is where the program runs. The tests have one each.
type machine struct {
	getenv      func(string) string
	tokenFile   string // a mounted file with a token
	agentSocket string // where SPIRE's agent listens
	productName string // the file in which Linux says what machine this is
	metadata    string // Google's metadata server
	credentials string // Google's IAM Service Account Credentials API
	patience    patience
}

// Ambient returns the sources that this machine offers without asking a person, the most
// particular first; the package documentation lists them. If getenv is nil, it is os.Getenv. Ambient looks at
// variables and a few local paths, and opens no connection.
func Ambient(getenv func(string) string) []Source {
	if getenv == nil {
		getenv = os.Getenv
	}
	return machine{
		getenv:      getenv,
		tokenFile:   "/var/run/sigstore/cosign/oidc-token",
		agentSocket: "/tmp/spire-agent/public/api.sock",
		productName: "/sys/class/dmi/id/product_name",
		metadata:    "169.254.169.254",
		credentials: "https://iamcredentials.googleapis.com",
		patience:    defaultPatience,
	}.sources()
}

func (m machine) sources() []Source {
	var found []Source
	for _, look := range []func(machine) *source{variable, github, buildkite, tokenFile, spiffe, google} {
		if s := look(m); s != nil {
			found = append(found, s)
		}
	}
	return found
}

func variable(m machine) *source {
	const name = "SIGSTORE_ID_TOKEN"
	token := m.getenv(name)
	if token == "" {
		return nil
	}
	return &source{name, func(context.Context, string) (string, error) { return token, nil }}
}

func tokenFile(m machine) *source {
	if _, err := os.Stat(m.tokenFile); err != nil {
		return nil
	}
	return &source{"token file", func(context.Context, string) (string, error) {
		data, err := boundedfile.Read(m.tokenFile, maxToken)
		return string(data), err
	}}
}

func isSocket(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Type() == fs.ModeSocket
}
