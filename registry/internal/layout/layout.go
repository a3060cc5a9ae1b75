// Package layout keeps what refers to what in an OCI image layout, a folder or a tarball:
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
//
// A layout's referrers stand in its index.json, which writers change in turn, and in indexes under the tags sha256-HEX
// (lists.go). A tarball is written anew beside the old one, once for each Add, and takes its name (tarballwrite.go).
package layout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/registry/internal/store"
)

// Scheme begins the names of layouts.
const Scheme = "oci-layout://"

// Layout is an OCI image layout.
type Layout struct {
	path  string
	files tree
}

var _ store.Store = (*Layout)(nil)

// tree are the files of a layout, by their slash-separated names.
type tree interface {
	open(name string) (io.ReadCloser, error)
	// write stores the blobs, those that reindex gives, and its index. No other process of ours changes the
	// layout from before reindex is called until the end. A tarball changes at once or not at all.
	write(ctx context.Context, blobs []store.Item, reindex func() (index []byte, more []store.Item, err error)) error
}

// misshapen is a store.ErrLayout that says why.
func misshapen(format string, args ...any) error {
	return fmt.Errorf("%w: %w", store.ErrLayout, fmt.Errorf(format, args...))
}

// Open opens the layout at a path, which must be there.
func Open(path string) (*Layout, error) {
	l := &Layout{path: path, files: folder(path)}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if isLink(path) {
			err = errNowhere
		}
		return nil, none(path, misshapen("%w", err))
	case err != nil:
		return nil, l.failed(err)
	case !info.IsDir():
		tar := &tarball{path: path}
		if err := tar.look(); err != nil {
			return nil, none(path, err)
		}
		l.files = tar
	}
	var layout ocispec.ImageLayout
	data, err := l.read(ocispec.ImageLayoutFile)
	if err != nil {
		return nil, none(path, err)
	}
	if err = decode(ocispec.ImageLayoutFile, data, &layout); err == nil && layout.Version != ocispec.ImageLayoutVersion {
		err = misshapen("%s is of version %q, want %s", ocispec.ImageLayoutFile, layout.Version, ocispec.ImageLayoutVersion)
	}
	return l, l.failed(err)
}

var errNowhere = errors.New("it is a link that leads to nothing")

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// none says that what is at a path is not a layout, and how to make one.
func none(path string, err error) error {
	made := &store.Error{Target: Scheme + path, Err: err}
	if errors.Is(err, store.ErrLayout) && !errors.Is(err, errCompressed) {
		made.Hint = makeHint
	}
	return made
}

const makeHint = "oras cp -r --to-oci-layout REF FOLDER makes a layout of an artifact, which tar packs; runattest push makes one of runs"

// decode reads JSON of the layout's own.
func decode(name string, data []byte, v any) error {
	if err := store.Unmarshal(data, v); err != nil {
		return misshapen("%s: %w", name, err)
	}
	return nil
}

// failed names the layout.
func (l *Layout) failed(err error) error {
	var known *store.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, store.ErrNotFound) || errors.Is(err, context.Canceled) {
		return err
	}
	made := &store.Error{Target: Scheme + l.path, Err: err}
	if errors.Is(err, atomicfile.ErrMounted) {
		made.Hint = "mount the folder that it is in"
	}
	return made
}

// read reads one of the layout's own files.
func (l *Layout) read(name string) ([]byte, error) {
	f, err := l.files.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, misshapen("%w %s", errNoFile, name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limits.RegistryContent+1))
	if err == nil && len(data) > limits.RegistryContent {
		err = misshapen("%s has more than %d bytes", name, limits.RegistryContent)
	}
	return data, err
}

var errNoFile = errors.New("it holds no file")

func (l *Layout) index() (*ocispec.Index, error) {
	data, err := l.read(ocispec.ImageIndexFile)
	if errors.Is(err, errNoFile) { // as after a copy that broke off
		return nil, none(l.path, err)
	}
	if err != nil {
		return nil, l.failed(err)
	}
	var index ocispec.Index
	if err := decode(ocispec.ImageIndexFile, data, &index); err != nil {
		return nil, l.failed(err)
	}
	if n := len(index.Manifests); n > limits.LayoutManifests {
		return nil, l.failed(misshapen("%s has %d entries, want at most %d", ocispec.ImageIndexFile, n, limits.LayoutManifests))
	}
	return &index, nil
}

func blobName(d digest.Digest) string { return "blobs/" + d.Algorithm().String() + "/" + d.Encoded() }

// Fetch reads a blob, and holds it against its digest.
func (l *Layout) Fetch(_ context.Context, d ocispec.Descriptor) ([]byte, error) {
	unfit := store.CheckSize(d)
	if unfit != nil && d.Digest.Validate() != nil { // no name of a file is made of it
		return nil, unfit
	}
	var data []byte
	var err error
	if unfit == nil {
		data, err = l.readBlob(d)
	}
	if unfit != nil || errors.Is(err, store.ErrMismatch) { // unless it is the descriptor that is wrong
		if there, ok := l.sizeOf(d.Digest); ok && there != d.Size {
			return nil, store.WrongDescriptor(d, ocispec.Descriptor{Size: there})
		}
	}
	return data, cmp.Or(unfit, l.failed(err))
}

func (l *Layout) readBlob(d ocispec.Descriptor) ([]byte, error) {
	f, err := l.files.open(blobName(d.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, store.NoSuch(Scheme+l.path, d.Digest.String())
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := content.ReadAll(f, d)
	if errors.Is(err, content.ErrMismatchedDigest) || errors.Is(err, content.ErrTrailingData) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%s: %w: %w", d.Digest, store.ErrMismatch, err)
	}
	return data, err
}

// sizeOf is how long a blob is, if it is what its name says.
func (l *Layout) sizeOf(sum digest.Digest) (int64, bool) {
	f, err := l.files.open(blobName(sum))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	verifier := sum.Verifier()
	n, err := io.Copy(verifier, io.LimitReader(f, limits.RegistryContent+1))
	return n, err == nil && verifier.Verified()
}

// Exists says no of a blob that is spoilt, so that it is stored anew.
func (l *Layout) Exists(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	_, err := l.Fetch(ctx, d)
	if errors.Is(err, store.ErrNotFound) || store.IsSpoilt(err) {
		return false, nil
	}
	return err == nil, err
}

// Resolve finds a manifest by digest or tag; no name is the one artifact of a layout that has one.
func (l *Layout) Resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	index, err := l.index()
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	return l.resolve(ctx, index, name)
}

func (l *Layout) resolve(ctx context.Context, index *ocispec.Index, name string) (ocispec.Descriptor, []byte, error) {
	found, err := l.find(ctx, index, name)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	data, err := l.Fetch(ctx, found)
	return found, data, err
}

func (l *Layout) find(ctx context.Context, index *ocispec.Index, name string) (ocispec.Descriptor, error) {
	if strings.HasPrefix(name, "sha256:") {
		return l.findDigest(ctx, index, digest.Digest(name))
	}
	if name == "" {
		return l.only(ctx, index)
	}
	var found ocispec.Descriptor
	for _, d := range index.Manifests {
		switch {
		case d.Annotations[ocispec.AnnotationRefName] != name:
		case found.Digest != "" && found.Digest != d.Digest: // of which each program takes another
			return d, l.failed(misshapen("%s gives the tag %s to several artifacts: name one by its digest", ocispec.ImageIndexFile, name))
		default:
			found = d
		}
	}
	if found.Digest == "" {
		return found, store.NoSuch(Scheme+l.path, name)
	}
	return found, nil
}

// only is the one artifact of a layout: the only one with a tag that people gave, or where there is none, without a
// tag. What has a subject refers to an artifact, and is not meant, unless there is nothing else and the subject is elsewhere.
func (l *Layout) only(ctx context.Context, index *ocispec.Index) (ocispec.Descriptor, error) {
	if len(index.Manifests) == 1 {
		return index.Manifests[0], nil
	}
	var artifacts, referrers choice
	there := map[digest.Digest]bool{}
	for _, d := range index.Manifests {
		there[d.Digest] = true
	}
	for _, d := range index.Manifests {
		tag := d.Annotations[ocispec.AnnotationRefName]
		if isOwnTag(tag) || store.IsBundleType(d.ArtifactType) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return d, err
		}
		head, err := l.head(ctx, d)
		switch {
		case err != nil || head.Subject == nil:
			artifacts.add(d, tag)
		case !there[head.Subject.Digest]:
			referrers.add(d, tag)
		}
	}
	candidates := artifacts.candidates()
	if len(candidates) == 0 {
		candidates = referrers.candidates()
	}
	var names []string
	digests := map[digest.Digest]bool{}
	for _, d := range candidates {
		name := cmp.Or(d.Annotations[ocispec.AnnotationRefName], d.Digest.String())
		if !slices.Contains(names, name) {
			names = append(names, name)
		} else if !digests[d.Digest] {
			return d, l.failed(misshapen("%s gives the tag %s to several artifacts: name one by its digest", ocispec.ImageIndexFile, name))
		}
		digests[d.Digest] = true
	}
	if len(names) == 1 {
		return candidates[0], nil
	}
	choices := "none is there"
	if len(names) > 0 {
		choices = "there are " + visible.List(names)
	}
	return ocispec.Descriptor{}, &store.MissingError{Repository: Scheme + l.path, What: "no tag was given, and " + choices}
}

// choice are artifacts of which one may be meant where no tag is given.
type choice struct{ tagged, untagged []ocispec.Descriptor }

func (c *choice) add(d ocispec.Descriptor, tag string) {
	if tag == "" {
		c.untagged = append(c.untagged, d)
	} else {
		c.tagged = append(c.tagged, d)
	}
}

// candidates are those with a tag, or where none has one, all.
func (c *choice) candidates() []ocispec.Descriptor {
	if len(c.tagged) > 0 {
		return c.tagged
	}
	return c.untagged
}

// isOwnTag tells tags that list referrers, or name runs, from those that people give.
func isOwnTag(tag string) bool {
	return isListTag(tag) || strings.HasPrefix(tag, "airun-1-sha256-")
}

// isListTag tells the tags of lists of referrers, which begin with the algorithm of the subject's digest.
func isListTag(tag string) bool { return strings.HasPrefix(tag, "sha256-") }

// listTag is the tag of a list of referrers, which may stand behind a whole name, as container engines write tags; "" of another tag, such
// as cosign's sha256-HEX.sig.
func listTag(tag string) string {
	if at := strings.LastIndexByte(tag, ':'); at >= 0 {
		tag = tag[at+1:]
	}
	if subjectOf(tag).Validate() != nil || !isListTag(tag) {
		return ""
	}
	return tag
}

// findDigest looks in the layout's index, and in the indexes that it names.
func (l *Layout) findDigest(ctx context.Context, index *ocispec.Index, sum digest.Digest) (ocispec.Descriptor, error) {
	for _, d := range index.Manifests {
		if d.Digest == sum {
			return d, nil
		}
	}
	var found *ocispec.Descriptor
	err := l.walk(ctx, index.Manifests, func(d ocispec.Descriptor, _ *manifestHead, _ error) {
		if d.Digest == sum {
			found = &d
		}
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	if found == nil {
		return ocispec.Descriptor{}, store.NoSuch(Scheme+l.path, sum.String())
	}
	return *found, nil
}

// Add writes the blobs, then the lists of referrers and the index.
func (l *Layout) Add(ctx context.Context, all []store.Addition, stored func()) error {
	if err := l.hasRoom(all); err != nil {
		return l.failed(err)
	}
	blobs := []store.Item{store.EmptyConfig()}
	for _, a := range all {
		if run := a.Declaration; run != nil {
			if run.Layer.Digest != "" {
				blobs = append(blobs, run.Layer)
			}
			blobs = append(blobs, run.Manifest)
		}
		for _, r := range a.Referrers {
			if r.Bundle.Digest != "" {
				blobs = append(blobs, r.Bundle, r.Manifest)
			}
		}
	}
	err := l.files.write(ctx, blobs, func() ([]byte, []store.Item, error) {
		index, err := l.index()
		if err != nil {
			return nil, nil, err
		}
		lists, err := l.relist(ctx, index, all)
		if err != nil {
			return nil, nil, err
		}
		list(index, all)
		more, err := lists.write()
		if err != nil {
			return nil, nil, err
		}
		data, err := marshalIndex(index)
		return data, more, err
	})
	if err != nil {
		return l.failed(err)
	}
	for _, a := range all {
		for range a.Referrers {
			stored()
		}
	}
	return nil
}

// hasRoom refuses, before a blob is written, what the index cannot name. The lists of referrers are not made for it: a new one takes one
// entry, and says in it that it has at least minList bytes.
func (l *Layout) hasRoom(all []store.Addition) error {
	index, err := l.index()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, d := range index.Manifests {
		there[d.Annotations[ocispec.AnnotationRefName]] = true
	}
	list(index, all)
	for _, a := range all {
		if tag := store.FallbackTag(a.Subject); len(a.Referrers) > 0 && !there[tag] {
			there[tag] = true
			index.Manifests = append(index.Manifests, ocispec.Descriptor{
				MediaType: ocispec.MediaTypeImageIndex, Digest: a.Subject, Size: minList, Annotations: map[string]string{ocispec.AnnotationRefName: tag},
			})
		}
	}
	_, err = marshalIndex(index)
	return err
}

// minList is less than the bytes of any list with a referrer in it.
const minList = 100

// marshalIndex refuses an index that would not be read.
func marshalIndex(index *ocispec.Index) ([]byte, error) {
	data, err := json.Marshal(index)
	if len(data) > limits.RegistryContent || len(index.Manifests) > limits.LayoutManifests {
		err = fmt.Errorf("%s would have %d entries in %d bytes, want at most %d in %d",
			ocispec.ImageIndexFile, len(index.Manifests), len(data), limits.LayoutManifests, limits.RegistryContent)
	}
	return data, err
}

// list enters what was added into a layout's index, once.
func list(index *ocispec.Index, all []store.Addition) {
	tagged := map[string]digest.Digest{}
	for _, a := range all {
		if a.Declaration != nil {
			tagged[a.Declaration.Tag] = a.Declaration.Manifest.Digest
		}
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d ocispec.Descriptor) bool {
		return tagged[d.Annotations[ocispec.AnnotationRefName]] == d.Digest
	})
	for i, d := range index.Manifests { // what had the tag stays, for who knows its digest
		if tagged[d.Annotations[ocispec.AnnotationRefName]] != "" {
			index.Manifests[i].Annotations = maps.Clone(d.Annotations)
			delete(index.Manifests[i].Annotations, ocispec.AnnotationRefName)
		}
	}
	there := map[digest.Digest]bool{}
	for _, d := range index.Manifests {
		there[d.Digest] = true
	}
	for _, a := range all {
		if run := a.Declaration; run != nil {
			d := run.Manifest.Descriptor
			d.Annotations = map[string]string{ocispec.AnnotationRefName: run.Tag}
			index.Manifests = append(index.Manifests, d)
		}
		for _, r := range a.Referrers {
			if d := r.Manifest.Descriptor; !there[d.Digest] {
				there[d.Digest] = true
				index.Manifests = append(index.Manifests, d)
			}
		}
	}
}
