package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/runattest/runattest/internal/boundedfile"
)

// reproduce builds the programs again, elsewhere and from empty caches, and compares them with those in every file of a
// release.
func reproduce(ctx context.Context, s *source, targets []target, dir string, say func(string, ...any)) error {
	temp, err := os.MkdirTemp("", "reproduce-tools-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	return reproduction{source: s, dir: dir, tools: &toolbox{temp}, fresh: true, say: say}.run(ctx, targets)
}

// reproduction is what reproduce works with.
type reproduction struct {
	source *source
	dir    string // of the release
	tools  *toolbox
	fresh  bool // from an empty build cache
	say    func(string, ...any)
}

func (r reproduction) run(ctx context.Context, targets []target) error {
	if err := r.present(targets); err != nil { // before minutes of building
		return err
	}
	temp, err := os.MkdirTemp("", "reproduce-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	proxy, err := r.source.serve(filepath.Join(temp, "proxy"))
	if err != nil {
		return err
	}
	shop, err := newWorkshop(filepath.Join(temp, "shop"), proxy, r.tools, r.fresh)
	if err != nil {
		return err
	}
	defer func() { _ = shop.remove() }()
	var differ []string
	for _, c := range components {
		for _, t := range c.of(targets) {
			programs, err := shop.build(ctx, r.source.release, t, c)
			if err != nil {
				return err
			}
			for _, h := range c.holders(t, r.source.release) {
				others, err := r.compare(h, programs)
				if err != nil {
					return fmt.Errorf("%s: %w", h.file, err)
				}
				differ = append(differ, others...)
			}
		}
	}
	if len(differ) > 0 {
		return fmt.Errorf("not the bytes that this source gives: %s", strings.Join(differ, ", "))
	}
	return nil
}

// present demands that every file is there that a program is compared with.
func (r reproduction) present(targets []target) error {
	for _, c := range components {
		for _, t := range c.of(targets) {
			for _, h := range c.holders(t, r.source.release) {
				if _, err := os.Lstat(filepath.Join(r.dir, h.file)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// compare holds the programs in one file of the release against those that were built. It returns the names of those that differ.
func (r reproduction) compare(h holder, programs []*program) (differ []string, err error) {
	data, err := boundedfile.ReadRegular(filepath.Join(r.dir, h.file), fileLimit)
	if err != nil {
		return nil, err
	}
	files, err := h.read(data)
	if err != nil {
		return nil, err
	}
	for _, p := range programs {
		ours, err := os.ReadFile(p.path)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(files[h.folder+p.file(p.name)], ours) {
			differ = append(differ, fmt.Sprintf("%s in %s", p.name, h.file))
			continue
		}
		r.say("%s: %s for %s: the same %d bytes", h.file, p.name, p.target, len(ours))
	}
	return differ, nil
}

// holder is a file of a release that holds the programs of a component for a target.
type holder struct {
	file   string
	read   func(data []byte) (map[string][]byte, error)
	folder string // of the programs, with a slash behind it, or ""
}

// holders are all files with the programs of a component for a target.
func (c *component) holders(t target, r release) []holder {
	archive := func(data []byte) (map[string][]byte, error) { return unpack(t, c.folder(t, r), data) }
	all := []holder{{c.archive(t, r), archive, ""}}
	if c == command {
		npm := func(data []byte) (map[string][]byte, error) { return unpackTarIn(npmFolder, data) }
		all = append(all, holder{t.wheel(r), unpackWheel, "runattest-" + r.python() + ".data/scripts/"}, holder{t.npm(r), npm, "bin/"})
	}
	if t.os != "linux" {
		return all
	}
	for _, f := range formats {
		installed := func(data []byte) (map[string][]byte, error) {
			p, err := f.read(data)
			if err != nil {
				return nil, err
			}
			return p.files, nil
		}
		all = append(all, holder{f.file(c, t, r), installed, "/usr/bin/"})
	}
	image := func(data []byte) (map[string][]byte, error) { return readImageFiles(data, t) }
	for _, other := range components {
		if slices.Contains(other.image, c) {
			all = append(all, holder{other.imageFile(r), image, "/usr/bin/"})
		}
	}
	return all
}

// readImageFiles are the files in the image for a target, by their absolute names.
func readImageFiles(data []byte, t target) (map[string][]byte, error) {
	temp, err := os.MkdirTemp("", "image-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	index, err := readImage(data, temp)
	if err != nil {
		return nil, err
	}
	all, err := images(index)
	if err != nil {
		return nil, err
	}
	image, ok := all[t.String()]
	if !ok {
		return nil, fmt.Errorf("it has no image for %s", t)
	}
	from := mutate.Extract(image)
	files, err := readTree(from)
	return files, errors.Join(err, from.Close())
}
