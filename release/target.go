package main

import (
	"fmt"
	"slices"
	"strings"
)

// target is a system that the program is built for.
type target struct{ os, arch string }

// targets are all that a release has.
var targets = []target{
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"linux", "amd64"}, {"linux", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func (t target) String() string { return t.os + "/" + t.arch }

// onLinux are those of some targets that are systems with Linux.
func onLinux(all []target) []target {
	return slices.DeleteFunc(slices.Clone(all), func(t target) bool { return t.os != "linux" })
}

// file is the name of a program's file.
func (t target) file(program string) string {
	if t.os == "windows" {
		return program + ".exe"
	}
	return program
}

// program is the name of the file of runattest itself.
func (t target) program() string { return t.file("runattest") }

// packages are the names of a release's files for these targets, before it is signed.
func packages(r release, all []target) []string {
	names := []string{npmMain(r)}
	for _, t := range all {
		names = append(names, t.wheel(r), t.npm(r))
	}
	for _, c := range components {
		for _, t := range c.of(all) {
			names = append(names, c.archive(t, r))
			if t.os != "linux" {
				continue
			}
			for _, f := range formats {
				names = append(names, f.file(c, t, r))
			}
		}
		if c.image != nil && len(onLinux(all)) > 0 {
			names = append(names, c.imageFile(r))
		}
	}
	slices.Sort(names)
	return names
}

// parseTargets reads linux/amd64,darwin/arm64; "" is all.
func parseTargets(text string) ([]target, error) {
	if text == "" {
		return targets, nil
	}
	var all []target
	for word := range strings.SplitSeq(text, ",") {
		i := slices.IndexFunc(targets, func(t target) bool { return t.String() == word })
		switch {
		case i < 0:
			return nil, fmt.Errorf("target %q: want some of %v", word, targets)
		case slices.Contains(all, targets[i]):
			return nil, fmt.Errorf("target %q stands twice", word)
		}
		all = append(all, targets[i])
	}
	return all, nil
}
