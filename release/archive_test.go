package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
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

// TestUnpackMore: what is in an archive besides its files, or around it, is refused.
func TestUnpackMore(t *testing.T) {
	entries := []entry{{"LICENSE", []byte("text"), false}, {"runattest", []byte("program"), true}}
	good := map[target][]byte{}
	for _, to := range built {
		data, err := pack(to, "folder", entries, archiveTime)
		if err != nil {
			t.Fatal(err)
		}
		good[to] = data
	}
	zipped := func(text []byte) []byte {
		data, err := compress(text)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	tarred := func(change func(h *tar.Header), more string) []byte {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		for _, e := range entries {
			h := &tar.Header{Name: "folder/" + e.name, Mode: e.mode(), Size: int64(len(e.data)), ModTime: archiveTime, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
			change(h)
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(e.data); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return zipped(append(out.Bytes(), more...))
	}
	same := func(*tar.Header) {}
	named := func(name func(h *gzip.Header)) []byte { // the same tar in another gzip
		t.Helper()
		z, err := gzip.NewReader(bytes.NewReader(good[built[0]]))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		to := gzip.NewWriter(&out)
		name(&to.Header)
		if _, err := io.Copy(to, z); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	commented := bytes.Clone(good[built[1]])
	commented[len(commented)-2] = 1 // the length of the comment
	for name, c := range map[string]struct {
		to   target
		data []byte
		good bool
	}{
		"tar":                  {built[0], good[built[0]], true},
		"zip":                  {built[1], good[built[1]], true},
		"compressed again":     {built[0], tarred(same, ""), true},
		"bytes behind":         {built[0], append(bytes.Clone(good[built[0]]), "x"...), false},
		"a second member":      {built[0], append(bytes.Clone(good[built[0]]), zipped(make([]byte, 1024))...), false},
		"bytes in the member":  {built[0], tarred(same, "x"), false},
		"zeros in the member":  {built[0], tarred(same, strings.Repeat("\x00", 512)), false},
		"setuid":               {built[0], tarred(func(h *tar.Header) { h.Mode = 0o4755 }, ""), false},
		"writable":             {built[0], tarred(func(h *tar.Header) { h.Mode = 0o666 }, ""), false},
		"an owner":             {built[0], tarred(func(h *tar.Header) { h.Uid = 1000 }, ""), false},
		"a time of one":        {built[0], tarred(func(h *tar.Header) { h.ModTime = h.ModTime.Add(time.Duration(h.Size) * time.Second) }, ""), false},
		"a name of the tar":    {built[0], named(func(h *gzip.Header) { h.Name = "x" }), false},
		"a comment of it":      {built[0], named(func(h *gzip.Header) { h.Comment = "x" }), false},
		"a field of it":        {built[0], named(func(h *gzip.Header) { h.Extra = []byte("x") }), false},
		"zip, two names":       {built[1], bytes.Replace(good[built[1]], []byte("folder/LICENSE"), []byte("folder/licence"), 1), false},
		"zip, bytes behind":    {built[1], append(bytes.Clone(good[built[1]]), "x"...), false},
		"zip, a comment":       {built[1], append(commented, "x"...), false},
		"zip, bytes in front":  {built[1], append([]byte("#!/bin/sh\n"), good[built[1]]...), false},
		"zip, a zip in front":  {built[1], append(bytes.Clone(good[built[1]]), good[built[1]]...), false},
		"zip, an empty before": {built[1], append(one(t, built[1], "folder/x", 0), good[built[1]]...), false},
	} {
		if files, err := unpack(c.to, "folder", c.data); (err == nil) != c.good || c.good && len(files) != 2 {
			t.Errorf("%s: %d files, %v", name, len(files), err)
		}
	}
}

// TestUnpackNames: where one file of an archive differs from what it should be, the message names it.
func TestUnpackNames(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range []string{"folder/a", "folder/b"} {
		h := &tar.Header{Name: name, Mode: 0o644, ModTime: archiveTime, Uname: "root", Gname: "root", Format: tar.FormatUSTAR}
		if name == "folder/b" {
			h.Uid = 1000
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := compress(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(built[0], "folder", data); err == nil || !strings.Contains(err.Error(), `archive has "folder/b" with another owner`) {
		t.Errorf("tar: %v", err)
	}
	data = append([]byte("#!/bin/sh\n"), one(t, built[1], "folder/x", 0)...)
	if _, err := unpack(built[1], "folder", data); err == nil || !strings.Contains(err.Error(), `where "folder/x" is`) {
		t.Errorf("zip: %v", err)
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
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	link := &zip.FileHeader{Name: "folder/x"}
	link.SetMode(fs.ModeSymlink | 0o777)
	if _, err := w.CreateHeader(link); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(built[1], "folder", out.Bytes()); err == nil || !strings.Contains(err.Error(), `"folder/x", which is not a regular file`) {
		t.Errorf("a link in a zip: %v", err)
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
