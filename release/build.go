package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runattest/runattest/signer"
)

// building is one release in the making.
type building struct {
	source  *source
	targets []target
	key     signer.Signer
	tools   *toolbox // nil: they are installed for this release
	say     func(format string, args ...any)

	shop    *workshop
	module  string // the folder of the module, as it is unpacked in the workshop
	licence []byte // its LICENSE
	files   map[string][]byte
	linux   map[target][]entry // what the archives for Linux have, for the image
}

// product is a program with the texts that go with it, from which each kind of package is made.
type product struct {
	*program
	data, licences, sbom []byte
}

// add adds a file to the release.
func (b *building) add(name string, data []byte) error {
	if _, twice := b.files[name]; twice {
		return fmt.Errorf("%s: two files of the release have this name", name)
	}
	b.files[name] = data
	return nil
}

// build makes a release in the folder out, which must not be there yet: all of it appears there or nothing.
func (b *building) build(ctx context.Context, out string) (err error) {
	if _, err := os.Lstat(out); err == nil {
		return fmt.Errorf("%s is there already: name another folder, or remove it", out)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(out), ".release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if b.tools == nil {
		if b.tools, err = newToolbox(ctx, filepath.Join(temp, "tools")); err != nil {
			return err
		}
	}
	proxy, err := b.source.serve(filepath.Join(temp, "proxy"))
	if err != nil {
		return err
	}
	b.say("%s: %s %s", b.source.release.tag, modulePath, proxy.sum)
	if b.shop, err = newWorkshop(filepath.Join(temp, "shop"), proxy, false); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.shop.remove()) }()
	b.files, b.linux = map[string][]byte{}, map[target][]entry{}
	if err := b.packages(ctx); err != nil {
		return err
	}
	if err := b.sign(ctx, b.files); err != nil {
		return err
	}
	dist := filepath.Join(temp, "dist")
	if err := os.Mkdir(dist, 0o755); err != nil {
		return err
	}
	for name, data := range b.files {
		if err := os.WriteFile(filepath.Join(dist, name), data, 0o644); err != nil {
			return err
		}
	}
	return os.Rename(dist, out)
}

// packages builds every program and packs it in each way.
func (b *building) packages(ctx context.Context) error {
	host, err := b.shop.build(ctx, b.source.release, hostTarget()) // it writes the completions of all
	if err != nil {
		return err
	}
	if b.module, err = b.shop.module(modulePath, b.source.release.tag); err != nil {
		return err
	}
	if b.licence, err = os.ReadFile(filepath.Join(b.module, "LICENSE")); err != nil {
		return err
	}
	common, err := b.commonEntries(ctx, host)
	if err != nil {
		return err
	}
	for _, t := range b.targets {
		b.say("building for %s", t)
		p, err := b.product(ctx, t)
		if err != nil {
			return err
		}
		if err := b.pack(ctx, p, common); err != nil {
			return err
		}
	}
	data, err := b.npmMain()
	if err != nil {
		return err
	}
	return errors.Join(b.add(npmMain(b.source.release), data), b.image())
}

// image adds the image of the Linux targets, where there are any.
func (b *building) image() error {
	if len(b.linux) == 0 {
		return nil
	}
	index, err := imageOf(b.source.release, b.source.commit, b.linux, b.source.at)
	if err != nil {
		return err
	}
	temp, err := b.shop.temp("image")
	if err != nil {
		return err
	}
	data, err := packImage(index, b.source.release, b.source.at, temp)
	if err != nil {
		return err
	}
	return b.add(imageFile(b.source.release), data)
}

// osPackages adds deb and rpm of a Linux target.
func (b *building) osPackages(t target, entries []entry) error {
	b.linux[t] = entries
	for _, f := range formats {
		temp, err := b.shop.temp(f.name)
		if err != nil {
			return err
		}
		data, err := f.pack(t, b.source.release, entries, b.source.at, temp)
		if err != nil {
			return err
		}
		if err := b.add(f.file(t, b.source.release), data); err != nil {
			return err
		}
	}
	return nil
}

// product builds the program for a target.
func (b *building) product(ctx context.Context, t target) (p *product, err error) {
	p = &product{}
	if p.program, err = b.shop.build(ctx, b.source.release, t); err != nil {
		return nil, err
	}
	if p.data, err = os.ReadFile(p.path); err != nil {
		return nil, err
	}
	if p.licences, err = b.shop.licences(p.info); err != nil {
		return nil, err
	}
	p.sbom, err = b.tools.sbom(ctx, p.program)
	return p, err
}

// pack adds the packages of a program.
func (b *building) pack(ctx context.Context, p *product, common []entry) error {
	r := b.source.release
	entries := append(slices.Clone(common), entry{p.program.program(), p.data, true},
		entry{"THIRD_PARTY_LICENSES", p.licences, false}, entry{"sbom.cdx.json", p.sbom, false})
	archive, err := pack(p.target, p.folder(r), entries, b.source.at)
	if err != nil {
		return err
	}
	if p.os == "linux" {
		if err := b.osPackages(p.target, entries); err != nil {
			return err
		}
	}
	wheel, err := b.wheel(ctx, p)
	if err != nil {
		return err
	}
	npm, err := b.npm(p)
	if err != nil {
		return err
	}
	return errors.Join(b.add(p.archive(r), archive), b.add(p.wheel(r), wheel), b.add(p.npm(r), npm))
}

// shells are those for which there are completions, with the names of their files.
var shells = []struct{ name, file string }{
	{"bash", "runattest.bash"}, {"fish", "runattest.fish"}, {"powershell", "runattest.ps1"}, {"zsh", "_runattest"},
}

// commonEntries are the files that every archive has: texts of the module, and completions by the program itself.
func (b *building) commonEntries(ctx context.Context, host *program) ([]entry, error) {
	readme, err := os.ReadFile(filepath.Join(b.module, "README.md"))
	if err != nil {
		return nil, err
	}
	all := []entry{{name: "LICENSE", data: b.licence}, {name: "README.md", data: readme}}
	pages, err := filepath.Glob(filepath.Join(b.module, "docs", "man", "*.1"))
	if err != nil || len(pages) == 0 {
		return nil, errors.Join(errors.New("the module has no manual pages in docs/man"), err)
	}
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		all = append(all, entry{name: "man/" + filepath.Base(page), data: data})
	}
	for _, shell := range shells {
		cmd := exec.CommandContext(ctx, host.path, "completion", shell.name)
		cmd.Env = []string{}
		data, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell.name, err)
		}
		all = append(all, entry{name: "completions/" + shell.file, data: data})
	}
	return all, nil
}

// reproduce builds the programs again, elsewhere and from empty caches, and compares them with those of a release.
func reproduce(ctx context.Context, s *source, targets []target, dir string, say func(string, ...any)) error {
	temp, err := os.MkdirTemp("", "reproduce-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	proxy, err := s.serve(filepath.Join(temp, "proxy"))
	if err != nil {
		return err
	}
	shop, err := newWorkshop(filepath.Join(temp, "shop"), proxy, true)
	if err != nil {
		return err
	}
	defer func() { _ = shop.remove() }()
	var differ []string
	for _, t := range targets {
		p, err := shop.build(ctx, s.release, t)
		if err != nil {
			return err
		}
		ours, err := os.ReadFile(p.path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, t.archive(s.release)))
		if err != nil {
			return err
		}
		files, err := unpack(t, t.folder(s.release), data)
		if err != nil {
			return fmt.Errorf("%s: %w", t.archive(s.release), err)
		}
		if string(files[t.program()]) != string(ours) {
			differ = append(differ, t.String())
			continue
		}
		say("%s: the same %d bytes", t, len(ours))
	}
	if len(differ) > 0 {
		return fmt.Errorf("the program differs for %s", strings.Join(differ, ", "))
	}
	return nil
}
