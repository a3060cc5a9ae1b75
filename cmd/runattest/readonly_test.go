//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestReadOnlyBeforePublishing: a folder in which nothing can be written, for the bundle or of the layout to which it is attached,
// is found before a service is asked.
func TestReadOnlyBeforePublishing(t *testing.T) {
	var asked atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(http.StatusTeapot) }))
	defer service.Close()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	files := map[string]string{
		"run.json":    `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`,
		"closed/file": "", "layout/oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
	}
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"text/plain","config":{"mediaType":"application/vnd.oci.empty.v1+json",` +
		`"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}`
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(manifest)))
	files["layout/blobs/sha256/"+digest] = manifest
	files["layout/blobs/sha256/44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"] = "{}"
	files["layout/index.json"] = fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,`+
		`"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}`, digest, len(manifest))
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if status, _, stderr := called("keygen", "--no-password", "-o", at("k")); status != exitYes {
		t.Fatal(stderr)
	}
	for name, mode := range map[string]os.FileMode{"k.key": 0o644, "closed": 0o555, "layout": 0o555, "layout/blobs/sha256": 0o555, ".": 0o777, "..": 0o755} {
		if err := os.Chmod(at(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // so that it can be removed
		for _, name := range []string{"closed", "layout", "layout/blobs/sha256"} {
			_ = os.Chmod(at(name), 0o755)
		}
	})
	sign := []string{"sign", "--key", at("k.key"), "--timestamp-server", service.URL, "--timeout", "1s"}
	for _, c := range []struct {
		args   []string
		folder string
	}{
		{[]string{"--bundle", at("closed/b.sigstore.json")}, at("closed")},
		{[]string{"--set", at("closed/s.runset.jsonl")}, at("closed")},
		{[]string{"--bundle", at("b.sigstore.json"), "--attach", "oci-layout://" + at("layout") + ":v1"}, at("layout")},
	} {
		status, stderr := asUser(t, at("runattest"), append(append(sign, c.args...), at("run.json"))...)
		if status != exitFailed || asked.Load() > 0 || !strings.Contains(stderr, "no file can be written in the folder "+c.folder) {
			t.Errorf("%q: exit status %d, %d requests, %s", c.args, status, asked.Load(), stderr)
		}
	}
	if status, stderr := asUser(t, at("runattest"), append(sign, "--bundle", at("b.sigstore.json"), at("run.json"))...); status != exitFailed || asked.Load() == 0 {
		t.Errorf("exit status %d, %d requests, %s", status, asked.Load(), stderr)
	}
}

// TestReadOnlyJournal: --check finds a journal's folder, or a place for it, in which this user cannot write.
func TestReadOnlyJournal(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Mkdir(at("closed"), 0o755); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := called("keygen", "--no-password", "-o", at("k")); status != exitYes {
		t.Fatal(stderr)
	}
	for name, mode := range map[string]os.FileMode{"k.key": 0o644, "closed": 0o555, ".": 0o777, "..": 0o755} {
		if err := os.Chmod(at(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(at("closed"), 0o755) })
	check := []string{"gateway", "--check", "--key", at("k.key"), "--upstream", "https://api.openai.com"}
	for flags, want := range map[[2]string]string{
		{"--journal", "closed/journal"}:    "no file can be written in the folder " + at("closed"),
		{"--journal", "closed/above/it"}:   "no file can be written in the folder " + at("closed"),
		{"--journal", "open/above/it"}:     "",
		{"--operations", "unix:closed/s"}:  "no file can be written in the folder closed",
		{"--operations", "unix:./s"}:       "",
		{"--operations", "127.0.0.1:9464"}: "",
	} {
		args := append(check, flags[:]...)
		if flags[0] != "--journal" {
			args = append(args, "--journal", "journal")
		}
		expected := exitFailed
		if want == "" {
			expected = exitYes
		}
		status, stderr := asUser(t, at("runattest"), args...)
		if status != expected || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit status %d: %s", flags, status, stderr)
		}
	}
	if _, err := os.Stat(at("open")); err == nil {
		t.Error("a folder was made")
	}
}

// asUser runs a command line as a user who has permissions like others, in a copy of this program.
func asUser(t *testing.T, program string, args ...string) (status int, stderr string) {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		data, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(program, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = filepath.Dir(program)
	var said bytes.Buffer
	cmd.Stderr = &said
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}
