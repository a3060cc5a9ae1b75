package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/bundletest"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/folder"
	"github.com/runattest/runattest/signer"
)

const declared = `{"schema":"` + identity.Schema + `","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`

// fetchRun is for a run in a layout, which has so many bundles.
func fetchRun(t *testing.T, bundles int) *folder.Fetch {
	t.Helper()
	layout := filepath.Join(t.TempDir(), "runs")
	if err := registry.CreateLayout(layout); err != nil {
		t.Fatal(err)
	}
	ref, err := registry.ParseReference("oci-layout://" + layout)
	if err != nil {
		t.Fatal(err)
	}
	d := bundletest.Declare(t, declared)
	target, err := registry.Open(ref.WithRun(d.ID()), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	by := keytest.New(t, signer.Ed25519)
	for i := range bundles {
		all = append(all, bundletest.Text(t, bundletest.Run(t, by, d, attest.StatementOptions{Annotations: map[string]string{"n": strings.Repeat("1", i)}})))
	}
	if _, _, err := target.PushRun(t.Context(), d, all...); err != nil {
		t.Fatal(err)
	}
	artifact, err := target.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &folder.Fetch{Target: target, Artifact: artifact}
}

func TestFetch(t *testing.T) {
	f := fetchRun(t, 2)
	written := map[string]int{}
	f.Wrote = func(found *registry.Found, path string) error {
		if found.PredicateType != attest.PredicateType || found.Referrer == "" {
			t.Errorf("%s: %+v", path, found)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("said before it is there: %v", err)
		}
		written[filepath.Base(path)]++
		return nil
	}
	dir := t.TempDir()
	lines := filepath.Join(dir, "all.jsonl")
	if err := f.LinesFile(t.Context(), lines); err != nil || written["all.jsonl"] != 2 {
		t.Fatalf("%v, %v", written, err)
	}
	text, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	var given string
	if err := f.Lines(t.Context(), func(line []byte) error { given += string(line); return nil }); err != nil || given != string(text) || strings.Count(given, "\n") != 2 {
		t.Errorf("%d lines given, %v", strings.Count(given, "\n"), err)
	}
	clear(written)
	if err := f.Files(t.Context(), filepath.Join(dir, "files")); err != nil || len(written) != 2 {
		t.Errorf("%v, %v", written, err)
	}
	clear(written)
	mirror, there, err := f.Mirror(t.Context(), filepath.Join(dir, "mirror"), []byte("{}"))
	if err != nil || len(written) != 2 || there.Digest() != f.Artifact.Digest() {
		t.Fatalf("%v, %v", written, err)
	}
	for name := range mirror.Missing() {
		t.Errorf("%s is missing", name)
	}
	run, err := f.Declaration(t.Context())
	if err != nil || run.ID() != f.Artifact.Run() {
		t.Errorf("%v, %v", run, err)
	}
	for _, name := range []string{"files", "mirror"} {
		if _, err := os.Stat(filepath.Join(dir, name, strings.ReplaceAll(run.ID().String(), ":", "-")+".json")); err != nil {
			t.Error(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "mirror", folder.TrustedRoot)); err != nil || string(text) != "{}" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestFetchEnds: an error of what is called ends it, and leaves no file of lines.
func TestFetchEnds(t *testing.T) {
	f := fetchRun(t, 2)
	full, calls := errors.New("full"), 0
	if err := f.Lines(t.Context(), func([]byte) error { calls++; return full }); !errors.Is(err, full) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	f.Types = []string{"https://example.com/other"}
	path := filepath.Join(t.TempDir(), "none.jsonl")
	if err := f.LinesFile(t.Context(), path); err != nil { // a run is there without bundles
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || len(text) != 0 {
		t.Errorf("%q, %v", text, err)
	}
	if f.Listing().Filtered() != 2 {
		t.Errorf("%d filtered", f.Listing().Filtered())
	}
}
