package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

const modulePath = "github.com/runattest/runattest"

// source is the commit that is released.
type source struct {
	root    string // the checkout
	commit  string // 40 hex digits
	at      time.Time
	release release
}

// openSource looks at a checkout: it must be clean, and its commit must have the tag, unless it is a snapshot (an empty tag).
func openSource(dir, tag string) (*source, error) {
	root, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	s := &source{root: root}
	changed, err := git(root, "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changed != "" {
		return nil, fmt.Errorf("the checkout is not clean: commit or remove %s", strings.Fields(changed)[1])
	}
	if s.commit, err = git(root, "rev-parse", "HEAD"); err != nil {
		return nil, err
	}
	at, err := git(root, "log", "-1", "--format=%cI")
	if err != nil {
		return nil, err
	}
	if s.at, err = time.Parse(time.RFC3339, at); err != nil {
		return nil, err
	}
	s.at = s.at.UTC()
	if tag == "" {
		s.release = release{module.PseudoVersion("v0", "", s.at, s.commit[:12])}
		return s, nil
	}
	if s.release, err = parseVersion(tag); err != nil {
		return nil, err
	}
	if s.release.isSnapshot() {
		return nil, fmt.Errorf("version %s is a pseudo-version: want that of a tag, or --snapshot", tag)
	}
	tags, err := git(root, "tag", "--points-at", "HEAD")
	if err != nil {
		return nil, err
	}
	for _, c := range modules() {
		if tag := c.tag(s.release); !slices.Contains(strings.Fields(tags), tag) {
			return nil, fmt.Errorf("commit %.12s has no tag %s; it has %q", s.commit, tag, tags)
		}
	}
	return s, nil
}

// moduleProxy is a folder in the layout of a module proxy that has the released modules and no other.
type moduleProxy struct {
	url  string
	sums map[string]string // by the paths of modules: h1:, as in go.sum
}

// serve writes the modules of the commit into dir as a module proxy.
func (s *source) serve(dir string) (*moduleProxy, error) {
	clone := filepath.Join(dir, "clone") // since x/mod/zip takes no work tree of another clone
	if _, err := git(s.root, "clone", "--quiet", "--shared", "--no-checkout", s.root, clone); err != nil {
		return nil, err
	}
	proxy := &moduleProxy{"file://" + filepath.ToSlash(dir), map[string]string{}}
	for _, c := range modules() {
		var err error
		if proxy.sums[c.module], err = s.serveModule(c, dir, clone); err != nil {
			return nil, fmt.Errorf("module %s: %w", c.module, err)
		}
	}
	return proxy, os.RemoveAll(clone)
}

// serveModule writes one module, and returns its sum.
func (s *source) serveModule(c *component, dir, clone string) (sum string, err error) {
	v := module.Version{Path: c.module, Version: s.release.tag}
	if err := module.Check(v.Path, v.Version); err != nil {
		return "", err
	}
	folder := filepath.Join(dir, filepath.FromSlash(v.Path), "@v")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	mod, err := git(s.root, "show", s.commit+":"+path.Join(c.below(), "go.mod"))
	if err != nil {
		return "", err
	}
	info, err := json.Marshal(map[string]any{"Version": v.Version, "Time": s.at})
	if err != nil {
		return "", err
	}
	name := func(suffix string) string { return filepath.Join(folder, v.Version+suffix) }
	f, err := os.Create(name(".zip"))
	if err != nil {
		return "", err
	}
	if err := errors.Join(zip.CreateFromVCS(f, v, clone, s.commit, c.below()), f.Close()); err != nil {
		return "", err
	}
	for file, data := range map[string][]byte{
		name(".mod"): []byte(mod + "\n"), name(".info"): info, filepath.Join(folder, "list"): []byte(v.Version + "\n"),
	} {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return "", err
		}
	}
	return dirhash.HashZip(name(".zip"), dirhash.Hash1)
}

// git runs git in a folder and gives its output without the last line break.
func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSuffix(string(out), "\n"), err
}
