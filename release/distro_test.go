package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// olderRelease sorts before every release and every snapshot.
var olderRelease = release{"v0.0.0-20200101000000-0123456789ab"}

// scripted is a package of a component whose programs are scripts that print the version, with one file more.
func scripted(t *testing.T, f format, c *component, r release, more string) []byte {
	t.Helper()
	entries := []entry{{"LICENSE", []byte("text\n"), false}, {"README.md", []byte("readme\n"), false}, {more, []byte("{}\n"), false}}
	for _, name := range c.programs {
		entries = append(entries, entry{name, []byte("#!/bin/sh\necho " + r.tag + "\n"), true})
	}
	data, err := f.pack(c, built[0], r, sorted(entries), archiveTime, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// distro is a room in which a package manager installs into the folder root. The folder old has older packages, and the folder
// new those of the release that RUNATTEST_DIST names; without one, packages of scripts.
func distro(t *testing.T, f format, tools ...string) (*room, release) {
	t.Helper()
	if hostTarget() != built[0] {
		t.Skipf("these packages are for %s", built[0])
	}
	wants(t, tools...)
	dir, r := t.TempDir(), release{"v0.1.0"}
	real := os.Getenv("RUNATTEST_DIST") != ""
	if real {
		dir, r = dist(t)
	}
	room := newRoom(t, dir, "AS_ROOT=")
	if os.Getuid() != 0 { // root of a namespace: owners and chroot are then as in an installation
		room.env = append(room.env, "AS_ROOT=unshare --map-root-user")
	}
	for _, c := range components {
		writeFile(t, filepath.Join(room.dir, "old", c.name+"."+f.name), string(scripted(t, f, c, olderRelease, "gone.cdx.json")))
		name := filepath.Join(room.dir, "new", c.name+"."+f.name)
		if real {
			writeFile(t, name, readFile(t, filepath.Join(dir, f.file(c, built[0], r))))
			continue
		}
		writeFile(t, name, string(scripted(t, f, c, r, "new.cdx.json")))
	}
	// The root has no other packages: this one is what those demand whose programs need glibc.
	name := strings.Fields(f.glibc)[0]
	writeFile(t, filepath.Join(room.dir, "old", name+"."+f.name),
		string(scripted(t, f, &component{name: name, summary: "C library"}, release{"v" + glibcFloor + ".0"}, "c.cdx.json")))
	return room, r
}

// installed demands that the programs are there, and nothing of the older packages; of a release, that they are those of the
// archives, that they sign and verify, and that manual and completions are where the system looks.
func (r *room) installed(t *testing.T, release release) {
	t.Helper()
	for _, c := range components {
		for _, program := range c.programs {
			r.want(t, "test -x root/usr/bin/"+program)
		}
	}
	r.want(t, "root/usr/bin/runattest version && ! ls -R root | grep gone", release.tag)
	if os.Getenv("RUNATTEST_DIST") == "" {
		return
	}
	for _, c := range components {
		for _, program := range c.programs {
			folder := c.folder(built[0], release)
			r.want(t, "tar -xzf dist/"+folder+".tar.gz "+folder+"/"+program+" && cmp root/usr/bin/"+program+" "+folder+"/"+program)
		}
	}
	r.want(t, "PATH=$PWD/root/usr/bin:$PATH\n"+pageBlock(t, "runattest keygen")+`
sigstore-kms-awskms --version 2>&1 && sigstore-kms-pkcs11 --version 2>&1
for f in root/usr/share/man/man1/*.gz; do gzip -t $f; done
cd root/usr/share
bash -c '. bash-completion/completions/runattest && complete -p runattest' && ls fish/vendor_completions.d/runattest.fish zsh/*/_runattest`,
		"run.json.sigstore.json: verified", "version "+release.tag, "complete ", "runattest.fish", "_runattest")
}

// removed demands that no file is left outside of the database.
func (r *room) removed(t *testing.T, database string) {
	t.Helper()
	if out, err := r.run("find root ! -type d ! -path 'root/" + database + "/*'"); err != nil || out != "" {
		t.Errorf("left after removal, %v:\n%s", err, out)
	}
}

// TestDeb installs the debs over older ones, verifies what is there, and removes them, in a root of its own.
func TestDeb(t *testing.T) {
	room, r := distro(t, formats[0], "dpkg", "apt-get", "unshare")
	// A container's dpkg leaves documentation out, unless it is told not to.
	const dpkg = `dpkg() { command $AS_ROOT dpkg --root="$PWD/root" --path-include='/*' --log=/dev/null "$@"; }
`
	room.want(t, `mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates && touch root/var/lib/dpkg/status
`+dpkg+`dpkg -i old/*.deb && root/usr/bin/runattest && ls root/usr/share/doc/runattest/gone.cdx.json
dpkg -i new/*.deb
test -z "$(dpkg --verify)" && echo "verified all"
dpkg -s runattest`, olderRelease.tag, "gone.cdx.json", "Unpacking runattest ("+r.debian()+") over (", "verified all",
		"Suggests: runattest-kms, runattest-pkcs11")
	room.want(t, dpkg+"dpkg -s runattest-pkcs11", "Depends: libc6 (>= 2.17)")
	room.want(t, dpkg+"for p in runattest runattest-kms; do if dpkg -s $p | grep -E '^(Pre-)?Depends'; then exit 1; fi; done")
	room.want(t, dpkg+"if dpkg --remove libc6; then exit 1; fi", "runattest-pkcs11 depends on libc6")
	room.installed(t, r)
	const apt = `mkdir -p apt/lists/partial
apt() { apt-get -o Dir::State::status="$PWD/root/var/lib/dpkg/status" -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt" \
	-o Debug::NoLocking=1 -o APT::Architecture=amd64 --simulate --yes "$@"; }
`
	if os.Getenv("RUNATTEST_DIST") != "" { // the line of the page, as far as apt goes without the system
		room.want(t, apt+`sudo() { test "$1" = apt && "$@"; }
`+pageLine(t, r, "sudo apt install"), "runattest is already the newest version ("+r.debian()+")")
	}
	// apt refuses an older file unless it is told otherwise; dpkg warns, and takes it unless it is told otherwise.
	room.want(t, dpkg+apt+`if apt install ./old/runattest.deb; then exit 1; fi
dpkg --refuse-downgrade --install old/runattest.deb; dpkg -s runattest`, "Packages were downgraded and -y was used without --allow-downgrades",
		"will not downgrade runattest from "+r.debian(), "Version: "+r.debian())
	room.want(t, dpkg+`echo x >> root/usr/bin/runattest; dpkg --verify runattest`, "??5??????   /usr/bin/runattest")
	room.want(t, dpkg+`dpkg --purge runattest-kms runattest-pkcs11 runattest libc6`, "Removing runattest")
	room.removed(t, "var/lib/dpkg")
}

// TestLintian: of each deb, Debian's linter finds nothing but what the package overrides, and says why.
func TestLintian(t *testing.T) {
	dir, r := dist(t)
	wants(t, "lintian")
	room := newRoom(t, dir)
	for _, c := range components {
		for _, to := range onLinux(distTargets(t, dir, r)) {
			deb := formats[0].file(c, to, r)
			out, _ := room.run("lintian --allow-root --show-overrides 'dist/" + deb + "'") // its exit status counts what is overridden too
			overridden := map[string]int{}
			for line := range strings.Lines(out) {
				words := strings.Fields(line)
				switch {
				case len(words) > 2 && words[0] == "O:":
					overridden[words[2]]++
				case len(words) == 0 || words[0] != "N:":
					t.Errorf("%s: %s", deb, line)
				}
			}
			linked := "statically-linked-binary"
			if c.cgo {
				linked = "hardening-no-pie"
			}
			want := map[string]int{"initial-upload-closes-no-bugs": 1, linked: len(c.programs)}
			if c != command {
				want["no-manual-page"] = len(c.programs)
			}
			if !maps.Equal(overridden, want) {
				t.Errorf("%s: overridden are %v, want %v\n%s", deb, overridden, want, out)
			}
		}
	}
}

// TestRPMLint: of the rpms, rpmlint finds nothing but what testdata/rpmlint.toml passes over, and says why.
func TestRPMLint(t *testing.T) {
	dir, _ := dist(t)
	wants(t, "rpmlint")
	config, err := filepath.Abs("testdata/rpmlint.toml")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "cpio")
	// rpmlint unpacks an rpm by a cpio that writes absolute names where they say: the system's /usr/bin, as root.
	newRoom(t, dir).want(t, `real=$(command -v cpio) && mkdir bin && printf '#!/bin/sh\nexec %s --no-absolute-filenames "$@"\n' "$real" > bin/cpio && chmod +x bin/cpio
PATH=$PWD/bin:$PATH rpmlint --config '`+config+`' dist/*.rpm`, " 0 errors, 0 warnings")
}

// TestRPM does the same with the rpms.
func TestRPM(t *testing.T) {
	room, r := distro(t, formats[1], "rpm", "unshare")
	// Debian's rpm wants to be asked twice, since apt does not see what it installs.
	const rpm = `rpm() { command $AS_ROOT rpm --root="$PWD/root" --dbpath=/var/lib/rpm --nosignature "$@"; }
`
	room.want(t, `mkdir root
`+rpm+`rpm --initdb && rpm --install --force-debian old/*.rpm && root/usr/bin/runattest && ls root/usr/share/doc/runattest/gone.cdx.json
rpm --upgrade --force-debian new/*.rpm
rpm --verify runattest runattest-kms runattest-pkcs11 && echo "verified all"
rpm --query --requires runattest runattest-kms | grep -v '^rpmlib' || echo needs nothing
rpm --query runattest runattest-kms`, olderRelease.tag, "gone.cdx.json", "verified all", "needs nothing",
		strings.TrimSuffix(formats[1].file(command, built[0], r), ".rpm"), strings.TrimSuffix(formats[1].file(kmsPlugins, built[0], r), ".rpm"))
	room.want(t, rpm+"rpm --query --requires runattest-pkcs11; rpm --query --suggests runattest", "glibc >= 2.17\n", "runattest-kms\n", "runattest-pkcs11\n")
	room.want(t, rpm+"if rpm --erase --force-debian glibc; then exit 1; fi", "is needed by (installed) runattest-pkcs11")
	room.installed(t, r)
	if os.Getenv("RUNATTEST_DIST") != "" { // the line of the page, with rpm in the place of dnf, which Debian's systems do not have
		room.want(t, rpm+`sudo() { test "$1" = dnf && "$@"; }; dnf() { rpm --"$1" --replacepkgs --test --force-debian "$2" && echo would install; }
`+pageLine(t, r, "sudo dnf install"), "would install")
	}
	room.want(t, rpm+`if rpm --upgrade --force-debian old/runattest.rpm; then exit 1; fi; rpm --query runattest`, "which is newer than",
		strings.TrimSuffix(formats[1].file(command, built[0], r), ".rpm"))
	room.want(t, rpm+`echo x >> root/usr/bin/runattest; ! rpm --verify runattest`, "/usr/bin/runattest")
	room.want(t, rpm+`rpm --erase --force-debian runattest runattest-kms runattest-pkcs11 glibc`)
	room.removed(t, "var/lib/rpm")
}
