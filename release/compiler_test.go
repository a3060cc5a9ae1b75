package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
)

// cgoProgram is the one program with cgo of the tests' release, and what every archive of it has besides.
func cgoProgram(t *testing.T) (program []byte, files map[string][]byte) {
	t.Helper()
	r := expect(t).release
	files, err := unpack(built[0], pkcs11Plugin.folder(built[0], r), made.files[pkcs11Plugin.archive(built[0], r)])
	if err != nil {
		t.Fatal(err)
	}
	return files[pkcs11Plugin.programs[0]], files
}

// TestLibraries: a program with cgo starts where glibc is 2.17, and one that needs anything else is refused.
func TestLibraries(t *testing.T) {
	good, _ := cgoProgram(t)
	static, _, _, _ := contents(t)
	replaced := func(from, to string) []byte {
		t.Helper()
		if len(from) != len(to) || !bytes.Contains(good, []byte(from)) {
			t.Fatalf("the program does not have %q, or %q is not as long", from, to)
		}
		return bytes.ReplaceAll(good, []byte(from), []byte(to))
	}
	searching := func(tag elf.DynTag) []byte { // the entry for debuggers becomes one for a path
		t.Helper()
		f, err := elf.NewFile(bytes.NewReader(good))
		if err != nil {
			t.Fatal(err)
		}
		changed, section := bytes.Clone(good), f.Section(".dynamic")
		for at := section.Offset; at < section.Offset+section.Size; at += 16 {
			if bytes.Equal(changed[at:at+8], []byte{byte(elf.DT_DEBUG), 0, 0, 0, 0, 0, 0, 0}) {
				changed[at] = byte(tag)
				return changed
			}
		}
		t.Fatal("the program has no entry DT_DEBUG")
		return nil
	}
	arm := target{"linux", "arm64"}
	for name, c := range map[string]struct {
		data   []byte
		to     target
		reason string
	}{
		"good":              {good, built[0], ""},
		"that glibc itself": {replaced("GLIBC_2.2.5\x00", "GLIBC_2.17\x00\x00"), built[0], ""},
		"glibc 2.18":        {replaced("GLIBC_2.2.5\x00", "GLIBC_2.18\x00\x00"), built[0], "it needs GLIBC_2.18 of libc.so.6, want at most GLIBC_2.17"},
		"glibc 3":           {replaced("GLIBC_2.2.5\x00", "GLIBC_3.2.5\x00"), built[0], "it needs GLIBC_3.2.5"},
		"glibc's own":       {replaced("GLIBC_2.2.5\x00", "GLIBC_PRIVA\x00"), built[0], "it needs GLIBC_PRIVA"},
		"another library":   {replaced("\x00libdl.so.2\x00", "\x00libdx.so.2\x00"), built[0], "it needs the library libdx.so.2"},
		"another loader":    {replaced("/lib64/ld-linux-x86-64.so.2\x00", "/tmp64/ld-linux-x86-64.so.2\x00"), built[0], `loaded by "/tmp64/`},
		"a path":            {searching(elf.DT_RUNPATH), built[0], "it has DT_RUNPATH"},
		"an older path":     {searching(elf.DT_RPATH), built[0], "it has DT_RPATH"},
		"another processor": {good, arm, "it is for EM_X86_64"},
		"static":            {static, built[0], `loaded by ""`},
		"cut":               {good[:len(good)/2], built[0], ""},
		"nothing":           {nil, built[0], ""},
	} {
		err := checkLibraries(c.data, c.to)
		if fails := c.reason != "" || name == "cut" || name == "nothing"; fails != (err != nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

// TestCompilerLicences: what zig brings into a program has its licences beside those of the modules.
func TestCompilerLicences(t *testing.T) {
	_, files := cgoProgram(t)
	for _, want := range []string{"zig " + compilerVersion + ": LICENSE\n", "Zig contributors", "GNU C Library distribution"} {
		if !bytes.Contains(files["THIRD_PARTY_LICENSES"], []byte(want)) {
			t.Errorf("THIRD_PARTY_LICENSES does not have %q", want)
		}
	}
	_, others, _, _ := contents(t)
	for name, data := range others {
		if bytes.Contains(data, []byte("Zig contributors")) {
			t.Errorf("%s names zig, which is not in it", name)
		}
	}
}

// TestCompilerElsewhere: zig in another folder, from empty caches, gives the same bytes.
func TestCompilerElsewhere(t *testing.T) {
	want, _ := cgoProgram(t)
	there, err := tools(t).compiler(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	elsewhere := &toolbox{filepath.Join(temp, "tools")}
	link(t, there.dir, filepath.Join(elsewhere.dir, "compiler"))
	s, err := openSource(checkout(t), "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := s.serve(filepath.Join(temp, "proxy"))
	if err != nil {
		t.Fatal(err)
	}
	shop, err := newWorkshop(filepath.Join(temp, "another folder"), proxy, elsewhere, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shop.remove(); err != nil {
			t.Error(err)
		}
	})
	programs, err := shop.build(t.Context(), s.release, built[0], pkcs11Plugin)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(programs[0].path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d and %d bytes differ, %v", len(got), len(want), err)
	}
	if !bytes.Equal(want, bytes.ReplaceAll(want, []byte(there.dir), nil)) {
		t.Errorf("the program names %s", there.dir)
	}
}

// link makes another folder of an installed zig: with the same files, and without what it compiled.
func link(t *testing.T, from, to string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "cache":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		return os.Link(filepath.Join(from, name), filepath.Join(to, name))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPredicateCompiler: a release says what compiled C if it is for Linux, and else that nothing did.
func TestPredicateCompiler(t *testing.T) {
	sum := "h1:" + strings.Repeat("A", 43) + "="
	said := provenance{
		Version: "v0.1.0", Commit: strings.Repeat("0", 40), Go: "go1.26.8",
		Sums: map[string]string{command.module: sum, pkcs11Plugin.module: sum},
	}
	windows := target{"windows", "amd64"}
	for name, c := range map[string]struct {
		targets []target
		zig     string
		ok      bool
	}{
		"Linux":                 {[]target{windows, linux}, compilerVersion, true},
		"Linux, another zig":    {[]target{linux}, "0.18.0", true},
		"Linux without":         {[]target{linux}, "", false},
		"Linux, no version":     {[]target{linux}, "0.17.1 -I/tmp", false},
		"none":                  {[]target{windows}, "", true},
		"none, but a compiler":  {[]target{windows}, compilerVersion, false},
		"none, but a malformed": {[]target{windows}, "zig", false},
	} {
		p := said
		p.Zig = c.zig
		text, err := json.Marshal(p.predicate())
		if err != nil {
			t.Fatal(err)
		}
		predicate, err := canonical.Transform(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := expectation{release: release{"v0.1.0"}, targets: c.targets}.readPredicate(predicate)
		if (err == nil) != c.ok || c.ok && got.Zig != c.zig {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestPredicateOfOther: a statement of the release's key about something else is not the provenance of a release.
func TestPredicateOfOther(t *testing.T) {
	for _, text := range []string{"{}", "[]", `{"buildDefinition":{"resolvedDependencies":[{}]}}`} {
		if _, err := (expectation{release: release{"v0.1.0"}}).readPredicate([]byte(text)); err == nil || !strings.Contains(err.Error(), "is not that of a release") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestPredicateSnapshot: the version of a snapshot ends with its commit, which must be the one that the provenance names.
func TestPredicateSnapshot(t *testing.T) {
	const version = "v0.0.0-20261127010203-0123456789ab"
	sum := "h1:" + strings.Repeat("A", 43) + "="
	for commit, reason := range map[string]string{
		"0123456789ab" + strings.Repeat("0", 28): "",
		strings.Repeat("0", 40):                  "but the version " + version + " is of commit 0123456789ab",
	} {
		text, err := json.Marshal(provenance{
			Version: version, Commit: commit, Go: "go1.26.8", Zig: compilerVersion, Sums: map[string]string{command.module: sum, pkcs11Plugin.module: sum},
		}.predicate())
		if err != nil {
			t.Fatal(err)
		}
		predicate, err := canonical.Transform(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = expectation{release: release{version}, snapshot: true, targets: []target{linux}}.readPredicate(predicate)
		if (reason == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), reason) {
			t.Errorf("commit %s: got %v, want %q", commit, err, reason)
		}
	}
}
