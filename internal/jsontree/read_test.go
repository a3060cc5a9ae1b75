package jsontree

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/testing/vectors"
)

var testRules = canonical.Options{ExactNumbers: true, MaxDepth: 8, MaxValues: 100}

// sameAsForm holds Read to Form and parse, and says whether text was read in one pass.
func sameAsForm(t *testing.T, text []byte, rules canonical.Options) bool {
	t.Helper()
	form, wantErr := rules.Form(text)
	m := &Memory{tree: tree{nodes: make([]node, 7)}}
	for i := range m.tree.nodes {
		m.tree.nodes[i] = node{1, 2, 3, 4, 5, 6} // what an earlier text has left
	}
	inOnePass := m.readCanonical(text, rules)
	got, err := Read(text, rules)
	switch {
	case (err == nil) != (wantErr == nil), err != nil && err.Error() != wantErr.Error():
		t.Fatalf("%q: %v, want %v", text, err, wantErr)
	case err != nil && inOnePass:
		t.Fatalf("%q was read in one pass, want %v", text, wantErr)
	case err != nil:
		return false
	}
	want, err := parse(form, 1)
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := Parse(form); err != nil || !bytes.Equal(parsed.t.text, form) || !slices.Equal(parsed.t.nodes, want.t.nodes) {
		t.Fatalf("%q: %v, %v, want %v", form, parsed, err, want.t.nodes)
	}
	if !bytes.Equal(got.Raw(), form) || !slices.Equal(got.t.nodes, want.t.nodes) {
		t.Fatalf("%q: %s with %v, want %s with %v", text, got.Raw(), got.t.nodes, form, want.t.nodes)
	}
	if inOnePass && (!bytes.Equal(m.tree.text, form) || !slices.Equal(m.tree.nodes, want.t.nodes)) {
		t.Fatalf("%q in one pass: %v, want %v", text, m.tree.nodes, want.t.nodes)
	}
	return inOnePass
}

// readTexts are texts in canonical form, and what is nearly so.
var readTexts = []struct {
	text      string
	inOnePass bool
}{
	{`{}`, true},
	{" \t\r\n{}\n", true},
	{`{"":{},"a":[1,"x\n",true,null,[]],"b":{"c":-1.5},"d":false}`, true},
	{`{"a":"\"\\\b\f\n\r\t/"}`, true},
	{`{"a":"é日本語𝄞` + "\x7f\u2028\ufffe" + `"}`, true},
	{`{"a":[0,1,-1,10,999999999999999,-999999999999999,0.1,-0.1,0.000001,123456789.012345,1.5]}`, true},
	{`{"a":1,"aa":2,"aaaaaaaa":3,"aaaaaaaaa":4,"aaaaaaaab":5,"ab":6}`, true},
	{`{"a":{"b":1},"c":{"b":1}}`, true},
	{`{"a":[[[[[[[]]]]]]]}`, true},
	{`{"a":[[[[[[[[]]]]]]]]}`, false}, // too deep
	{`{"a":[` + strings.Repeat("1,", 98) + `1]}`, true},
	{`{"a":[` + strings.Repeat("1,", 99) + `1]}`, false}, // too many
	{`[]`, false},
	{`"x"`, false},
	{``, false},
	{"\ufeff{}", false},
	{`{"a":1}x`, false},
	{`{"a":1}{}`, false},
	{`{"a":1,}`, false},
	{`{,}`, false},
	{`{"a":[1,]}`, false},
	{`{"a":[,1]}`, false},
	{`{"a":[1}`, false},
	{`{"a":[1}]`, false},
	{`{"a":}`, false},
	{`{"a"}`, false},
	{`{"a":1`, false},
	{`{"a`, false},
	{`{"a":"`, false},
	{`{"a":"\`, false},
	{`{"a":"\"`, false},
	{`{"a": 1}`, false},
	{`{"a":1 }`, false},
	{`{ "a":1}`, false},
	{`{"a" :1}`, false},
	{`{"b":1,"a":1}`, false},
	{`{"a":1,"a":1}`, false},
	{`{"aaaaaaaaa":1,"aaaaaaaaa":1}`, false},
	{`{"aaaaaaaab":1,"aaaaaaaaa":1}`, false},
	{`{"aaaaaaaaa":1,"aaaaaaaa":1}`, false},
	{`{"":1,"":1}`, false},
	{`{"\n":1}`, false},
	{`{"é":1}`, false},
	{`{"\ue000":1,"𝄞":1}`, false},
	{`{"a":"\u0001"}`, false},
	{`{"a":"\u0041"}`, false},
	{`{"a":"\/"}`, false},
	{`{"a":"\x"}`, false},
	{"{\"a\":\"\n\"}", false},
	{"{\"a\":\"\x00\"}", false},
	{"{\"a\":\"\x80\"}", false},
	{"{\"a\":\"\xed\xa0\x80\"}", false},
	{"{\"a\":\"\xc3\\n\xa9\"}", false},
	{"{\"a\x00\":1}", false},
	{`{"a":-0}`, false},
	{`{"a":-}`, false},
	{`{"a":01}`, false},
	{`{"a":00}`, false},
	{`{"a":1.}`, false},
	{`{"a":.5}`, false},
	{`{"a":1.0}`, false},
	{`{"a":1.50}`, false},
	{`{"a":+1}`, false},
	{`{"a":0.0}`, false},
	{`{"a":-0.0}`, false},
	{`{"a":0.0000001}`, false},
	{`{"a":1e5}`, false},
	{`{"a":1e+21}`, false},
	{`{"a":1000000000000000}`, false}, // exact, but of 16 digits
	{`{"a":9007199254740993}`, false},
	{`{"a":0.1000000000000000055}`, false},
	{`{"a":1.2.3}`, false},
	{`{"a":--1}`, false},
	{`{"a":tru}`, false},
	{`{"a":True}`, false},
	{`{"a":nul`, false},
	{`{"a":nulll}`, false},
	{`{'a':1}`, false},
	{`{"a":1]`, false},
	{`{a:1}`, false},
}

func TestRead(t *testing.T) {
	for _, c := range readTexts {
		if got := sameAsForm(t, []byte(c.text), testRules); got != c.inOnePass {
			t.Errorf("%s: in one pass: %v, want %v", c.text, got, c.inOnePass)
		}
	}
	if !sameAsForm(t, []byte(`{"a":1}`), canonical.Options{MaxDepth: 1, MaxValues: 1}) || sameAsForm(t, []byte(`{"a":1}`), canonical.Options{}) {
		t.Error("the rules for numbers, or the lack of bounds, decide how a text is read")
	}
}

// TestReadEachByte replaces each byte of a text by each other one, and cuts it everywhere.
func TestReadEachByte(t *testing.T) {
	text := []byte(`{"a":[0.5,-12,"x\n\"é",true,{}],"aaaaaaaab":{"c":null},"b":false,"c":""}`)
	if !sameAsForm(t, text, testRules) {
		t.Fatal("the text is not read in one pass")
	}
	for i := range text {
		sameAsForm(t, text[:i], testRules)
		for c := range 256 {
			changed := slices.Clone(text)
			changed[i] = byte(c)
			sameAsForm(t, changed, testRules)
			sameAsForm(t, slices.Insert(slices.Clone(text), i, byte(c)), testRules)
		}
	}
}

// TestReadDeclarations: the declarations of the tests are read in one pass once they are canonical, all but those with numbers
// and names that take a longer look.
func TestReadDeclarations(t *testing.T) {
	rules := canonical.Options{ExactNumbers: true, MaxDepth: 64, MaxValues: 100_000}
	all, inOnePass := 0, 0
	err := filepath.WalkDir(filepath.Join(vectors.Root(t), "declarations"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		form, err := rules.Append(nil, text)
		if err != nil {
			return nil
		}
		sameAsForm(t, text, rules)
		all++
		if sameAsForm(t, form, rules) {
			inOnePass++
		} else {
			t.Logf("%s takes a longer look", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d of %d in one pass", inOnePass, all); all == 0 || inOnePass < all*3/4 {
		t.Errorf("%d of %d declarations are read in one pass, want three quarters", inOnePass, all)
	}
}

// FuzzRead holds Read to Form and parse.
func FuzzRead(f *testing.F) {
	for _, c := range readTexts {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sameAsForm(t, data, testRules)
		if form, err := testRules.Append(nil, data); err == nil {
			sameAsForm(t, form, testRules)
		}
	})
}
