package capture

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/secrets"
)

// modelArgs says where the arguments of a model name it.
type modelArgs struct {
	within   string   // the member of the body that has them and the kind, "" for the body itself
	member   string   // which has them
	names    []string // of the argument that names the model
	revision string   // of the argument that names its version
	kind     string   // the member that says which kind of model it is
	models   []string // the kinds that are a model by themselves
}

// in are the same arguments in a member of the body.
func (a *modelArgs) in(within string) *modelArgs {
	inner := *a
	inner.within = within
	return &inner
}

// nameModel takes the model's name and version from its arguments, without what is secret in them.
func (d *declarer) nameModel(root jsontree.Value) {
	a := d.table.modelArgs
	if a.within != "" {
		root = root.Get(a.within)
		d.walker.in([]byte(a.within))
		defer d.back()
	}
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
	if kind := root.Get(a.kind).Text(); name == "" && slices.Contains(a.models, kind) {
		name, version = kind, ""
	}
	if name == "" {
		d.failWith("write "+a.member+" as a map with the model's name, such as {"+a.names[0]+": org/name}", "does not name the model: want one of %s", strings.Join(a.names, ", "))
	}
	if d.search(name+version, false) {
		d.bodyModel, d.revision = appendString(nil, []byte(secrets.Text(name))), secrets.Text(version)
	}
}

// argsOf are arguments that may name the model or its version: those of a map, or of a list NAME=VALUE,NAME=VALUE.
func (d *declarer) argsOf(v jsontree.Value) map[string]string {
	a := d.table.modelArgs
	switch v.Kind() {
	case jsontree.Object, jsontree.String, jsontree.Null, jsontree.Absent:
	default:
		d.failWith("write "+a.member+" as a map, such as {"+a.names[0]+": org/name}", "is of type %s, want a map or a string NAME=VALUE,NAME=VALUE", v.Kind())
	}
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
			args[name] = d.listed(name, strings.TrimSpace(value))
		}
	}
	return args
}

// notText is what lm-eval reads in a list as a truth value or a number: the latter as float of Python does.
var notText = lazyregexp.New(`^(?i:true|false|[+-]?(?:inf|infinity|nan|(?:\p{Nd}(?:_?\p{Nd})*\.?(?:\p{Nd}(?:_?\p{Nd})*)?|\.\p{Nd}(?:_?\p{Nd})*)(?:e[+-]?\p{Nd}(?:_?\p{Nd})*)?))$`)

// listed is the value of an argument in a list, without the quotation marks around it, or "" if it is none.
func (d *declarer) listed(name, s string) string {
	switch n := len(s); {
	case n >= 2 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\''):
		return s[1 : n-1]
	case strings.EqualFold(s, "none"):
		return ""
	case notText.MatchString(s):
		d.failWith("put it in quotation marks: "+name+`="`+s+`"`, "%s is %s, which is read as a number or a truth value, want a string", name, quote(s))
	}
	return s
}
