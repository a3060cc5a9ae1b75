package main

import (
	"bytes"
	"context"
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// A program with cgo is compiled by zig cc, whose headers and stubs are those of the glibc that the target names: so it runs
// on older systems than the one that it is built on, and has the same bytes from each.

// glibcFloor is the oldest glibc that such a program runs on: that of manylinux2014.
const glibcFloor = "2.17"

// compilerRequirement is the package of the Python Package Index with zig, with the digests of its files for the hosts that
// build releases.
//
//go:embed compiler.txt
var compilerRequirement []byte

// compilerVersion is the version of zig in compilerRequirement.
var compilerVersion = string(regexp.MustCompile(`(?m)^ziglang==(\S+) `).FindSubmatch(compilerRequirement)[1])

// cgoFlags are buildFlags for a program with cgo. Symbols that the linker of C leaves would differ with the folder.
var cgoFlags = []string{"-trimpath", "-tags=" + buildTag, "-ldflags=-s -w -extldflags=-Wl,--strip-all"}

// cgoVariables are what makes the Go command compile C for a target. Without -g0, zig writes where its headers are; the
// program would not have that, but its build ID depends on it. The Go command does not ask zig for its version, so that its
// cache would give what another zig compiled: the version stands among the flags.
func cgoVariables(t target, version string) []string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[t.arch]
	return []string{
		"CGO_ENABLED=1",
		"CC=zig cc -target " + arch + "-linux-gnu." + glibcFloor,
		"CGO_CFLAGS=-O2 -g0 -DZIG=" + version,
	}
}

// compiler is an installed zig.
type compiler struct{ dir string }

// compiler installs zig on first use.
func (t *toolbox) compiler(ctx context.Context) (*compiler, error) {
	c := &compiler{filepath.Join(t.dir, "compiler")}
	if _, err := os.Stat(c.dir); err == nil {
		return c, nil
	}
	temp := c.dir + ".new"
	if err := t.pip(ctx, compilerRequirement, temp); err != nil {
		return nil, fmt.Errorf("install what compiles C: %w", err)
	}
	return c, os.Rename(temp, c.dir)
}

// folder has the program zig, with its library and licence.
func (c *compiler) folder() string { return filepath.Join(c.dir, "ziglang") }

// environ is what a build with cgo sees besides the environment of all builds.
func (c *compiler) environ(t target) []string {
	cache := filepath.Join(c.dir, "cache")
	return append(cgoVariables(t, compilerVersion),
		"PATH="+c.folder()+string(os.PathListSeparator)+os.Getenv("PATH"),
		"ZIG_GLOBAL_CACHE_DIR="+cache, "ZIG_LOCAL_CACHE_DIR="+cache)
}

// licences appends those of what a program has of zig and of the glibc that comes with it: the code that starts it, and what
// a processor lacks.
func (c *compiler) licences(to *bytes.Buffer) error {
	for _, name := range []string{"LICENSE", "lib/libc/glibc/LICENSES"} {
		data, err := os.ReadFile(filepath.Join(c.folder(), filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		appendLicence(to, "zig "+compilerVersion, name, data)
	}
	return nil
}

// systemLibraries are parts of glibc. A program with cgo loads no others before it runs.
var systemLibraries = []string{"libc.so.6", "libdl.so.2", "libpthread.so.0", "libresolv.so.2"}

// machines are the processors of Linux, with the programs that load others.
var machines = map[string]struct {
	machine elf.Machine
	loader  string
}{
	"amd64": {elf.EM_X86_64, "/lib64/ld-linux-x86-64.so.2"},
	"arm64": {elf.EM_AARCH64, "/lib/ld-linux-aarch64.so.1"},
}

// checkLibraries refuses a program for Linux that needs more of the system than glibcFloor.
func checkLibraries(data []byte, t target) error {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return err
	}
	want := machines[t.arch]
	if loader := loader(f); f.Machine != want.machine || loader != want.loader {
		return fmt.Errorf("it is for %s and loaded by %q, want %s and %q", f.Machine, loader, want.machine, want.loader)
	}
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		if path, err := f.DynString(tag); err != nil || len(path) > 0 {
			return errors.Join(fmt.Errorf("it has %s %q: libraries are where the system has them", tag, path), err)
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, name := range libraries {
		if !slices.Contains(systemLibraries, name) {
			return fmt.Errorf("it needs the library %s, want only %q", name, systemLibraries)
		}
	}
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		return err
	}
	for _, library := range needs {
		for _, need := range library.Needs {
			version, ok := strings.CutPrefix(need.Dep, "GLIBC_")
			if !ok || !semver.IsValid("v"+version) || semver.Compare("v"+version, "v"+glibcFloor) > 0 {
				return fmt.Errorf("it needs %s of %s, want at most GLIBC_%s", need.Dep, library.Name, glibcFloor)
			}
		}
	}
	return nil
}

// loader is the program that the system starts a program by, "" if it starts by itself.
func loader(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 256 {
			continue
		}
		name := make([]byte, p.Filesz)
		if _, err := p.ReadAt(name, 0); err != nil {
			return ""
		}
		return string(bytes.TrimSuffix(name, []byte{0}))
	}
	return ""
}
