package idtoken

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

const (
	impersonateName = "GOOGLE_SERVICE_ACCOUNT_NAME"
	metadataName    = "GCE_METADATA_HOST"
)

// google is a machine at Google, and the service account for which its metadata server issues tokens:
// https://cloud.google.com/compute/docs/instances/verifying-instance-identity
func google(m machine) *source {
	target := m.getenv(impersonateName)
	if target == "" && m.getenv(metadataName) == "" && m.getenv("CLOUD_RUN_JOB") == "" && !madeByGoogle(m.productName) {
		return nil
	}
	server := metadataServer{machine: m, host: cmp.Or(m.getenv(metadataName), m.metadata)}
	if target == "" {
		return &source{"Google", server.identity}
	}
	return &source{"Google", func(ctx context.Context, audience string) (string, error) {
		return server.impersonate(ctx, target, audience)
	}}
}

// madeByGoogle reads the firmware's product name, which takes no connection.
func madeByGoogle(productName string) bool {
	data, err := os.ReadFile(productName)
	name := strings.TrimSpace(string(data))
	return err == nil && (name == "Google" || name == "Google Compute Engine")
}

type metadataServer struct {
	machine
	host string
}

func (s metadataServer) identity(ctx context.Context, audience string) (string, error) {
	body, err := s.get(ctx, "identity", url.Values{"audience": {audience}, "format": {"full"}})
	return string(body), err
}

// get asks for something of the machine's own service account.
func (s metadataServer) get(ctx context.Context, what string, query url.Values) ([]byte, error) {
	u := url.URL{
		Scheme: "http", Host: s.host, RawQuery: query.Encode(),
		Path: "/computeMetadata/v1/instance/service-accounts/default/" + what,
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", metadataName, err)
	}
	req.Header.Set("Metadata-Flavor", "Google")
	client := s.client(ctx)
	client.Transport.(*transport).meetsOverHTTP(s.host)
	body, err := fetch(client, req)
	if status := (*statusError)(nil); errors.As(err, &status) && status.code == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w: the machine has no service account", s.host, ErrNoIdentity)
	}
	return body, err
}

// impersonate requests a token of another service account, which must permit the machine's own account to do so:
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken
func (s metadataServer) impersonate(ctx context.Context, target, audience string) (string, error) {
	body, err := s.get(ctx, "token", url.Values{"scopes": {"https://www.googleapis.com/auth/cloud-platform"}})
	if errors.Is(err, ErrNoIdentity) {
		// The user named this account, so no other source may take its place.
		return "", fmt.Errorf("%s: the machine has no service account that could impersonate %s", impersonateName, target)
	}
	if err != nil {
		return "", err
	}
	members, err := object(body)
	if err != nil {
		return "", fmt.Errorf("%s: the answer: %w", s.host, err)
	}
	access, err := text1(members, "access_token")
	if err != nil || access == "" {
		return "", fmt.Errorf("%s: the answer: access_token: want a string", s.host)
	}
	address := s.credentials + "/v1/projects/-/serviceAccounts/" + url.PathEscape(target) + ":generateIdToken"
	req, err := postJSON(ctx, address, map[string]any{"audience": audience, "includeEmail": true})
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+access)
	return fetchMember(s.client(ctx), req, "token")
}
