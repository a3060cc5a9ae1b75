package gateway

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
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
	c, err := readConfig(data)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	dir := filepath.Dir(path)
	for _, p := range []*string{&c.Journal, &c.Witness, &c.Policy, &c.TLS.Certificate, &c.TLS.Key, &c.TLS.ClientCA, &c.Key} {
		if *p != "" && !filepath.IsAbs(*p) && !strings.Contains(*p, "://") {
			*p = filepath.Join(dir, *p)
		}
	}
	if err := c.check(); err != nil { // of the paths that it is used with
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ParseConfig reads a configuration, YAML or JSON. It is closed: a member that Config does not have, one that is there twice and
// one of another type are errors. The Config has its defaults.
func ParseConfig(data []byte) (Config, error) {
	c, err := readConfig(data)
	if err == nil {
		err = c.check()
	}
	return c, err
}

// readConfig is ParseConfig without what the members say together.
func readConfig(data []byte) (Config, error) {
	doc, problems := yamljson.Read(data, "gateway configuration", configYAML)
	if len(problems) > 0 {
		p := problems[0]
		return Config{}, fmt.Errorf("line %d: %s", p.Line, cmp.Or(p.Message, "not text that can be read ("+p.Code+")"))
	}
	form, err := configRules.Append(nil, doc.JSON)
	if err != nil {
		return Config{}, located(doc, err)
	}
	root, err := jsontree.Parse(form)
	if err != nil {
		return Config{}, err
	}
	if err := checkMembers(root, reflect.TypeFor[Config](), ""); err != nil {
		line, _ := doc.Locate(err.pointer)
		return Config{}, fmt.Errorf("line %d: %s: %s", line, strings.TrimPrefix(err.pointer, "/"), err.message)
	}
	var c Config
	if err := json.Unmarshal(form, &c); err != nil {
		return Config{}, err
	}
	if c.Schema == "" {
		return Config{}, errors.New("schema is missing: want " + Schema)
	}
	return c.withDefaults(), nil
}

func located(doc *yamljson.Document, err error) error {
	var ce *canonical.Error
	if !errors.As(err, &ce) {
		return err
	}
	line, _ := doc.Locate(ce.Pointer)
	return fmt.Errorf("line %d: %w", line, err)
}

// A memberError says what is wrong with the value at a pointer.
type memberError struct{ pointer, message string }

// checkMembers holds a value against a type: the names of members whole, and the type of each.
func checkMembers(v jsontree.Value, t reflect.Type, pointer string) *memberError {
	want := map[reflect.Kind]jsontree.Kind{
		reflect.Struct: jsontree.Object, reflect.Slice: jsontree.Array, reflect.String: jsontree.String, reflect.Bool: jsontree.Bool, reflect.Int64: jsontree.Number,
	}[t.Kind()]
	if v.Kind() != want {
		return &memberError{pointer, fmt.Sprintf("is of type %s, want %s", v.Kind(), want)}
	}
	if want == jsontree.Number && strings.ContainsAny(string(v.Raw()), ".eE-") {
		return &memberError{pointer, "want a whole number"}
	}
	for i, e := range v.Elements() {
		if err := checkMembers(e, t.Elem(), fmt.Sprintf("%s/%d", pointer, i)); err != nil {
			return err
		}
	}
	fields := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		for f := range t.Fields() {
			fields[f.Tag.Get("json")] = f.Type
		}
	}
	for name, m := range v.Members() {
		at := pointer + "/" + jsontree.EscapePointer(string(name))
		field, ok := fields[string(name)]
		if !ok {
			return &memberError{at, "is not a member of a gateway configuration"}
		}
		if err := checkMembers(m, field, at); err != nil {
			return err
		}
	}
	return nil
}
