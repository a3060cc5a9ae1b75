package gate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/folder"
)

// layoutWriter adds to an OCI layout what registry does not write.
type layoutWriter struct {
	*testing.T
	dir string
}

func (l layoutWriter) blob(mediaType string, data []byte) ocispec.Descriptor {
	l.Helper()
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if err := os.WriteFile(filepath.Join(l.dir, "blobs", "sha256", d.Digest.Encoded()), data, 0o644); err != nil {
		l.Fatal(err)
	}
	return d
}

// edit changes how a manifest is written, and how the layout's index lists it.
type edit struct {
	text func(string) string
	list func(*ocispec.Descriptor)
}

// refer adds a manifest to the layout's index, whose subject is the artifact.
func (l layoutWriter) refer(m ocispec.Manifest, by edit) {
	l.Helper()
	m.SchemaVersion, m.MediaType = 2, ocispec.MediaTypeImageManifest
	m.Config = l.blob(ocispec.MediaTypeEmptyJSON, []byte("{}"))
	path := filepath.Join(l.dir, "index.json")
	var index ocispec.Index
	if err := json.Unmarshal(must(os.ReadFile(path)), &index); err != nil {
		l.Fatal(err)
	}
	text := string(must(json.Marshal(m)))
	if by.text != nil {
		text = by.text(text)
	}
	entry := l.blob(ocispec.MediaTypeImageManifest, []byte(text))
	if by.list != nil {
		by.list(&entry)
	}
	index.Manifests = append(index.Manifests, entry)
	if err := os.WriteFile(path, must(json.Marshal(index)), 0o644); err != nil {
		l.Fatal(err)
	}
}

// TestMislabelled: a rejection counts whatever its manifest says that it is, and what has no bundle in it is passed over. In a
// mirror it is the same.
func TestMislabelled(t *testing.T) {
	s := newSite(t, "")
	run := s.declare("run")
	no := must(s.says(policy.Rejected, run.ID()).Bundle.Marshal())
	review := must(s.sign(s.alice, must(attest.NewClaim("https://example.com/review/v1",
		[]attest.Subject{{Name: run.ID().String(), SHA256: run.ID().Digest()}}, map[string]any{"no": true}))).Marshal())
	const predicate = "dev.sigstore.bundle.predicateType"
	const spdx, versioned = "application/spdx+json", "application/vnd.dev.sigstore.bundle+json;version=0.3"
	escaped := func(text string) string { return strings.ReplaceAll(text, "/", `\/`) }
	twice := func(text string) string {
		return strings.Replace(escaped(text), "{", `{"artifactType":"application\/spdx+json",`, 1)
	}
	inner := func(second string) func(string) string {
		const first = `"mediaType":"` + attest.BundleMediaType + `"`
		return func(text string) string {
			return strings.ReplaceAll(text, first, first+`,"`+second+`":"application/spdx+json"`)
		}
	}
	listed := func(mediaType string, size int64) func(*ocispec.Descriptor) {
		return func(d *ocispec.Descriptor) { d.ArtifactType, d.MediaType, d.Size = spdx, mediaType, d.Size+size }
	}
	for name, c := range map[string]struct {
		artifactType, said, mediaType string
		content                       []byte
		want                          string // the reason; "" for a run that is allowed
		edit
	}{
		"rightly":              {attest.BundleMediaType, policy.ApprovalType, attest.BundleMediaType, no, "rejected by alice", edit{}},
		"another predicate":    {attest.BundleMediaType, attest.PredicateType, attest.BundleMediaType, no, "rejected by alice", edit{}},
		"another artifact":     {"application/spdx+json", "", attest.BundleMediaType, no, "rejected by alice", edit{}},
		"both":                 {"application/spdx+json", "https://spdx.dev/Document", attest.BundleMediaType, no, "rejected by alice", edit{}},
		"another statement":    {attest.BundleMediaType, "https://example.com/review/v1", attest.BundleMediaType, review, "", edit{}},
		"no bundle at all":     {"application/spdx+json", "", "application/spdx+json", []byte("{}"), "", edit{}},
		"a bundle it is not":   {"application/spdx+json", "", attest.BundleMediaType, []byte("{}"), "malformed", edit{}},
		"nor of that type":     {attest.BundleMediaType, attest.PredicateType, attest.BundleMediaType, []byte("{}"), "malformed", edit{}},
		"says it is approving": {attest.BundleMediaType, policy.ApprovalType, attest.BundleMediaType, review, "malformed", edit{}},
		"escaped":              {spdx, "", attest.BundleMediaType, no, "rejected by alice", edit{text: escaped}},
		"another version":      {spdx, "", versioned, no, "malformed", edit{}},
		"and it alone":         {versioned, "", versioned, no, "malformed", edit{}},
		"an artifact's alone":  {versioned, "", spdx, no, "malformed", edit{}},
		"in capitals":          {"", "", strings.ToUpper(attest.BundleMediaType), no, "malformed", edit{}},
		"a proof in capitals":  {spdx, "", strings.ToUpper(attest.RunProofMediaType), no, "malformed", edit{}},
		"a member twice":       {attest.BundleMediaType, "", attest.BundleMediaType, no, "malformed", edit{twice, listed(ocispec.MediaTypeImageManifest, 0)}},
		"a layer's type twice": {spdx, "", attest.BundleMediaType, no, "malformed", edit{text: inner("mediaType")}},
		"in two spellings":     {spdx, "", attest.BundleMediaType, no, "malformed", edit{text: inner("MediaType")}},
		"and one escaped":      {spdx, "", attest.BundleMediaType, no, "malformed", edit{text: inner(`media\u0054ype`)}},
		"listed as another":    {attest.BundleMediaType, "", attest.BundleMediaType, no, "rejected by alice", edit{list: listed(spdx, 0)}},
		"of another size":      {attest.BundleMediaType, "", attest.BundleMediaType, no, "malformed", edit{list: listed(ocispec.MediaTypeImageManifest, 1)}},
		"and of another type":  {attest.BundleMediaType, "", attest.BundleMediaType, no, "malformed", edit{list: listed(spdx, 1)}},
		"of a size not read":   {attest.BundleMediaType, "", attest.BundleMediaType, no, "malformed", edit{list: listed(spdx, 1<<40)}},
		"of no size":           {attest.BundleMediaType, "", attest.BundleMediaType, no, "malformed", edit{list: listed(spdx, -1<<40)}},
		"no manifest":          {spdx, "", spdx, []byte("{}"), "", edit{func(string) string { return "text" }, listed(spdx, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			l := layoutWriter{t, filepath.Join(t.TempDir(), "runs")}
			if err := registry.CreateLayout(l.dir); err != nil {
				t.Fatal(err)
			}
			open := func(suffix string) *Repository {
				return NewRepository(must(registry.Open(must(registry.ParseReference("oci-layout://"+l.dir+suffix)), registry.Options{})))
			}
			artifact, _, err := open("").target.PushRun(t.Context(), run, must(s.says(policy.Approved, run.ID()).Bundle.Marshal()))
			if err != nil {
				t.Fatal(err)
			}
			of := must(artifact.Subject())
			subject := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.NewDigestFromBytes(digest.SHA256, of.SHA256[:])}
			subject.Size = must(os.Stat(filepath.Join(l.dir, "blobs", "sha256", subject.Digest.Encoded()))).Size()
			l.refer(ocispec.Manifest{
				ArtifactType: c.artifactType, Subject: &subject, Layers: []ocispec.Descriptor{l.blob(c.mediaType, c.content)},
				Annotations: map[string]string{predicate: c.said},
			}, c.edit)
			ask := func(suffix string) {
				t.Helper()
				a := s.admit(t.Context(), Request{Bundle: s.run(s.ci, run), Approvals: open(suffix)})
				got := fmt.Sprint(a.Reasons(), a.Err())
				if a.Allowed() != (c.want == "") || !strings.Contains(got, c.want) {
					t.Errorf("%s%s: got %s, want %q", l.dir, suffix, got, c.want)
				}
			}
			ofRun, ofManifest := "@"+run.ID().String(), "@"+subject.Digest.String()
			for _, suffix := range []string{"", ofRun, ofManifest} {
				ask(suffix)
			}
			l.dir = mirror(t, open(ofRun).target)
			ask(ofRun)
			ask(ofManifest)
		})
	}
}

// mirror copies a run with what is attached to it, as fetch --air-gap does.
func mirror(t *testing.T, from *registry.Target) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "mirror")
	artifact := must(from.Resolve(t.Context()))
	to := must(folder.NewMirror(folder.New(dir), from, artifact))
	found := must(from.ListForMirror(t.Context(), artifact))
	for f, err := range found.Bundles(t.Context()) {
		if err == nil {
			_, err = to.Add(t.Context(), f)
		}
		if err != nil && !registry.IsOfOne(err) {
			t.Fatal(err)
		}
	}
	if err := to.AddUnread(found.Unread()); err != nil {
		t.Fatal(err)
	}
	must(to.Close(t.Context()))
	return dir
}
