package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/testing/vectors"
)

// sourceArgs are the flags for the source of a vector.
func sourceArgs(v vectors.Vector) []string {
	var args []string
	for flag, key := range map[string]string{"--provider": "provider", "--path": "target", "--model": "model", "--revision": "revision"} {
		if value := v.Header[key]; value != "" {
			args = append(args, flag, value)
		}
	}
	for p := range strings.FieldsSeq(v.Header["parents"]) {
		args = append(args, "--parent", p)
	}
	for key, value := range v.Header {
		if name, ok := strings.CutPrefix(key, "header "); ok {
			args = append(args, "--header", name+": "+value)
		}
	}
	return args
}

// TestOneCapture: capture and sign, sign --capture, of a file and of a line, and the library, which the package's own test holds
// against the same vectors, give a source one identity.
func TestOneCapture(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if status, _, stderr := command(nil, "keygen", "--no-password", "--algorithm", "ed25519", "-o", key); status != exitYes {
		t.Fatal(stderr)
	}
	file := filepath.Join(dir, "request.json")
	counted := 0
	for _, v := range vectors.Load(t, "../capture/openai-chat", "../capture/anthropic-messages", "../capture/gemini", "../capture/hf-trainer", "../capture/mcp") {
		if !v.IsValid() {
			continue
		}
		counted++
		if err := os.WriteFile(file, v.Body, 0o600); err != nil {
			t.Fatal(err)
		}
		format, args := v.Header["format"], sourceArgs(v)
		_, declaration, captureErr := command(nil, slices.Concat([]string{"capture", format, file}, args)...)
		_, _, piped := command(strings.NewReader(declaration), "sign", "--key", key+".key", "-")
		_, signed, signErr := command(nil, slices.Concat([]string{"sign", "--key", key + ".key", "--capture", format, file}, args)...)
		if want := v.Header["id"] + "\n"; !strings.HasSuffix(piped, want) || signed != want {
			t.Errorf("%s: capture and sign give %q, sign --capture %q, want %s%s%s", v.Name, piped, signed, want, captureErr, signErr)
		}
		line := bytes.ReplaceAll(v.Body, []byte("\n"), nil) // none is in a string
		_, answer, _ := command(bytes.NewReader(line), slices.Concat([]string{"sign", "--key", key + ".key", "--capture", format, "--jsonl", "--format", "json", "-"}, args)...)
		if !strings.HasPrefix(answer, `{"line":1,"identity":"`+v.Header["id"]+`",`) {
			t.Errorf("%s: --jsonl answers %.200s", v.Name, answer)
		}
	}
	if counted < 50 {
		t.Errorf("%d vectors, want at least 50", counted)
	}
}
