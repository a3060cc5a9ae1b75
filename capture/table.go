package capture

import (
	"slices"
	"strconv"
	"strings"
)

// A table says where each member of a request goes. It is data: what reads it is the same for all formats, and its
// page in docs/spec/capture is printed from it. A released table never changes.
type table struct {
	api     string
	number  int
	title   string
	about   []string // paragraphs for the page
	kind    string
	body    *shape
	paths   []path
	headers []named
	query   []named

	provider  string   // the default, or "" for none
	providers []string // all that it takes, NAME:* with a part of its own; none for any
	otherwise string   // which format is for other providers

	nulls     bool       // null is absent in optional members that the table has
	toolNames [][]string // where a tool has its own name

	ownNulls    bool       // null is absent in members of the body that the table does not have, too
	oneOf       []string   // members of the body of which exactly one must be there
	callerModel bool       // the caller names the model
	envelope    string     // the member of a JSON-RPC response that is the body
	roleless    bool       // a message without a role has the role member/NAME, in its place
	modelPrefix string     // that is not a part of a model's name
	modelHint   string     // what to do where no model is named
	missingHint string     // what to do where another required member is missing
	yaml        bool       // the body is YAML
	modelArgs   *modelArgs // the model is named by arguments
	afterStart  bool       // the source is written after the run has started
	transient   string     // a string that has this in it is another one in each run: an error
	folder      *folder    // that the caller may give beside the body
	standIn     string     // the member whose id, and version, name the model where the body has none
}

// A path is a target that a table reads. * is one segment, {model} one that is the model, {location} one that is the
// location, and what else stands in braces is the model's name. A pattern that begins with an ellipsis is the end of a
// path.
type path struct {
	pattern   string
	providers []string // to which it belongs; none for all of the table
}

// named is a header or query member.
type named struct {
	name  string // lower case
	set   bool   // comma-separated flags, sorted
	drop  []string
	known []string // flags that are known
	want  bool     // its absence is warned of
}

// place is where a member of the body goes.
type place byte

const (
	toParameters place = iota
	toConstraints
	toModel
	toMessages // the list
	toMessage  // a message with the role member/NAME
	toTools    // resources
	stays      // of a nested member: where it is
	out
	refused // its presence is an error
)

func (p place) String() string {
	return [...]string{"parameters", "constraints", "model", "prompt", "prompt", "context", "in place", "out", "refused"}[p]
}

// A member is a member of an object of the source.
type member struct {
	name     string
	aliases  []string // other names that the API takes for it
	to       place
	value    *shape
	items    *shape // of a list of messages: what its other elements are
	required bool   // null and absence are errors of the API
	empty    bool   // [] and {} are absent
	vanishes bool   // it is absent if all that it holds is out
	hides    string // it is open: what of the run it may hide
	note     string

	nullCounts bool // null is not what its absence is, also where the table says that null is absent

	label  []byte // name
	quoted string // name as a JSON string and a colon
	says   verdict
}

// A variant has the members of objects whose member shape.by has the value name.
type variant struct {
	name    string
	members []member
	hides   string
}

// bytes says which strings stand for bytes.
type encoding byte

const (
	dataURL encoding = 1 << iota // data:TYPE;base64,...
	base64Standard
	base64Either // the standard or the URL alphabet
)

// address says what strings are URLs.
type address byte

const (
	notURL    address = iota
	serverURL         // of a tool or MCP server: every query value is secret
	otherURL          // signatures and keys are secret
	remote            // otherURL that the provider fetches: it is open
)

// secrecy says which strings are secret by the names that lead to them.
type secrecy byte

const (
	nothingSecret secrecy = iota
	toolSecrets
	unknownSecrets
)

// A shape is what a value may be. It says something for each JSON type, since many members take several: a string or a
// list of parts.
type shape struct {
	title string // on the page

	// Objects.
	members  []member
	by       string // the member that tells which variant it is
	what     string // what a variant is, in the report of an unknown one
	variants []variant
	aliased  bool // its members have aliases
	free     bool // names and elements are the users', and case is theirs; what it holds has the shape elements, or its own
	labels   bool // its names are labels, which say nothing of what is secret

	elements *shape // of arrays; nil is a plain value

	// Strings.
	secret  bool // any value
	bytes   encoding
	role    string // of the resource that the bytes become
	media   string // the member beside it that has the media type
	address address
	names   string // a string names what is elsewhere: what it may hide
	files   string // a string that is the path of a file, or a list of such, names what is elsewhere: what it may hide
	pairs   bool   // a string is a list NAME=VALUE,NAME=VALUE

	text    bool // written as text: rule 6
	words   bool // but a list of strings is not
	plain   bool // nothing at or below it is secret, binary or out
	secrets secrecy

	index    *index
	byName   map[string]*index
	prepared bool
}

// An index finds the members of an object by name.
type index struct {
	byName map[string]*member
	folded map[string]string   // the name that has this form without case
	form   func(string) string // how names are compared
}

func newIndex(form func(string) string, lists ...[]member) *index {
	x := &index{map[string]*member{}, map[string]string{}, form}
	for _, l := range lists {
		for i := range l {
			m := &l[i]
			m.label, m.quoted = []byte(m.name), `"`+m.name+`":`
			if m.value == nil {
				m.value = value
			}
			m.says = judge(m.name)
			m.says.hidden = m.says.hidden && !m.value.saysSecret() // which values below it are secret is the table's to say
			if x.byName[m.name] != nil || x.folded[form(m.name)] != "" {
				panic("capture: a table has " + m.name + " twice")
			}
			x.byName[m.name] = m
			x.folded[form(m.name)] = m.name
			for _, alias := range m.aliases {
				x.byName[alias] = m
			}
		}
	}
	return x
}

// prepare indexes a shape and all below it.
func (s *shape) prepare() *shape {
	if s.prepared {
		return s
	}
	s.prepared = true
	form := fold
	if s.aliased {
		form = unspelled
	}
	s.index = newIndex(form, s.members)
	s.byName = map[string]*index{}
	for i := range s.variants {
		v := &s.variants[i]
		s.byName[v.name] = newIndex(form, s.members, v.members)
		for _, m := range v.members {
			m.value.prepare()
		}
	}
	for _, m := range s.members {
		m.value.prepare()
		if m.items != nil {
			m.items.prepare()
		}
	}
	switch {
	case s.elements == nil && s.free:
		s.elements = s
	case s.elements == nil:
		s.elements = value
	}
	s.elements.prepare()
	return s
}

// saysSecret tells a shape of which a member, or a member of its elements, is secret.
func (s *shape) saysSecret() bool {
	isSecret := func(m member) bool { return m.value != nil && m.value.secret }
	return slices.ContainsFunc(s.members, isSecret) || s.elements != nil && slices.ContainsFunc(s.elements.members, isSecret)
}

// isLeaf tells a plain value, or a list of such.
func (s *shape) isLeaf() bool {
	return s == value || s.elements == value && len(s.members) == 0 && len(s.variants) == 0 && s.bytes == 0 && s.address == notURL && s.names == "" && s.files == ""
}

func (s *shape) variant(name string) *variant {
	if i := slices.IndexFunc(s.variants, func(v variant) bool { return v.name == name }); i >= 0 {
		return &s.variants[i]
	}
	return nil
}

var (
	// value is a typed value that has nothing of its own to say.
	value = &shape{}
	// seen is what the client reads as it is: no part of it is secret.
	seen = &shape{plain: true}
	// freeValue is an object whose names are the users'.
	freeValue = &shape{free: true, plain: true}
	// textValue is what a model is shown as text: the users' in all.
	textValue = &shape{free: true, plain: true, text: true}
	// unknownValue is the value of a member that the table does not have.
	unknownValue = &shape{free: true, text: true, secrets: unknownSecrets}
	// toolPart is the value of such a member of a tool.
	toolPart = &shape{free: true, text: true, secrets: toolSecrets}
)

func list(s *shape) *shape { return &shape{elements: s} }

// object is a shape with members that stay where they are.
func object(members ...member) *shape { return &shape{members: members} }

// is is a member that stays where it is.
func is(name string, s *shape) member { return member{name: name, to: stays, value: s} }

func plain(names ...string) []member {
	var l []member
	for _, n := range names {
		l = append(l, member{name: n, to: stays})
	}
	return l
}

// each is a member for each name, of one shape, that stays where it is.
func each(s *shape, names ...string) []member {
	var l []member
	for _, n := range names {
		l = append(l, is(n, s))
	}
	return l
}

func all(to place, names ...string) []member {
	var l []member
	for _, n := range names {
		l = append(l, member{name: n, to: to})
	}
	return l
}

// required are members whose absence, and null, are errors.
func required(members []member) []member {
	for i := range members {
		members[i].required = true
	}
	return members
}

// nullCounts are members whose default is not null.
func nullCounts(members []member) []member {
	for i := range members {
		members[i].nullCounts = true
	}
	return members
}

func open(m member, hides string) member { m.hides = hides; return m }

func leftOut(name, why string) member { return member{name: name, to: out, note: why} }

func (t *table) name() string { return t.api + "/" + strconv.Itoa(t.number) }

// takes tells whether a provider's name is one of a list, in which NAME:* stands for all that begin so.
func takes(providers []string, name string) bool {
	return slices.ContainsFunc(providers, func(p string) bool {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			rest, ok := strings.CutPrefix(name, prefix)
			return ok && isResourceName(rest)
		}
		return p == name
	})
}

// isResourceName tells a name of lower-case letters, digits and hyphens.
func isResourceName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' || i == 0) {
			return false
		}
	}
	return s != ""
}
