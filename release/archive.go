package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is a file in an archive; folders come of their names.
type entry struct {
	name string // with slashes, below the archive's one folder
	data []byte
	exec bool
}

func (e entry) mode() int64 {
	if e.exec {
		return 0o755
	}
	return 0o644
}

// pack makes the archive of a target. Equal entries give equal bytes: names are sorted, times are that of the commit,
// owners are root.
func pack(t target, folder string, entries []entry, at time.Time) ([]byte, error) {
	entries, at = sorted(entries), at.UTC()
	for i := 1; i < len(entries); i++ {
		if entries[i].name == entries[i-1].name {
			return nil, fmt.Errorf("%s stands twice in the archive", entries[i].name)
		}
	}
	if t.os == "windows" {
		return packZip(folder, entries, at)
	}
	return packTar(folder, entries, at)
}

// sorted are the entries in the order of their names.
func sorted(entries []entry) []entry {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries
}

func packTar(folder string, entries []entry, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: path.Join(folder, e.name), Mode: e.mode(), Size: int64(len(e.data)), ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func packZip(folder string, entries []entry, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: path.Join(folder, e.name), Method: zip.Deflate, Modified: at})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpackLimit bounds what an archive may unpack to.
const unpackLimit = 512 << 20

// unpack reads an archive that pack has made, and refuses names that lead out of its folder, links, and files that stand twice.
func unpack(t target, folder string, data []byte) (map[string][]byte, error) {
	if t.os == "windows" {
		u := newUnpacking(folder + "/")
		return u.files, unpackZip(data, u.add)
	}
	return unpackTarIn(folder, data)
}

// unpackTarIn reads a compressed tar whose files are all below a folder.
func unpackTarIn(folder string, data []byte) (map[string][]byte, error) {
	u := newUnpacking(folder + "/")
	return u.files, unpackTar(data, u.add)
}

// unpackWheel reads a wheel.
func unpackWheel(data []byte) (map[string][]byte, error) {
	u := newUnpacking("")
	return u.files, unpackZip(data, u.add)
}

// unpacking is an archive that is being read.
type unpacking struct {
	prefix string            // of all names
	files  map[string][]byte // by their names without it
	left   int64             // bytes that it may still unpack to
}

func newUnpacking(prefix string) *unpacking {
	return &unpacking{prefix, map[string][]byte{}, unpackLimit}
}

func (u *unpacking) add(name string, r io.Reader) error {
	inside, ok := strings.CutPrefix(name, u.prefix)
	if !ok || inside == "." || !fs.ValidPath(inside) || strings.ContainsAny(inside, `\:`) {
		return fmt.Errorf("archive has a file %q, which is not below %s", name, strings.TrimSuffix(u.prefix, "/"))
	}
	if _, twice := u.files[inside]; twice {
		return fmt.Errorf("archive has the file %q twice", name)
	}
	text, err := io.ReadAll(io.LimitReader(r, u.left+1))
	if u.left -= int64(len(text)); u.left < 0 {
		return fmt.Errorf("archive unpacks to more than %d bytes", unpackLimit)
	}
	u.files[inside] = text
	return err
}

func unpackZip(data []byte, add func(string, io.Reader) error) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			return fmt.Errorf("archive has %q, which is not a regular file", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		if err := add(f.Name, r); err != nil {
			return err
		}
	}
	return nil
}

func unpackTar(data []byte, add func(string, io.Reader) error) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg:
			return fmt.Errorf("archive has %q, which is not a regular file", h.Name)
		}
		if err := add(h.Name, r); err != nil {
			return err
		}
	}
}
