package registry_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

func replaceEntry(name string, with ...tarEntry) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		var kept []tarEntry
		for _, e := range readTar(t, path) {
			if e.Header.Name != name {
				kept = append(kept, e)
			}
		}
		writeFile(t, path, encodeTar(t, append(kept, with...)))
	}
}

func mangle(change func(data []byte) []byte) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, change(data))
	}
}

// A bad tarball is refused with what is wrong, and left as it is.
func TestBadTarballs(t *testing.T) {
	index := tar.Header{Name: "index.json", Linkname: "manifest.json"}
	as := func(kind byte) tarEntry { h := index; h.Typeflag = kind; return tarEntry{h, ""} }
	for name, r := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"symlink":    {replaceEntry("index.json", as(tar.TypeSymlink)), "index.json in the tarball is a link"},
		"hard link":  {replaceEntry("index.json", file("manifest.json", "{}"), as(tar.TypeLink)), "index.json in the tarball is a link"},
		"folder":     {replaceEntry("", as(tar.TypeDir)), `index.json in the tarball is of type '5'`},
		"link to it": {replaceEntry("", tarEntry{tar.Header{Typeflag: tar.TypeLink, Name: "x", Linkname: "./index.json"}, ""}), "a hard link in the tarball points at index.json"},
		"sparse":     {mangle(makeSparse), "holds a sparse file"},
		"escapes":    {replaceEntry("index.json", file("blobs/../index.json", "{}")), "holds no file index.json"},
		"absolute":   {replaceEntry("index.json", file("/index.json", "{}")), "holds no file index.json"},
		"no version": {replaceEntry("oci-layout"), "holds no file oci-layout"},
		"no JSON":    {replaceEntry("", file("index.json", "{")), "index.json: "},
		"huge":       {replaceEntry("", file("index.json", strings.Repeat(" ", 17<<20))), "more than 16777216 bytes"},
		"two in one": {mangle(func(data []byte) []byte { return append(data, data...) }), "something follows the end of the tarball"},
		"gzip":       {mangle(compress), "compressed with gzip: decompress it first"},
		"cut":        {mangle(func(data []byte) []byte { return data[:len(data)-1024-700] }), "cut off"},
		"size":       {mangle(func(data []byte) []byte { return resize(data, 1<<62) }), "cut off or spoiled after 1 entries: unexpected EOF"},
		"garbage":    {mangle(func(data []byte) []byte { return bytes.Repeat([]byte("x"), 4096) }), "nor a tarball"},
		"empty":      {mangle(func([]byte) []byte { return nil }), "holds no file oci-layout"},
	} {
		t.Run(name, func(t *testing.T) {
			path := pack(t, newLayout(t))
			_, a := resolve(t, "oci-layout://"+path)
			r.spoil(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			target, err := registry.Open(parse(t, "oci-layout://"+path), registry.Options{})
			if err == nil {
				_, err = target.Attach(context.Background(), a, sign(t, 1, attest.StatementOptions{}, a))
			}
			var failed *registry.Error
			if !errors.Is(err, registry.ErrLayout) || !errors.As(err, &failed) || !strings.Contains(err.Error(), r.want) {
				t.Errorf("%v; want %q", err, r.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the tarball has changed: %v", err)
			}
			noLitter(t, path)
		})
	}
}

func compress(data []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(data)
	_ = w.Close()
	return z.Bytes()
}

// makeSparse puts a sparse file of GNU's PAX format 0.1 before the others.
func makeSparse(data []byte) []byte {
	var all bytes.Buffer
	record := "22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n27 GNU.sparse.map=0,1,99,1\n25 GNU.sparse.size=100\n30 GNU.sparse.numblocks=2\n"
	for i, line := range strings.SplitAfter(strings.TrimSuffix(record, "\n"), "\n") {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n := len(rest) + 4
		if i == 0 {
			record = ""
		}
		record += fmt.Sprintf("%d %s\n", n, rest)
	}
	for _, e := range []tarEntry{file("PaxHeaders/hole", record), file("hole", "xy")} {
		var one bytes.Buffer
		w := tar.NewWriter(&one)
		e.Header.Size = int64(len(e.Content))
		_ = w.WriteHeader(&e.Header)
		_, _ = io.WriteString(w, e.Content)
		_ = w.Flush()
		block := one.Bytes()
		if e.Header.Name != "hole" {
			retype(block, tar.TypeXHeader)
		}
		all.Write(block)
	}
	return append(all.Bytes(), data...)
}

// resize lets the first entry claim a size, in the form of large ones.
func resize(data []byte, size uint64) []byte {
	data = bytes.Clone(data)
	copy(data[124:136], "\x80\x00\x00\x00")
	binary.BigEndian.PutUint64(data[128:136], size)
	retype(data, tar.TypeReg)
	return data
}

// retype changes the type flag of a header, and its checksum.
func retype(block []byte, kind byte) {
	block[156] = kind
	copy(block[148:156], "        ")
	sum := 0
	for _, b := range block[:512] {
		sum += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
}
