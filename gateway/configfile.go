package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/yamljson"
	"github.com/runattest/runattest/internal/zero"
)

var (
	configRules = canonical.Options{ExactNumbers: true, MaxDepth: limits.PolicyDepth, MaxValues: limits.PolicyValues}
	configYAML  = yamljson.Limits{
		Bytes: limits.GatewayConfig, Entries: limits.PolicyValues, Depth: 4 * limits.PolicyDepth, Problems: limits.Problems, Pointers: limits.ProblemPointers,
	}
)

// LoadConfig reads a configuration from a file, YAML or JSON. Paths in it start from the file's folder.
func LoadConfig(path string) (Config, error) {
	data, err := boundedfile.Read(path, limits.GatewayConfig)
	if err != nil {
		return Config{}, err
	}
	dir := pathname.Start(path)
	c, err := readConfig(data, func(p string) string {
		if p != "" && !filepath.IsAbs(p) && !strings.Contains(p, "://") {
			return pathname.In(dir, p)
		}
		return p
	})
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ParseConfig reads a configuration, YAML or JSON. It is closed: a member that Config does not have, one that is there twice and
// one of another type are errors, and so is a value in YAML that other readers take for another one. The error has all of them, by
// line, or is a *NotConfigError. The Config has its defaults, but for Listen, which is "" where the text does not name it.
func ParseConfig(data []byte) (Config, error) {
	return readConfig(data, func(path string) string { return path })
}

// NotConfigError says that a text of another kind was given for a configuration.
type NotConfigError struct {
	Kind string // files.Kind
	mend string
	Err  error // why it is not a configuration

	like string // files.Likeness, where Kind is not known
}

func (e *NotConfigError) Error() string {
	if e = zero.IfNil(e); e.like != "" {
		return "not a gateway configuration: " + e.like
	}
	return "it is " + cmp.Or(e.Kind, "something else") + " and no gateway configuration"
}

// Mending is a hint with a command that makes text of the file, "" for what is text.
func (e *NotConfigError) Mending() string { return zero.IfNil(e).mend }

func (e *NotConfigError) Unwrap() error { return zero.IfNil(e).Err }

// readConfig is ParseConfig with what paths in it mean.
func readConfig(data []byte, place func(string) string) (Config, error) {
	c, err := parseConfig(data, place)
	if err == nil || len(data) > limits.GatewayConfig || bytes.Contains(data, []byte("upstreams")) { // it is meant as one
		return c, err
	}
	kind := files.Kind(data)
	if kind == "" && !bytes.Contains(data, []byte("runattest/gateway/")) {
		if like := files.Likeness(data); like != "" {
			return c, &NotConfigError{Err: err, like: like}
		}
	}
	if kind == "" || kind == input.KindGateway || strings.HasPrefix(kind, "text in ") { // the error says how to convert it
		return c, err
	}
	return c, &NotConfigError{Kind: kind, mend: jsonmend.Mend(data), Err: err}
}

func parseConfig(data []byte, place func(string) string) (Config, error) {
	doc, problems := yamljson.Read(data, "gateway configuration", configYAML)
	if len(problems) > 0 {
		l := faults{}
		for _, p := range problems {
			message := p.Message
			switch {
			case p.Code == "yaml-space", p.Code == "bom" && message != "": // which is not seen: the line alone does not show it
				message = fmt.Sprintf("in column %d: %s", p.Column, message)
			case p.Code == "bom":
				message, p.Hint = "begins with a byte order mark", "save the file as UTF-8 without a BOM"
			case message == "":
				message = "not text that can be read (" + p.Code + ")"
			}
			l.add(p.Line, p.Pointer, withHint(message, p.Hint))
		}
		return Config{}, l.err()
	}
	form, err := configRules.Append(nil, doc.JSON)
	if err != nil {
		return Config{}, located(doc, err)
	}
	root, err := jsontree.Parse(form)
	if err != nil {
		return Config{}, err
	}
	l := faults{doc: doc}
	l.members(root, reflect.TypeFor[Config](), "")
	for _, p := range doc.AmbiguousToPyYAML() {
		if !strings.HasPrefix(p.Message, ":") { // the address :8787, which Ruby alone takes for a symbol
			l.addAt(p.Pointer, withHint(p.Message, p.Hint))
		}
	}
	var c Config
	if err := json.Unmarshal(form, &c); err != nil && len(l.all) == 0 { // else it is there already, and all other members are read
		return Config{}, err
	}
	if c.Schema == "" {
		l.add(0, missingSchema, "schema is missing: want "+Schema)
	}
	listen := c.Listen // With tells whether it is named
	c = c.withDefaults()
	c.Listen = listen
	for _, p := range []*string{&c.Journal, &c.Witness, &c.Policy, &c.TLS.Certificate, &c.TLS.Key, &c.TLS.ClientCA, &c.Key} {
		*p = place(*p)
	}
	for _, err := range flat(c.check()) { // of the paths that it is used with
		at, message, _ := strings.Cut(err.Error(), ": ")
		l.addAt("/"+at, message)
	}
	if err := l.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func withHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + "; " + hint
}

// flat are the errors that are joined in one.
func flat(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flat(e)...)
	}
	return all
}

func located(doc *yamljson.Document, err error) error {
	var ce *canonical.Error
	if !errors.As(err, &ce) {
		return err
	}
	line, _ := doc.LocateJSON(ce.Offset)
	return fmt.Errorf("line %d: %w", line, err)
}

// missingSchema is the pointer of a fault that has no place.
const missingSchema = "/schema/"

// faults are what is wrong with a configuration, one at a value.
type faults struct {
	doc *yamljson.Document
	all []fault
}

type fault struct {
	line             int
	pointer, message string
}

func (l *faults) add(line int, pointer, message string) {
	if len(l.all) < limits.Problems {
		l.all = append(l.all, fault{line, pointer, message})
	}
}

// addAt notes a fault of the value at a pointer, unless one is known there, above it or in it: it may follow from that.
func (l *faults) addAt(pointer, message string) {
	isKnown := slices.ContainsFunc(l.all, func(f fault) bool {
		return f.pointer == pointer || strings.HasPrefix(pointer, f.pointer+"/") || strings.HasPrefix(f.pointer, pointer+"/")
	})
	if isKnown || len(l.all) >= limits.Problems {
		return
	}
	line, _ := l.doc.Locate(pointer)
	l.add(line, pointer, message)
}

// err has all faults, in the order of the text, on one line: messages escape line breaks.
func (l *faults) err() error {
	slices.SortStableFunc(l.all, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var texts []string
	for _, f := range l.all {
		text := f.message
		if name := strings.TrimPrefix(f.pointer, "/"); name != "" && f.pointer != missingSchema {
			text = name + ": " + text
		}
		if f.line > 0 {
			text = fmt.Sprintf("line %d: %s", f.line, text)
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

// members holds a value against a type: the names of members whole, and the type of each.
func (l *faults) members(v jsontree.Value, t reflect.Type, pointer string) {
	want := map[reflect.Kind]jsontree.Kind{
		reflect.Struct: jsontree.Object, reflect.Slice: jsontree.Array, reflect.String: jsontree.String, reflect.Bool: jsontree.Bool, reflect.Int64: jsontree.Number,
	}[t.Kind()]
	switch {
	case v.Kind() == jsontree.Null:
		l.addAt(pointer, "null is refused, which a name without a value is in YAML; leave it out, or write its value")
		return
	case v.Kind() != want:
		l.addAt(pointer, fmt.Sprintf("is of type %s, want %s", v.Kind(), want))
		return
	case want == jsontree.Number && strings.ContainsAny(string(v.Raw()), ".eE-"):
		l.addAt(pointer, "want a whole number")
	case pointer == "/policy" && v.Text() == "":
		l.addAt(pointer, "is empty, and would admit all calls; leave it out, or name the policy's file")
	case want == jsontree.String && v.Text() == "": // as an unset variable leaves it
		l.addAt(pointer, "is empty; leave it out, or write its value")
	}
	for i, e := range v.Elements() {
		l.members(e, t.Elem(), fmt.Sprintf("%s/%d", pointer, i))
	}
	fields := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			fields[f.Tag.Get("json")] = f.Type
		}
	}
	for name, m := range v.Members() {
		at := pointer + "/" + jsontree.EscapePointer(string(name))
		if field, ok := fields[string(name)]; ok {
			l.members(m, field, at)
		} else {
			l.addAt(at, "is not a member of a gateway configuration")
		}
	}
}
