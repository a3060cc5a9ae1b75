package capture

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

var update = flag.Bool("update", false, "write the pages in docs/spec/capture")

// TestPages: each table has its page, which says all that the table says.
func TestPages(t *testing.T) {
	for _, table := range tables() {
		checkPage(t, table.api, page(table))
	}
}

// checkPage holds a format's page against what its source prints, or writes it.
func checkPage(t *testing.T, api, want string) {
	t.Helper()
	name := "../docs/spec/capture/" + api + ".md"
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s is not what package capture says (%v): go test ./capture -run Pages -update", name, err)
	}
}

// page is the page of a table, in Markdown.
func page(t *table) string {
	p := &pager{titles: map[*shape]bool{}}
	p.line("# Capture format %s", t.name())
	p.line("\nThis page is printed from the table in package capture. The rules that all tables share, and the words used here,\nare in [README.md](README.md).")
	for _, a := range t.about {
		p.line("\n%s", wrap(a))
	}
	p.line("\n| | |\n|---|---|")
	p.line("| `api` | `%s` |", t.api)
	p.line("| `kind` | `%s` |", t.kind)
	p.line("| providers | %s |", orElse(code(t.providers), "any"))
	p.line("| provider, where none is given | %s |", orElse(code(one(t.provider)), "none: `model.provider` is absent"))
	for _, path := range t.paths {
		note := ""
		if len(path.providers) > 0 {
			note = ", for " + code(path.providers)
		}
		p.line("| path | `%s`%s |", path.pattern, note)
	}
	if t.modelPrefix != "" {
		p.line("| a model's name | without a leading `%s`, if what is left has no slash |", t.modelPrefix)
	}
	if t.yaml {
		p.line("| the body | YAML, as declarations are written in it ([identity v1](../identity-v1.md)), of at most %d bytes. A plain scalar that readers of YAML 1.1 read as another value is an error |", limits.YAML)
	}
	if t.afterStart {
		p.line("| when it is written | after the run has started: an attestation has the annotation `%s: %s` |", AnnotationCaptured, AfterStart)
	}
	if t.transient != "" {
		p.line("| refused text | a string with `%s` in it, in what is not out |", t.transient)
	}
	if a := t.modelArgs; a != nil {
		within := ""
		if a.within != "" {
			within = a.within + "."
		}
		p.line("| the model | the argument of `%[1]s` that is named one of %[2]s: several must be equal. Its version is the argument `%[3]s`. If all are missing or empty, it is the string `%[4]s`, without a version, if that is %[5]s; otherwise it is an error |", within+a.member, code(a.names), a.revision, within+a.kind, code(a.models))
		p.line("| an argument | of `%s`, which is a map, a string, or null: in a map a member that is not null, which must be a string. In a string, without white space at its ends, what stands between commas: NAME before the first `=`, and the value without white space and then without one pair of equal quotation marks at its ends. Without these marks `none` (without case) is missing, and a truth value or a number, which lm-eval would read, is an error: `true`, `false`, and what Python's `float` takes, all without case. One of these names twice is an error. What is secret in the name and the version (6.3) is left out there, too |", within+a.member)
	}
	if d := t.folder; d != nil {
		p.line("| a folder beside the body | each of its files is in `context`, behind all others: role `%s`, its path, digest and size, as in [hf-model](hf-model.md), sorted by the bytes of the paths; `%s` is out then. Skipped are folders %s at the top, folders %s anywhere, and files %s at the top. A Git LFS pointer is an error, and so is a folder without files |",
			d.role, d.replaces, code(d.folders), code(d.anywhere), code(namesOf(d.skipped)))
	}
	if t.standIn != "" {
		p.line("| no `model`, or null | the model is `%[1]s/` and the string `%[1]s.id`, its version `%[1]s.version` if that is a string that is not empty; without that `id` it is an error. A `model` that begins with `%[1]s/` is an error |", t.standIn)
	}
	if t.roleless {
		i := slices.IndexFunc(t.body.members, func(m member) bool { return m.to == toMessages })
		p.line("| a message whose `role` is absent or null | the role `member/%s`, in its place |", t.body.members[i].name)
	}
	p.named("header", t.headers)
	p.named("query member", t.query)
	if t.callerModel {
		p.line("| the model | the caller names it, and its revision, which is `model.version` |")
	}
	if len(t.oneOf) > 0 {
		p.line("| exactly one of | %s: that none or several are there, and not null, is an error |", code(t.oneOf))
	}
	if t.envelope != "" {
		p.line("| envelope | a body with `jsonrpc` is a JSON-RPC response of `jsonrpc`, `id` and `%s`, which is an object: the body is that object then. Other members are errors |", t.envelope)
	}
	if t.ownNulls {
		p.line("| null | absent in every optional member of this page outside text, at every depth, and in unknown members of the body |")
	} else if t.nulls {
		p.line("| null | absent in every optional member of this page outside text, at every depth |")
	} else {
		p.line("| null | nowhere absent |")
	}
	var places []string
	for _, n := range t.toolNames {
		places = append(places, strings.Join(n, "."))
	}
	if len(places) > 0 {
		p.line("| a tool's own name | the first of these that is a string: %s |", code(places))
	}
	p.shape("The body", t.body)
	for len(p.pending) > 0 {
		s := p.pending[0]
		p.pending = p.pending[1:]
		p.shape(strings.ToUpper(s.title[:1])+s.title[1:], s)
	}
	return p.b.String()
}

type pager struct {
	b       strings.Builder
	titles  map[*shape]bool
	pending []*shape
}

func (p *pager) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func (p *pager) named(kind string, l []named) {
	for _, n := range l {
		what := "a string, with blanks and tabs taken off its ends; twice is an error"
		if n.set {
			what = "a list of flags, sorted by bytes"
			if len(n.drop) > 0 {
				what += "; left out: " + code(n.drop)
			}
			if len(n.known) > 0 {
				what += "; known: " + code(n.known)
			}
		}
		if n.want {
			what += "; its absence is warned of"
		}
		p.line("| %s | `%s`: %s |", kind, n.name, what)
	}
}

// shape prints the section of a shape that has members.
func (p *pager) shape(title string, s *shape) {
	p.line("\n## %s", title)
	if notes := p.own(s); notes != "" {
		p.line("\n%s.", strings.ToUpper(notes[:1])+notes[1:])
	}
	if s.by != "" {
		p.line("\nIts members are those that are named here and those of its `%s`.", s.by)
	}
	p.line("\n| member | what becomes of it |\n|---|---|")
	p.rows("", s.members)
	for _, v := range s.variants {
		name := fmt.Sprintf("`%s` is `%s`", s.by, v.name)
		if v.name == "" {
			name = fmt.Sprintf("no `%s`", s.by)
		}
		hides := ""
		if v.hides != "" {
			hides = "open: may hide " + v.hides
		}
		p.line("| *%s:* | %s |", name, hides)
		p.rows("", v.members)
	}
}

func (p *pager) rows(prefix string, members []member) {
	for _, m := range members {
		var what []string
		for _, a := range m.aliases {
			what = append(what, "also `"+a+"`")
		}
		if m.required {
			what = append(what, "required")
		}
		if m.empty {
			what = append(what, "`[]` and `{}` are absent")
		}
		if m.vanishes {
			what = append(what, "absent where nothing is left of it and nothing in it stands in `nulls`")
		}
		if m.nullCounts {
			what = append(what, "null is not its absence")
		}
		if m.hides != "" {
			what = append(what, "open: may hide "+m.hides)
		}
		if m.to != out && m.to != refused && m.note != "" {
			what = append(what, m.note)
		}
		if m.items != nil {
			what = append(what, "each item is "+p.link(m.items), "else role `member/"+m.name+"`")
		}
		if n := p.notes(m.value); n != "" {
			what = append(what, n)
		}
		switch {
		case m.to == out:
			what = append([]string{"out: " + m.note}, what...)
		case m.to == refused:
			what = append([]string{"refused: " + m.note}, what...)
		case m.to == toMessage:
			what = append([]string{"to prompt, role `member/" + m.name + "`"}, what...)
		case m.to != stays:
			what = append([]string{"to " + m.to.String()}, what...)
		}
		p.line("| `%s%s` | %s |", prefix, m.name, strings.Join(what, "; "))
		p.below(prefix+m.name, m.value)
	}
}

// below prints the members of a value that has no section of its own.
func (p *pager) below(prefix string, s *shape) {
	if s.title == "" && len(s.members) > 0 {
		p.rows(prefix+".", s.members)
	}
	if s.elements != value && s.elements != s && s.elements.title == "" {
		p.below(prefix+"[]", s.elements)
	}
}

// own says what becomes of a value of the shape itself.
func (p *pager) own(s *shape) string {
	var l []string
	switch {
	case s == textValue:
		return "text, free"
	case s == freeValue:
		return "free"
	case s == seen:
		return "not searched for secrets"
	}
	switch {
	case s.words:
		l = append(l, "text unless it is a list of strings")
	case s.text:
		l = append(l, "text")
	}
	if s.free {
		l = append(l, "free")
	}
	if s.labels {
		l = append(l, "its names are labels")
	}
	if s.secret {
		l = append(l, "secret")
	}
	switch s.secrets {
	case toolSecrets:
		l = append(l, "secrets by the names of tools")
	case unknownSecrets:
		l = append(l, "secrets by the names of unknown members")
	}
	if s.bytes != 0 {
		var kinds []string
		if s.bytes&dataURL != 0 {
			kinds = append(kinds, "a data: URL")
		}
		if s.bytes&base64Standard != 0 {
			kinds = append(kinds, "base64 of the standard alphabet")
		}
		if s.bytes&base64Either != 0 {
			kinds = append(kinds, "base64 of either alphabet")
		}
		what := "binary: " + strings.Join(kinds, " or ") + "; role `" + s.role + "`"
		if s.media != "" {
			what += "; media type from `" + s.media + "` beside it"
		}
		l = append(l, what)
	}
	if s.pairs {
		l = append(l, "a string is a list of arguments")
	}
	if s.files != "" {
		l = append(l, "a string that names a file is open: may hide "+s.files)
	}
	if s.names != "" {
		l = append(l, "a string is open: may hide "+s.names)
	}
	switch s.address {
	case serverURL:
		l = append(l, "URL of a server")
	case otherURL:
		l = append(l, "URL")
	case remote:
		l = append(l, remoteNote[s.bytes != 0])
	}
	return strings.Join(l, "; ")
}

// link leads to the section of a shape, which is yet to be printed.
func (p *pager) link(s *shape) string {
	if !p.titles[s] {
		p.titles[s] = true
		p.pending = append(p.pending, s)
	}
	return fmt.Sprintf("[%s](#%s)", s.title, anchor(s.title))
}

// notes says what becomes of a value of the shape, apart from its members.
func (p *pager) notes(s *shape) string {
	var l []string
	if s.title != "" {
		l = append(l, "see "+p.link(s))
	} else if n := p.own(s); n != "" {
		l = append(l, n)
	}
	if s != textValue && s.elements != value && s.elements != s {
		if s.elements.title != "" {
			l = append(l, "each element is "+p.link(s.elements))
		} else if n := p.notes(s.elements); n != "" {
			l = append(l, "each element: "+n)
		}
	}
	return strings.Join(l, "; ")
}

func code(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return "`" + strings.Join(l, "`, `") + "`"
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// wrap breaks a paragraph into lines of at most 118 bytes.
func wrap(s string) string {
	var b strings.Builder
	width := 0
	for i, w := range strings.Fields(s) {
		if width+1+len(w) > 118 {
			b.WriteByte('\n')
			width = 0
		} else if i > 0 {
			b.WriteByte(' ')
			width++
		}
		b.WriteString(w)
		width += len(w)
	}
	return b.String()
}

var remoteNote = map[bool]string{
	true:  "else a remote URL, which is open: may hide content",
	false: "a remote URL, which is open: may hide content",
}

func anchor(title string) string {
	return strings.ToLower(strings.NewReplacer(" ", "-", "'", "").Replace(title))
}
