package registry_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry"
)

func encodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// newLayout is a layout folder with one artifact, v1.
func newLayout(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{blob("weights")}}
	m.SchemaVersion = 2
	data := encode(t, m)
	writeBlob(t, dir, []byte("weights"))
	writeBlob(t, dir, []byte("{}"))
	d := writeBlob(t, dir, data)
	writeIndex(t, dir, ocispec.Descriptor{
		MediaType: m.MediaType, Digest: d, Size: int64(len(data)), Annotations: map[string]string{ocispec.AnnotationRefName: "v1"},
	})
	return dir
}

func writeBlob(t *testing.T, dir string, data []byte) digest.Digest {
	t.Helper()
	d := digest.FromBytes(data)
	writeFile(t, filepath.Join(dir, "blobs", "sha256", d.Encoded()), data)
	return d
}

func writeIndex(t *testing.T, dir string, entries ...ocispec.Descriptor) {
	t.Helper()
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: entries}
	index.SchemaVersion = 2
	writeFile(t, filepath.Join(dir, "index.json"), encode(t, index))
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// pack makes a tarball of a folder.
func pack(t *testing.T, dir string) string {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "layout.tar")
	writeFile(t, path, data.Bytes())
	return path
}

func TestLayout(t *testing.T) {
	dir := newLayout(t)
	for _, ref := range []string{"oci-layout://" + dir + ":v1", "oci-layout://" + dir} {
		attach(t, ref, 1, 2)
		if _, _, err := open(t, ref).PushRun(context.Background(), declare(t, 5), sign(t, 5, attest.StatementOptions{})); err != nil {
			t.Fatal(err)
		}
	}
	_, a := resolve(t, "oci-layout://"+dir+":v1")
	packed := pack(t, dir)
	for _, ref := range []string{"oci-layout://" + dir + ":v1", "oci-layout://" + packed + ":v1", "oci-layout://" + packed + "@" + a.Digest()} {
		// Signatures by Ed25519 are deterministic: the second time the bundles were there.
		if found, _, errs := fetchAll(t, ref); len(found) != 2 || len(errs) > 0 {
			t.Errorf("%s: %d found, %v", ref, len(found), errs)
		}
	}
	d, _, err := open(t, "oci-layout://"+packed).FetchRun(context.Background(), declare(t, 5).ID())
	if err != nil || d.ID() != declare(t, 5).ID() {
		t.Errorf("%v", err)
	}
}

func TestLayoutWriters(t *testing.T) {
	dir := newLayout(t)
	ref := "oci-layout://" + dir + ":v1"
	_, a := resolve(t, ref)
	var wg sync.WaitGroup
	for i := range 50 {
		bundle := sign(t, i, attest.StatementOptions{}, a)
		target := open(t, ref)
		wg.Go(func() {
			if _, err := target.Attach(context.Background(), a, bundle); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if found, _, errs := fetchAll(t, ref); len(found) != 50 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

// Other clients keep the referrers in an index under the fallback tag, in layouts too.
func TestLayoutWithNestedIndex(t *testing.T) {
	dir := newLayout(t)
	attach(t, "oci-layout://"+dir+":v1", 1)
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	nested := writeBlob(t, dir, data)
	writeIndex(t, dir, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: nested, Size: int64(len(data))})
	_, a := resolve(t, "oci-layout://"+dir)
	if a.Digest() != nested.String() {
		t.Errorf("the only entry is %s, want %s", a.Digest(), nested)
	}
	var index ocispec.Index
	if index = decodeIndex(t, data); len(index.Manifests) != 3 { // with the list of referrers
		t.Fatalf("%d entries", len(index.Manifests))
	}
	ref := "oci-layout://" + dir + "@" + index.Manifests[0].Digest.String()
	if found, _, errs := fetchAll(t, ref); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

func TestBadLayouts(t *testing.T) {
	for name, r := range map[string]struct {
		spoil func(t *testing.T, dir string) string
		want  string
	}{
		"not there":  {func(_ *testing.T, dir string) string { return dir + "x" }, "no such file"},
		"no layout":  {func(t *testing.T, _ string) string { return t.TempDir() }, "unusable OCI layout"},
		"no tarball": {func(_ *testing.T, dir string) string { return filepath.Join(dir, "index.json") }, "nor a tarball"},
		"no tag":     {func(_ *testing.T, dir string) string { return dir + ":v2" }, "v2"},
		"version":    {spoilFile("oci-layout", []byte(`{"imageLayoutVersion":"2.0.0"}`)), "version"},
		"no JSON":    {spoilFile("index.json", []byte(`{`)), "index.json"},
		"huge index": {spoilFile("index.json", bytes.Repeat([]byte(" "), 17<<20)), "more than 16777216 bytes"},
		"many":       {spoilFile("index.json", manyEntries()), "at most 100000"},
		"two tags":   {spoilFile("index.json", twoTags()), "and there are a, b"},
		"one tag":    {func(t *testing.T, dir string) string { return sameTag(t, dir) + ":v1" }, "to several artifacts: name one by its digest"},
		"only tag":   {sameTag, "to several artifacts"},
		"lost":       {spoilFile("index.json", []byte(`{"manifests":[{"mediaType":"x","digest":"sha256:`+hexDigits+`","size":3}]}`)), hexDigits},
		"wrong blob": {wrongBlob, "serves something else"},
		"huge entry": {spoilFile("index.json", []byte(`{"manifests":[{"mediaType":"x","digest":"sha256:`+hexDigits+`","size":4611686018427387904}]}`)), "at most"},
		"escape":     {spoilFile("index.json", []byte(`{"manifests":[{"mediaType":"x","digest":"sha256:../../../etc/passwd","size":3}]}`)), "digest"},
	} {
		t.Run(name, func(t *testing.T) {
			ref := parse(t, "oci-layout://"+r.spoil(t, newLayout(t)))
			target, err := registry.Open(ref, registry.Options{})
			if err == nil {
				_, err = target.Resolve(context.Background())
			}
			if err == nil || !strings.Contains(err.Error(), r.want) {
				t.Errorf("%v; want %q", err, r.want)
			}
			if name == "not there" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v is not fs.ErrNotExist", err)
			}
		})
	}
}

func spoilFile(name string, data []byte) func(t *testing.T, dir string) string {
	return func(t *testing.T, dir string) string {
		writeFile(t, filepath.Join(dir, name), data)
		return dir
	}
}

func wrongBlob(t *testing.T, dir string) string {
	_, a := resolve(t, "oci-layout://"+dir)
	spoiled := bytes.ToUpper(a.Manifest())
	writeFile(t, filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(a.Digest(), "sha256:")), spoiled)
	return dir
}

func manyEntries() []byte {
	return []byte(`{"manifests":[` + strings.TrimSuffix(strings.Repeat(`{"size":1000000000},`, 100_001), ",") + `]}`)
}

func twoTags() []byte {
	entry := `{"mediaType":"x","digest":"sha256:` + hexDigits + `","size":3,"annotations":{"org.opencontainers.image.ref.name":"%s"}}`
	return fmt.Appendf(nil, `{"manifests":[`+entry+`,`+entry+`]}`, "a", "b")
}

// sameTag gives a layout a second artifact with the tag of the first: some programs would take this one.
func sameTag(t *testing.T, dir string) string {
	_, a := resolve(t, "oci-layout://"+dir)
	other := append(a.Manifest(), '\n')
	v1 := map[string]string{ocispec.AnnotationRefName: "v1"}
	writeIndex(t, dir,
		ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest())), Annotations: v1},
		ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: writeBlob(t, dir, other), Size: int64(len(other)), Annotations: v1})
	return dir
}

// A foreign layout may hold links to files of ours: they are read, as some programs make layouts
// of links, and never written to.
func TestLayoutLinksAreNotWrittenTo(t *testing.T) {
	const precious = `{"auths":{}}`
	for _, name := range []string{"index.json", ".index.lock", "blobs/sha256/" + digest.FromString("{}").Encoded()} {
		dir := newLayout(t)
		outside := filepath.Join(t.TempDir(), "precious")
		if name != ".index.lock" {
			writeFile(t, outside, []byte(precious))
		}
		link := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, link); err != nil {
			t.Fatal(err)
		}
		_, _, err := open(t, "oci-layout://"+dir).PushRun(context.Background(), declare(t, 1), sign(t, 1, attest.StatementOptions{}))
		if !errors.Is(err, registry.ErrLayout) || !strings.Contains(err.Error(), "is a link") {
			t.Errorf("%s: %v", name, err)
		}
		data, err := os.ReadFile(outside)
		if name == ".index.lock" && !errors.Is(err, fs.ErrNotExist) || name != ".index.lock" && string(data) != precious {
			t.Errorf("%s: outside there is %q now, %v", name, data, err)
		}
	}
}

// Blobs that are links, as build systems make them, are read and left.
func TestLayoutOfLinks(t *testing.T) {
	dir := newLayout(t)
	elsewhere := filepath.Join(t.TempDir(), "blobs")
	if err := os.Rename(filepath.Join(dir, "blobs"), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadDir(filepath.Join(elsewhere, "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if err := os.Symlink(filepath.Join(elsewhere, "sha256", e.Name()), filepath.Join(dir, "blobs", "sha256", e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	attach(t, "oci-layout://"+dir+":v1", 1)
	if found, _, errs := fetchAll(t, "oci-layout://"+dir+":v1"); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

// A small layout does not have one blob read over and over: an entry for each size that it does not have is refused.
func TestLayoutOfLies(t *testing.T) {
	for _, lies := range []int{limits.LayoutBroken, limits.LayoutBroken + 1} {
		dir := newLayout(t)
		_, a := resolve(t, "oci-layout://"+dir+":v1")
		entries := []ocispec.Descriptor{{
			MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest())),
			Annotations: map[string]string{ocispec.AnnotationRefName: "v1"},
		}}
		sum := writeBlob(t, dir, []byte("weights"))
		for i := range lies {
			entries = append(entries, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: sum, Size: int64(i + 100)})
		}
		writeIndex(t, dir, entries...)
		_, _, errs := fetchAll(t, "oci-layout://"+dir+":v1")
		if tooMany := len(errs) == 1 && errors.Is(errs[0], registry.ErrLayout); tooMany != (lies > limits.LayoutBroken) {
			t.Errorf("%d lies: %d errors, such as %v", lies, len(errs), errs[0])
		}
	}
}

// TestFullLayout: what the index cannot name is refused before a blob of it is written, which would stay and be found by nothing.
func TestFullLayout(t *testing.T) {
	bundle := sign(t, 1, attest.StatementOptions{})
	for missing, fits := range map[int]bool{2: false, 3: true} { // the run, its attestation and the list of them
		dir := newLayout(t)
		full := make([]ocispec.Descriptor, limits.LayoutManifests-missing)
		for i := range full {
			full[i] = ocispec.Descriptor{Digest: ocispec.DescriptorEmptyJSON.Digest, Size: 2}
		}
		writeIndex(t, dir, full...)
		before, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = open(t, "oci-layout://"+dir).PushRun(t.Context(), declare(t, 1), bundle)
		if (err == nil) != fits || err != nil && !strings.Contains(err.Error(), "index.json would have 100001 entries") {
			t.Errorf("room for %d: %v", missing, err)
		}
		if after, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256")); err != nil || (len(after) == len(before)) == fits {
			t.Errorf("room for %d: %d blobs, were %d, %v", missing, len(after), len(before), err)
		}
	}
}

// TestFullLists: the lists of referrers of a layout together have a bounded number of entries, however often they name one manifest.
func TestFullLists(t *testing.T) {
	for _, over := range []int{0, 1} {
		dir := newLayout(t)
		_, a := resolve(t, "oci-layout://"+dir+":v1")
		entry := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest()))}
		named := entry
		named.Annotations = map[string]string{ocispec.AnnotationRefName: "v1"}
		entries := []ocispec.Descriptor{named}
		for i, n := range []int{limits.LayoutManifests / 2, limits.LayoutManifests - limits.LayoutManifests/2 + over} {
			list, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: slices.Repeat([]ocispec.Descriptor{entry}, n)})
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, ocispec.Descriptor{
				MediaType: ocispec.MediaTypeImageIndex, Digest: writeBlob(t, dir, append(list, slices.Repeat([]byte(" "), i)...)), Size: int64(len(list) + i),
				Annotations: map[string]string{ocispec.AnnotationRefName: fmt.Sprintf("sha256-%064d", i)},
			})
		}
		writeIndex(t, dir, entries...)
		_, _, errs := fetchAll(t, "oci-layout://"+dir+":v1")
		if tooMany := len(errs) == 1 && errors.Is(errs[0], registry.ErrLayout) && strings.Contains(errs[0].Error(), "its lists of referrers have more than 100000 entries"); tooMany != (over > 0) || over == 0 && len(errs) > 0 {
			t.Errorf("%d more: %v", over, errs)
		}
	}
}

// TestColons: a layout whose folder has a colon in its name is named as it is, with a run as well.
func TestColons(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a:b")
	if err := os.Rename(newLayout(t), dir); err != nil {
		t.Fatal(err)
	}
	d := declare(t, 1)
	if _, _, err := open(t, "oci-layout://"+dir).PushRun(t.Context(), d, sign(t, 1, attest.StatementOptions{})); err != nil {
		t.Fatal(err)
	}
	ref := "oci-layout://" + dir + "@" + d.ID().String()
	if found, _, errs := fetchAll(t, ref); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	if at := parse(t, "oci-layout://"+dir).Located().Path(); at != dir {
		t.Errorf("%s is located at %s", dir, at)
	}
	if _, err := registry.Open(parse(t, "oci-layout://"+dir+":v1@"+d.ID().String()), registry.Options{}); !errors.Is(err, registry.ErrReference) || !strings.Contains(err.Error(), "no tag") {
		t.Errorf("a tag beside a run: %v", err)
	}
}
