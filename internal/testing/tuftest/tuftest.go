// Package tuftest serves a TUF repository on the loopback interface for tests, and lets it
// misbehave. It stands in for Sigstore's public one: one key a role, consistent snapshots.
package tuftest

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Repository is a TUF repository with its keys. Its methods panic where go-tuf fails.
type Repository struct {
	URL  string
	Root []byte // the first root.json, which clients begin with

	server  *httptest.Server
	keys    map[string]ed25519.PrivateKey
	root    *metadata.Metadata[metadata.RootType]
	targets *metadata.Metadata[metadata.TargetsType]
	version int64
	expires time.Time

	mutex    sync.Mutex
	files    map[string][]byte
	handler  http.Handler // instead of the files
	requests []string
}

// New starts a repository without targets.
func New() *Repository {
	r := &Repository{
		keys: map[string]ed25519.PrivateKey{}, files: map[string][]byte{},
		expires: time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second),
	}
	r.root, r.targets = metadata.Root(r.expires), metadata.Targets(r.expires)
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		r.newKey(role)
	}
	r.publishRoot()
	r.Root = r.Get("1.root.json")
	r.server = httptest.NewServer(http.HandlerFunc(r.serve))
	r.URL = r.server.URL
	return r
}

// Close stops the server.
func (r *Repository) Close() { r.server.Close() }

func (r *Repository) serve(w http.ResponseWriter, request *http.Request) {
	r.mutex.Lock()
	name := strings.TrimPrefix(request.URL.Path, "/")
	r.requests = append(r.requests, name)
	data, ok := r.files[name]
	handler := r.handler
	r.mutex.Unlock()
	switch {
	case handler != nil:
		handler.ServeHTTP(w, request)
	case !ok:
		http.NotFound(w, request)
	default:
		_, _ = w.Write(data)
	}
}

// Requests are the files that were asked for.
func (r *Repository) Requests() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]string(nil), r.requests...)
}

// Get returns a file as it is served. Put replaces it, whether the new one is signed or not.
func (r *Repository) Get(name string) []byte {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.files[name]
}

// Put serves a file.
func (r *Repository) Put(name string, data []byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.files[name] = data
}

// Answer answers every request by the handler, or again by the files where it is nil.
func (r *Repository) Answer(handler http.Handler) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.handler = handler
}

// Files are all that is served now; Restore goes back to them.
func (r *Repository) Files() map[string][]byte {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return maps.Clone(r.files)
}

// Restore serves what was served before.
func (r *Repository) Restore(files map[string][]byte) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.files = maps.Clone(files)
}

// Publish signs a new state of the repository with these targets added.
func (r *Repository) Publish(targets map[string][]byte) {
	for name, content := range targets {
		info := must(metadata.TargetFile().FromBytes(name, content, "sha256"))
		r.targets.Signed.Targets[name] = info
		r.Put(fmt.Sprintf("targets/%s.%s", info.Hashes["sha256"], name), content)
	}
	r.PublishTimestamp(r.expires)
}

// PublishTimestamp signs a new state whose timestamp expires then.
func (r *Repository) PublishTimestamp(expires time.Time) {
	r.version++
	r.targets.Signed.Version = r.version
	r.Put(fmt.Sprintf("%d.targets.json", r.version), sign(r, metadata.TARGETS, r.targets))
	snapshot := metadata.Snapshot(r.expires)
	snapshot.Signed.Version = r.version
	snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(r.version)
	r.Put(fmt.Sprintf("%d.snapshot.json", r.version), sign(r, metadata.SNAPSHOT, snapshot))
	timestamp := metadata.Timestamp(expires)
	timestamp.Signed.Version = r.version
	timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(r.version)
	r.Put("timestamp.json", sign(r, metadata.TIMESTAMP, timestamp))
}

// Rotate gives the root role a new key, as the holders of the old one agree.
func (r *Repository) Rotate() {
	old := r.keys[metadata.ROOT]
	id := r.root.Signed.Roles[metadata.ROOT].KeyIDs[0]
	r.newKey(metadata.ROOT)
	check(r.root.Signed.RevokeKey(id, metadata.ROOT))
	r.root.Signed.Version++
	r.publishRoot(old)
}

func (r *Repository) newKey(role string) {
	_, private, err := ed25519.GenerateKey(nil)
	check(err)
	r.keys[role] = private
	check(r.root.Signed.AddKey(must(metadata.KeyFromPublicKey(private.Public())), role))
}

func (r *Repository) publishRoot(also ...ed25519.PrivateKey) {
	data := sign(r, metadata.ROOT, r.root, also...)
	r.Put(fmt.Sprintf("%d.root.json", r.root.Signed.Version), data)
}

func sign[T metadata.Roles](r *Repository, role string, m *metadata.Metadata[T], also ...ed25519.PrivateKey) []byte {
	m.ClearSignatures()
	for _, key := range append([]ed25519.PrivateKey{r.keys[role]}, also...) {
		must(m.Sign(must(signature.LoadSigner(key, crypto.Hash(0)))))
	}
	return must(m.ToBytes(false))
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
