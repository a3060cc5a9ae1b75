package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// contents unpacks the linux packages of the release that all tests share.
func contents(t *testing.T) (program []byte, wheel, npm, main map[string][]byte) {
	t.Helper()
	r := expect(t).release
	check := func(files map[string][]byte, err error) map[string][]byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	archive := check(unpack(built[0], command.folder(built[0], r), made.files[command.archive(built[0], r)]))
	return archive["runattest"], check(unpackWheel(made.files[built[0].wheel(r)])),
		check(unpackTarIn(npmFolder, made.files[built[0].npm(r)])), check(unpackTarIn(npmFolder, made.files[npmMain(r)]))
}

// record writes RECORD again.
func record(files map[string][]byte) {
	const name = "runattest-0.1.0.dist-info/RECORD"
	var all bytes.Buffer
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if sum := sha256.Sum256(files[file]); file != name {
			fmt.Fprintf(&all, "%s,sha256=%s,%d\n", file, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[file]))
		}
	}
	files[name] = fmt.Appendf(all.Bytes(), "%s,,\n", name)
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, data := range files {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCheckWheel(t *testing.T) {
	program, good, _, _ := contents(t)
	const (
		script = "runattest-0.1.0.data/scripts/runattest"
		info   = "runattest-0.1.0.dist-info/"
	)
	replace := func(f map[string][]byte, name, from, to string) {
		changed := bytes.Replace(f[name], []byte(from), []byte(to), 1)
		if bytes.Equal(changed, f[name]) {
			t.Fatalf("%s does not have %q", name, from)
		}
		f[name] = changed
	}
	for name, c := range map[string]struct {
		change func(f map[string][]byte)
		reason string
	}{
		"good":                   {func(map[string][]byte) {}, ""},
		"written again":          {record, ""},
		"a changed file":         {func(f map[string][]byte) { f["runattest/__init__.py"] = []byte("import os\n") }, "RECORD: line"},
		"an unlisted file":       {func(f map[string][]byte) { f["runattest/x.py"] = nil }, `does not list "runattest/x.py"`},
		"a listed file absent":   {func(f map[string][]byte) { delete(f, "runattest/py.typed") }, `lists "runattest/py.typed", which is not`},
		"a file listed twice":    {func(f map[string][]byte) { f[info+"RECORD"] = append(f[info+"RECORD"], f[info+"RECORD"]...) }, "once a file"},
		"no RECORD":              {func(f map[string][]byte) { delete(f, info+"RECORD") }, "does not list"},
		"another package":        {func(f map[string][]byte) { f["pip/__init__.py"] = nil; record(f) }, "want only runattest/"},
		"a startup file":         {func(f map[string][]byte) { f["x.pth"] = []byte("import os\n"); record(f) }, "want only runattest/"},
		"another script":         {func(f map[string][]byte) { f["runattest-0.1.0.data/scripts/pip"] = nil; record(f) }, "want only runattest/"},
		"another program":        {func(f map[string][]byte) { f[script] = append(slices.Clone(f[script]), 0); record(f) }, "is not the program of"},
		"a digest of another":    {func(f map[string][]byte) { replace(f, "runattest/_build.py", `SHA256 = "`, `SHA256 = "0`); record(f) }, "is not about this program"},
		"another release inside": {func(f map[string][]byte) { replace(f, "runattest/_build.py", "v0.1.0", "v0.1.1"); record(f) }, "is not about this program"},
		"another version":        {func(f map[string][]byte) { replace(f, info+"METADATA", "Version: 0.1.0", "Version: 0.0.9"); record(f) }, "METADATA: Version is"},
		"another name":           {func(f map[string][]byte) { replace(f, info+"METADATA", "Name: runattest", "Name: x"); record(f) }, "METADATA: Name is"},
		"another package needed": {func(f map[string][]byte) {
			replace(f, info+"METADATA", "Name: runattest", "Name: runattest\nrequires-dist: x")
			record(f)
		}, "METADATA: has Requires-Dist"},
		"another tag":    {func(f map[string][]byte) { replace(f, info+"WHEEL", "musllinux_1_1", "musllinux_1_2"); record(f) }, "WHEEL: has tags"},
		"a tag too many": {func(f map[string][]byte) { replace(f, info+"WHEEL", "Tag:", "Tag: py3-none-any\nTag:"); record(f) }, "WHEEL: has tags"},
	} {
		files := maps.Clone(good)
		c.change(files)
		err := checkWheel(zipped(t, files), release{"v0.1.0"}, built[0], program)
		if c.reason == "" && err != nil || c.reason != "" && (err == nil || !strings.Contains(err.Error(), c.reason)) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
	if err := checkWheel(make([]byte, wheelLimit+1), release{"v0.1.0"}, built[0], program); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("a wheel over the limit: %v", err)
	}
}

func TestCheckNPM(t *testing.T) {
	_, _, npm, main := contents(t)
	program := []byte("a small one, which is packed quickly")
	npm["bin/runattest"] = program
	set := func(name string, value any) func(map[string][]byte) {
		return func(f map[string][]byte) {
			var m map[string]any
			if err := json.Unmarshal(f["package.json"], &m); err != nil {
				t.Fatal(err)
			}
			m[name] = value
			f["package.json"], _ = json.Marshal(m)
		}
	}
	add := func(name string) func(map[string][]byte) { return func(f map[string][]byte) { f[name] = nil } }
	install := set("scripts", map[string]string{"postinstall": "id"})
	for name, c := range map[string]struct {
		main   bool
		change func(f map[string][]byte)
		reason string
	}{
		"good":                      {false, func(map[string][]byte) {}, ""},
		"an install script":         {false, install, "scripts is"},
		"a file too many":           {false, add("binding.gyp"), "want"},
		"a program changed":         {false, add("bin/runattest"), "is not the program of"},
		"another system":            {false, set("os", []string{"win32"}), "os is"},
		"another processor":         {false, set("cpu", []string{"arm64"}), "cpu is"},
		"another name":              {false, set("name", "@runattest/linux-arm64"), "name is"},
		"another version":           {false, set("version", "0.0.9"), "version is"},
		"main, good":                {true, func(map[string][]byte) {}, ""},
		"main, an install script":   {true, install, "scripts is"},
		"main, a file too many":     {true, add("binding.gyp"), "want"},
		"main, another version":     {true, set("version", "0.1.1"), "version is"},
		"main, a dependency":        {true, set("dependencies", map[string]string{"x": "1"}), "dependencies is"},
		"main, a loose dependency":  {true, set("optionalDependencies", map[string]string{"@runattest/linux-x64": "^0.1.0"}), "optionalDependencies is"},
		"main, a peer":              {true, set("peerDependencies", map[string]string{"x": "1"}), "peerDependencies is"},
		"main, another entry":       {true, set("main", "x.js"), "main is"},
		"main, another command too": {true, set("bin", map[string]string{"runattest": "bin/runattest.js", "npm": "index.js"}), "bin is"},
	} {
		files := npm
		if c.main {
			files = main
		}
		files = maps.Clone(files)
		c.change(files)
		var entries []entry
		for name, data := range files {
			entries = append(entries, entry{name: name, data: data})
		}
		data, err := packTar(npmFolder, sorted(entries), archiveTime)
		if err != nil {
			t.Fatal(err)
		}
		if c.main {
			err = checkNPMMain(data, release{"v0.1.0"}, built)
		} else {
			err = checkNPM(data, release{"v0.1.0"}, built[0], program)
		}
		if c.reason == "" && err != nil || c.reason != "" && (err == nil || !strings.Contains(err.Error(), c.reason)) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

// TestNames: every file of a release has a name of its own, on every target.
func TestNames(t *testing.T) {
	names := packages(release{"v0.2.0-rc.1"}, targets)
	// Those of Linux have a deb and an rpm of each component besides, and all have one image of two; the third is for Linux alone.
	linux := 2
	if len(names) != 4*len(targets)+1+linux+3*linux*len(formats)+2 || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names %q", names)
	}
	for _, name := range []string{
		"runattest-0.2.0rc1-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64.whl",
		"runattest-0.2.0rc1-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
		"runattest-0.2.0rc1-py3-none-macosx_12_0_arm64.whl", "runattest-0.2.0rc1-py3-none-macosx_12_0_x86_64.whl",
		"runattest-0.2.0rc1-py3-none-win_amd64.whl", "runattest-0.2.0rc1-py3-none-win_arm64.whl",
		"runattest-0.2.0-rc.1.tgz", "runattest-win32-x64-0.2.0-rc.1.tgz", "runattest-darwin-arm64-0.2.0-rc.1.tgz",
		"runattest_0.2.0-rc.1_linux_arm64.tar.gz", "runattest_0.2.0-rc.1_windows_amd64.zip", "runattest_0.2.0-rc.1_image.tar",
		"runattest_0.2.0~rc.1-1_arm64.deb", "runattest-0.2.0~rc.1-1.aarch64.rpm",
		"runattest-kms_0.2.0-rc.1_linux_arm64.tar.gz", "runattest-kms_0.2.0-rc.1_windows_amd64.zip", "runattest-kms_0.2.0-rc.1_image.tar",
		"runattest-pkcs11_0.2.0-rc.1_linux_amd64.tar.gz", "runattest-pkcs11_0.2.0-rc.1_linux_arm64.tar.gz",
		"runattest-pkcs11_0.2.0~rc.1-1_amd64.deb", "runattest-pkcs11-0.2.0~rc.1-1.aarch64.rpm",
		"runattest-kms_0.2.0~rc.1-1_amd64.deb", "runattest-kms-0.2.0~rc.1-1.x86_64.rpm",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among %q", name, names)
		}
	}
	b := &building{files: map[string][]byte{}}
	if err := b.add("x", nil); err != nil {
		t.Error(err)
	}
	if err := b.add("x", nil); err == nil || !strings.Contains(err.Error(), "have this name") {
		t.Errorf("two files of one name: %v", err)
	}
}

func TestModuleWithoutLicence(t *testing.T) {
	var to bytes.Buffer
	dir := t.TempDir()
	writeFile(t, dir+"/LICENSES.go", "package x\n")
	if err := appendLicences(&to, "example.org/x v1.0.0", dir); err == nil || !strings.Contains(err.Error(), "has no licence file") {
		t.Errorf("got %v", err)
	}
	writeFile(t, dir+"/COPYING.txt", "free\n")
	if err := appendLicences(&to, "example.org/x v1.0.0", dir); err != nil || !strings.Contains(to.String(), "free") {
		t.Errorf("got %v, %q", err, &to)
	}
}
