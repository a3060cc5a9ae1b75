package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// An image: the programs for each architecture of Linux, certificate authorities, and nothing to run besides. It is made
// without an engine and without a base image, and is one file, an OCI layout in a tar, until it is pushed.

// imageUser owns nothing on any system, and is a number because Kubernetes checks runAsNonRoot by it.
const imageUser = 65532

// revisionLabel is the annotation and label with the commit.
const revisionLabel = "org.opencontainers.image.revision"

// imageFile is the name of the image's file.
func (c *component) imageFile(r release) string { return c.name + "_" + r.bare() + "_image.tar" }

// imaged are the components that there are images of.
func imaged() []*component {
	return slices.DeleteFunc(slices.Clone(components), func(c *component) bool { return c.image == nil })
}

// imageTag is the image's tag: all are of one repository, 0.1.0 and 0.1.0-kms.
func (c *component) imageTag(r release) string {
	return r.bare() + strings.TrimPrefix(c.name, command.name)
}

// imageOf returns the index of the component's images for each target of its archive; entries are those of the archives.
func (c *component) imageOf(r release, commit string, entries contentsOf, at time.Time) (v1.ImageIndex, error) {
	annotations := map[string]string{
		"org.opencontainers.image.created":     at.UTC().Format(time.RFC3339),
		"org.opencontainers.image.description": c.summary,
		"org.opencontainers.image.licenses":    "Apache-2.0",
		revisionLabel:                          commit,
		"org.opencontainers.image.source":      homepage,
		"org.opencontainers.image.title":       c.name,
		"org.opencontainers.image.version":     r.bare(),
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, t := range targets { // in their order, not the map's
		if entries[c][t] == nil {
			continue
		}
		image, err := c.oneImage(t, entries, annotations, at)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", t, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &v1.Platform{OS: t.os, Architecture: t.arch}},
		})
	}
	return mutate.Annotations(index, annotations).(v1.ImageIndex), nil
}

// imageFiles are what an image takes from the component's archive.
func (c *component) imageFiles(entries []entry) []imageEntry {
	var all []imageEntry
	for _, e := range entries {
		switch {
		case slices.Contains(c.programs, e.name):
			all = append(all, imageEntry{name: "usr/bin/" + e.name, data: e.data, mode: 0o755})
		case e.name == "LICENSE", e.name == "THIRD_PARTY_LICENSES", strings.HasSuffix(e.name, ".cdx.json"):
			all = append(all, imageEntry{name: "usr/share/doc/" + c.name + "/" + e.name, data: e.data, mode: 0o644})
		}
	}
	slices.SortFunc(all, func(a, b imageEntry) int { return strings.Compare(a.name, b.name) })
	return all
}

func (c *component) oneImage(t target, entries contentsOf, annotations map[string]string, at time.Time) (v1.Image, error) {
	system, err := systemFiles()
	if err != nil {
		return nil, err
	}
	contents := [][]imageEntry{system} // what seldom changes comes first
	for _, part := range c.image {
		contents = append(contents, part.imageFiles(entries[part][t]))
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range contents {
		layer, err := layerOf(files, at)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			return nil, err
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = t.os, t.arch, v1.Time{Time: at.UTC()}
	config.History = nil // it would name the library
	config.Config = v1.Config{
		User: fmt.Sprintf("%d:%d", imageUser, imageUser), WorkingDir: "/data", Entrypoint: []string{"/usr/bin/runattest"},
		Env: []string{"PATH=/usr/bin", "HOME=/data"}, Labels: annotations,
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	return mutate.Annotations(image, annotations).(v1.Image), nil
}

// imageEntry is a file of the image, or a folder where the name ends in a slash.
type imageEntry struct {
	name  string
	data  []byte
	mode  int64
	owner int
}

// systemFiles are what a program expects of a system: certificate authorities that need no further constraint, names for its
// user, a folder to work in and one for what is temporary.
func systemFiles() ([]imageEntry, error) {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue // a file of certificates cannot say it
		}
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	if roots.Len() == 0 {
		return nil, errors.New("there are no certificate authorities")
	}
	return []imageEntry{
		{name: "data/", mode: 0o755, owner: imageUser},
		{name: "etc/group", data: fmt.Appendf(nil, "runattest:x:%d:\n", imageUser), mode: 0o644},
		{name: "etc/passwd", data: fmt.Appendf(nil, "runattest:x:%d:%d:runattest:/data:/sbin/nologin\n", imageUser, imageUser), mode: 0o644},
		{name: "etc/ssl/certs/ca-certificates.crt", data: roots.Bytes(), mode: 0o644},
		{name: "tmp/", mode: 0o1777},
	}, nil
}

// layerOf packs files with the folders above them; names come sorted.
func layerOf(entries []imageEntry, at time.Time) (v1.Layer, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	made := map[string]bool{".": true}
	var folder func(name string, mode int64, owner int) error
	folder = func(name string, mode int64, owner int) error {
		if made[name] {
			return nil
		}
		made[name] = true
		if err := folder(path.Dir(name), 0o755, 0); err != nil {
			return err
		}
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: owner, Gid: owner, ModTime: at.UTC(), Format: tar.FormatUSTAR})
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.name, "/"); ok {
			if err := folder(name, e.mode, e.owner); err != nil {
				return nil, err
			}
			continue
		}
		if err := folder(path.Dir(e.name), 0o755, 0); err != nil {
			return nil, err
		}
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), Uid: e.owner, Gid: e.owner, ModTime: at.UTC(), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithMediaType(types.OCILayer))
}

// packImage writes the index as an OCI layout in a tar, tagged; temp is a folder of its own.
func packImage(index v1.ImageIndex, tag string, at time.Time, temp string) ([]byte, error) {
	root, err := layout.Write(temp, empty.Index)
	if err != nil {
		return nil, err
	}
	if err := root.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err = filepath.WalkDir(temp, func(file string, d fs.DirEntry, err error) error { // in lexical order
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(temp, file)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(data)), ModTime: at.UTC(), Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
