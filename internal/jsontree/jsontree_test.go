package jsontree_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
)

func TestTree(t *testing.T) {
	root, err := jsontree.Parse([]byte(`{"":{},"a":[1,"x\n",true,null,[]],"b\"":{"c":-1.5e-7}}`))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range root.Members() {
		names = append(names, string(name))
	}
	if want := []string{"", "a", `b"`}; !reflect.DeepEqual(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
	a := root.Get("a")
	if a.Kind() != jsontree.Array || a.Len() != 5 || string(a.Raw()) != `[1,"x\n",true,null,[]]` {
		t.Errorf("a: %s of %d: %s", a.Kind(), a.Len(), a.Raw())
	}
	var kinds []string
	for _, e := range a.Elements() {
		kinds = append(kinds, e.Kind().String())
	}
	if got := strings.Join(kinds, " "); got != "number string boolean null array" {
		t.Errorf("kinds %s", got)
	}
	if got := root.Get(`b"`).Get("c"); string(got.Raw()) != "-1.5e-7" {
		t.Errorf("c: %s", got.Raw())
	}
	for _, absent := range []jsontree.Value{root.Get("c"), root.Get("a").Get("x"), root.Get("c").Get("d"), {}} {
		if absent.Kind() != jsontree.Absent || absent.Raw() != nil || absent.Text() != "" || absent.Bytes() != nil || absent.Len() != 0 {
			t.Errorf("absent value is %s", absent.Raw())
		}
	}
}

func TestEscapePointer(t *testing.T) {
	if got := jsontree.EscapePointer("a/b~c"); got != "a~1b~0c" {
		t.Errorf("got %s", got)
	}
}

// FuzzParse holds the tree to encoding/json on text that canonical has written. Parse alone
// must bear any other text, too.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `[[],{},"",0]`, `{"a":{"b":[1,2,{"c":"\u0001\\\""}]},"é":null}`, `"x"`, `[`, `{"a"`, `{"a":}`, `[1,]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = jsontree.Parse(data)
		form, err := canonical.Transform(data)
		if err != nil {
			return
		}
		root, err := jsontree.Parse(form)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if !bytes.Equal(root.Raw(), form) {
			t.Fatalf("raw %s, want %s", root.Raw(), form)
		}
		var want any
		decoder := json.NewDecoder(bytes.NewReader(form))
		decoder.UseNumber()
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := value(root); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// value is v as encoding/json decodes it.
func value(v jsontree.Value) any {
	switch v.Kind() {
	case jsontree.Object:
		m := map[string]any{}
		for name, c := range v.Members() {
			m[string(name)] = value(c)
		}
		return m
	case jsontree.Array:
		a := []any{}
		for _, c := range v.Elements() {
			a = append(a, value(c))
		}
		return a
	case jsontree.String:
		return v.Text()
	case jsontree.Number:
		return json.Number(v.Raw())
	case jsontree.Bool:
		return string(v.Raw()) == "true"
	}
	return nil
}
