package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/casefold"
	"github.com/runattest/runattest/internal/limits"
)

// The media types of Docker's images and their indexes.
const (
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	DockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// IsIndex tells the media types of indexes.
func IsIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || mediaType == DockerList
}

// IsBundleType tells the media types of bundles: of a Sigstore bundle, and of the proof of a run in a set.
func IsBundleType(mediaType string) bool {
	return mediaType == attest.BundleMediaType || mediaType == attest.RunProofMediaType
}

// NamesBundle tells the media types of bundles of every version, in any case of letters: also those that are not read.
func NamesBundle(mediaType string) bool {
	folded := casefold.String(mediaType)
	return strings.Contains(folded, "sigstore.bundle") || strings.Contains(folded, "runattest.run-proof")
}

// NamesManifest says that a media type is that of a manifest or an index, in any case of letters, or says nothing.
func NamesManifest(mediaType string) bool {
	folded := casefold.String(mediaType)
	return folded == "" || strings.Contains(folded, "manifest") || strings.Contains(folded, "index")
}

// MayBeBundle says that a referrer is an attestation, or that only its manifest can tell: old
// indexes have no artifact type, and some registries call the config's media type that.
func MayBeBundle(d ocispec.Descriptor) bool {
	return IsBundleType(d.ArtifactType) || d.ArtifactType == "" || d.ArtifactType == ocispec.MediaTypeEmptyJSON || IsAnnotated(d)
}

// IsAnnotated tells the annotations of a Sigstore bundle's manifest, whatever else a descriptor says.
func IsAnnotated(d ocispec.Descriptor) bool {
	for name := range d.Annotations {
		if strings.HasPrefix(casefold.String(name), "dev.sigstore.bundle.") {
			return true
		}
	}
	return false
}

// Unmarshal reads descriptors. It refuses lists of next to nothing, which take sixty times the memory of
// their text, and objects that CheckNames refuses.
func Unmarshal(data []byte, v any) error {
	if n := bytes.Count(data, []byte(",")); n > 10_000+len(data)/16 {
		return fmt.Errorf("%d commas in %d bytes: no such lists are read", n, len(data))
	}
	return UnmarshalTexts(data, v)
}

// UnmarshalTexts is Unmarshal for lists of texts, which may be short.
func UnmarshalTexts(data []byte, v any) error {
	if err := CheckNames(data); err != nil {
		return err
	}
	err := json.Unmarshal(data, v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is of type %s, want %s", cmp.Or(wrong.Field, "it"), wrong.Value, nameOf(wrong.Type))
	}
	return err
}

// nameOf is what JSON calls the values that a Go type takes.
func nameOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 { // bytes, in base64
			return "string"
		}
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	}
	return "whole number"
}

// CheckSize refuses what is too large, or no content at all, before it is fetched.
func CheckSize(d ocispec.Descriptor) error {
	if err := d.Digest.Validate(); err != nil {
		return &DescriptorError{Text: fmt.Sprintf("digest %q: %s", d.Digest, err)}
	}
	if d.Size < 0 || d.Size > limits.RegistryContent {
		return &DescriptorError{Text: fmt.Sprintf("%s has %d bytes, want at most %d", d.Digest, d.Size, limits.RegistryContent)}
	}
	return nil
}

// Contains says whether a list has a descriptor of that digest.
func Contains(all []ocispec.Descriptor, d digest.Digest) bool {
	return slices.ContainsFunc(all, func(o ocispec.Descriptor) bool { return o.Digest == d })
}

// OfSubject are the entries of an index, under the fallback tag of a subject, that may be its referrers. An index that names the subject
// itself is that of an image of several platforms, which the entries with a platform are.
func OfSubject(all []ocispec.Descriptor, subject digest.Digest) (referrers []ocispec.Descriptor, isImage bool) {
	if !Contains(all, subject) {
		return all, false
	}
	for _, d := range all {
		if d.Digest != subject && d.Platform == nil {
			referrers = append(referrers, d)
		}
	}
	return referrers, true
}

// Blob is a blob as a manifest names it.
type Blob struct {
	digest digest.Digest
	size   int64
}

// BlobOf is what a descriptor names.
func BlobOf(d ocispec.Descriptor) Blob { return Blob{d.Digest, d.Size} }

// Workers is how many requests are under way at once.
const Workers = 8

// InParallel calls do for 0 to n-1, a few at a time, and gives the first error.
func InParallel(ctx context.Context, n int, do func(context.Context, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(Workers)
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, i)
		})
	}
	return g.Wait()
}
