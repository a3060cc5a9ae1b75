package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"time"
)

var archiveTime = time.Date(2026, 11, 27, 1, 2, 3, 0, time.UTC)

func TestPack(t *testing.T) {
	entries := []entry{{"runattest", []byte("program"), true}, {"man/a.1", []byte("page"), false}, {"LICENSE", nil, false}}
	for _, to := range built {
		a, err := pack(to, "folder", entries, archiveTime)
		if err != nil {
			t.Fatal(err)
		}
		other := slices.Clone(entries)
		slices.Reverse(other)
		b, err := pack(to, "folder", other, archiveTime.In(time.FixedZone("x", 3600)))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: other order or zone, other bytes: %v", to, err)
		}
		files, err := unpack(to, "folder", a)
		if err != nil || len(files) != 3 || string(files["man/a.1"]) != "page" {
			t.Errorf("%s: %v, %v", to, files, err)
		}
		if _, err := pack(to, "folder", append(other, entries[0]), archiveTime); err == nil {
			t.Errorf("%s: packed a file twice", to)
		}
	}
}

// TestUnpackRefused: names that lead out of the folder, links, and a file twice.
func TestUnpackRefused(t *testing.T) {
	for _, name := range []string{"runattest", "folder", "folder/", "folder/../x", "folder/./x", "folder//x", "/folder/x", "other/x", `folder/a\b`, "folder/c:x", "folder/.."} {
		for _, to := range built {
			if to.os != "windows" && strings.HasSuffix(name, "/") {
				continue // which archive/tar does not write as a file
			}
			if _, err := unpack(to, "folder", one(t, to, name, tar.TypeReg)); err == nil {
				t.Errorf("%s: unpacked %q", to, name)
			}
		}
	}
	for _, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeDir, tar.TypeFifo, tar.TypeChar} {
		if _, err := unpack(built[0], "folder", one(t, built[0], "folder/x", kind)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("kind %c: %v", kind, err)
		}
	}
	for _, to := range built {
		if _, err := unpack(to, "folder", one(t, to, "folder/x", tar.TypeReg, "folder/x")); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// one is an archive with empty files of these names.
func one(t *testing.T, to target, name string, kind byte, more ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	if to.os == "windows" {
		w := zip.NewWriter(&out)
		for _, name := range append([]string{name}, more...) {
			if _, err := w.Create(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range append([]string{name}, more...) {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: kind, Linkname: "target", Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
