package identity_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/vectors"
)

func parse(v vectors.Vector) (*identity.Declaration, error) {
	if v.IsYAML() {
		return identity.ParseYAML(v.Body)
	}
	return identity.Parse(v.Body)
}

func TestValidVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "identity/valid") {
		t.Run(v.Name, func(t *testing.T) {
			d, err := parse(v)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := d.ID().String(), v.Header["id"]; got != want {
				t.Errorf("id %s, want %s", got, want)
			}
			if got, want := string(d.Canonical()), v.Header["canonical"]; got != want {
				t.Errorf("canonical form\n%s\nwant\n%s", got, want)
			}
			again, err := identity.Parse(d.Canonical())
			if err != nil || again.ID() != d.ID() {
				t.Errorf("the canonical form parses to %v, %v", again.ID(), err)
			}
			if built, err := identity.Build(d.Run()); err != nil || built.ID() != d.ID() {
				t.Errorf("built of its own parts it is %s, %v", built.ID(), err)
			}
			if err := compileSchema(t).Validate(decode(t, d.Canonical())); err != nil {
				t.Errorf("the JSON Schema refuses it: %v", err)
			}
		})
	}
}

// schemaCodes are the codes of what JSON Schema can say; the others are about text.
var schemaCodes = map[identity.Code]bool{
	identity.CodeNull: true, identity.CodeType: true, identity.CodeRequired: true,
	identity.CodeUnknown: true, identity.CodeValue: true, identity.CodeUnique: true,
}

func TestInvalidVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "identity/invalid") {
		t.Run(v.Name, func(t *testing.T) {
			d, err := parse(v)
			var invalid *identity.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, %v; want an InvalidError", d, err)
			}
			p := invalid.Problems[0]
			if want := v.Header["expect"]; string(p.Code) != want {
				t.Errorf("code %s (%s), want %s", p.Code, p.Message, want)
			}
			if want, ok := v.Header["pointer"]; ok && p.Pointer != want {
				t.Errorf("pointer %q, want %q", p.Pointer, want)
			}
			if len(invalid.Problems) != 1 {
				t.Errorf("a vector has one reason, but this one has %v", invalid.Problems)
			}
			if _, located := v.Header["pointer"]; located && p.Line == 0 {
				t.Errorf("no line in %+v", p)
			}
			if schemaCodes[p.Code] && !v.IsYAML() {
				if compileSchema(t).Validate(decode(t, v.Body)) == nil {
					t.Error("the JSON Schema accepts it")
				}
			}
		})
	}
}

// TestDeclarationPairs holds each JSON and YAML pair to one identity, the one that was
// computed without this package.
func TestDeclarationPairs(t *testing.T) {
	folder := filepath.Join(vectors.Root(t), "declarations")
	list, err := os.ReadFile(filepath.Join(folder, "IDENTITIES"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); n++ {
		var want, name string
		if _, err := fmt.Sscan(lines.Text(), &want, &name); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		for extension, parse := range map[string]func([]byte) (*identity.Declaration, error){".json": identity.Parse, ".yaml": identity.ParseYAML} {
			data, err := os.ReadFile(filepath.Join(folder, name+extension))
			if err != nil {
				t.Fatal(err)
			}
			d, err := parse(data)
			if err != nil {
				t.Errorf("%s%s: %v", name, extension, err)
			} else if got := d.ID().String(); got != want {
				t.Errorf("%s%s: %s, want %s", name, extension, got, want)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d pairs, want at least 10", n)
	}
}

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("declaration.json", decode(t, identity.JSONSchema())); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("declaration.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t testing.TB, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
