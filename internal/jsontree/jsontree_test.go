package jsontree_test

import (
	"bytes"
	"encoding/json"
	"io"
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
		for skip := range 3 {
			var spans []jsontree.Span // of some strings
			for i, s := range stringSpans(t, form) {
				if i%3 != skip {
					spans = append(spans, s)
				}
			}
			around, err := jsontree.ParseAround(form, spans)
			if err != nil || !reflect.DeepEqual(value(around), want) {
				t.Fatalf("around %v: got %v (%v), want %v", spans, value(around), err, want)
			}
		}
	})
}

// stringSpans are where strings stand in a canonical text.
func stringSpans(t *testing.T, text []byte) []jsontree.Span {
	var spans []jsontree.Span
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for {
		before := int(decoder.InputOffset())
		token, err := decoder.Token()
		if err == io.EOF {
			return spans
		} else if err != nil {
			t.Fatal(err)
		}
		if _, isString := token.(string); isString {
			start := before + bytes.IndexByte(text[before:], '"')
			spans = append(spans, jsontree.Span{Start: start, End: int(decoder.InputOffset())})
		}
	}
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

// TestGetEscaped finds members by their names, whatever is escaped in them.
func TestGetEscaped(t *testing.T) {
	names := []string{"", "a", "ab", "\\", "\\n", "\n", "\"", "a\"b", "\x01", "\\u0001", "é", "\u2028", "aa"}
	for _, name := range names {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := canonical.Transform([]byte("{" + string(quoted) + ":1}"))
		if err != nil {
			t.Fatal(err)
		}
		root, err := jsontree.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range names {
			if got := root.Get(other).Kind() == jsontree.Number; got != (other == name) {
				t.Errorf("%s: Get(%q) finds it: %v", text, other, got)
			}
		}
		if m := root.First(); string(m.Name()) != name || m.After(root).Kind() != jsontree.Absent {
			t.Errorf("%s: the first is named %q", text, m.Name())
		}
	}
}

// TestMeasures compares First and After with Members and Elements, and Values, Depth and Has with a walk of the values.
func TestMeasures(t *testing.T) {
	root, err := jsontree.Parse([]byte(`{"a":[],"b":[1,[2,{"c":null}],{}],"d":{"e":{"f":true}},"g":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(v jsontree.Value)
	walk = func(v jsontree.Value) {
		values, depth, null := 0, 0, false
		if k := v.Kind(); k == jsontree.Object || k == jsontree.Array {
			depth = 1
		}
		next := v.First()
		inside := func(c jsontree.Value) {
			if next.Kind() == jsontree.Absent || string(next.Raw()) != string(c.Raw()) {
				t.Fatalf("%s: %s comes next, want %s", v.Raw(), next.Raw(), c.Raw())
			}
			next = next.After(v)
			values += 1 + c.Values()
			depth = max(depth, 1+c.Depth())
			null = null || c.Kind() == jsontree.Null || c.Has(jsontree.Null)
			walk(c)
		}
		for name, c := range v.Members() {
			if string(next.Name()) != string(name) {
				t.Fatalf("%s: %q comes next, want %q", v.Raw(), next.Name(), name)
			}
			inside(c)
		}
		for _, c := range v.Elements() {
			inside(c)
		}
		if v.DeeperThan(depth) || depth > 0 && !v.DeeperThan(depth-1) {
			t.Errorf("%s: DeeperThan differs from Depth, %d", v.Raw(), depth)
		}
		if next.Kind() != jsontree.Absent || v.Values() != values || v.Depth() != depth || v.Has(jsontree.Null) != null {
			t.Errorf("%s: %d values, depth %d, null %v, want %d, %d, %v", v.Raw(), v.Values(), v.Depth(), v.Has(jsontree.Null), values, depth, null)
		}
	}
	walk(root)
	if (jsontree.Value{}).First().Kind() != jsontree.Absent || (jsontree.Value{}).Values() != 0 || (jsontree.Value{}).Depth() != 0 || (jsontree.Value{}).Has(jsontree.Null) {
		t.Error("the zero value has something in it")
	}
}
