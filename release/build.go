package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

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
	module  string // the folder of the module of runattest itself, as it is unpacked in the workshop
	licence []byte // its LICENSE
	files   map[string][]byte
	linux   contentsOf // what the archives for Linux have, for the images
}

// contentsOf is what the archives of each component have for some targets.
type contentsOf map[*component]map[target][]entry

// binary is a program with its bill of materials.
type binary struct {
	*program
	data, sbom []byte
}

// product is a component for a target with the texts that go with it, from which each kind of package is made.
type product struct {
	*component
	target
	programs []binary
	licences []byte
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
	if out, err = filepath.Abs(out); err != nil { // the Go command wants its folders, which are beside it, so
		return err
	}
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
	for _, c := range modules() {
		b.say("%s: %s %s", b.source.release.tag, c.module, proxy.sums[c.module])
	}
	if b.shop, err = newWorkshop(filepath.Join(temp, "shop"), proxy, b.tools, false); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.shop.remove()) }()
	b.files, b.linux = map[string][]byte{}, contentsOf{}
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
	for _, c := range components {
		targets := c.of(b.targets)
		if len(targets) == 0 {
			continue
		}
		b.linux[c] = map[target][]entry{}
		texts, err := b.texts(ctx, c, targets[0])
		if err != nil {
			return err
		}
		for _, t := range targets {
			b.say("building %s for %s", c.name, t)
			p, err := b.product(ctx, t, c)
			if err != nil {
				return err
			}
			if err := b.pack(ctx, p, texts); err != nil {
				return err
			}
		}
		if err := b.image(c); err != nil {
			return err
		}
	}
	data, err := b.npmMain()
	if err != nil {
		return err
	}
	return b.add(npmMain(b.source.release), data)
}

// image adds the image of a component for the Linux targets, where there are any.
func (b *building) image(c *component) error {
	if len(b.linux[c]) == 0 || c.image == nil {
		return nil
	}
	index, err := c.imageOf(b.source.release, b.source.commit, b.linux, b.source.at)
	if err != nil {
		return err
	}
	temp, err := b.shop.temp("image")
	if err != nil {
		return err
	}
	data, err := packImage(index, c.imageTag(b.source.release), b.source.at, temp)
	if err != nil {
		return err
	}
	return b.add(c.imageFile(b.source.release), data)
}

// osPackages adds deb and rpm of a Linux target.
func (b *building) osPackages(p *product, entries []entry) error {
	b.linux[p.component][p.target] = entries
	for _, f := range formats {
		temp, err := b.shop.temp(f.name)
		if err != nil {
			return err
		}
		data, err := f.pack(p.component, p.target, b.source.release, entries, b.source.at, temp)
		if err != nil {
			return err
		}
		if err := b.add(f.file(p.component, p.target, b.source.release), data); err != nil {
			return err
		}
	}
	return nil
}

// product builds a component for a target.
func (b *building) product(ctx context.Context, t target, c *component) (*product, error) {
	programs, err := b.shop.build(ctx, b.source.release, t, c)
	if err != nil {
		return nil, err
	}
	p := &product{component: c, target: t}
	if p.licences, err = b.shop.licences(ctx, c, programs); err != nil {
		return nil, err
	}
	for _, one := range programs {
		m := binary{program: one}
		if m.data, err = os.ReadFile(one.path); err != nil {
			return nil, err
		}
		if m.sbom, err = b.tools.sbom(ctx, one); err != nil {
			return nil, err
		}
		p.programs = append(p.programs, m)
	}
	return p, nil
}

// pack adds the packages of a product.
func (b *building) pack(ctx context.Context, p *product, texts []entry) error {
	entries := append(slices.Clone(texts), entry{"THIRD_PARTY_LICENSES", p.licences, false})
	for _, m := range p.programs {
		entries = append(entries, entry{p.file(m.name), m.data, true}, entry{p.sbom(m.name), m.sbom, false})
	}
	archive, err := pack(p.target, p.folder(p.target, b.source.release), entries, b.source.at)
	if err != nil {
		return err
	}
	if err := b.add(p.archive(p.target, b.source.release), archive); err != nil {
		return err
	}
	if p.os == "linux" {
		if err := b.osPackages(p, entries); err != nil {
			return err
		}
	}
	if p.component != command {
		return nil
	}
	return b.languages(ctx, p)
}

// languages adds the packages of Python and of Node.
func (b *building) languages(ctx context.Context, p *product) error {
	wheel, err := b.wheel(ctx, p)
	if err != nil {
		return err
	}
	npm, err := b.npm(p)
	if err != nil {
		return err
	}
	return errors.Join(b.add(p.wheel(b.source.release), wheel), b.add(p.npm(b.source.release), npm))
}

// shells are those for which there are completions, with the names of their files.
var shells = []struct{ name, file string }{
	{"bash", "runattest.bash"}, {"fish", "runattest.fish"}, {"powershell", "runattest.ps1"}, {"zsh", "_runattest"},
}

// texts are the files that every archive of a component has: those of its module, and for runattest itself the manual and
// completions, which the program writes. The module is there once it was built for t, or for runattest this host.
func (b *building) texts(ctx context.Context, c *component, t target) ([]entry, error) {
	if c == command {
		t = hostTarget()
	}
	host, err := b.shop.build(ctx, b.source.release, t, c)
	if err != nil {
		return nil, err
	}
	folder, err := b.shop.module(c.module, b.source.release.tag)
	if err != nil {
		return nil, err
	}
	var all []entry
	for _, name := range []string{"LICENSE", "README.md"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		all = append(all, entry{name: name, data: data})
	}
	if c != command {
		return all, nil
	}
	b.module, b.licence = folder, all[0].data
	pages, err := filepath.Glob(filepath.Join(folder, "docs", "man", "*.1"))
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
		cmd := exec.CommandContext(ctx, host[0].path, "completion", shell.name)
		cmd.Env = []string{}
		data, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell.name, err)
		}
		all = append(all, entry{name: "completions/" + shell.file, data: data})
	}
	return all, nil
}
