package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// changedLayout is a layout in a tar whose files were changed.
func changedLayout(t *testing.T, data []byte, change func(files map[string][]byte)) []byte {
	t.Helper()
	files, mode := map[string][]byte{}, tar.Header{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			mode = *h
			files[h.Name], err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change(files)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := mode
		h.Name, h.Size = name, int64(len(files[name]))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// replaceBlob changes each blob with a media type, and leaves it under its name.
func replaceBlob(t *testing.T, kind types.MediaType, from, to string) func(map[string][]byte) {
	return func(files map[string][]byte) {
		t.Helper()
		changed := 0
		for name, data := range files {
			if strings.HasPrefix(name, "blobs/") && bytes.HasPrefix(data, []byte(`{"schemaVersion":2,"mediaType":"`+string(kind)+`"`)) {
				files[name] = bytes.Replace(data, []byte(from), []byte(to), 1)
				if !bytes.Equal(files[name], data) {
					changed++
				}
			}
		}
		if changed == 0 {
			t.Fatalf("no blob of %s was changed", kind)
		}
	}
}

// otherLayer changes the last layer of each image, and every digest that leads to it, but not the configuration, which says what
// the layers unpack to.
func otherLayer(t *testing.T) func(map[string][]byte) {
	return func(files map[string][]byte) {
		t.Helper()
		const blobs = "blobs/sha256/"
		put := func(data []byte) string {
			digest := fmt.Sprintf("%x", sha256.Sum256(data))
			files[blobs+digest] = data
			return digest
		}
		replace := func(in []byte, from, to string, data []byte) []byte { // a descriptor's size and digest
			was := regexp.MustCompile(fmt.Sprintf(`"size":(\s*)%d,(\s*)"digest":(\s*)"sha256:%s"`, len(files[blobs+from]), from))
			if !was.Match(in) {
				t.Fatalf("%s does not have %v", in, was)
			}
			delete(files, blobs+from)
			return was.ReplaceAll(in, fmt.Appendf(nil, `"size":${1}%d,${2}"digest":${3}"sha256:%s"`, len(data), to))
		}
		index := files["index.json"]
		top, err := v1.ParseIndexManifest(bytes.NewReader(index))
		if err != nil {
			t.Fatal(err)
		}
		inner := files[blobs+top.Manifests[0].Digest.Hex]
		list, err := v1.ParseIndexManifest(bytes.NewReader(inner))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Manifests {
			manifest := files[blobs+d.Digest.Hex]
			m, err := v1.ParseManifest(bytes.NewReader(manifest))
			if err != nil {
				t.Fatal(err)
			}
			layer := tarOf(t, map[string][]byte{"/usr/bin/runattest": []byte("another program")})
			manifest = replace(manifest, m.Layers[len(m.Layers)-1].Digest.Hex, put(layer), layer)
			inner = replace(inner, d.Digest.Hex, put(manifest), manifest)
		}
		files["index.json"] = replace(index, top.Manifests[0].Digest.Hex, put(inner), inner)
	}
}

// TestImageDigests: what has a digest in an image has these bytes, and every byte of the image follows from the archives.
func TestImageDigests(t *testing.T) {
	want := expectation{release: debRPMRel, targets: []target{linux}}
	p := provenance{Commit: "0123456789012345678901234567890123456789"}
	entries := contentsOf{command: {linux: entriesOf(archived())}}
	index, good := image(t, debRPMRel, archiveTime, archived(), linux)
	packed := func(index v1.ImageIndex, tag string) []byte {
		t.Helper()
		data, err := packImage(index, tag, archiveTime, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	tag := command.imageTag(debRPMRel)
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	one, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	of := func(image v1.Image, d v1.Descriptor) v1.ImageIndex { // an index like the release's, of one image
		d.MediaType = types.OCIManifestSchema1
		index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: image, Descriptor: d})
		return mutate.Annotations(index, m.Annotations).(v1.ImageIndex)
	}
	platform := v1.Descriptor{Platform: m.Manifests[0].Platform}
	configured := func(change func(*v1.ConfigFile)) []byte {
		t.Helper()
		config, err := one.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		change(config)
		image, err := mutate.ConfigFile(one, config)
		if err != nil {
			t.Fatal(err)
		}
		return packed(of(image, platform), tag)
	}
	extra, err := layerOf([]imageEntry{{name: "etc/profile", data: []byte("x"), mode: 0o644}}, archiveTime)
	if err != nil {
		t.Fatal(err)
	}
	longer, err := mutate.AppendLayers(one, extra)
	if err != nil {
		t.Fatal(err)
	}
	title := map[string]string{"org.opencontainers.image.title": "another"}
	const was, is = `"org.opencontainers.image.title":"runattest"`, `"org.opencontainers.image.title":"runattesT"`
	for name, c := range map[string]struct {
		data   []byte
		reason string
	}{
		"good":                              {good, ""},
		"files as they are":                 {changedLayout(t, good, func(map[string][]byte) {}), ""},
		"made again":                        {packed(of(one, platform), tag), ""},
		"another index under its digest":    {changedLayout(t, good, replaceBlob(t, types.OCIImageIndex, was, is)), "want the one in its name"},
		"another manifest under its digest": {changedLayout(t, good, replaceBlob(t, types.OCIManifestSchema1, was, is)), "want the one in its name"},
		"annotations of the index":          {packed(mutate.Annotations(index, title).(v1.ImageIndex), tag), "its index is"},
		"annotations of an image":           {packed(of(mutate.Annotations(one, title).(v1.Image), platform), tag), "its manifest is"},
		"annotations of a descriptor":       {packed(of(one, v1.Descriptor{Platform: platform.Platform, Annotations: title}), tag), "its index is"},
		"two images for a platform":         {packed(mutate.AppendManifests(index, mutate.IndexAddendum{Add: longer, Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: platform.Platform}}), tag), "without a platform of its own"},
		"another tag":                       {packed(index, "latest"), "packed in another way"},
		"another user":                      {configured(func(c *v1.ConfigFile) { c.Config.User = "0" }), `its User is "0", want "65532:65532"`},
		"a variable": {configured(func(c *v1.ConfigFile) { c.Config.Env = append(c.Config.Env, "LD_PRELOAD=/x") }),
			`its Env is ["PATH=/usr/bin" "HOME=/data" "LD_PRELOAD=/x"], want ["PATH=/usr/bin" "HOME=/data"]`},
		"another entry point": {configured(func(c *v1.ConfigFile) { c.Config.Entrypoint = []string{"/bin/sh"} }), `its Entrypoint is ["/bin/sh"]`},
		"an author":           {configured(func(c *v1.ConfigFile) { c.Author = "x" }), "its configuration is another"},
		"a layer too many":    {packed(of(longer, platform), tag), "it has 3 layers, want 2"},
		"another program, named": {func() []byte {
			files := archived()
			files["runattest"] = []byte("another")
			_, data := image(t, debRPMRel, archiveTime, files, linux)
			return data
		}(), "its layer 2 has other files"},
		"another commit": {configured(func(c *v1.ConfigFile) { c.Config.Labels[revisionLabel] = "x" }), `but that in ` + command.imageFile(debRPMRel) + ` is "x"`},
		"another layer":  {changedLayout(t, good, otherLayer(t)), "validating layers"},
		"a blob too many": {changedLayout(t, good, func(files map[string][]byte) {
			sum := sha256.Sum256([]byte("x"))
			files["blobs/sha256/"+hex.EncodeToString(sum[:])] = []byte("x")
		}), "it has more than its images"},
		"a file too many": {changedLayout(t, good, func(files map[string][]byte) { files["README"] = nil }), "not a file of an OCI layout"},
		"no images": {changedLayout(t, good, func(files map[string][]byte) {
			raw := []byte(`{"schemaVersion":2,"mediaType":"` + string(types.OCIImageIndex) + `","manifests":[]}`)
			sum := sha256.Sum256(raw)
			files["blobs/sha256/"+hex.EncodeToString(sum[:])] = raw
			files["index.json"] = fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[{"mediaType":%q,"size":%d,"digest":"sha256:%x"}]}`, types.OCIImageIndex, len(raw), sum)
		}), "it has no image"},
	} {
		err := want.checkImage(command, map[string][]byte{command.imageFile(debRPMRel): c.data}, entries, p)
		if (c.reason == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

// TestVerifyImageDigest: a release whose provenance names a digest that is not the index's is not verified.
func TestVerifyImageDigest(t *testing.T) {
	want := expect(t)
	good, err := want.readProvenance(t.Context(), withoutSums(made.files))
	if err != nil {
		t.Fatal(err)
	}
	files, name := maps.Clone(made.files), command.imageFile(want.release)
	files[name] = changedLayout(t, files[name], replaceBlob(t, types.OCIImageIndex, `"org.opencontainers.image.title":"runattest"`, `"org.opencontainers.image.title":"runattesT"`))
	reprove(t, files, good)
	err = verify(t.Context(), want, writeFolder(t, files))
	if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "want the one in its name") {
		t.Errorf("got %v", err)
	}
}
