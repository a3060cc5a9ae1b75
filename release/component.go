package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// component is what a release has packages of: the programs of one module, with the texts that go with them.
type component struct {
	name     string   // of its packages
	module   string   // its path
	programs []string // names of files, without .exe
	summary  string
	// description is that of the Debian control file: lines that begin with a blank follow the summary.
	description string
	suggests    []string     // packages that extend it
	image       []*component // what its image has; without any there is none
	// cgo is for programs that load other libraries. They are for Linux alone, and need its glibc.
	cgo bool
}

// command is the program itself, with manual pages and completions.
var command = &component{
	name: "runattest", module: modulePath, programs: []string{"runattest"},
	summary: "signed identity for an AI run, before it executes",
	description: `runattest declares an AI run (model, prompt, parameters, context, constraints),
computes its identity and signs it as an in-toto statement in a Sigstore
bundle, before anything is computed. Others verify signer and identity offline.`,
	suggests: []string{"runattest-kms", "runattest-pkcs11"},
}

// kmsPlugins let the program, and cosign, sign with keys in clouds and in Vault. That for PKCS #11 is not among them: it needs
// a C library, and these are static.
var kmsPlugins = &component{
	name: "runattest-kms", module: modulePath + "/plugins",
	programs: []string{"sigstore-kms-awskms", "sigstore-kms-azurekms", "sigstore-kms-gcpkms", "sigstore-kms-hashivault"},
	summary:  "KMS plugins for runattest: keys in AWS, Azure, Google Cloud and Vault",
	description: `Four programs that speak sigstore's KMS plugin protocol. With them on the PATH,
runattest and cosign sign with keys that never leave AWS KMS, Azure Key Vault,
Google Cloud KMS or the transit engine of Vault.`,
}

// pkcs11Plugin lets them sign with keys in hardware modules. A module is a library of its maker's, which the plugin loads into
// its process: so it needs the C library that the module was made for, and is in no image, which would have neither.
var pkcs11Plugin = &component{
	name: "runattest-pkcs11", module: modulePath + "/plugins",
	programs: []string{"sigstore-kms-pkcs11"},
	summary:  "PKCS #11 plugin for runattest: keys in hardware modules",
	description: `A program that speaks sigstore's KMS plugin protocol. With it on the PATH,
runattest and cosign sign with keys that never leave a hardware module, a smart
card or a token for which there is a PKCS #11 library.`,
	cgo: true,
}

// components are all that a release consists of.
var components = []*component{command, kmsPlugins, pkcs11Plugin}

// modules are components with all modules: each has one that none before it has.
func modules() []*component {
	var all []*component
	for _, c := range components {
		if !slices.ContainsFunc(all, func(other *component) bool { return other.module == c.module }) {
			all = append(all, c)
		}
	}
	return all
}

func init() {
	command.image = []*component{command}
	kmsPlugins.image = []*component{command, kmsPlugins}
}

// of are those of some targets that the component is built for.
func (c *component) of(all []target) []target {
	if !c.cgo {
		return all
	}
	return onLinux(all)
}

// flags are those that its programs are built with.
func (c *component) flags() []string {
	if c.cgo {
		return cgoFlags
	}
	return buildFlags
}

// below is the folder of its module in the repository, "" for the whole.
func (c *component) below() string {
	return strings.TrimPrefix(strings.TrimPrefix(c.module, modulePath), "/")
}

// tag is the component's tag in git: that of a module in a folder begins with the folder.
func (c *component) tag(r release) string { return path.Join(c.below(), r.tag) }

// folder is the name of the one folder in the archive, and of the archive without its suffix.
func (c *component) folder(t target, r release) string {
	return strings.Join([]string{c.name, r.bare(), t.os, t.arch}, "_")
}

// archive is the name of the archive for a target.
func (c *component) archive(t target, r release) string {
	if t.os == "windows" {
		return c.folder(t, r) + ".zip"
	}
	return c.folder(t, r) + ".tar.gz"
}

// sbom is the name of a program's bill of materials.
func (c *component) sbom(program string) string {
	if len(c.programs) == 1 {
		return "sbom.cdx.json"
	}
	return program + ".cdx.json"
}

// checkFiles refuses an archive that lacks a file, or has one that no archive of the component has.
func (c *component) checkFiles(t target, files map[string][]byte) error {
	wanted := []string{"LICENSE", "README.md", "THIRD_PARTY_LICENSES"}
	for _, program := range c.programs {
		wanted = append(wanted, t.file(program), c.sbom(program))
	}
	if c == command {
		wanted = append(wanted, "man/runattest.1")
		for _, shell := range shells {
			wanted = append(wanted, "completions/"+shell.file)
		}
	}
	for _, name := range wanted {
		if _, ok := files[name]; !ok {
			return fmt.Errorf("it has no %s", name)
		}
	}
	for name := range files {
		page, _ := path.Match("man/*.1", name)
		if !slices.Contains(wanted, name) && (c != command || !page) {
			return fmt.Errorf("it has a file %q, which is not of %s", name, c.name)
		}
	}
	return nil
}
