package capture

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/secrets"
)

// nameModel takes the model's name and version from its arguments, without what is secret in them.
func (d *declarer) nameModel(root jsontree.Value) {
	a := d.table.modelArgs
	d.in([]byte(a.member))
	defer d.back()
	args := d.argsOf(root.Get(a.member))
	name, version := "", args[a.revision]
	for _, n := range a.names {
		switch value := args[n]; {
		case value == "":
		case name != "" && name != value:
			d.fail("names two models, %s and %s", quote(name), quote(value))
		default:
			name = value
		}
	}
	if name == "" {
		name, version = root.Get(a.fallback).Text(), ""
	}
	if name == "" {
		d.fail("does not name the model, and neither does %s: want one of %s", a.fallback, strings.Join(a.names, ", "))
	}
	d.bodyModel, d.revision = appendString(nil, []byte(secrets.Text(name))), secrets.Text(version)
}

// argsOf are arguments that may name the model or its version: those of a map, or of a list NAME=VALUE,NAME=VALUE.
func (d *declarer) argsOf(v jsontree.Value) map[string]string {
	a := d.table.modelArgs
	args := map[string]string{}
	names := func(name string) bool { return name == a.revision || slices.Contains(a.names, name) }
	for name, e := range v.Members() {
		if n := string(name); names(n) && e.Kind() != jsontree.Null {
			if e.Kind() != jsontree.String {
				d.fail("%s is of type %s, want a string", n, e.Kind())
			}
			args[n] = e.Text()
		}
	}
	seen := map[string]bool{}
	for piece := range strings.SplitSeq(strings.TrimSpace(v.Text()), ",") {
		name, value, _ := strings.Cut(piece, "=")
		if seen[name] && names(name) {
			d.fail("names %s twice", name)
		}
		seen[name] = true
		if names(name) {
			args[name] = unquoted(strings.TrimSpace(value))
		}
	}
	return args
}

// unquoted is a value without the quotation marks around it.
func unquoted(s string) string {
	if n := len(s); n >= 2 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		return s[1 : n-1]
	}
	return s
}
