package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestFetchBreaksOff: a registry that fails half-way leaves the file of last time, and says of no folder that it is all there.
func TestFetchBreaksOff(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	var broken string
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken != "" && r.Method == http.MethodGet && strings.Contains(r.URL.Path, broken) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	put := func(method, path, body string) {
		req, _ := http.NewRequest(method, server.URL+"/v2/app/"+path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusCreated {
			t.Fatal(path, err)
		}
		resp.Body.Close()
	}
	put(http.MethodPost, "blobs/uploads/?digest="+digestOf(emptyConfig), emptyConfig)
	put(http.MethodPut, "manifests/v1", appManifest)
	if err := os.WriteFile("run.json", []byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := strings.TrimPrefix(server.URL, "http://") + "/app:v1"
	for _, args := range [][]string{
		{"keygen", "--no-password"},
		{"sign", "--key", "runattest.key", "--annotation", "n=1", "--bundle", "1.sigstore.json", "--attach", ref, "run.json"},
		{"sign", "--key", "runattest.key", "--annotation", "n=2", "--bundle", "2.sigstore.json", "--attach", ref, "run.json"},
		{"fetch", "-o", "all.sigstore.jsonl", ref},
		{"fetch", "-o", "out", ref},
	} {
		if status, _, stderr := inProcess(t, args...); status != exitYes {
			t.Fatalf("%v: %d %s", args, status, stderr)
		}
	}
	before, _ := os.ReadFile("all.sigstore.jsonl")
	lines := bytes.SplitAfter(bytes.TrimSpace(before), []byte("\n"))
	last := lines[len(lines)-1]
	files, _ := filepath.Glob("out/*.sigstore.json")
	for _, name := range files {
		if data, _ := os.ReadFile(name); bytes.Equal(bytes.TrimSpace(data), bytes.TrimSpace(last)) {
			broken = "sha256:" + strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "sha256-"), ".sigstore.json")
		}
	}
	if broken == "" || len(lines) != 2 {
		t.Fatal("no last bundle")
	}
	status, stdout, stderr := inProcess(t, "fetch", "-o", "all.sigstore.jsonl", ref)
	after, _ := os.ReadFile("all.sigstore.jsonl")
	if status != exitFailed || !bytes.Equal(before, after) || stdout != "" {
		t.Errorf("status %d, %d bytes were, %d are, %q: %s", status, len(before), len(after), stdout, stderr)
	}
	if status, _, stderr := inProcess(t, "fetch", "--air-gap", "usb", ref); status != exitFailed || strings.Contains(stderr, "there: ") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestFetchMislabelled: what is fetched, or mirrored, has a rejection whatever its manifest says that it is, and the referrer that
// may be one and cannot be read makes a decision by the mirror fail as one by the original does.
func TestFetchMislabelled(t *testing.T) {
	for name, c := range map[string]struct {
		relabel func(manifest string) string
		want    int // the status of a decision
	}{
		"as it is":        {func(m string) string { return m }, exitNo},
		"as an SBOM":      {asSBOM, exitNo},
		"another version": {func(m string) string { return strings.ReplaceAll(asSBOM(m), "bundle.v0.3", "bundle.v0.9") }, exitFailed},
		"a member twice":  {func(m string) string { return strings.Replace(asSBOM(m), "{", `{"layers":[],`, 1) }, exitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, text := range map[string]string{
				"run.json": `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`,
				"policy.yaml": "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: ci, key: runattest.pub}]}\n" +
					"approvals: {required: 1, approvers: [{name: alice, keys: [{key: alice.pub}]}, {name: bob, keys: [{key: bob.pub}]}]}\n",
			} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			do := func(want int, args ...string) (stdout, stderr string) {
				t.Helper()
				status, stdout, stderr := inProcess(t, args...)
				if status != want {
					t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, stdout, stderr)
				}
				return stdout, stderr
			}
			const bundle = "run.json.sigstore.json"
			do(exitYes, "keygen", "--no-password")
			do(exitYes, "keygen", "--no-password", "-o", "alice")
			do(exitYes, "keygen", "--no-password", "-o", "bob")
			do(exitYes, "sign", "--key", "runattest.key", "run.json")
			do(exitYes, "approve", "--key", "alice.key", "--decision", "approved", "--reason", "read", "--bundle", "yes.json", bundle)
			do(exitYes, "approve", "--key", "bob.key", "--decision", "rejected", "--reason", "not ours", "--bundle", "no.json", bundle)
			id, _ := do(exitYes, "id", "run.json")
			ref := "oci-layout://runs.d@" + strings.TrimSpace(id)
			do(exitYes, "push", "oci-layout://runs.d", bundle, "yes.json")
			do(exitYes, "verify", "--policy", "policy.yaml", "--approvals", ref, bundle)
			before := layoutEntries(t, "runs.d")
			do(exitYes, "push", "oci-layout://runs.d", "no.json")
			relabelNew(t, "runs.d", before, c.relabel)

			do(c.want, "verify", "--policy", "policy.yaml", "--approvals", ref, bundle)
			fetched := exitYes
			if c.want == exitFailed {
				fetched = exitNo // a referrer is malformed
			}
			if _, stderr := do(fetched, "fetch", "--air-gap", "usb", ref); fetched == exitNo && !strings.Contains(stderr, "listed there without content") {
				t.Errorf("the mirror lacks a referrer: %s", stderr)
			}
			mirror := "oci-layout://usb@" + strings.TrimSpace(id)
			do(c.want, "verify", "--policy", "policy.yaml", "--approvals", mirror, bundle)
			do(exitYes, "verify", "--key", "runattest.pub", mirror)
			do(fetched, "fetch", "--predicate-type", "run-approval/v1", "-o", "all.sigstore.jsonl", ref)
			if fetched == exitYes {
				do(exitNo, "verify", "--policy", "policy.yaml", "--approvals", "all.sigstore.jsonl", bundle)
			}
		})
	}
}

func asSBOM(manifest string) string {
	start := strings.Index(manifest, `"layers"`)
	head := strings.ReplaceAll(manifest[:start], "application/vnd.dev.sigstore.bundle.v0.3+json", "application/spdx+json")
	return head + strings.ReplaceAll(manifest[start:], "https://github.com/runattest/runattest/run-approval/v1", "https://spdx.dev/Document")
}

// layoutEntries are those of the index of a layout.
func layoutEntries(t *testing.T, dir string) []ocispec.Descriptor {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	return index.Manifests
}

// relabelNew changes the manifest of the only referrer that a layout did not have before, and drops the lists that know it.
func relabelNew(t *testing.T, dir string, before []ocispec.Descriptor, edit func(string) string) {
	t.Helper()
	blob := func(d digest.Digest) string { return filepath.Join(dir, "blobs", "sha256", d.Encoded()) }
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	index.SchemaVersion = 2
	changed := 0
	for _, d := range layoutEntries(t, dir) {
		known := slices.ContainsFunc(before, func(b ocispec.Descriptor) bool { return b.Digest == d.Digest })
		if strings.HasPrefix(d.Annotations[ocispec.AnnotationRefName], "sha256-") {
			continue
		}
		if !known {
			text, err := os.ReadFile(blob(d.Digest))
			if err != nil {
				t.Fatal(err)
			}
			edited := []byte(edit(string(text)))
			d = ocispec.Descriptor{MediaType: d.MediaType, Digest: digest.FromBytes(edited), Size: int64(len(edited))}
			if err := os.WriteFile(blob(d.Digest), edited, 0o600); err != nil {
				t.Fatal(err)
			}
			changed++
		}
		index.Manifests = append(index.Manifests, d)
	}
	data, err := json.Marshal(index)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "index.json"), data, 0o600)
	}
	if err != nil || changed != 1 {
		t.Fatalf("%d manifests changed: %v", changed, err)
	}
}
