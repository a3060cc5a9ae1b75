package main

import (
	"fmt"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// release is a version, as each kind of package spells it.
type release struct {
	tag string // v0.1.0, v0.2.0-rc.1, or the pseudo-version of a snapshot
}

// parseVersion reads the version of a tag: vMAJOR.MINOR.PATCH, or that with -alpha.N, -beta.N or -rc.N.
func parseVersion(tag string) (release, error) {
	if !semver.IsValid(tag) || semver.Canonical(tag) != tag {
		return release{}, fmt.Errorf("version %q: want vMAJOR.MINOR.PATCH, as v0.1.0", tag)
	}
	r := release{tag}
	if pre := semver.Prerelease(tag); pre != "" && !r.isSnapshot() {
		if _, _, err := splitPrerelease(pre); err != nil {
			return release{}, fmt.Errorf("version %q: %w", tag, err)
		}
	}
	return r, nil
}

// splitPrerelease reads -rc.1.
func splitPrerelease(pre string) (stage, number string, err error) {
	stage, number, _ = strings.Cut(strings.TrimPrefix(pre, "-"), ".")
	known := stage == "alpha" || stage == "beta" || stage == "rc"
	if !known || number == "" || strings.Trim(number, "0123456789") != "" {
		return "", "", fmt.Errorf("prerelease %q: want -alpha.N, -beta.N or -rc.N", pre)
	}
	return stage, number, nil
}

// isSnapshot tells a pseudo-version, which names a commit and no release.
func (r release) isSnapshot() bool { return module.IsPseudoVersion(r.tag) }

// bare is the version in names of files, and npm's: 0.1.0, 0.2.0-rc.1.
func (r release) bare() string { return strings.TrimPrefix(r.tag, "v") }

// python is PEP 440's spelling: 0.1.0, 0.2.0rc1; of a snapshot 0.0.0.dev20261126120000.
func (r release) python() string {
	base, pre, _ := strings.Cut(r.bare(), "-")
	if r.isSnapshot() {
		at, _ := module.PseudoVersionTime(r.tag)
		return base + ".dev" + at.UTC().Format("20060102150405")
	}
	if pre == "" {
		return base
	}
	stage, number, _ := splitPrerelease("-" + pre)
	return base + map[string]string{"alpha": "a", "beta": "b", "rc": "rc"}[stage] + number
}

// debian is the spelling of deb and rpm, in which a tilde sorts before the release and the last hyphen begins the package's
// own number: 0.1.0-1, 0.2.0~rc.1-1, of a snapshot 0.0.0~20261126120000.abcdefabcdef-1.
func (r release) debian() string {
	return strings.ReplaceAll(strings.Replace(r.bare(), "-", "~", 1), "-", ".") + "-1"
}
