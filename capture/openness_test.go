package capture

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/runattest/runattest/identity"
)

// checkOpen holds what is open by a declaration against what the capture of its source says.
func checkOpen(t testing.TB, name string, c *Captured) Openness {
	t.Helper()
	o := Open(c.Declaration)
	fates := fatesByPointer(c) // what is null where null is absent is unknown, and not in the declaration
	unknown := slices.DeleteFunc(slices.Clone(c.Unknown), func(u Unknown) bool { return slices.Contains(fates[u.Pointer], Absent) })
	if diff := cmp.Diff(c.Open, o.Open, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: open (-captured +declared):\n%s", name, diff)
	}
	for i, u := range unknown { // a type that is an integer beyond 2^53 has no name in the source, and in the declaration its digits
		if i < len(o.Unknown) && o.Unknown[i].Pointer == u.Pointer && strings.HasSuffix(u.Name, " ") && len(strings.Trim(strings.TrimPrefix(o.Unknown[i].Name, u.Name), "-0123456789")) == 0 {
			unknown[i].Name = o.Unknown[i].Name
		}
	}
	if diff := cmp.Diff(unknown, o.Unknown, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: unknown (-captured +declared):\n%s", name, diff)
	}
	if o.Format.Name() != c.Format.Name() {
		t.Errorf("%s: by %s", name, o.Format.Name())
	}
	return o
}

// TestOpen: what is open is the same by the declaration and by its source.
func TestOpen(t *testing.T) {
	open, unknown := 0, 0
	for v := range capturedVectors(t) {
		c := v.c
		o := checkOpen(t, v.Name, c)
		open, unknown = open+len(o.Open), unknown+len(o.Unknown)
	}
	if open < 20 || unknown < 20 {
		t.Errorf("%d open and %d unknown, want at least 20 of each", open, unknown)
	}
}

// TestOpenFolder: the same of folders, and what a capture does not write is unknown.
func TestOpenFolder(t *testing.T) {
	f, err := Lookup("hf-model")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{
		"adapter_config.json": {Data: []byte(`{"base_model_name_or_path":"org/b","revision":"c"}`)},
		"config.json":         {Data: []byte(`{"auto_map":{"AutoModel":"org/code--m.M"}}`)},
		"a/config.json":       {Data: []byte(`{"a":Infinity}`)},
	}
	c, err := f.CaptureFolder(t.Context(), files, Source{Model: "org/m"})
	if err != nil {
		t.Fatal(err)
	}
	checkOpen(t, "a folder", c)
	if len(c.Open) != 3 {
		t.Errorf("%v is open, want three", c.Open)
	}
	text := bytes.Replace(c.Declaration.Canonical(), []byte(`"constraints":{}`), []byte(`"constraints":{"x":1}`), 1)
	text = bytes.Replace(text, []byte(`"revision"`), []byte(`"reversion"`), 1)
	d, err := identity.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if o := Open(d); len(o.Unknown) != 2 {
		t.Errorf("%v is unknown, want a member and the constraints", o.Unknown)
	}
}

// TestOpenByHand: what a declaration by hand does not hold in the table's form is unknown, and never taken for closed.
func TestOpenByHand(t *testing.T) {
	declare := func(api, rest string) *identity.Declaration {
		t.Helper()
		d, err := identity.Parse([]byte(`{"schema":"` + identity.Schema + `","kind":"inference","model":{"name":"m"},"constraints":{},` + rest + api + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	speaks := func(api string) string { return `,"extensions":{"` + Interface + `":{"api":"` + api + `"}}` }
	const none = `"prompt":{},"parameters":{},"context":[]`
	for name, test := range map[string]struct {
		d    *identity.Declaration
		want []string
	}{
		"nil":            {nil, []string{"interface "}},
		"no interface":   {declare("", none), []string{"interface "}},
		"no table":       {declare(speaks("other"), none), []string{"interface other"}},
		"nothing":        {declare(speaks("openai-chat"), none), nil},
		"a member":       {declare(speaks("openai-chat"), `"prompt":{},"parameters":{"thread":"t"},"context":[]`), []string{"member thread"}},
		"a text":         {declare(speaks("openai-chat"), `"prompt":{"text":"x"},"parameters":{},"context":[]`), []string{"prompt text"}},
		"a tool by hash": {declare(speaks("openai-chat"), `"prompt":{},"parameters":{},"context":[{"role":"tool","name":"f","uri":"https://h/f"}]`), []string{"resource tool f"}},
		"an item":        {declare(speaks("openai-chat"), `"prompt":{"messages":[{"role":"item/x"}]},"parameters":{},"context":[]`), []string{"message item/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, u := range Open(test.d).Unknown {
				got = append(got, u.Name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// BenchmarkOpen walks a declaration that is as large as any, with as many nulls as its report takes.
func BenchmarkOpen(b *testing.B) {
	var text bytes.Buffer
	text.WriteString(`{"model":"m","messages":[`)
	for range 24_000 {
		text.WriteString(`{"role":"user","content":"` + strings.Repeat("x", 400) + `","new":null},`)
	}
	text.WriteString(`{"role":"user"}]}`)
	f, err := Lookup("openai-chat")
	if err != nil {
		b.Fatal(err)
	}
	c, err := f.Capture(Source{Body: text.Bytes()})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(c.Declaration.Canonical())))
	for b.Loop() {
		Open(c.Declaration)
	}
}
