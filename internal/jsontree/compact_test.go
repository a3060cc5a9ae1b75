package jsontree_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
)

var few = canonical.Options{MaxDepth: 5, MaxValues: 12}

// FuzzReadCompact holds the reader of one pass to the two that it stands for.
func FuzzReadCompact(f *testing.F) {
	for _, s := range []string{
		`{}`, ` {"b":1.50,"a":[-0,true,false,null,{}]} `, `{"a":1,"b":2,"a":3}`, `{"tool_calls":1,"tool_call_id":2,"tool_calls":3}`, `{"tool_calls":1,"tool_call_id":2}`, `{"a":{"a":{"a":{"a":[]}}}}`, `{"a":{"a":{"a":{"a":[[]]}}}}`,
		`{"a":[1,2,3,4,5,6,7,8,9,10,11]}`, `{"a":[1,2,3,4,5,6,7,8,9,10,11,12]}`, `{"a":1e400}`, `{"a":1E2}`, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":"é\n\"\\"}`, `{"a":"\u0041"}`, `{"\u0061":1,"a":2}`, `{"é":1}`, "{\"a\":\"\xff\"}",
		`{"a" :1}`, `{"a":1,}`, `{"a":1}x`, `[1]`, `"x"`, ``, `{"a":"x`, `{"a":tru}`, `{"":{"":0},"aaaaaaaa":1,"aaaaaaaa":2}`, "\xef\xbb\xbf{}", "{\"a\":\"\x01\"}", `{"a":` + strings.Repeat("9", 400) + `}`,
	} {
		f.Add([]byte(s))
	}
	var memory jsontree.Memory
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, rules := range []canonical.Options{few, {MaxDepth: 100, MaxValues: 10000}, {}} {
			got, err := memory.ReadCompact(data, rules)
			want, wantErr := rules.AppendCompact(nil, data)
			if wantErr != nil {
				var a, b *canonical.Error
				if !errors.As(err, &a) || !errors.As(wantErr, &b) || *a != *b {
					t.Fatalf("%q: got %v, want %v", data, err, wantErr)
				}
				continue
			}
			if err != nil || string(got.Raw()) != string(want) {
				t.Fatalf("%q: got %q, %v; want %q", data, got.Raw(), err, want)
			}
			parsed, err := jsontree.Parse(want)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, parsed)
		}
	})
}

// same holds one tree against another.
func same(t *testing.T, a, b jsontree.Value) {
	t.Helper()
	if a.Kind() != b.Kind() || string(a.Raw()) != string(b.Raw()) || a.Text() != b.Text() || a.Len() != b.Len() || a.Values() != b.Values() || a.Depth() != b.Depth() {
		t.Fatalf("%s is not %s", a.Raw(), b.Raw())
	}
	if a.Kind() != jsontree.Object && a.Kind() != jsontree.Array {
		return
	}
	for x, y := a.First(), b.First(); x.Kind() != jsontree.Absent || y.Kind() != jsontree.Absent; x, y = x.After(a), y.After(b) {
		same(t, x, y)
		if a.Kind() == jsontree.Object {
			if string(x.Name()) != string(y.Name()) || string(a.Get(string(x.Name())).Raw()) != string(x.Raw()) {
				t.Fatalf("the name %q is not %q", x.Name(), y.Name())
			}
		}
	}
}

// TestDistinct refuses a name that an object has twice, among few and many, with prefixes that tell them apart and such that do not.
func TestDistinct(t *testing.T) {
	var memory jsontree.Memory
	for n := 1; n < 40; n++ {
		for _, prefix := range []string{"", "a long prefix "} {
			for twice := range n {
				var b strings.Builder
				for k := range n {
					b.WriteString(`"` + prefix + strconv.Itoa(k*7%40) + `":{"x":` + strings.Repeat("1", k%3+1) + `},`)
				}
				if _, err := memory.ReadCompact([]byte("{"+strings.TrimSuffix(b.String(), ",")+"}"), canonical.Options{MaxDepth: 5, MaxValues: 1000}); err != nil {
					t.Fatal(err)
				}
				b.WriteString(`"` + prefix + strconv.Itoa(twice*7%40) + `":0`)
				if _, err := memory.ReadCompact([]byte("{"+b.String()+"}"), canonical.Options{MaxDepth: 5, MaxValues: 1000}); err == nil {
					t.Fatalf("%s is read", b.String())
				}
			}
		}
	}
}
