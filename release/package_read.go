package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // what dpkg compares installed files with
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/blakesmith/ar"
	"github.com/sassoftware/go-rpmutils"
	"github.com/ulikunitz/xz"
)

// osPackage is what a deb or an rpm says and holds.
type osPackage struct {
	name, version, arch string
	needs               []string          // other packages
	files               map[string][]byte // by their place in the system
}

// check holds a package against the entries of the archive for the same target: the files that it installs must be these
// and no others.
func (f format) check(c *component, data []byte, t target, r release, archive map[string][]byte) error {
	got, err := f.read(data)
	if err != nil {
		return err
	}
	arch := t.arch
	if f.name == "rpm" {
		arch = rpmArch[arch]
	}
	if got.name != c.name || got.version != r.debian() || got.arch != arch {
		return fmt.Errorf("it is %q %q for %q, want %s %s for %s", got.name, got.version, got.arch, c.name, r.debian(), arch)
	}
	if want := f.depends(c); !slices.Equal(got.needs, want) {
		return fmt.Errorf("it needs %q, want %q", got.needs, want)
	}
	want := map[string]string{} // the archive's name of each place
	for name := range archive {
		if where, _ := f.place(c, name); where != "" {
			want[where] = name
		}
	}
	own := map[string]bool{}
	for _, name := range []string{"debian/changelog", "debian/override"} {
		if where, _ := f.place(c, name); f.name == "deb" {
			own[where] = true
		}
	}
	for _, where := range slices.Sorted(maps.Keys(got.files)) {
		name, ok := want[where]
		switch {
		case own[where] || name == "LICENSE" && f.name == "deb": // of the package alone
		case !ok:
			return fmt.Errorf("it installs %q, which the archive does not have", where)
		default:
			if err := sameContent(where, got.files[where], archive[name]); err != nil {
				return err
			}
		}
		delete(want, where)
	}
	if len(want) > 0 {
		return fmt.Errorf("it does not install %s", slices.Sorted(maps.Keys(want))[0])
	}
	return nil
}

func sameContent(where string, got, want []byte) error {
	if strings.HasSuffix(where, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(got))
		if err == nil {
			got, err = io.ReadAll(io.LimitReader(z, unpackLimit))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("its %q is not that of the archive", where)
	}
	return nil
}

func (f format) read(data []byte) (*osPackage, error) {
	if f.name == "deb" {
		return readDeb(data)
	}
	return readRPM(data)
}

// debFields are those of a control file, each once. dpkg knows others that change what is installed besides.
var debFields = []string{
	"Package", "Version", "Section", "Priority", "Architecture", "Maintainer", "Installed-Size", "Depends", "Suggests", "Homepage", "Description",
}

// readDeb reads a deb (deb(5)): debian-binary, then control and data, and nothing else.
func readDeb(data []byte) (*osPackage, error) {
	var members []string
	parts := map[string][]byte{}
	for r := ar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimSpace(h.Name), "/")
		members = append(members, name)
		if parts[name], err = io.ReadAll(io.LimitReader(r, unpackLimit)); err != nil {
			return nil, err
		}
	}
	if !slices.Equal(members, []string{"debian-binary", "control.tar.gz", "data.tar.xz"}) || string(parts["debian-binary"]) != "2.0\n" {
		return nil, fmt.Errorf("its parts are %q", members)
	}
	z, err := gzip.NewReader(bytes.NewReader(parts["control.tar.gz"]))
	if err != nil {
		return nil, err
	}
	control, err := readTree(z)
	if err != nil {
		return nil, err
	}
	x, err := xz.NewReader(bytes.NewReader(parts["data.tar.xz"]))
	if err != nil {
		return nil, err
	}
	p := &osPackage{}
	if p.files, err = readTree(x); err != nil {
		return nil, err
	}
	var fields []string
	for line := range strings.Lines(string(control["/control"])) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if strings.HasPrefix(line, " ") && slices.Equal(fields[max(0, len(fields)-1):], []string{"Description"}) {
			continue
		}
		if !slices.Contains(debFields, name) || slices.Contains(fields, name) {
			return nil, fmt.Errorf("its control file has the line %q, which is not one of ours", line)
		}
		fields = append(fields, name)
		switch name {
		case "Package":
			p.name = value
		case "Version":
			p.version = value
		case "Architecture":
			p.arch = value
		case "Depends":
			p.needs = strings.Split(value, ", ")
		}
	}
	if names := slices.Sorted(maps.Keys(control)); !slices.Equal(names, []string{"/control", "/md5sums"}) {
		return nil, fmt.Errorf("its control files are %q: a package that runs scripts is not one of ours", names)
	}
	if string(control["/md5sums"]) != md5sums(p.files) {
		return nil, errors.New("its md5sums are not those of its files")
	}
	return p, nil
}

// md5sums is the file by which dpkg -V finds changed files.
func md5sums(files map[string][]byte) string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&all, "%x  %s\n", md5.Sum(files[name]), strings.TrimPrefix(name, "/")) //nolint:gosec // as above
	}
	return all.String()
}

// readTree reads the regular files of a tar, by their absolute names, and refuses all but these and folders.
func readTree(from io.Reader) (map[string][]byte, error) {
	files := map[string][]byte{}
	left := int64(unpackLimit)
	for r := tar.NewReader(from); ; {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			return files, nil
		case err != nil:
			return nil, err
		case h.Typeflag == tar.TypeDir:
			continue
		case h.Typeflag != tar.TypeReg:
			return nil, fmt.Errorf("it has %q, which is not a regular file", h.Name)
		}
		if err := addFile(files, strings.TrimPrefix(h.Name, "."), h.Mode, r, &left); err != nil {
			return nil, err
		}
	}
}

// addFile reads one file of a package; left is how much all of them may still hold.
func addFile(files map[string][]byte, name string, mode int64, from io.Reader, left *int64) error {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if _, twice := files[name]; twice {
		return fmt.Errorf("it has %q twice", name)
	}
	if mode&0o7022 != 0 {
		return fmt.Errorf("its %q has the mode %o", name, mode)
	}
	data, err := io.ReadAll(io.LimitReader(from, *left+1))
	if *left -= int64(len(data)); *left < 0 {
		return fmt.Errorf("it unpacks to more than %d bytes", unpackLimit)
	}
	files[name] = data
	return err
}

// rpmScripts are the tags of what an rpm runs: before and after installation, removal and transactions, by triggers, and to
// verify. From rpm's lib/rpmtag.h.
var rpmScripts = []int{1023, 1024, 1025, 1026, 1065, 1079, 1151, 1152, 5066, 5076, 5103, 5104}

// Flags of what an rpm needs, from rpm's lib/rpmds.h: the package itself has them as numbers.
const (
	rpmAtLeast = 1<<2 | 1<<3 // greater or equal
	rpmOfRPM   = 1 << 24     // a feature of rpm, not a package
)

// rpmNeeds are the packages that an rpm needs, as glibc >= 2.17.
func rpmNeeds(h *rpmutils.RpmHeader) (all []string, err error) {
	if !h.HasTag(rpmutils.REQUIRENAME) {
		return nil, nil
	}
	names, err := h.GetStrings(rpmutils.REQUIRENAME)
	if err != nil {
		return nil, err
	}
	versions, err := h.GetStrings(rpmutils.REQUIREVERSION)
	if err != nil {
		return nil, err
	}
	flags, err := h.GetUint32s(rpmutils.REQUIREFLAGS)
	if err != nil || len(versions) != len(names) || len(flags) != len(names) {
		return nil, errors.Join(errors.New("what it needs is malformed"), err)
	}
	for i, name := range names {
		switch {
		case flags[i]&rpmOfRPM != 0 && strings.HasPrefix(name, "rpmlib("):
		case flags[i] == rpmAtLeast:
			all = append(all, name+" >= "+versions[i])
		default:
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s (flags %#x)", name, versions[i], flags[i])))
		}
	}
	return all, nil
}

// rpmLead is what an rpm begins with: it tells file(1) what it is, and rpm reads only the first four bytes of it.
func rpmLead(name string) []byte {
	lead := append([]byte{0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1}, make([]byte, 86)...)
	copy(lead[10:75], name)
	lead[77], lead[79] = 1, 5 // Linux, and signatures in a header
	return lead
}

// readRPM reads an rpm without scripts.
func readRPM(data []byte) (*osPackage, error) {
	r, err := rpmutils.ReadRpm(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for _, tag := range rpmScripts {
		if r.Header.HasTag(tag) {
			return nil, errors.New("it runs a script: it is not one of ours")
		}
	}
	n, err := r.Header.GetNEVRA()
	if err != nil {
		return nil, err
	}
	p := &osPackage{name: n.Name, version: n.Version + "-" + n.Release, arch: n.Arch, files: map[string][]byte{}}
	if !bytes.HasPrefix(data, rpmLead(p.name+"-"+p.version)) {
		return nil, errors.New("its lead is not that of its name and version")
	}
	if p.needs, err = rpmNeeds(r.Header); err != nil {
		return nil, err
	}
	payload, err := r.PayloadReaderExtended()
	if err != nil {
		return nil, err
	}
	left := int64(unpackLimit)
	for {
		info, err := payload.Next()
		if err == io.EOF {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		if mode := info.Mode() &^ 0o7777; mode == 0o040000 {
			continue
		} else if mode != 0o100000 {
			return nil, fmt.Errorf("it has %q, which is not a regular file", info.Name())
		}
		if err := addFile(p.files, info.Name(), int64(info.Mode()&0o7777), payload, &left); err != nil {
			return nil, err
		}
	}
}
