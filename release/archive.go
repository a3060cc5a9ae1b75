package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
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
	if err := errors.Join(writeTar(z, folder, entries, at), z.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeTar writes the tar in an archive.
func writeTar(to io.Writer, folder string, entries []entry, at time.Time) error {
	w := tar.NewWriter(to)
	for _, e := range entries {
		h := &tar.Header{Name: path.Join(folder, e.name), Mode: e.mode(), Size: int64(len(e.data)), ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(e.data); err != nil {
			return err
		}
	}
	return w.Close()
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
	return u.files, u.tar(folder, data)
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
	return zipIsFull(data, z)
}

// zipIsFull refuses a zip with bytes before, between or behind its files and their directory, where another reader could find
// other files. Sizes and places are those of APPNOTE.TXT 4.3.
func zipIsFull(data []byte, z *zip.Reader) error {
	const local, central, end, descriptor = 30, 46, 22, 16 // the fixed parts
	at, directory := 0, 0
	for _, f := range z.File {
		other := fmt.Errorf("%w, where %q is", errOther, f.Name)
		if len(data)-at < local {
			return other
		}
		h := data[at : at+local]
		name, extra := int(h[26])|int(h[27])<<8, int(h[28])|int(h[29])<<8
		if at += local; len(data)-at < name || string(data[at:at+name]) != f.Name || !bytes.HasPrefix(h, []byte("PK\x03\x04")) {
			return other
		}
		if start, err := f.DataOffset(); err != nil || start != int64(at+name+extra) || f.CompressedSize64 > uint64(len(data)) {
			return other
		}
		at += name + extra + int(f.CompressedSize64)
		if f.Flags&0x8 != 0 {
			at += descriptor
		}
		directory += central + len(f.Name) + len(f.Extra) + len(f.Comment)
	}
	if at+directory+end != len(data) || !bytes.HasPrefix(data[at+directory:], []byte("PK\x05\x06")) {
		return errOther
	}
	return nil
}

// errOther is for an archive that has the files that it should have, and something besides.
var errOther = errors.New("archive has more than its files, or is packed in another way")

// tar reads a compressed tar. But for the compression, which may change, it must have the bytes that writeTar gives.
func (u *unpacking) tar(folder string, data []byte) error {
	from := bytes.NewReader(data)
	z, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	z.Multistream(false)
	if z.Name != "" || z.Comment != "" || len(z.Extra) > 0 {
		return errOther
	}
	got, entries, at, odd := sha256.New(), []entry(nil), time.Time{}, ""
	all := io.TeeReader(z, got)
	for r := tar.NewReader(all); ; {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			if _, err := io.Copy(io.Discard, io.LimitReader(all, 1<<20)); err != nil {
				return err
			}
			want := sha256.New()
			if err := writeTar(want, folder, entries, at); err != nil {
				return err
			}
			same := bytes.Equal(got.Sum(nil), want.Sum(nil))
			if !same && odd != "" {
				return fmt.Errorf("archive has %q with another owner, time or kind of header than it should", odd)
			}
			if !same || from.Len() > 0 {
				return errOther
			}
			return nil
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg:
			return fmt.Errorf("archive has %q, which is not a regular file", h.Name)
		case h.Mode != 0o644 && h.Mode != 0o755:
			return fmt.Errorf("archive has %q with the mode %o", h.Name, h.Mode)
		}
		if err := u.add(h.Name, r); err != nil {
			return err
		}
		if odd == "" && (!plainHeader(h) || len(entries) > 0 && !h.ModTime.Equal(at)) {
			odd = h.Name
		}
		name := strings.TrimPrefix(h.Name, u.prefix)
		entries, at = append(entries, entry{name, u.files[name], h.Mode == 0o755}), h.ModTime
	}
}

// plainHeader reports whether a header has what writeTar writes, but for the name, the mode and the time.
func plainHeader(h *tar.Header) bool {
	return h.Format == tar.FormatUSTAR && h.Uid == 0 && h.Gid == 0 && h.Uname == "root" && h.Gname == "root" && h.ModTime.Nanosecond() == 0
}
