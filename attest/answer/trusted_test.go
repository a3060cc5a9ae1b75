package answer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/attest/authority"
)

func TestTrusted(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	log := NewTrusted(authority.Authority{Kind: authority.TransparencyLog, URL: "https://log.example", Operator: "acme.example", ID: "ab", Algorithm: "ed25519", From: now.Add(-time.Hour)}, now)
	want := []string{
		"signatures are logged    2025-12-31T23:00:00Z   no end                 current  https://log.example",
		"                         log ab, ed25519, operator acme.example",
	}
	if diff := cmp.Diff(want, log.Lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := json.Marshal(log)
	const object = `{"kind":"transparency-log","url":"https://log.example","operator":"acme.example","id":"ab","algorithm":"ed25519","from":"2025-12-31T23:00:00Z","status":"current"}`
	if err != nil || string(text) != object {
		t.Errorf("%s, %v, want %s", text, err, object)
	}
}
