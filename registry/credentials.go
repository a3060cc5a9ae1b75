package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
)

// credentialSource takes credentials from Docker's configuration and the helpers that it names,
// and remembers for an error what it found.
type credentialSource struct {
	mu    sync.Mutex
	tried string
}

// String says what was tried.
func (s *credentialSource) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tried == "" {
		return "no credentials were asked for"
	}
	return s.tried
}

func (s *credentialSource) get(ctx context.Context, host string) (auth.Credential, error) {
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		s.note("Docker's configuration cannot be read")
		return auth.Credential{}, err
	}
	place := store.ConfigPath()
	if helper := helperOf(place, credentials.ServerAddressFromHostname(host)); helper != "" {
		place = fmt.Sprintf("the credential helper docker-credential-%s, which %s names", helper, place)
	}
	credential, err := credentials.Credential(store)(ctx, host)
	switch {
	case err != nil:
		s.note("tried " + place)
	case credential == auth.Credential{}:
		s.note(fmt.Sprintf("tried %s, which has no credentials for %s", place, host))
	case credential.Username != "":
		s.note(fmt.Sprintf("tried the credentials of user %q from %s", credential.Username, place))
	default:
		s.note("tried the token from " + place)
	}
	return credential, err
}

func (s *credentialSource) note(tried string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = tried
}

// helperOf is the credential helper that Docker's configuration names for a registry.
func helperOf(path, server string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var config struct {
		CredsStore  string            `json:"credsStore"`
		CredHelpers map[string]string `json:"credHelpers"`
	}
	if json.Unmarshal(data, &config) != nil {
		return "" // the store has said so already
	}
	if helper, ok := config.CredHelpers[strings.TrimSuffix(server, "/")]; ok {
		return helper
	}
	return config.CredsStore
}
