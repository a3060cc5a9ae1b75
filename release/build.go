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

	shop *workshop
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
	files, err := b.archives(ctx)
	if err != nil {
		return err
	}
	if err := b.sign(ctx, files); err != nil {
		return err
	}
	dist := filepath.Join(temp, "dist")
	if err := os.Mkdir(dist, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dist, name), data, 0o644); err != nil {
			return err
		}
	}
	return os.Rename(dist, out)
}

// archives builds every program and packs it.
func (b *building) archives(ctx context.Context) (map[string][]byte, error) {
	host, err := b.shop.build(ctx, b.source.release, hostTarget()) // it writes the completions of all
	if err != nil {
		return nil, err
	}
	common, err := b.commonEntries(ctx, host)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, t := range b.targets {
		b.say("building for %s", t)
		p, err := b.shop.build(ctx, b.source.release, t)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(p.path)
		if err != nil {
			return nil, err
		}
		licences, err := b.shop.licences(p.info)
		if err != nil {
			return nil, err
		}
		sbom, err := b.tools.sbom(ctx, p)
		if err != nil {
			return nil, err
		}
		entries := append(slices.Clone(common), entry{t.program(), data, true},
			entry{"THIRD_PARTY_LICENSES", licences, false}, entry{"sbom.cdx.json", sbom, false})
		if files[t.archive(b.source.release)], err = pack(t, t.folder(b.source.release), entries, b.source.at); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// shells are those for which there are completions, with the names of their files.
var shells = []struct{ name, file string }{
	{"bash", "runattest.bash"}, {"fish", "runattest.fish"}, {"powershell", "runattest.ps1"}, {"zsh", "_runattest"},
}

// commonEntries are the files that every archive has: texts of the module, and completions by the program itself.
func (b *building) commonEntries(ctx context.Context, host *program) ([]entry, error) {
	folder, err := b.shop.module(modulePath, b.source.release.tag)
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
