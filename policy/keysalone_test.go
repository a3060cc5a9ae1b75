package policy

import (
	"errors"
	"testing"

	"github.com/runattest/runattest/attest/authority"
)

// TestKeysAlone: without what reads trusted roots, a policy of keys is whole, and one that needs more is refused.
func TestKeysAlone(t *testing.T) {
	ci, alice := newSigner(t), newSigner(t)
	root := newClock(t).root(t)
	approvers := "approvals: {required: 0, approvers: [{name: alice, keys: [{key: " + pemOf(t, alice) + "}]}]}\n"
	if _, err := Parse([]byte(header(t, ci)+approvers), Options{}); err != nil {
		t.Errorf("keys alone: %v", err)
	}
	for name, text := range map[string]string{
		"root":         root,
		"timestamp":    root + "time: {evidence: timestamp}\n",
		"start within": root + "time: {evidence: timestamp, startWithin: 1h}\n",
		"approvals":    root + approvers[:len(approvers)-2] + ", evidence: timestamp}\n",
	} {
		text = header(t, ci) + text
		if p, err := Parse([]byte(text), Options{}); p != nil || !errors.Is(err, ErrNoTrustedRoots) {
			t.Errorf("%s: got %v, %v, want ErrNoTrustedRoots", name, p, err)
		}
		if found := problems(t, text, Options{}); found[0].Hint == "" || found[0].Pointer != "/trustedRoot" {
			t.Errorf("%s: %+v, want a hint at /trustedRoot", name, found[0])
		}
		if _, err := Parse([]byte(text), options); err != nil {
			t.Errorf("%s with trusted roots: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"no root, certificate": "  certificates: [{identity: a@b, issuer: 'https://i'}]\n",
		"no root, timestamp":   "time: {evidence: timestamp}\n",
		"no root, log":         "time: {evidence: log}\n",
		"no root, approvals":   approvers[:len(approvers)-2] + ", evidence: timestamp}\n",
	} {
		if p, err := Parse([]byte(header(t, ci)+text), Options{}); err == nil {
			t.Errorf("%s: got %v, want it refused", name, p)
		}
	}
	nothing := Options{TrustedRoots: func([]byte) (authority.Root, error) { return nil, nil }}
	if p, err := Parse([]byte(header(t, ci)+root), nothing); err == nil {
		t.Errorf("got %v of a trusted root that is nil", p)
	}
}
