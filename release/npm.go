package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// npmSystem is a target in Node's words: process.platform and process.arch.
func (t target) npmSystem() (platform, arch string) {
	if platform = t.os; platform == "windows" {
		platform = "win32"
	}
	if arch = t.arch; arch == "amd64" {
		arch = "x64"
	}
	return platform, arch
}

// npmName is the name of a target's package, which main depends on.
func (t target) npmName() string {
	platform, arch := t.npmSystem()
	return "@runattest/" + platform + "-" + arch
}

// npm is the name of a target's npm package, as npm pack names it.
func (t target) npm(r release) string {
	platform, arch := t.npmSystem()
	return "runattest-" + platform + "-" + arch + "-" + r.bare() + ".tgz"
}

// npmMain is the name of the npm package that users install.
func npmMain(r release) string { return "runattest-" + r.bare() + ".tgz" }

// npmMainFiles are the files of npm/ in that package, beside package.json and LICENSE.
var npmMainFiles = []string{"README.md", "bin/runattest.js", "index.d.ts", "index.js"}

// npmFolder is the one folder in each npm package.
const npmFolder = "package"

// npmManifest is the package.json of a target's package: that of the main one, with these members instead.
func npmManifest(main map[string]any, r release, t target) map[string]any {
	platform, arch := t.npmSystem()
	m := maps.Clone(main)
	for _, name := range []string{"bin", "main", "types", "engines", "optionalDependencies"} {
		delete(m, name)
	}
	m["name"], m["version"] = t.npmName(), r.bare()
	m["description"] = fmt.Sprintf("The program of runattest for %s %s", platform, arch)
	m["os"], m["cpu"] = []string{platform}, []string{arch}
	m["preferUnplugged"] = true // Yarn leaves programs in zip files otherwise
	return m
}

// npmDependencies are the optional dependencies of the main package: exactly this release, for each target.
func npmDependencies(r release, all []target) map[string]any {
	needs := map[string]any{}
	for _, t := range all {
		needs[t.npmName()] = r.bare()
	}
	return needs
}

func (b *building) npmTemplate() (map[string]any, error) {
	data, err := os.ReadFile(filepath.Join(b.module, "npm", "package.json"))
	if err != nil {
		return nil, err
	}
	var main map[string]any
	return main, json.Unmarshal(data, &main)
}

// npm makes the npm package of a program.
func (b *building) npm(p *product) ([]byte, error) {
	main, err := b.npmTemplate()
	if err != nil {
		return nil, err
	}
	manifest, err := marshalIndent(npmManifest(main, b.source.release, p.target))
	if err != nil {
		return nil, err
	}
	readme := fmt.Sprintf("# %s\n\nThe program of [runattest](https://www.npmjs.com/package/runattest) for %s. Install `runattest` instead.\n", p.npmName(), p.target)
	return packTar(npmFolder, sorted([]entry{
		{"package.json", manifest, false}, {"bin/" + p.program(), p.programs[0].data, true}, {"README.md", []byte(readme), false},
		{"LICENSE", b.licence, false}, {"THIRD_PARTY_LICENSES", p.licences, false},
	}), b.source.at)
}

// npmMain makes the npm package that users install.
func (b *building) npmMain() ([]byte, error) {
	main, err := b.npmTemplate()
	if err != nil {
		return nil, err
	}
	main["version"] = b.source.release.bare()
	main["optionalDependencies"] = npmDependencies(b.source.release, b.targets)
	manifest, err := marshalIndent(main)
	if err != nil {
		return nil, err
	}
	entries := []entry{{"package.json", manifest, false}, {"LICENSE", b.licence, false}}
	for _, name := range npmMainFiles {
		data, err := os.ReadFile(filepath.Join(b.module, "npm", filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{name, data, name == "bin/runattest.js"})
	}
	return packTar(npmFolder, sorted(entries), b.source.at)
}

func marshalIndent(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// checkNPM refuses a target's npm package that is not for this release and target, or whose program is not this one.
func checkNPM(data []byte, r release, t target, program []byte) error {
	files, err := unpackTarIn(npmFolder, data)
	if err != nil {
		return err
	}
	names := []string{"LICENSE", "README.md", "THIRD_PARTY_LICENSES", "bin/" + t.program(), "package.json"}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, names) {
		return fmt.Errorf("has %q, want %q", got, names)
	}
	if !bytes.Equal(files["bin/"+t.program()], program) {
		return fmt.Errorf("bin/%s: is not the program of %s", t.program(), command.archive(t, r))
	}
	platform, arch := t.npmSystem()
	return checkManifest(files["package.json"], map[string]any{
		"name": t.npmName(), "version": r.bare(), "os": []any{platform}, "cpu": []any{arch},
		"scripts": nil, "bin": nil, "dependencies": nil, "peerDependencies": nil, "bundleDependencies": nil, "bundledDependencies": nil, "optionalDependencies": nil,
	})
}

// checkNPMMain refuses a main package that is not this release's, that needs other packages, or that runs anything when it is
// installed.
func checkNPMMain(data []byte, r release, all []target) error {
	files, err := unpackTarIn(npmFolder, data)
	if err != nil {
		return err
	}
	names := append([]string{"LICENSE", "package.json"}, npmMainFiles...)
	slices.Sort(names)
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, names) {
		return fmt.Errorf("has %q, want %q", got, names)
	}
	return checkManifest(files["package.json"], map[string]any{
		"name": "runattest", "version": r.bare(), "optionalDependencies": npmDependencies(r, all),
		"bin": map[string]any{"runattest": "bin/runattest.js"}, "main": "index.js", "scripts": nil, "dependencies": nil, "peerDependencies": nil, "bundleDependencies": nil, "bundledDependencies": nil,
	})
}

// checkManifest holds members of a package.json against what they must be; nil is for members that must be absent.
func checkManifest(data []byte, want map[string]any) error {
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		return fmt.Errorf("package.json: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		a, err := json.Marshal(got[name])
		if err != nil {
			return err
		}
		b, err := json.Marshal(want[name])
		if err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("package.json: %s is %s, want %s", name, a, b)
		}
	}
	return nil
}
