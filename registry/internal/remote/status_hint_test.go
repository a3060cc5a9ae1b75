package remote

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry"

	"github.com/runattest/runattest/registry/internal/store"
)

// TestHintsOfRefusals: what to do about a refusal is for that refusal: no login for lack of space, or of a proxy's making.
func TestHintsOfRefusals(t *testing.T) {
	for _, c := range []struct {
		status     int
		said, want string
	}{
		{403, "project quota exceeded", "quota raised"},
		{403, "denied: adding 5 GB would exceed the storage limit", "quota raised"},
		{403, "denied: requested access to the resource is denied", "log in"},
		{403, "pull access denied for acme/payment-service, repository does not exist or may require 'docker login'", "log in"},
		{403, "denied: no access to team/quota-app", "log in"},
		{402, "Payment required: billing is disabled", "account's billing"},
		{403, "This API method requires billing to be enabled", "account's billing"},
		{507, "disk full", "quota raised"},
		{413, "", "takes less at once"},
		{502, "Bad Gateway", "a proxy answers"},
		{504, "", "a proxy answers"},
		{407, "", "HTTPS_PROXY"},
		{503, "", string(HintBusy)},
	} {
		r := &Repository{ref: Name{"registry.test", "team/quota-app"}, repo: registry.Reference{Registry: "registry.test"}, source: &credentialSource{host: "registry.test"}}
		err := r.answered(&answerError{method: "PUT", url: &url.URL{Scheme: "https", Host: "registry.test"}, status: c.status, said: c.said})
		failed := (*store.Error)(nil)
		if !errors.As(err, &failed) || !strings.Contains(string(failed.Hint), c.want) || !strings.Contains(err.Error(), c.said) {
			t.Errorf("%d %s: %v, hint %q", c.status, c.said, err, failed.Hint)
		}
	}
}

// TestTokenServiceKnowsNothing: a token service that answers 404 does not say that the artifact is missing.
func TestTokenServiceKnowsNothing(t *testing.T) {
	r := &Repository{ref: Name{"registry.test", "app"}, source: &credentialSource{host: "registry.test"}}
	err := r.answered(&answerError{method: "GET", url: &url.URL{Scheme: "https", Host: "tokens.test"}, status: 404, said: "project retired", token: true})
	failed := (*store.Error)(nil)
	if !errors.As(err, &failed) || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "token service tokens.test") ||
		!strings.Contains(err.Error(), "project retired") || !strings.Contains(string(failed.Hint), "for tokens") {
		t.Errorf("%v", err)
	}
}

// TestSentences: what a refusal says is found where services write it.
func TestSentences(t *testing.T) {
	for body, want := range map[string]string{
		`{"errors":[{"code":"DENIED","message":"","detail":{"reason":"image is quarantined by policy 7"}}]}`:                          "image is quarantined by policy 7",
		`<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message><RequestId>x</RequestId></Error>`: "Request has expired",
		`<html><title>Log in</title></html>`: "Log in",
	} {
		if said, _ := sentence([]byte(body)); said != want {
			t.Errorf("%s: %q", body, said)
		}
	}
}
