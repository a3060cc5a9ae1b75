package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	ours "github.com/runattest/runattest/registry"
)

// Layouts as other clients make and read them.

func layoutIndex(t *testing.T, dir string) ocispec.Index {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	return decodeIndex(t, data)
}

// listed are the referrers of an artifact as regctl finds them, and copies.
func listed(t *testing.T, dir, sum string) (found []ocispec.Descriptor) {
	t.Helper()
	lists := 0
	for _, d := range layoutIndex(t, dir).Manifests {
		if d.Annotations[ocispec.AnnotationRefName] != strings.ReplaceAll(sum, ":", "-") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, "blobs", "sha256", d.Digest.Encoded()))
		if err != nil || digest.FromBytes(data) != d.Digest || int64(len(data)) != d.Size || d.MediaType != ocispec.MediaTypeImageIndex {
			t.Fatalf("%+v: %v", d, err)
		}
		lists++
		found = decodeIndex(t, data).Manifests
	}
	if lists > 1 {
		t.Errorf("%d lists", lists)
	}
	return found
}

// untag takes the tags from a layout's entries, as crane pull --format=oci writes them.
func untag(t *testing.T, dir string) {
	t.Helper()
	entries := layoutIndex(t, dir).Manifests
	for i := range entries {
		entries[i].Annotations = nil
	}
	writeIndex(t, dir, entries...)
}

// A layout without a tag has one artifact, whatever refers to it.
func TestLayoutWithoutTag(t *testing.T) {
	dir := newLayout(t)
	untag(t, dir)
	packed := pack(t, dir)
	for _, ref := range []string{"oci-layout://" + dir, "oci-layout://" + packed} {
		_, before := resolve(t, ref)
		for seed := range 3 {
			attach(t, ref, seed)
		}
		target, a := resolve(t, ref)
		if a.Digest() != before.Digest() {
			t.Errorf("%s is %s now", ref, a.Digest())
		}
		if _, _, err := target.PushRun(context.Background(), declare(t, 9), sign(t, 9, attest.StatementOptions{})); err != nil {
			t.Error(err)
		}
		if found, _, errs := fetchAll(t, ref); len(found) != 3 || len(errs) > 0 {
			t.Errorf("%s: %d found, %v", ref, len(found), errs)
		}
	}
	// Referrers of others, with a tag or without, are not the artifact.
	_, a := resolve(t, "oci-layout://"+dir)
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.acme.sbom", Config: ocispec.DescriptorEmptyJSON,
		Subject: &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest()))}}
	data := encode(t, m)
	d := ocispec.Descriptor{MediaType: m.MediaType, Digest: writeBlob(t, dir, data), Size: int64(len(data))}
	tagged := d
	tagged.Annotations = map[string]string{ocispec.AnnotationRefName: "sbom"}
	writeIndex(t, dir, append(layoutIndex(t, dir).Manifests, d, tagged)...)
	if _, again := resolve(t, "oci-layout://"+dir); again.Digest() != a.Digest() {
		t.Errorf("%s, want %s", again.Digest(), a.Digest())
	}
	// A second artifact makes it ambiguous, and both are named.
	other := append(a.Manifest(), '\n')
	second := ocispec.Descriptor{MediaType: m.MediaType, Digest: writeBlob(t, dir, other), Size: int64(len(other))}
	writeIndex(t, dir, append(layoutIndex(t, dir).Manifests, second)...)
	_, err := open(t, "oci-layout://"+dir).Resolve(context.Background())
	if err == nil || !strings.Contains(err.Error(), a.Digest()) || !strings.Contains(err.Error(), second.Digest.String()) || strings.Contains(err.Error(), d.Digest.String()) {
		t.Errorf("%v", err)
	}
}

// TestLayoutOfReferrer: the one artifact of a layout may itself refer to an artifact that is elsewhere, as a copied signature does.
func TestLayoutOfReferrer(t *testing.T) {
	dir := newLayout(t)
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.acme.sbom", Config: ocispec.DescriptorEmptyJSON,
		Subject: &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("elsewhere"), Size: 9}}
	data := encode(t, m)
	only := ocispec.Descriptor{MediaType: m.MediaType, Digest: writeBlob(t, dir, data), Size: int64(len(data))}
	writeIndex(t, dir, only)
	ref := "oci-layout://" + dir
	for seed := range 3 {
		attach(t, ref, seed)
		if _, a := resolve(t, ref); a.Digest() != only.Digest.String() {
			t.Fatalf("%s, want %s", a.Digest(), only.Digest)
		}
	}
	if found, _, errs := fetchAll(t, ref); len(found) != 3 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	// What refers to it is not meant, and beside an artifact without a subject it is not either.
	m.Subject = &only
	data = encode(t, m)
	second := ocispec.Descriptor{MediaType: m.MediaType, Digest: writeBlob(t, dir, data), Size: int64(len(data))}
	entries := append(layoutIndex(t, dir).Manifests, second)
	writeIndex(t, dir, entries...)
	if _, a := resolve(t, ref); a.Digest() != only.Digest.String() {
		t.Errorf("%s, want %s", a.Digest(), only.Digest)
	}
	m.Subject = nil
	data = encode(t, m)
	artifact := ocispec.Descriptor{MediaType: m.MediaType, Digest: writeBlob(t, dir, data), Size: int64(len(data))}
	writeIndex(t, dir, append(entries, artifact)...)
	if _, a := resolve(t, ref); a.Digest() != artifact.Digest.String() {
		t.Errorf("%s, want %s", a.Digest(), artifact.Digest)
	}
}

// What is attached is in the list of referrers, which other clients read and have written.
func TestLayoutLists(t *testing.T) {
	for _, tar := range []bool{false, true} {
		dir := newLayout(t)
		ref := "oci-layout://" + dir + ":v1"
		_, a := resolve(t, ref)
		// regctl's list holds another one's referrer, and index.json does not.
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.acme.sbom", Config: ocispec.DescriptorEmptyJSON,
			Subject: &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(a.Digest()), Size: int64(len(a.Manifest()))}}
		data := encode(t, m)
		sbom := ocispec.Descriptor{MediaType: m.MediaType, Digest: writeBlob(t, dir, data), Size: int64(len(data)), ArtifactType: m.ArtifactType}
		list := encode(t, ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{sbom}, Annotations: map[string]string{"by": "another"}})
		entry := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: writeBlob(t, dir, list), Size: int64(len(list)),
			Annotations: map[string]string{ocispec.AnnotationRefName: strings.ReplaceAll(a.Digest(), ":", "-")}}
		writeIndex(t, dir, append(layoutIndex(t, dir).Manifests, entry)...)
		if tar {
			path := pack(t, dir)
			attach(t, "oci-layout://"+path+":v1", 1)
			attach(t, "oci-layout://"+path+":v1", 2)
			dir = unpack(t, path)
		} else {
			attach(t, ref, 1)
			attach(t, ref, 2)
		}
		all := listed(t, dir, a.Digest())
		if len(all) != 3 || all[0].Digest != sbom.Digest || all[1].ArtifactType != attest.BundleMediaType {
			t.Errorf("tar %v: %+v", tar, all)
		}
		found, l, errs := fetchAll(t, "oci-layout://"+dir+":v1")
		if len(found) != 2 || l.Foreign() != 1 || len(errs) > 0 {
			t.Errorf("tar %v: %d found, %v", tar, len(found), errs)
		}
	}
}

// TestLayoutListUnread: a list that cannot be read may name a rejection. Attaching to the artifact does not remove it.
func TestLayoutListUnread(t *testing.T) {
	dir := newLayout(t)
	ref := "oci-layout://" + dir + ":v1"
	target, a := resolve(t, ref)
	list := []byte(`{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[{"digest":"` + a.Digest() + `","size":1,"size":2}]}`)
	entry := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: writeBlob(t, dir, list), Size: int64(len(list)),
		Annotations: map[string]string{ocispec.AnnotationRefName: strings.ReplaceAll(a.Digest(), ":", "-")}}
	writeIndex(t, dir, append(layoutIndex(t, dir).Manifests, entry)...)
	for n := range 3 {
		l, err := target.ListByContent(t.Context(), a, func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		found, malformed := 0, 0
		for _, err := range l.Bundles(t.Context()) {
			switch {
			case err == nil:
				found++
			case errors.As(err, new(*ours.MalformedError)):
				malformed++
			default:
				t.Error(err)
			}
		}
		if found != n || malformed != 1 {
			t.Errorf("after %d that were attached: %d found, %d malformed, want 1", n, found, malformed)
		}
		attach(t, ref, n)
	}
}

// TestLayoutListLost: a list that is not there, and what a list names and is not there, may be a rejection. Attaching does not
// remove it, so that the list is whole again once its file is back.
func TestLayoutListLost(t *testing.T) {
	dir := newLayout(t)
	ref := "oci-layout://" + dir + ":v1"
	_, a := resolve(t, ref)
	absent := func(data string) ocispec.Descriptor {
		return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(data), Size: int64(len(data))}
	}
	other := absent("other")
	other.ArtifactType = "application/x"
	annotated := absent("annotated")
	annotated.ArtifactType, annotated.Annotations = "application/x", map[string]string{"dev.sigstore.bundle.content": "dsse-envelope"}
	before := layoutIndex(t, dir).Manifests
	for name, c := range map[string]struct {
		entries   []ocispec.Descriptor // of the list
		isGone    bool                 // the list itself
		malformed int
	}{
		"a list that is not there":                 {nil, true, 1},
		"a list of nothing":                        {nil, false, 0},
		"an entry that does not say what it is":    {[]ocispec.Descriptor{absent("x")}, false, 1},
		"an entry with annotations of a bundle":    {[]ocispec.Descriptor{annotated}, false, 1},
		"an entry that says that it is other than": {[]ocispec.Descriptor{other}, false, 1},
	} {
		list, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: c.entries})
		if err != nil {
			t.Fatal(err)
		}
		entry := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: writeBlob(t, dir, list), Size: int64(len(list)),
			Annotations: map[string]string{ocispec.AnnotationRefName: strings.ReplaceAll(a.Digest(), ":", "-")}}
		path := filepath.Join(dir, "blobs", "sha256", entry.Digest.Encoded())
		if c.isGone {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		tag := strings.ReplaceAll(a.Digest(), ":", "-")
		for _, as := range [][2]string{
			{ocispec.MediaTypeImageIndex, tag}, {ocispec.MediaTypeImageManifest, tag}, {"application/json", tag}, {"", tag},
			{ocispec.MediaTypeImageIndex, "registry.example/runs:" + tag},
		} {
			entry.MediaType, entry.Annotations = as[0], map[string]string{ocispec.AnnotationRefName: as[1]}
			if as[0] != ocispec.MediaTypeImageIndex && !c.isGone {
				continue
			}
			writeIndex(t, dir, append(slices.Clone(before), entry)...)
			for n := range 2 {
				if malformed := malformedByContent(t, ref); malformed != c.malformed {
					t.Errorf("%s, as %s, after %d that were attached: %d malformed, want %d", name, as, n, malformed, c.malformed)
				}
				attach(t, ref, n)
			}
		}
	}
}

// TestLayoutListedOfAnother: what a list of referrers names and that is not about its artifact is malformed, as in a registry, and stays so.
func TestLayoutListedOfAnother(t *testing.T) {
	for name, edit := range map[string]func(m *ocispec.Manifest){
		"no subject":      func(m *ocispec.Manifest) { m.Subject = nil },
		"another subject": func(m *ocispec.Manifest) { m.Subject.Digest = digest.FromString("another") },
		"in upper case": func(m *ocispec.Manifest) {
			m.Subject.Digest = digest.Digest(strings.ToUpper(m.Subject.Digest.String()))
		},
		"another function": func(m *ocispec.Manifest) { m.Subject.Digest = digest.SHA512.FromString("another") },
	} {
		for _, as := range []string{ocispec.MediaTypeImageIndex, "application/vnd.docker.distribution.manifest.list.v2+json"} {
			dir := newLayout(t)
			ref := "oci-layout://" + dir + ":v1"
			_, a := resolve(t, ref)
			d := declare(t, 1)
			run, _, err := open(t, "oci-layout://"+dir).PushRun(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			attach(t, ref, 0)
			entries := layoutIndex(t, dir).Manifests
			at := slices.IndexFunc(entries, func(d ocispec.Descriptor) bool { return d.ArtifactType == attest.BundleMediaType })
			data, err := os.ReadFile(filepath.Join(dir, "blobs", "sha256", entries[at].Digest.Encoded()))
			if err != nil {
				t.Fatal(err)
			}
			var m ocispec.Manifest
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatal(err)
			}
			edit(&m)
			data, err = json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			named := entries[at]
			named.Digest, named.Size = writeBlob(t, dir, data), int64(len(data))
			list, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: as, Manifests: []ocispec.Descriptor{named}})
			if err != nil {
				t.Fatal(err)
			}
			for _, of := range []string{a.Digest(), run.Digest()} {
				tag := strings.ReplaceAll(of, ":", "-")
				entries = slices.DeleteFunc(entries, func(d ocispec.Descriptor) bool { return d.Annotations[ocispec.AnnotationRefName] == tag })
				entries = append(entries, ocispec.Descriptor{MediaType: as, Digest: writeBlob(t, dir, list), Size: int64(len(list)),
					Annotations: map[string]string{ocispec.AnnotationRefName: tag}})
			}
			writeIndex(t, dir, entries...)
			for n := range 2 {
				if malformed := malformedByContent(t, ref); malformed != 1 {
					t.Errorf("%s, listed by %s, after %d that were attached: %d malformed, want 1", name, as, n, malformed)
				}
				malformed := 0
				for _, err := range open(t, "oci-layout://"+dir).Runs(t.Context(), ours.RunsOptions{Of: []identity.ID{d.ID()}, ByContent: func(string) bool { return true }}) {
					if errors.As(err, new(*ours.MalformedError)) || errors.As(err, new(*ours.SkippedError)) {
						malformed++
					}
				}
				if malformed != 1 {
					t.Errorf("%s, listed by %s, after %d that were attached: of the run %d malformed, want 1", name, as, n, malformed)
				}
				attach(t, ref, n+1)
			}
		}
	}
}

// TestLayoutListOften: an index that names a list any number of times, by its tag and by others, costs one reading of the list's entries.
func TestLayoutListOften(t *testing.T) {
	const often = 2000
	dir := newLayout(t)
	_, a := resolve(t, "oci-layout://"+dir+":v1")
	entries := make([]ocispec.Descriptor, often)
	for i := range entries {
		entries[i] = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(fmt.Sprint(i)), Size: 5}
	}
	list, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: entries})
	if err != nil {
		t.Fatal(err)
	}
	index := layoutIndex(t, dir).Manifests
	blob := writeBlob(t, dir, list)
	for i := range often {
		for _, tag := range []string{strings.ReplaceAll(a.Digest(), ":", "-"), "sha256-" + digest.FromString(fmt.Sprint("tag", i)).Encoded()} {
			index = append(index, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: blob, Size: int64(len(list)),
				Annotations: map[string]string{ocispec.AnnotationRefName: tag}})
		}
	}
	writeIndex(t, dir, index...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if n := malformedByContent(t, "oci-layout://"+dir+":v1"); n != often {
		t.Errorf("%d malformed, want %d", n, often)
	}
	for range open(t, "oci-layout://"+dir).Runs(t.Context(), ours.RunsOptions{Of: []identity.ID{declare(t, 1).ID()}, ByContent: func(string) bool { return true }}) {
		continue
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 300<<20 {
		t.Errorf("%d MiB were allocated for %d entries", took>>20, often)
	}
}

// malformedByContent counts what is attached and malformed, for a reader who must not miss anything.
func malformedByContent(t *testing.T, ref string) (malformed int) {
	t.Helper()
	target, a := resolve(t, ref)
	l, err := target.ListByContent(t.Context(), a, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range l.Bundles(t.Context()) {
		if errors.As(err, new(*ours.MalformedError)) {
			malformed++
		} else if err != nil {
			t.Error(err)
		}
	}
	return malformed
}

// TestLayoutEntryLost: an entry of index.json that is not there may be a rejection, unless it is a platform of an image, or
// what people gave a tag.
func TestLayoutEntryLost(t *testing.T) {
	dir := newLayout(t)
	ref := "oci-layout://" + dir + ":v1"
	before := layoutIndex(t, dir).Manifests
	absent := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("absent"), Size: 6}
	with := func(edit func(d *ocispec.Descriptor)) ocispec.Descriptor {
		d := absent
		edit(&d)
		return d
	}
	linux := &ocispec.Platform{OS: "linux", Architecture: "amd64"}
	image, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
		Manifests: []ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.Platform = linux })}})
	if err != nil {
		t.Fatal(err)
	}
	ofImage := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: writeBlob(t, dir, image), Size: int64(len(image))}
	tag := func(name, tag string) func(d *ocispec.Descriptor) {
		return func(d *ocispec.Descriptor) { d.Annotations = map[string]string{name: tag} }
	}
	for name, c := range map[string]struct {
		entries           []ocispec.Descriptor
		byContent, listed int // malformed
	}{
		"without labels":               {[]ocispec.Descriptor{absent}, 1, 1},
		"of another artifact type":     {[]ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.ArtifactType = "x/y" })}, 1, 0},
		"without a media type":         {[]ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.MediaType = "" })}, 1, 1},
		"an index":                     {[]ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.MediaType = ocispec.MediaTypeImageIndex })}, 1, 1},
		"a blob":                       {[]ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.MediaType = "text/plain" })}, 0, 0},
		"twice, once with a platform":  {[]ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.Platform = linux }), absent}, 1, 1},
		"a platform":                   {[]ocispec.Descriptor{with(func(d *ocispec.Descriptor) { d.Platform = linux })}, 0, 0},
		"a platform of an image":       {[]ocispec.Descriptor{ofImage, absent}, 0, 0},
		"with a tag":                   {[]ocispec.Descriptor{with(tag(ocispec.AnnotationRefName, "v2"))}, 0, 0},
		"with a tag of cosign":         {[]ocispec.Descriptor{with(tag(ocispec.AnnotationRefName, "sha256-"+strings.Repeat("a", 64)+".sig"))}, 0, 0},
		"the list of another artifact": {[]ocispec.Descriptor{with(tag("com.github.runattest.former-tag", "sha256-"+strings.Repeat("a", 64)))}, 0, 0},
	} {
		writeIndex(t, dir, append(slices.Clone(before), c.entries...)...)
		if n := malformedByContent(t, ref); n != c.byContent {
			t.Errorf("%s: %d malformed, want %d", name, n, c.byContent)
		}
		if _, _, errs := fetchAll(t, ref); len(errs) != c.listed {
			t.Errorf("%s: listed %v, want %d", name, errs, c.listed)
		}
		d := declare(t, 1)
		if _, _, err := open(t, "oci-layout://"+dir).PushRun(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		skipped := 0
		for _, err := range open(t, "oci-layout://"+dir).Runs(t.Context(), ours.RunsOptions{Of: []identity.ID{d.ID()}, ByContent: func(string) bool { return true }}) {
			if errors.As(err, new(*ours.SkippedError)) {
				skipped++
			}
		}
		if want := c.byContent > 0 || strings.HasPrefix(name, "the list"); (skipped == 1) != want { // it is not looked for which artifact it is
			t.Errorf("%s: of a run %d skipped", name, skipped)
		}
	}
}

// TestLayoutListIsAnImage: an index of the image of which the artifact is a platform, under the tag of its list, does not count as that list. It stays
// in the layout, and may lack other platforms.
func TestLayoutListIsAnImage(t *testing.T) {
	dir := newLayout(t)
	ref := "oci-layout://" + dir + ":v1"
	_, a := resolve(t, ref)
	before := layoutIndex(t, dir).Manifests
	here, other := before[0], ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("absent"), Size: 6}
	here.Annotations = nil
	here.Platform, other.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}, &ocispec.Platform{OS: "linux", Architecture: "arm64"}
	image := encode(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{here, other}})
	entry := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: writeBlob(t, dir, image), Size: int64(len(image)),
		Annotations: map[string]string{ocispec.AnnotationRefName: strings.ReplaceAll(a.Digest(), ":", "-")}}
	writeIndex(t, dir, append(before, entry)...)
	for n := range 3 {
		found, l, errs := fetchAll(t, ref)
		if len(found) != n || l.Foreign() != 0 || len(errs) > 0 || malformedByContent(t, ref) > 0 {
			t.Errorf("after %d that were attached: %d found, %d foreign, %v", n, len(found), l.Foreign(), errs)
		}
		attach(t, ref, n)
		if all := listed(t, dir, a.Digest()); len(all) != n+1 {
			t.Errorf("%d are listed, want %d", len(all), n+1)
		}
		if !slices.ContainsFunc(layoutIndex(t, dir).Manifests, func(d ocispec.Descriptor) bool { return d.Digest == entry.Digest }) {
			t.Error("the image is gone")
		}
	}
}

// TestListedManifestLost: what a registry lists, and does not have, may be a rejection whatever the list says of it.
func TestListedManifestLost(t *testing.T) {
	for _, artifactType := range []string{"", "x/y", "application/spdx+json"} {
		s := newServer(t, false)
		s.artifact()
		list := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{
			{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("absent"), Size: 6, ArtifactType: artifactType},
		}}
		s.spoil(noAPI(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", list.MediaType)
			_, _ = w.Write(encode(t, list))
		}))
		if n := malformedByContent(t, s.host+"/app:v1"); n != 1 {
			t.Errorf("%q: %d malformed, want 1", artifactType, n)
		}
		want := 0
		if artifactType == "" {
			want = 1
		}
		if _, l, errs := fetchAll(t, s.host+"/app:v1"); len(errs) != want || l.Foreign() != 1-want {
			t.Errorf("%q: listed %v, %d foreign", artifactType, errs, l.Foreign())
		}
	}
}

// Where there is no list it begins with what is there; where the tag names the artifact itself, without its platforms.
func TestLayoutListsBegin(t *testing.T) {
	dir := newLayout(t)
	ref := "oci-layout://" + dir + ":v1"
	attach(t, ref, 1)
	_, a := resolve(t, ref)
	var entries []ocispec.Descriptor
	for _, d := range layoutIndex(t, dir).Manifests { // as an older version, or oras, has left it
		if d.MediaType != ocispec.MediaTypeImageIndex {
			entries = append(entries, d)
		}
	}
	itself := entries[0]
	itself.Annotations = map[string]string{ocispec.AnnotationRefName: strings.ReplaceAll(a.Digest(), ":", "-")}
	writeIndex(t, dir, append(entries, itself)...)
	attach(t, ref, 2)
	if all := listed(t, dir, a.Digest()); len(all) != 2 {
		t.Errorf("%+v", all)
	}
	if _, again := resolve(t, ref); again.Digest() != a.Digest() {
		t.Errorf("%s", again.Digest())
	}
}

// Runs have lists, too, so that regctl copies them with what is said of them.
func TestLayoutListsOfRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs.d")
	if err := ours.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	target := open(t, "oci-layout://"+dir)
	var runs []ours.Run
	for seed := range 3 {
		runs = append(runs, ours.Run{Declaration: declare(t, seed), Bundles: [][]byte{sign(t, seed, attest.StatementOptions{})}})
	}
	pushed, err := target.PushRuns(context.Background(), runs...)
	if err != nil {
		t.Fatal(err)
	}
	more := sign(t, 0, attest.StatementOptions{Annotations: map[string]string{"again": "yes"}})
	if _, _, err := target.PushRun(context.Background(), declare(t, 0), more); err != nil {
		t.Fatal(err)
	}
	for i, p := range pushed {
		want := 1
		if i == 0 {
			want = 2
		}
		if all := listed(t, dir, p.Artifact.Digest()); len(all) != want {
			t.Errorf("run %d: %+v", i, all)
		}
	}
}

// unpack makes a folder of a tarball.
func unpack(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for _, e := range readTar(t, path) {
		file := filepath.Join(dir, filepath.FromSlash(e.Header.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.Header.Name, "/") {
			writeFile(t, file, []byte(e.Content))
		}
	}
	return dir
}

// A tag may be the whole name of an image, as container engines write it.
func TestLayoutTagsThatAreNames(t *testing.T) {
	for _, name := range []string{"docker.io/library/alpine:3.19", "localhost:5000/acme/trainer:v3", "docker.io/library/alpine", "v1+build.7", "a:b"} {
		dir := newLayout(t)
		entries := layoutIndex(t, dir).Manifests
		entries[0].Annotations[ocispec.AnnotationRefName] = name
		another := append([]byte("\n"), encode(t, ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest})...)
		entries = append(entries, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: writeBlob(t, dir, another), Size: int64(len(another)),
			Annotations: map[string]string{ocispec.AnnotationRefName: "another:v1"}})
		writeIndex(t, dir, entries...)
		for _, path := range []string{dir, pack(t, dir)} {
			ref := "oci-layout://" + path + ":" + name
			if got := parse(t, ref).String(); got != ref {
				t.Errorf("%s is written %s", ref, got)
			}
			attach(t, ref, 1)
			target, a := resolve(t, ref)
			if a.Digest() != entries[0].Digest.String() || target.Reference().String() != ref {
				t.Errorf("%s: %s, %s", ref, a.Digest(), target.Reference())
			}
			if found, _, errs := fetchAll(t, ref+"@"+a.Digest()); len(found) != 1 || len(errs) > 0 {
				t.Errorf("%s: %d found, %v", ref, len(found), errs)
			}
		}
	}
}

// A path with a colon is that path.
func TestLayoutPathsWithColons(t *testing.T) {
	dir := newLayout(t)
	odd := dir + ":x/y"
	if err := os.MkdirAll(filepath.Dir(odd), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(newLayout(t), odd); err != nil {
		t.Fatal(err)
	}
	attach(t, "oci-layout://"+odd+":v1", 1)
	if n := len(layoutIndex(t, dir).Manifests); n != 1 {
		t.Errorf("%d entries in the other one", n)
	}
	// The end of a folder's name is not a tag, unless there is a layout in front of it.
	named := filepath.Join(t.TempDir(), "a:b")
	if err := os.Rename(odd, named); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{named, named + ":v1"} {
		if found, _, errs := fetchAll(t, "oci-layout://"+ref); len(found) != 1 || len(errs) > 0 {
			t.Errorf("%s: %d found, %v", ref, len(found), errs)
		}
	}
	if err := os.Rename(dir, filepath.Join(filepath.Dir(named), "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, "oci-layout://"+named).Resolve(t.Context()); !errors.Is(err, ours.ErrNotFound) {
		t.Errorf("beside a layout of the name before the colon: %v", err)
	}
}

// TestLayoutBehindLink: .. behind a link leads out of the folder that the link leads to, to read and to write.
func TestLayoutBehindLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "there", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("there", "sub"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lay", filepath.Join("there", "lay")} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(newLayout(t))); err != nil {
			t.Fatal(err)
		}
	}
	attach(t, "oci-layout://"+dir+"/link/../lay:v1", 1)
	if n := len(layoutIndex(t, filepath.Join(dir, "lay")).Manifests); n != 1 {
		t.Errorf("the other layout has %d manifests", n)
	}
	if n := len(layoutIndex(t, filepath.Join(dir, "there", "lay")).Manifests); n < 2 {
		t.Errorf("the layout that was named has %d manifests", n)
	}
}
