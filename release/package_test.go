package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blakesmith/ar"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
)

var (
	linux     = target{"linux", "amd64"}
	debRPMRel = release{"v0.2.0-rc.1"}
)

// archived is what a small archive has.
func archived() map[string][]byte {
	return map[string][]byte{
		"runattest": []byte("a program"), "LICENSE": []byte("text"), "README.md": []byte("# runattest\n"), "THIRD_PARTY_LICENSES": []byte("texts"),
		"sbom.cdx.json": []byte("{}"), "man/runattest.1": []byte(".TH runattest 1\n"), "completions/runattest.bash": []byte("# bash\n"),
		"completions/runattest.fish": []byte("# fish\n"), "completions/_runattest": []byte("# zsh\n"), "completions/runattest.ps1": []byte("# powershell\n"),
	}
}

func entriesOf(files map[string][]byte) []entry {
	var all []entry
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, entry{name, files[name], name == "runattest"})
	}
	return all
}

func packed(t *testing.T, f format, to target, r release, files map[string][]byte) []byte {
	t.Helper()
	data, err := f.pack(command, to, r, entriesOf(files), archiveTime, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPackages(t *testing.T) {
	for _, f := range formats {
		good := packed(t, f, linux, debRPMRel, archived())
		if again := packed(t, f, linux, debRPMRel, archived()); !bytes.Equal(good, again) {
			t.Errorf("%s: packed twice, the bytes differ", f.name)
		}
		change := func(change func(map[string][]byte)) []byte {
			files := archived()
			change(files)
			return packed(t, f, linux, debRPMRel, files)
		}
		for name, c := range map[string]struct {
			data   []byte
			reason string
		}{
			"good":              {good, ""},
			"another program":   {change(func(m map[string][]byte) { m["runattest"] = []byte("another") }), `its "/usr/bin/runattest" is not that of the archive`},
			"another page":      {change(func(m map[string][]byte) { m["man/runattest.1"] = []byte("another") }), `runattest.1.gz" is not that of the archive`},
			"a page too few":    {change(func(m map[string][]byte) { delete(m, "man/runattest.1") }), "does not install /usr/share/man/man1/runattest.1.gz"},
			"a page too many":   {change(func(m map[string][]byte) { m["man/ls.1"] = nil }), "installs \"/usr/share/man/man1/ls.1.gz\""},
			"another version":   {packed(t, f, linux, release{"v0.1.0"}, archived()), "0.1.0-1"},
			"another processor": {packed(t, f, target{"linux", "arm64"}, debRPMRel, archived()), `it is "runattest" "0.2.0~rc.1-1" for "a`},
			"cut":               {good[:len(good)/2], "EOF"},
			"nothing":           {nil, ""},
		} {
			err := f.check(command, c.data, linux, debRPMRel, archived())
			if (name == "good") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s, %s: got %v, want %q", f.name, name, err, c.reason)
			}
		}
	}
}

// TestPackageNeeds: the packages of a program with cgo need glibc, those of the others nothing.
func TestPackageNeeds(t *testing.T) {
	files := map[string][]byte{
		"sigstore-kms-pkcs11": []byte("a program"), "LICENSE": []byte("text"), "README.md": []byte("# plugins\n"),
		"THIRD_PARTY_LICENSES": []byte("texts"), "sbom.cdx.json": []byte("{}"),
	}
	static := *pkcs11Plugin
	static.cgo = false
	for i, f := range formats {
		newer := f
		newer.glibc = strings.Replace(f.glibc, "2.17", "2.36", 1)
		another := f
		another.glibc = []string{"curl (>= 2.17)", "curl"}[i]
		for name, c := range map[string]struct {
			format
			packed, wanted *component
			reason         string
		}{
			"good":            {f, pkcs11Plugin, pkcs11Plugin, ""},
			"static":          {f, &static, &static, ""},
			"without glibc":   {f, &static, pkcs11Plugin, "it needs []"},
			"with it":         {f, pkcs11Plugin, &static, "want []"},
			"a newer glibc":   {newer, pkcs11Plugin, pkcs11Plugin, "2.36"},
			"another package": {another, pkcs11Plugin, pkcs11Plugin, "curl"},
		} {
			data, err := c.format.pack(c.packed, linux, debRPMRel, entriesOf(files), archiveTime, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			err = f.check(c.wanted, data, linux, debRPMRel, files)
			if (c.reason == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s, %s: got %v, want %q", f.name, name, err, c.reason)
			}
		}
	}
}

// TestPackageLinks: a package with a link, or with a program that runs with the rights of another user, is refused.
func TestPackageLinks(t *testing.T) {
	source := filepath.Join(t.TempDir(), "program")
	writeFile(t, source, "a program")
	for _, f := range formats {
		for name, c := range map[string]struct {
			content files.Content
			reason  string
		}{
			"a link": {files.Content{Source: "/etc/passwd", Type: files.TypeSymlink}, `usr/bin/runattest", which is not a regular file`},
			"setuid": {files.Content{Source: source, Type: files.TypeFile, FileInfo: &files.ContentFileInfo{Mode: 0o4755}}, `usr/bin/runattest" has the mode 4755`},
		} {
			c.content.Destination = "/usr/bin/runattest"
			data, err := f.write(command, linux, debRPMRel, files.Contents{&c.content}, "", archiveTime)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.check(command, data, linux, debRPMRel, archived()); err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s, %s: got %v, want %q", f.name, name, err, c.reason)
			}
		}
	}
}

// TestTreeTwice: of two files with one name, dpkg takes the second.
func TestTreeTwice(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range []string{"./usr/bin/runattest", "usr/bin/runattest"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := readTree(&out); err == nil || !strings.Contains(err.Error(), `it has "/usr/bin/runattest" twice`) {
		t.Errorf("got %v", err)
	}
}

// TestRPMScripts: an rpm that runs a script is refused.
func TestRPMScripts(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	writeFile(t, script, "true\n")
	for name, scripts := range map[string]nfpm.Scripts{
		"before": {PreInstall: script}, "after": {PostInstall: script}, "before removal": {PreRemove: script}, "after removal": {PostRemove: script},
	} {
		var out bytes.Buffer
		info := nfpm.WithDefaults(&nfpm.Info{
			Name: command.name, Arch: linux.arch, Platform: linux.os, Version: "0.2.0~rc.1", VersionSchema: "none", Release: "1",
			Overridables: nfpm.Overridables{Scripts: scripts},
		})
		packager, err := nfpm.Get("rpm")
		if err := errors.Join(err, nfpm.PrepareForPackager(info, "rpm"), packager.Package(info, &out)); err != nil {
			t.Fatal(err)
		}
		if err := formats[1].check(command, out.Bytes(), linux, debRPMRel, archived()); err == nil || !strings.Contains(err.Error(), "it runs a script") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPackagesElsewhere: the name of the host is in none of the packages.
func TestPackagesElsewhere(t *testing.T) {
	want := map[string][]byte{}
	for _, f := range formats {
		want[f.name] = packed(t, f, linux, debRPMRel, archived())
	}
	otherHost(t)
	for _, f := range formats {
		if got := packed(t, f, linux, debRPMRel, archived()); !bytes.Equal(got, want[f.name]) {
			t.Errorf("%s: packed on a host of another name, the bytes differ", f.name)
		}
	}
}

// A deb is taken apart and made again with one thing changed.
func TestDebParts(t *testing.T) {
	deb := formats[0]
	good := packed(t, deb, linux, debRPMRel, archived())
	type parts struct {
		names []string
		data  map[string][]byte
	}
	read := func() parts {
		p := parts{data: map[string][]byte{}}
		for r := ar.NewReader(bytes.NewReader(good)); ; {
			h, err := r.Next()
			if err == io.EOF {
				return p
			}
			if err != nil {
				t.Fatal(err)
			}
			p.names = append(p.names, h.Name)
			if p.data[h.Name], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(p parts) []byte {
		var out bytes.Buffer
		w := ar.NewWriter(&out)
		if err := w.WriteGlobalHeader(); err != nil {
			t.Fatal(err)
		}
		for _, name := range p.names {
			if err := w.WriteHeader(&ar.Header{Name: name, Size: int64(len(p.data[name])), Mode: 0o644, ModTime: archiveTime}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(p.data[name]); err != nil {
				t.Fatal(err)
			}
		}
		return out.Bytes()
	}
	control := func(change func(files map[string][]byte)) func(*parts) {
		return func(p *parts) {
			z, err := gzip.NewReader(bytes.NewReader(p.data["control.tar.gz"]))
			if err != nil {
				t.Fatal(err)
			}
			files, err := readTree(z)
			if err != nil {
				t.Fatal(err)
			}
			change(files)
			p.data["control.tar.gz"] = tarOf(t, files)
		}
	}
	for name, c := range map[string]struct {
		change func(*parts)
		reason string
	}{
		"good":          {func(*parts) {}, ""},
		"written again": {control(func(map[string][]byte) {}), ""},
		"other md5sums": {control(func(f map[string][]byte) {
			f["/md5sums"] = bytes.Replace(f["/md5sums"], []byte("usr/bin"), []byte("usr/lib"), 1)
		}), "md5sums"},
		"another package needed first": {control(func(f map[string][]byte) {
			f["/control"] = append([]byte("Pre-Depends: curl\n"), f["/control"]...)
		}), `has the line "Pre-Depends: curl\n"`},
		"another package needed": {control(func(f map[string][]byte) {
			f["/control"] = append([]byte("Depends: curl\n"), f["/control"]...)
		}), `it needs ["curl"]`},
		"in other letters": {control(func(f map[string][]byte) {
			f["/control"] = append([]byte("depends: curl\n"), f["/control"]...)
		}), `has the line "depends: curl\n"`},
		"in two lines": {control(func(f map[string][]byte) {
			f["/control"] = append(f["/control"], "Suggests:\n curl\n"...)
		}), "which is not one of ours"},
		"a conflict": {control(func(f map[string][]byte) {
			f["/control"] = append(f["/control"], "Conflicts: apt\n"...)
		}), `has the line "Conflicts: apt\n"`},
		"no md5sums": {control(func(f map[string][]byte) { delete(f, "/md5sums") }), "control files"},
		"a script":   {control(func(f map[string][]byte) { f["/postinst"] = []byte("#!/bin/sh\n") }), "a package that runs scripts"},
		"another name": {control(func(f map[string][]byte) {
			f["/control"] = bytes.Replace(f["/control"], []byte("Package: r"), []byte("Package: l"), 1)
		}), `it is "lunattest"`},
		"a part too many":   {func(p *parts) { p.names = append(p.names, "data.tar.gz"); p.data["data.tar.gz"] = nil }, "its parts are"},
		"parts in disorder": {func(p *parts) { slices.Reverse(p.names) }, "its parts are"},
	} {
		p := read()
		c.change(&p)
		err := deb.check(command, write(p), linux, debRPMRel, archived())
		if (c.reason == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

func tarOf(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: "." + name, Size: int64(len(files[name])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
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

// TestRPMLead: the bytes in front of the headers of an rpm are those of its name.
func TestRPMLead(t *testing.T) {
	rpm := formats[1]
	data := packed(t, rpm, linux, debRPMRel, archived())
	if err := rpm.check(command, data, linux, debRPMRel, archived()); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{12, 60, 79, 95} {
		changed := bytes.Clone(data)
		changed[at] ^= 1
		if err := rpm.check(command, changed, linux, debRPMRel, archived()); err == nil || !strings.Contains(err.Error(), "lead is not that of") {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
}

func TestPackageModes(t *testing.T) {
	for mode, ok := range map[int64]bool{0o644: true, 0o755: true, 0o4755: false, 0o2755: false, 0o666: false, 0o777: false} {
		left := int64(10)
		if err := addFile(map[string][]byte{}, "usr/bin/runattest", mode, strings.NewReader("x"), &left); (err == nil) != ok {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	left := int64(1)
	if err := addFile(map[string][]byte{}, "x", 0o644, strings.NewReader("xx"), &left); err == nil {
		t.Error("more than the limit was read")
	}
}

// image packs an image of amd64 and arm64.
func image(t *testing.T, r release, at time.Time, files map[string][]byte, to ...target) (v1.ImageIndex, []byte) {
	t.Helper()
	entries := contentsOf{command: {}}
	for _, to := range to {
		entries[command][to] = entriesOf(files)
	}
	index, err := command.imageOf(r, "0123456789012345678901234567890123456789", entries, at)
	if err != nil {
		t.Fatal(err)
	}
	data, err := packImage(index, command.imageTag(r), at, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return index, data
}

func TestImage(t *testing.T) {
	arm := target{"linux", "arm64"}
	want := expectation{release: debRPMRel, targets: []target{linux, arm, {"windows", "amd64"}}}
	p := provenance{Commit: "0123456789012345678901234567890123456789"}
	files, entries := map[string][]byte{}, contentsOf{command: {linux: entriesOf(archived()), arm: entriesOf(archived())}}
	_, good := image(t, debRPMRel, archiveTime, archived(), linux, arm)
	if _, again := image(t, debRPMRel, archiveTime, archived(), arm, linux); !bytes.Equal(good, again) {
		t.Error("packed twice, the bytes differ")
	}
	other := archived()
	other["runattest"] = []byte("another")
	_, otherProgram := image(t, debRPMRel, archiveTime, other, linux, arm)
	_, otherVersion := image(t, release{"v0.1.0"}, archiveTime, archived(), linux, arm)
	_, oneOnly := image(t, debRPMRel, archiveTime, archived(), linux)
	_, third := image(t, debRPMRel, archiveTime, archived(), linux, arm)
	flipped := bytes.Replace(third, []byte(`"architecture":"arm64"`), []byte(`"architecture":"amd64"`), 1)
	if bytes.Equal(flipped, third) {
		t.Fatal("no byte was changed")
	}
	index, _ := image(t, debRPMRel, archiveTime, archived(), linux, arm)
	for name, c := range map[string]struct {
		data   []byte
		reason string
	}{
		"good":            {good, ""},
		"another program": {otherProgram, "is not made of the archive"},
		"another version": {otherVersion, "is not made of the archive"},
		"one platform":    {oneOnly, "it has images for [linux/amd64]"},
		"another byte":    {flipped, "want the one in its name"},
		"two indexes":     {twoIndexes(t, index), "it is not one index"},
		"a link":          {tarWith(t, &tar.Header{Name: "index.json", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "not a file of an OCI layout"},
		"a way out":       {tarWith(t, &tar.Header{Name: "../index.json", Typeflag: tar.TypeReg}), "not a file of an OCI layout"},
		"cut":             {good[:len(good)/2], "EOF"},
		"nothing":         {nil, ""},
	} {
		files[command.imageFile(debRPMRel)] = c.data
		err := want.checkImage(command, files, entries, p)
		if (name == "good") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
	files[command.imageFile(debRPMRel)] = good
	if err := want.checkImage(command, files, entries, provenance{Commit: "another"}); err == nil {
		t.Error("an image of another commit passed")
	}
}

func tarWith(t *testing.T, h *tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// twoIndexes is a layout with the index, and one more.
func twoIndexes(t *testing.T, index v1.ImageIndex) []byte {
	t.Helper()
	dir := t.TempDir()
	root, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := root.AppendIndex(index); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644})
		}
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
