package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	standin "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/runattest/runattest/attest"
)

// TestPush: the registry has the images with the digests of the files, and the provenance as a referrer of each.
func TestPush(t *testing.T) {
	want := expect(t)
	server := httptest.NewServer(standin.New(standin.WithReferrersSupport(true), standin.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	dir := writeFolder(t, made.files)
	for range 2 { // what is there already stays
		if err := push(t.Context(), want, dir, repository, t.Logf); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range imaged() {
		to, err := name.NewTag(repository + ":" + c.imageTag(want.release))
		if err != nil {
			t.Fatal(err)
		}
		there, err := remote.Index(to)
		if err != nil {
			t.Fatal(err)
		}
		got, err := there.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if digest, err := imageDigest(made.files[c.imageFile(want.release)]); err != nil || got.Hex != hex.EncodeToString(digest[:]) {
			t.Errorf("%s: digest %s, want %x: %v", to, got, digest, err)
		}
		referrers, err := remote.Referrers(to.Context().Digest(got.String()))
		if err != nil {
			t.Fatal(err)
		}
		m, err := referrers.IndexManifest()
		if err != nil || len(m.Manifests) != 1 {
			t.Fatalf("%s: referrers %+v, %v", to, m, err)
		}
		referrer, err := remote.Get(to.Context().Digest(m.Manifests[0].Digest.String()))
		if err != nil || !bytes.Contains(referrer.Manifest, []byte(`"artifactType":"`+attest.BundleMediaType+`"`)) {
			t.Errorf("%s: referrer %s, %v", to, referrer.Manifest, err)
		}
	}
}

// TestPushCommand runs the line of docs/install.md that begins with push, into a registry of this machine.
func TestPushCommand(t *testing.T) {
	want := expect(t)
	key := want.keyFile(t)
	server := httptest.NewServer(standin.New(standin.WithReferrersSupport(true), standin.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	var said strings.Builder
	line := strings.Fields(strings.NewReplacer("go -C release run . ", "", "../docs/release.pub", key, "registry.acme.example/runattest", repository,
		"../dist", "--targets linux/amd64,windows/amd64 "+writeFolder(t, made.files)).Replace(pageLine(t, want.release, "go -C release run . push")))
	if err := run(t.Context(), line, &said); err != nil {
		t.Fatal(err)
	}
	for _, c := range imaged() {
		digest, err := imageDigest(made.files[c.imageFile(want.release)])
		if printed := fmt.Sprintf("%s: %s@sha256:%x\n", c.imageTag(want.release), repository, digest); err != nil || !strings.Contains(said.String(), printed) {
			t.Errorf("printed\n%s\nwant %q, %v", &said, printed, err)
		}
	}
}

func TestPushRefuses(t *testing.T) {
	want := expect(t)
	server := httptest.NewServer(standin.New(standin.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	changed := maps.Clone(made.files)
	image := command.imageFile(want.release)
	changed[image] = bytes.Replace(changed[image], []byte("amd64"), []byte("arm64"), 1)
	refused := func(what, reason, dir, repository string) {
		t.Helper()
		if err := push(t.Context(), want, dir, repository, t.Logf); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: got %v, want %q", what, err, reason)
		}
	}
	refused("a changed image", "NOT VERIFIED, and not pushed", writeFolder(t, changed), repository)
	if tags, err := remote.List(mustRepository(t, repository)); err == nil && len(tags) > 0 {
		t.Errorf("the registry has %v", tags)
	}
	refused("a malformed name", "repository", writeFolder(t, made.files), "UPPER CASE")
	older := want
	older.release = release{"v0.0.9"}
	index, err := readImage(made.old[command.imageFile(older.release)], t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(mustRepository(t, repository).Tag(command.imageTag(want.release)), index); err != nil {
		t.Fatal(err)
	}
	refused("a tag that is taken", "a published version is not replaced", writeFolder(t, made.files), repository)
	server.Close()
	refused("no server", "refused", writeFolder(t, made.files), repository)
}

// TestPushTakenTag: a tag that is taken, of any image, leaves all of them unpublished.
func TestPushTakenTag(t *testing.T) {
	want := expect(t)
	server := httptest.NewServer(standin.New(standin.WithReferrersSupport(true), standin.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	to := mustRepository(t, repository)
	taken := kmsPlugins.imageTag(want.release)
	if err := remote.WriteIndex(to.Tag(taken), empty.Index); err != nil {
		t.Fatal(err)
	}
	err := push(t.Context(), want, writeFolder(t, made.files), repository, t.Logf)
	if err == nil || !strings.Contains(err.Error(), "the tag "+to.Tag(taken).String()+" is there") {
		t.Errorf("got %v", err)
	}
	if tags, err := remote.List(to); err != nil || !slices.Equal(tags, []string{taken}) {
		t.Errorf("the registry has the tags %v, want only %s: %v", tags, taken, err)
	}
	digest, err := imageDigest(made.files[command.imageFile(want.release)])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Head(to.Digest("sha256:" + hex.EncodeToString(digest[:]))); err == nil {
		t.Error("the registry has the image")
	}
}

// TestPushTagsLast: an image whose provenance the registry does not take gets no tag, and the next push completes it.
func TestPushTagsLast(t *testing.T) {
	want := expect(t)
	registry := standin.New(standin.WithReferrersSupport(true), standin.Logger(log.New(io.Discard, "", 0)))
	var full atomic.Bool
	full.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && full.Load() {
			body, err := io.ReadAll(r.Body)
			if err != nil || bytes.Contains(body, []byte(`"subject"`)) {
				http.Error(w, "no referrers today", http.StatusForbidden)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		registry.ServeHTTP(w, r)
	}))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	to, dir := mustRepository(t, repository), writeFolder(t, made.files)
	if err := push(t.Context(), want, dir, repository, t.Logf); err == nil || !strings.Contains(err.Error(), command.imageFile(want.release)) {
		t.Errorf("got %v, want a failure", err)
	}
	if tags, err := remote.List(to); err != nil || len(tags) > 0 {
		t.Errorf("the registry has the tags %v: %v", tags, err)
	}
	full.Store(false)
	if err := push(t.Context(), want, dir, repository, t.Logf); err != nil {
		t.Error(err)
	}
	tags := []string{command.imageTag(want.release), kmsPlugins.imageTag(want.release)}
	if got, err := remote.List(to); err != nil || !slices.Equal(got, tags) {
		t.Errorf("the registry has the tags %v, want %v: %v", got, tags, err)
	}
}

func mustRepository(t *testing.T, repository string) name.Repository {
	t.Helper()
	r, err := name.NewRepository(repository)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
