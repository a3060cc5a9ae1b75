package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	oci "github.com/runattest/runattest/registry"
)

// push verifies a release, puts its images into a repository, byte for byte, and makes the provenance a referrer of each.
// A tag that is there is not moved to another image.
func push(ctx context.Context, want expectation, dir, repository string, say func(string, ...any)) error {
	to, err := name.NewRepository(repository)
	if err != nil {
		return err
	}
	files, err := verified(ctx, want, dir)
	if err != nil {
		return fmt.Errorf("NOT VERIFIED, and not pushed: %w", err)
	}
	for _, c := range components {
		data, ok := files[c.imageFile(want.release)]
		if !ok {
			return fmt.Errorf("%s: is not of a release for these targets", c.imageFile(want.release))
		}
		pushed, err := pushImage(ctx, to.Tag(c.imageTag(want.release)), data)
		if err == nil {
			err = attach(ctx, pushed, files[provenanceFile(want.release)])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.imageFile(want.release), err)
		}
		say("%s: %s", c.imageTag(want.release), pushed)
	}
	return nil
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

// pushImage puts the index of a layout in a tar where the tag says, and returns its reference by digest.
func pushImage(ctx context.Context, to name.Tag, data []byte) (string, error) {
	temp, err := os.MkdirTemp("", "push-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	index, err := readImage(data, temp)
	if err != nil {
		return "", err
	}
	digest, err := index.Digest()
	if err != nil {
		return "", err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	there, err := remote.Head(to, options...)
	if missing := (*transport.Error)(nil); errors.As(err, &missing) && missing.StatusCode == http.StatusNotFound {
		there, err = nil, nil
	}
	if err != nil {
		return "", err
	}
	if there != nil && there.Digest != digest {
		return "", fmt.Errorf("the tag %s is there and names %s, want %s: a published version is not replaced", to, there.Digest, digest)
	}
	if err := remote.WriteIndex(to, index, options...); err != nil {
		return "", err
	}
	stored, err := remote.Head(to, options...)
	if err != nil {
		return "", err
	}
	if stored.Digest != digest {
		return "", errors.New("the registry stored it as " + stored.Digest.String() + ", want " + digest.String())
	}
	return to.Digest(digest.String()).String(), nil
}
