package idtoken

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// github is a job of GitHub Actions:
// https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
func github(m machine) *source {
	const urlName = "ACTIONS_ID_TOKEN_REQUEST_URL"
	address, bearer := m.getenv(urlName), m.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if address == "" || bearer == "" {
		return nil
	}
	return &source{"GitHub Actions", func(ctx context.Context, audience string) (string, error) {
		u, err := url.Parse(address)
		if err != nil {
			return "", fmt.Errorf("%s: not a URL", urlName)
		}
		query := u.Query()
		query.Set("audience", audience)
		u.RawQuery = query.Encode()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return "", fmt.Errorf("%s: %w", urlName, err)
		}
		req.Header.Set("Authorization", "bearer "+bearer)
		return fetchMember(m.client(ctx), req, "value")
	}}
}

// buildkite is a job of a Buildkite agent, whose API it asks as `buildkite-agent oidc request-token` does.
func buildkite(m machine) *source {
	const endpointName, jobName = "BUILDKITE_AGENT_ENDPOINT", "BUILDKITE_JOB_ID"
	access := m.getenv("BUILDKITE_AGENT_ACCESS_TOKEN")
	if access == "" {
		return nil
	}
	return &source{"Buildkite", func(ctx context.Context, audience string) (string, error) {
		job := m.getenv(jobName)
		if job == "" {
			return "", fmt.Errorf("%s: not set; tokens are given to jobs", jobName)
		}
		endpoint := cmp.Or(m.getenv(endpointName), "https://agent.buildkite.com/v3")
		address := strings.TrimSuffix(endpoint, "/") + "/jobs/" + url.PathEscape(job) + "/oidc/tokens"
		req, err := postJSON(ctx, address, map[string]any{"audience": audience})
		if err != nil {
			return "", fmt.Errorf("%s: %w", endpointName, err)
		}
		req.Header.Set("Authorization", "Token "+access)
		return fetchMember(m.client(ctx), req, "token")
	}}
}

func postJSON(ctx context.Context, address string, body any) (*http.Request, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// fetchMember is one string of the JSON object that a server answers with.
func fetchMember(client *http.Client, req *http.Request, name string) (string, error) {
	body, err := fetch(client, req)
	if err != nil {
		return "", err
	}
	members, err := object(body)
	if err != nil {
		return "", fmt.Errorf("%s: the answer: %w", req.URL.Host, err)
	}
	value, err := text1(members, name)
	if err == nil && value == "" {
		err = errors.New(name + ": missing")
	}
	if err != nil {
		return "", fmt.Errorf("%s: the answer: %w", req.URL.Host, err)
	}
	return value, nil
}
