package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers itself
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm" // registers itself
)

// A package of a Linux distribution: what the archive has, where the system looks for it. nfpm writes it, without root and
// without the distribution's tools.

const (
	homepage   = "https://github.com/runattest/runattest"
	maintainer = "runattest <runattest@users.noreply.github.com>"
)

// format is a kind of package.
type format struct {
	name        string // as nfpm has it, and the suffix of the file
	completions map[string]string
	glibc       string // what a package demands whose programs need it
}

// formats differ in where zsh looks, and in what they call glibc.
var formats = []format{
	{"deb", map[string]string{"_runattest": "/usr/share/zsh/vendor-completions/_runattest"}, "libc6 (>= " + glibcFloor + ")"},
	{"rpm", map[string]string{"_runattest": "/usr/share/zsh/site-functions/_runattest"}, "glibc >= " + glibcFloor},
}

// file is the name of a package: the one that apt and dnf give to what they download.
func (f format) file(c *component, t target, r release) string {
	if f.name == "deb" {
		return fmt.Sprintf("%s_%s_%s.deb", c.name, r.debian(), t.arch)
	}
	return fmt.Sprintf("%s-%s.%s.rpm", c.name, r.debian(), rpmArch[t.arch])
}

var rpmArch = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// depends is what a package needs.
func (f format) depends(c *component) []string {
	if !c.cgo {
		return nil
	}
	return []string{f.glibc}
}

// place is where a file of the archive goes, or "" where the package has no use for it.
func (f format) place(c *component, name string) (where, kind string) {
	base, documentation := path.Base(name), files.TypeFile
	if f.name == "rpm" {
		documentation = files.TypeRPMDoc // which rpm --excludedocs leaves out
	}
	doc := "/usr/share/doc/" + c.name + "/"
	switch {
	case slices.Contains(c.programs, name):
		return "/usr/bin/" + name, files.TypeFile
	case strings.HasPrefix(name, "man/"):
		return "/usr/share/man/man1/" + base + ".gz", documentation
	case base == "runattest.bash":
		return "/usr/share/bash-completion/completions/runattest", files.TypeFile
	case base == "runattest.fish":
		return "/usr/share/fish/vendor_completions.d/runattest.fish", files.TypeFile
	case f.completions[base] != "":
		return f.completions[base], files.TypeFile
	case (name == "LICENSE" || name == "THIRD_PARTY_LICENSES") && f.name == "rpm":
		return "/usr/share/licenses/" + c.name + "/" + base, files.TypeRPMLicense
	case name == "LICENSE":
		return doc + "copyright", files.TypeFile
	case name == "THIRD_PARTY_LICENSES" && f.name == "deb":
		return doc + base + ".gz", files.TypeFile
	case name == "debian/changelog":
		return doc + "changelog.Debian.gz", files.TypeFile
	case name == "debian/override":
		return "/usr/share/lintian/overrides/" + c.name, files.TypeFile
	case name == "README.md", strings.HasSuffix(name, ".cdx.json"):
		return doc + base, documentation
	}
	return "", "" // completions of other systems' shells
}

// pack makes the package of a target out of the archive's entries. Equal entries give equal bytes on every host. It writes
// into the folder temp, which is the package's alone.
func (f format) pack(c *component, t target, r release, entries []entry, at time.Time, temp string) ([]byte, error) {
	if f.name == "deb" {
		entries = append(entries[:len(entries):len(entries)], debianEntries(c, r, at)...)
	}
	var contents files.Contents
	for i, e := range entries {
		where, kind := f.place(c, e.name)
		if where == "" {
			continue
		}
		data := e.data
		if e.name == "LICENSE" && f.name == "deb" {
			data = []byte(copyright)
		}
		if strings.HasSuffix(where, ".gz") {
			var err error
			if data, err = compress(data); err != nil {
				return nil, err
			}
		}
		source := filepath.Join(temp, fmt.Sprint(i))
		if err := os.WriteFile(source, data, 0o600); err != nil {
			return nil, err
		}
		contents = append(contents, &files.Content{Source: source, Destination: where, Type: kind, FileInfo: &files.ContentFileInfo{
			Owner: "root", Group: "root", Mode: os.FileMode(e.mode()), MTime: at,
		}})
	}
	changelog := ""
	if f.name == "rpm" { // in the header; a deb has it as a file
		changelog = filepath.Join(temp, "changelog")
		if err := os.WriteFile(changelog, rpmChangelog(r, at), 0o600); err != nil {
			return nil, err
		}
	}
	return f.write(c, t, r, contents, changelog, at)
}

// rpmChangelog is the changelog in the form of github.com/goreleaser/chglog, from which nfpm writes that of an rpm.
func rpmChangelog(r release, at time.Time) []byte {
	return fmt.Appendf(nil, "- semver: %q\n  date: %s\n  packager: %q\n  changes:\n    - note: %q\n",
		r.debian(), at.UTC().Format(time.RFC3339), maintainer, changes(r))
}

// changes is what the changelogs of the packages say.
func changes(r release) string { return "Release " + r.tag + ", see NEWS.md in the source." }

func (f format) write(c *component, t target, r release, contents files.Contents, changelog string, at time.Time) ([]byte, error) {
	version, number, _ := strings.Cut(r.debian(), "-")
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: c.name, Arch: t.arch, Platform: t.os,
		Version: version, VersionSchema: "none", Release: number,
		Section: "utils", Priority: "optional", Maintainer: maintainer, Vendor: "runattest", Homepage: homepage,
		Description: c.summary + "\n" + c.description, License: "Apache-2.0", DisableGlobbing: true, MTime: at.UTC(), Changelog: changelog,
		Overridables: nfpm.Overridables{
			Contents: contents,
			Suggests: c.suggests,
			Depends:  f.depends(c),
			Deb:      nfpm.Deb{Compression: "xz"},
			// Without a name of its own, nfpm puts that of the host into the package.
			RPM: nfpm.RPM{Compression: "xz", BuildHost: "localhost", Group: "Applications/System", Packager: maintainer, Summary: strings.ToUpper(c.summary[:1]) + c.summary[1:]},
		},
	})
	if err := nfpm.PrepareForPackager(info, f.name); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", f.name, t, err)
	}
	packager, err := nfpm.Get(f.name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := packager.Package(info, &out); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", f.name, t, err)
	}
	return out.Bytes(), nil
}

// copyright is in Debian's machine-readable form; the text of the licence is on every Debian system.
const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: runattest
Source: ` + homepage + `
Comment: The licences of the modules that the program is linked with are in THIRD_PARTY_LICENSES.gz.

Files: *
Copyright: 2026 The runattest authors
License: Apache-2.0
 On Debian systems, the text of this licence is in /usr/share/common-licenses/Apache-2.0.
`

// debianEntries are what Debian's policy wants besides.
func debianEntries(c *component, r release, at time.Time) []entry {
	changelog := fmt.Sprintf("%s (%s) unstable; urgency=medium\n\n  * %s\n\n -- %s  %s\n",
		c.name, r.debian(), changes(r), maintainer, at.UTC().Format(time.RFC1123Z))
	override := fmt.Sprintf("# It is not an upload to Debian, and closes no bug there.\n%s: initial-upload-closes-no-bugs [usr/share/doc/%[1]s/changelog.Debian.gz:1]\n", c.name)
	for _, program := range c.programs {
		if c.cgo {
			override += fmt.Sprintf("# Go links programs at a fixed address, and this one is built as the static ones are.\n%s: hardening-no-pie [usr/bin/%s]\n", c.name, program)
		} else {
			override += fmt.Sprintf("# One file for every Linux: the program needs no shared library.\n%s: statically-linked-binary [usr/bin/%s]\n", c.name, program)
		}
		if c != command {
			override += fmt.Sprintf("# Other programs start it, and --help says all that there is to say.\n%s: no-manual-page [usr/bin/%s]\n", c.name, program)
		}
	}
	return []entry{
		{name: "debian/changelog", data: []byte(changelog)},
		{name: "debian/override", data: []byte(override)},
	}
}

// compress is gzip as Debian wants it: smallest, and without name and time.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
