package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/lockedfile"
	"oras.land/oras-go/v2/content"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/limits"
)

// layoutStore is an OCI image layout, a folder or a tarball:
// https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
type layoutStore struct {
	path  string
	files layoutFiles
}

var _ store = (*layoutStore)(nil)

// layoutFiles are the files of a layout, by their slash-separated names.
type layoutFiles interface {
	open(name string) (io.ReadCloser, error)
	// create writes a file whole; errReadOnly in a tarball.
	create(name string, data []byte) error
	replace(name string, data []byte) error
	// lock keeps other processes from changing the index.
	lock() (unlock func(), err error)
}

var errReadOnly = errors.New("a tarball is only read: unpack it and name the folder")

func openLayout(path string) (*layoutStore, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	l := &layoutStore{path: path, files: folder(path)}
	if !info.IsDir() {
		if l.files, err = openTarball(path); err != nil {
			return nil, l.failed(err)
		}
	}
	var layout ocispec.ImageLayout
	data, err := l.read(ocispec.ImageLayoutFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, l.failed(errors.New("is no OCI image layout: it holds no file oci-layout"))
	}
	if err == nil {
		err = json.Unmarshal(data, &layout)
	}
	if err == nil && layout.Version != ocispec.ImageLayoutVersion {
		err = fmt.Errorf("oci-layout is of version %q, want %s", layout.Version, ocispec.ImageLayoutVersion)
	}
	return l, l.failed(err)
}

// CreateLayout makes an empty OCI layout folder, unless there is one.
func CreateLayout(path string) error {
	files := folder(path)
	if err := os.MkdirAll(filepath.Join(path, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{},
	})
	if err != nil {
		return err
	}
	if err := files.create(ocispec.ImageIndexFile, index); err != nil {
		return err
	}
	return files.create(ocispec.ImageLayoutFile, []byte(`{"imageLayoutVersion":"`+ocispec.ImageLayoutVersion+`"}`))
}

// failed names the layout.
func (l *layoutStore) failed(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Target: layoutScheme + l.path, Err: err}
}

// read reads one of the layout's own files.
func (l *layoutStore) read(name string) ([]byte, error) {
	f, err := l.files.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limits.RegistryContent+1))
	if err == nil && len(data) > limits.RegistryContent {
		err = fmt.Errorf("%s has more than %d bytes", name, limits.RegistryContent)
	}
	return data, err
}

func (l *layoutStore) index() (*ocispec.Index, error) {
	data, err := l.read(ocispec.ImageIndexFile)
	if err != nil {
		return nil, l.failed(err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, l.failed(fmt.Errorf("%s: %w", ocispec.ImageIndexFile, err))
	}
	if n := len(index.Manifests); n > limits.LayoutManifests {
		return nil, l.failed(fmt.Errorf("%s has %d entries, want at most %d", ocispec.ImageIndexFile, n, limits.LayoutManifests))
	}
	return &index, nil
}

func blobName(d digest.Digest) string { return "blobs/" + d.Algorithm().String() + "/" + d.Encoded() }

func (l *layoutStore) fetch(_ context.Context, d ocispec.Descriptor) ([]byte, error) {
	if err := checkSize(d); err != nil {
		return nil, err
	}
	f, err := l.files.open(blobName(d.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &missingError{layoutScheme + l.path, d.Digest.String()}
	}
	if err != nil {
		return nil, l.failed(err)
	}
	defer f.Close()
	data, err := content.ReadAll(f, d)
	if errors.Is(err, content.ErrMismatchedDigest) || errors.Is(err, content.ErrTrailingData) {
		err = fmt.Errorf("%s: %w: %w", d.Digest, ErrMismatch, err)
	}
	return data, l.failed(err)
}

func (l *layoutStore) exists(_ context.Context, d ocispec.Descriptor) (bool, error) {
	f, err := l.files.open(blobName(d.Digest))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, l.failed(err)
	}
	return true, f.Close()
}

func (l *layoutStore) push(_ context.Context, d ocispec.Descriptor, data []byte) error {
	return l.failed(l.files.create(blobName(d.Digest), data))
}

// resolve finds a manifest by digest or tag; no name is the one artifact of a layout that has one.
func (l *layoutStore) resolve(ctx context.Context, name string) (ocispec.Descriptor, []byte, error) {
	index, err := l.index()
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	found, err := l.find(ctx, index, name)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	data, err := l.fetch(ctx, found)
	return found, data, err
}

func (l *layoutStore) find(ctx context.Context, index *ocispec.Index, name string) (ocispec.Descriptor, error) {
	isDigest := strings.HasPrefix(name, "sha256:")
	var tags []string
	var tagged []ocispec.Descriptor
	for _, d := range index.Manifests {
		tag := d.Annotations[ocispec.AnnotationRefName]
		if name == tag && tag != "" || isDigest && d.Digest.String() == name {
			return d, nil
		}
		if tag != "" && !isOwnTag(tag) && !slices.Contains(tags, tag) {
			tags, tagged = append(tags, tag), append(tagged, d)
		}
	}
	switch {
	case isDigest:
		return l.findNested(ctx, index, digest.Digest(name))
	case name == "" && len(tagged) == 1:
		return tagged[0], nil
	case name == "" && len(index.Manifests) == 1:
		return index.Manifests[0], nil
	case name == "":
		name = "no tag was given, and there are " + fmt.Sprint(tags)
	}
	return ocispec.Descriptor{}, &missingError{layoutScheme + l.path, name}
}

// isOwnTag tells tags that list referrers, or name runs, from those that people give.
func isOwnTag(tag string) bool {
	return strings.HasPrefix(tag, "sha256-") || strings.HasPrefix(tag, "airun-1-sha256-")
}

// findNested looks in the indexes that the layout's index names.
func (l *layoutStore) findNested(ctx context.Context, index *ocispec.Index, sum digest.Digest) (ocispec.Descriptor, error) {
	var found *ocispec.Descriptor
	err := l.walk(ctx, index.Manifests, func(d ocispec.Descriptor, _ *manifestHead) {
		if d.Digest == sum {
			found = &d
		}
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	if found == nil {
		return ocispec.Descriptor{}, &missingError{layoutScheme + l.path, sum.String()}
	}
	return *found, nil
}

// update changes the layout's index while nobody else does.
func (l *layoutStore) update(change func(*ocispec.Index)) error {
	unlock, err := l.files.lock()
	if err != nil {
		return l.failed(err)
	}
	defer unlock()
	index, err := l.index()
	if err != nil {
		return err
	}
	change(index)
	data, err := json.Marshal(index)
	if err == nil {
		err = l.files.replace(ocispec.ImageIndexFile, data)
	}
	return l.failed(err)
}

func (l *layoutStore) tag(ctx context.Context, d ocispec.Descriptor, data []byte, tag string) error {
	if err := l.push(ctx, d, data); err != nil {
		return err
	}
	d.Annotations = map[string]string{ocispec.AnnotationRefName: tag}
	return l.update(func(index *ocispec.Index) {
		index.Manifests = slices.DeleteFunc(index.Manifests, func(o ocispec.Descriptor) bool {
			return o.Annotations[ocispec.AnnotationRefName] == tag
		})
		index.Manifests = append(index.Manifests, d)
	})
}

func (l *layoutStore) link(_ context.Context, _ digest.Digest, pushed []ocispec.Descriptor) error {
	return l.update(func(index *ocispec.Index) {
		there := map[digest.Digest]bool{}
		for _, d := range index.Manifests {
			there[d.Digest] = true
		}
		for _, d := range pushed {
			if !there[d.Digest] {
				index.Manifests = append(index.Manifests, d)
			}
		}
	})
}

// folder is a layout in the file system.
type folder string

func (f folder) file(name string) string { return filepath.Join(string(f), filepath.FromSlash(name)) }

func (f folder) open(name string) (io.ReadCloser, error) { return os.Open(f.file(name)) }

func (f folder) create(name string, data []byte) error {
	path := f.file(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := atomicfile.Create(path, data, 0o644); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (f folder) replace(name string, data []byte) error {
	return atomicfile.Write(f.file(name), data, 0o644)
}

func (f folder) lock() (func(), error) {
	return lockedfile.MutexAt(f.file(".index.lock")).Lock()
}
