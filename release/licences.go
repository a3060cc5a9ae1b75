package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
)

// licenceFile is a file at the root of a module that its licence says must go along.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|copyright|patents|authors)([-._].*)?$`)

// licences are the licence and notice texts of every module that is linked into these programs of a component, of Go itself,
// and of the compiler of C where there was one. A module without one is an error.
func (w *workshop) licences(ctx context.Context, c *component, programs []*program) ([]byte, error) {
	var all bytes.Buffer
	all.WriteString("runattest is under the Apache License 2.0, see LICENSE. What was built from it holds the following software too.\n")
	if err := appendLicences(&all, "Go "+programs[0].info.GoVersion, w.goroot); err != nil {
		return nil, err
	}
	if c.cgo {
		compiler, err := w.tools.compiler(ctx)
		if err != nil {
			return nil, err
		}
		if err := compiler.licences(&all); err != nil {
			return nil, err
		}
	}
	done := map[string]bool{}
	for _, p := range programs {
		for _, m := range p.info.Deps {
			if m.Replace != nil {
				return nil, fmt.Errorf("module %s is replaced: a release has no replacements", m.Path)
			}
			name := m.Path + " " + m.Version
			if done[name] {
				continue
			}
			done[name] = true
			folder, err := w.module(m.Path, m.Version)
			if err != nil {
				return nil, err
			}
			if err := appendLicences(&all, name, folder); err != nil {
				return nil, err
			}
		}
	}
	return all.Bytes(), nil
}

func appendLicences(to *bytes.Buffer, name, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	found := false
	for _, e := range entries {
		if !e.Type().IsRegular() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		found = true
		appendLicence(to, name, e.Name(), data)
	}
	if !found {
		return fmt.Errorf("%s has no licence file: it cannot be given away", name)
	}
	return nil
}

func appendLicence(to *bytes.Buffer, name, file string, text []byte) {
	fmt.Fprintf(to, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("-", 80), name, file, bytes.TrimSpace(text))
}

// escape is the folder of a module in a module cache.
func escape(path, version string) (string, error) {
	p, err := module.EscapePath(path)
	if err != nil {
		return "", err
	}
	v, err := module.EscapeVersion(version)
	return p + "@" + v, err
}
