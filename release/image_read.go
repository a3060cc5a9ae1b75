package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// checkImage holds the image against the archives for Linux: every blob must have the digest that it is stored under, and
// the file must be the one that is made of these archives. Layers are compared by what is in them, as a compressor may change.
func (want expectation) checkImage(c *component, files map[string][]byte, entries contentsOf, p provenance) error {
	if len(entries[c]) == 0 || c.image == nil {
		return nil
	}
	file := c.imageFile(want.release)
	err := want.checkIndex(c, files[file], entries, p)
	var other *otherCommit
	if errors.As(err, &other) {
		return fmt.Errorf("%s: its commit is %s, but that in %s is %q", provenanceFile(want.release), p.Commit, file, other.commit)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// otherCommit is for an image that says that it is of this commit. Whether it or the provenance is wrong cannot be told.
type otherCommit struct{ commit string }

func (o *otherCommit) Error() string { return fmt.Sprintf("its commit is %q", o.commit) }

// checkIndex is checkImage for the data of the file.
func (want expectation) checkIndex(c *component, data []byte, entries contentsOf, p provenance) error {
	temp, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	index, err := readImage(data, filepath.Join(temp, "got"))
	if err != nil {
		return err
	}
	first, err := firstConfig(index)
	if err != nil {
		return err
	}
	if commit := first.Config.Labels[revisionLabel]; commit != p.Commit {
		return &otherCommit{commit}
	}
	at := first.Created.Time
	expected, err := c.imageOf(want.release, p.Commit, entries, at) // the time is what the image says; all else follows from the archives
	if err != nil {
		return err
	}
	if err := sameImages(index, expected); err != nil {
		return err
	}
	if err := validate.Index(index); err != nil { // the layers unpack to what the configuration says
		return err
	}
	packed, err := packImage(index, c.imageTag(want.release), at, filepath.Join(temp, "packed"))
	if err != nil {
		return err
	}
	if !bytes.Equal(packed, data) {
		return errors.New("it has more than its images, or is packed in another way")
	}
	return nil
}

// firstConfig is the configuration of the first of the images.
func firstConfig(index v1.ImageIndex) (*v1.ConfigFile, error) {
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(m.Manifests) == 0 {
		return nil, errors.New("it has no image")
	}
	image, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		return nil, err
	}
	return image.ConfigFile()
}

// imageDigest is the digest of the one index in an OCI layout in a tar, as index.json says it; readImage checks it.
func imageDigest(data []byte) (digest [sha256.Size]byte, err error) {
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err != nil {
			return digest, fmt.Errorf("it has no index.json: %w", err)
		}
		if h.Name != "index.json" {
			continue
		}
		m, err := v1.ParseIndexManifest(r)
		if err != nil {
			return digest, err
		}
		if len(m.Manifests) != 1 || m.Manifests[0].Digest.Algorithm != "sha256" {
			return digest, errors.New("it is not one index")
		}
		raw, err := hex.DecodeString(m.Manifests[0].Digest.Hex)
		if err == nil && copy(digest[:], raw) != len(digest) {
			err = errors.New("its index has no SHA-256")
		}
		return digest, err
	}
}

// readImage unpacks an OCI layout from a tar into the new folder temp and returns the one index in it. Every blob has the
// SHA-256 that is its name, so that all that is read by digest has that digest: the layout package does not check it.
func readImage(data []byte, temp string) (v1.ImageIndex, error) {
	r := tar.NewReader(bytes.NewReader(data))
	left := int64(unpackLimit)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg || h.Name != "index.json" && h.Name != "oci-layout" && !blobName.MatchString(h.Name) || h.Size > left {
			return nil, fmt.Errorf("it has %q, which is not a file of an OCI layout", h.Name)
		}
		left -= h.Size
		if err := writeBlob(filepath.Join(temp, filepath.FromSlash(h.Name)), h.Name, r); err != nil {
			return nil, err
		}
	}
	root, err := layout.ImageIndexFromPath(temp)
	if err != nil {
		return nil, err
	}
	m, err := root.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(m.Manifests) != 1 || m.Manifests[0].MediaType != types.OCIImageIndex {
		return nil, errors.New("it is not one index")
	}
	return root.ImageIndex(m.Manifests[0].Digest)
}

var blobName = regexp.MustCompile(`^blobs/sha256/[0-9a-f]{64}$`)

// writeBlob writes a file of an OCI layout, name is that in the layout. A blob must have the SHA-256 in its name.
func writeBlob(to, name string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("it has %q twice: %w", name, err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), from)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); blobName.MatchString(name) && path.Base(name) != got {
		return fmt.Errorf("the SHA-256 of %s is %s, want the one in its name", name, got)
	}
	return nil
}

// sameImages compares an index and the images in it with those that are made of the archives: all but the compressed layers,
// which the configuration names by the digests of what they unpack to.
func sameImages(index, expected v1.ImageIndex) error {
	got, err := images(index)
	if err != nil {
		return err
	}
	want, err := images(expected)
	if err != nil {
		return err
	}
	if platforms := slices.Sorted(maps.Keys(got)); !slices.Equal(platforms, slices.Sorted(maps.Keys(want))) {
		return fmt.Errorf("it has images for %v", platforms)
	}
	m, err := expected.IndexManifest()
	if err != nil {
		return err
	}
	m = m.DeepCopy()
	for i, d := range m.Manifests {
		image := got[d.Platform.String()]
		if err := sameImage(image, want[d.Platform.String()]); err != nil {
			return fmt.Errorf("the image for %s is not made of the archive for it: %w", d.Platform, err)
		}
		if m.Manifests[i].Digest, err = image.Digest(); err != nil {
			return err
		}
		if m.Manifests[i].Size, err = image.Size(); err != nil {
			return err
		}
	}
	return sameManifest("index", index, m)
}

// sameImage compares the configuration and the manifest of an image with those of the expected one.
func sameImage(got, want v1.Image) error {
	one, err := got.RawConfigFile()
	if err != nil {
		return err
	}
	other, err := want.RawConfigFile()
	if err != nil {
		return err
	}
	if !bytes.Equal(one, other) {
		return configDiffers(got, want)
	}
	said, err := got.Manifest()
	if err != nil {
		return err
	}
	m, err := want.Manifest()
	if err != nil {
		return err
	}
	m = m.DeepCopy()
	if len(said.Layers) != len(m.Layers) {
		return fmt.Errorf("it has %d layers, want %d", len(said.Layers), len(m.Layers))
	}
	for i, layer := range said.Layers { // a compressor may change
		m.Layers[i].Digest, m.Layers[i].Size = layer.Digest, layer.Size
	}
	return sameManifest("manifest", got, m)
}

// configDiffers says in what the configuration of an image differs from that of the expected one.
func configDiffers(image, expected v1.Image) error {
	got, err := image.ConfigFile()
	if err != nil {
		return err
	}
	want, err := expected.ConfigFile()
	if err != nil {
		return err
	}
	if one, other := got.RootFS.DiffIDs, want.RootFS.DiffIDs; len(one) != len(other) {
		return fmt.Errorf("it has %d layers, want %d", len(one), len(other))
	}
	for i, id := range got.RootFS.DiffIDs {
		if id != want.RootFS.DiffIDs[i] {
			return fmt.Errorf("its layer %d has other files: it unpacks to %s, want %s", i+1, id, want.RootFS.DiffIDs[i])
		}
	}
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"User", got.Config.User, want.Config.User},
		{"Env", got.Config.Env, want.Config.Env},
		{"Entrypoint", got.Config.Entrypoint, want.Config.Entrypoint},
		{"Cmd", got.Config.Cmd, want.Config.Cmd},
		{"WorkingDir", got.Config.WorkingDir, want.Config.WorkingDir},
		{"Labels", got.Config.Labels, want.Config.Labels},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			return fmt.Errorf("its %s is %q, want %q", c.name, c.got, c.want)
		}
	}
	return errors.New("its configuration is another, in what is neither its layers, User, Env, Entrypoint, Cmd, WorkingDir nor Labels")
}

// sameManifest compares the bytes of a manifest with those that are written for want.
func sameManifest(what string, got interface{ RawManifest() ([]byte, error) }, want any) error {
	raw, err := got.RawManifest()
	if err != nil {
		return err
	}
	expected, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, expected) {
		return fmt.Errorf("its %s is %s, want %s", what, raw, expected)
	}
	return nil
}

// images are the images of an index by their platforms.
func images(index v1.ImageIndex) (map[string]v1.Image, error) {
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	all := map[string]v1.Image{}
	for _, d := range m.Manifests {
		if d.Platform == nil || all[d.Platform.String()] != nil {
			return nil, errors.New("it has an image without a platform of its own")
		}
		if all[d.Platform.String()], err = index.Image(d.Digest); err != nil {
			return nil, err
		}
	}
	return all, nil
}
