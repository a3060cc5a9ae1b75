package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	oci "github.com/runattest/runattest/registry"
)

// push verifies a release, puts its images into a repository, byte for byte, and makes the provenance a referrer of each.
// A tag that is there is not moved to another image: all are looked up before anything is written. Each image is tagged
// last, so that what a tag names has its provenance.
func push(ctx context.Context, want expectation, dir, repository string, say func(string, ...any)) error {
	to, err := name.NewRepository(repository)
	if err != nil {
		return err
	}
	files, err := verified(ctx, want, dir)
	if err != nil {
		return fmt.Errorf("%w, and not pushed: %w", errFolder, err)
	}
	temp, err := os.MkdirTemp("", "push-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	all := map[*component]tagged{}
	for _, c := range imaged() {
		file := c.imageFile(want.release)
		data, ok := files[file]
		if !ok {
			return fmt.Errorf("%s: is not of a release for these targets", file)
		}
		if all[c], err = openImage(data, filepath.Join(temp, c.name), to.Tag(c.imageTag(want.release))); err == nil {
			_, err = all[c].published(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, c := range imaged() {
		if err := all[c].push(ctx, files[provenanceFile(want.release)]); err != nil {
			return fmt.Errorf("%s: %w", c.imageFile(want.release), err)
		}
		say("%s: %s", c.imageTag(want.release), all[c].reference())
	}
	return nil
}

// tagged is an index, its digest and the tag that it gets.
type tagged struct {
	index  v1.ImageIndex
	digest v1.Hash
	tag    name.Tag
}

// openImage reads the index of a layout in a tar, which it unpacks into the new folder temp.
func openImage(data []byte, temp string, tag name.Tag) (tagged, error) {
	index, err := readImage(data, temp)
	if err != nil {
		return tagged{}, err
	}
	digest, err := index.Digest()
	return tagged{index, digest, tag}, err
}

func (t tagged) reference() name.Digest { return t.tag.Digest(t.digest.String()) }

// published says whether the tag is there and names the index. It fails if the tag names another.
func (t tagged) published(ctx context.Context) (bool, error) {
	there, err := remote.Head(t.tag, remoteOptions(ctx)...)
	if missing := (*transport.Error)(nil); errors.As(err, &missing) && missing.StatusCode == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if there.Digest != t.digest {
		return false, fmt.Errorf("the tag %s is there and names %s, want %s: a published version is not replaced", t.tag, there.Digest, t.digest)
	}
	return true, nil
}

// push writes the index by its digest, attaches the provenance, and sets the tag unless it is there.
func (t tagged) push(ctx context.Context, provenance []byte) error {
	if err := remote.WriteIndex(t.reference(), t.index, remoteOptions(ctx)...); err != nil {
		return err
	}
	if err := attach(ctx, t.reference().String(), provenance); err != nil {
		return err
	}
	there, err := t.published(ctx) // again: uploads take a while
	if err != nil || there {
		return err
	}
	if err := remote.Tag(t.tag, t.index, remoteOptions(ctx)...); err != nil {
		return err
	}
	there, err = t.published(ctx)
	if err == nil && !there {
		err = fmt.Errorf("the registry accepted the tag %s, but does not have it", t.tag)
	}
	return err
}

func remoteOptions(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
}

// attach makes the provenance a referrer of an image. It fails unless the image is among the subjects.
func attach(ctx context.Context, image string, provenance []byte) error {
	ref, err := oci.ParseReference(image)
	if err != nil {
		return err
	}
	target, err := oci.Open(ref, oci.Options{})
	if err != nil {
		return err
	}
	artifact, err := target.Resolve(ctx)
	if err != nil {
		return err
	}
	_, err = target.Attach(ctx, artifact, provenance)
	return err
}
