package gate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// TestUnreadApprovals: what is attached to a run, and is not a Statement with a predicate type, may be a rejection that cannot be read.
func TestUnreadApprovals(t *testing.T) {
	s := newSite(t, "")
	run := s.declare("run")
	rejection := must(policy.NewApproval(policy.ApprovalStatement{Identity: run.ID(), Decision: policy.Rejected, Reason: "no"})).Bytes()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(rejection); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, payload := range map[string]string{
		"as it is":       string(rejection),
		"gzip":           packed.String(),
		"hex":            hex.EncodeToString(rejection),
		"0x":             "0x" + hex.EncodeToString(rejection),
		"base64 of gzip": base64.StdEncoding.EncodeToString(packed.Bytes()),
		"nothing":        "",
		"prose":          "I reject this run",
		"YAML":           "decision: rejected\n",
		"a type twice":   `{"predicateType":"a","predicateType":"b"}`,
		"two types":      strings.Replace(string(rejection), `"predicateType":`, `"PredicateType":"https://slsa.dev/provenance/v1","predicateType":`, 1),
	} {
		dir := filepath.Join(t.TempDir(), "runs")
		if err := registry.CreateLayout(dir); err != nil {
			t.Fatal(err)
		}
		open := func() *Repository {
			return NewRepository(must(registry.Open(must(registry.ParseReference("oci-layout://"+dir)), registry.Options{})))
		}
		subject := []attest.Subject{{Name: run.ID().String(), SHA256: run.ID().Digest()}}
		stored := must(s.sign(s.alice, must(attest.NewClaim("https://example.com/review/v1", subject, map[string]any{"no": true}))).Marshal())
		if _, _, err := open().target.PushRun(t.Context(), run, stored); err != nil {
			t.Fatal(err)
		}
		if a := s.admit(t.Context(), Request{Bundle: s.run(s.ci, run), Approvals: open()}); !a.Allowed() {
			t.Fatal(a.Err())
		}
		var bundle map[string]any
		if err := json.Unmarshal(stored, &bundle); err != nil {
			t.Fatal(err)
		}
		envelope := bundle["dsseEnvelope"].(map[string]any)
		envelope["payload"] = []byte(payload)
		e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: []byte(payload)}
		envelope["signatures"].([]any)[0].(map[string]any)["sig"] = must(s.alice.Sign(t.Context(), e.Message()))
		exchange(t, dir, stored, must(json.Marshal(bundle)))
		if a := s.admit(t.Context(), Request{Bundle: s.run(s.ci, run), Approvals: open()}); a.Allowed() {
			t.Errorf("%s: allowed", name)
		}
	}
}

// exchange puts other content in the place of a blob of a layout, and whatever names it.
func exchange(t *testing.T, dir string, was, is []byte) {
	t.Helper()
	named := func(content []byte) string {
		return fmt.Sprintf(`"digest":"sha256:%x","size":%d`, sha256.Sum256(content), len(content))
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.Remove(filepath.Join(blobs, fmt.Sprintf("%x", sha256.Sum256(was)))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(blobs, fmt.Sprintf("%x", sha256.Sum256(is))), is, 0o600); err != nil {
		t.Fatal(err)
	}
	naming := regexp.MustCompile(regexp.QuoteMeta(named(was)))
	index := filepath.Join(dir, "index.json")
	all := must(filepath.Glob(filepath.Join(blobs, "*")))
	for _, path := range append(all, index) {
		data, err := os.ReadFile(path)
		switch changed := naming.ReplaceAll(data, []byte(named(is))); {
		case os.IsNotExist(err), err == nil && bytes.Equal(changed, data): // exchanged meanwhile
		case err != nil:
			t.Fatal(err)
		case path == index:
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
		default:
			exchange(t, dir, data, changed)
		}
	}
}
