package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// checkImage holds the image against the archives for Linux: every digest in it must be that of what it names, and the
// index must be the one that is made of these archives. Layers are compared by what is in them, as a compressor may change.
func (want expectation) checkImage(c *component, files map[string][]byte, entries contentsOf, p provenance) error {
	if len(entries[c]) == 0 {
		return nil
	}
	temp, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	index, err := readImage(files[c.imageFile(want.release)], temp)
	if err != nil {
		return err
	}
	got, err := images(index)
	if err != nil {
		return err
	}
	for _, image := range got { // the time is what they say; all else follows from the archives
		config, err := image.ConfigFile()
		if err != nil {
			return err
		}
		expected, err := c.imageOf(want.release, p.Commit, entries, config.Created.Time)
		if err != nil {
			return err
		}
		return sameImages(got, expected)
	}
	return errors.New("it has no image")
}

// imageDigest is the digest of the one index in an OCI layout in a tar, as the layout says it; readImage checks it.
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

// readImage unpacks an OCI layout from a tar into the folder temp and returns the one index in it, all digests checked.
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
		if h.Typeflag != tar.TypeReg || !fs.ValidPath(h.Name) || !filepath.IsLocal(filepath.FromSlash(h.Name)) || h.Size > left {
			return nil, fmt.Errorf("it has %q, which is not a file of an OCI layout", h.Name)
		}
		left -= h.Size
		to := filepath.Join(temp, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("it has %q twice: %w", h.Name, err)
		}
		_, err = io.Copy(f, r)
		if err := errors.Join(err, f.Close()); err != nil {
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
	if len(m.Manifests) != 1 || !m.Manifests[0].MediaType.IsIndex() {
		return nil, errors.New("it is not one index")
	}
	index, err := root.ImageIndex(m.Manifests[0].Digest)
	if err != nil {
		return nil, err
	}
	return index, validate.Index(index)
}

// sameImages compares the configuration of the images for each platform, which has the digests of the layers as they unpack.
func sameImages(got map[string]v1.Image, index v1.ImageIndex) error {
	want, err := images(index)
	if err != nil {
		return err
	}
	if platforms := slices.Sorted(maps.Keys(got)); !slices.Equal(platforms, slices.Sorted(maps.Keys(want))) {
		return fmt.Errorf("it has images for %v", platforms)
	}
	for platform, image := range got {
		one, err := image.RawConfigFile()
		if err != nil {
			return err
		}
		other, err := want[platform].RawConfigFile()
		if err != nil {
			return err
		}
		if !bytes.Equal(one, other) {
			return fmt.Errorf("the image for %s is not made of the archive for it", platform)
		}
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
