package store

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestTwoSpellings: of two members with one name, or names that differ in case alone, encoding/json takes the last.
func TestTwoSpellings(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"manifests":[],"mediaType":"x","annotations":{"a":"1","A":"2"}}`: true,
		`{"manifests":[{}],"Manifests":[]}`:                                false,
		`{"manifests":[{}],"manifests":[]}`:                                false,
		`{"manifests":[{}],"manife\u0073ts":[]}`:                           false,
		`{"manifests":[{}],"manifeſts":[]}`:                                false, // a long s, which encoding/json takes for one
		`{"manifests":[{}]`:                                                false,
		// at any depth
		`{"layers":[{"mediaType":"x","mediaType":"y"}]}`:                        false,
		`{"layers":[{"mediaType":"x","media\u0054ype":"y"}]}`:                   false,
		`{"layers":[{"mediaType":"x","MediaType":"y"}]}`:                        false,
		`{"manifests":[{"platform":{"os":"linux","OS":"x"}}]}`:                  false,
		`{"annotations":{"a":"1","a":"2"}}`:                                     false,
		`{"annotations":{"a":"1","\u0061":"2"}}`:                                false,
		`{"Annotations":{"a":"1","A":"2"}}`:                                     true,
		`{"annotations":{"a":{"b":1,"B":2}}}`:                                   false,
		`[[{"a":1},{"a":1}],{"b":[{"c":1,"c":2}]}]`:                             false,
		`{"a":{"x":"}\\\"x","y":[ ] , "z":{ } },"b":-1.5e3 ,"c":null,"d":"\\"}`: true,
	} {
		if err := CheckNames([]byte(text)); (err == nil) != (ok || !json.Valid([]byte(text))) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, ok := range map[string]bool{
		`{"manifests":[{}],"Manifests":[]}`: false,
		`{"manifests":[{}]`:                 false,
		`{"manifests":[{}]}`:                true,
	} {
		var v struct{ Manifests []struct{} }
		if err := Unmarshal([]byte(text), &v); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzNames: what has passed reads the same whichever of two equal names a reader takes.
func FuzzNames(f *testing.F) {
	for _, text := range []string{`{"layers":[{"mediaType":"x","mediaType":"y"}]}`, `{"annotations":{"a":"1","A":"2"}} `, `[1,"\\",{"a":[]}]`, `"x"`, ` -1 `} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || CheckNames(text) != nil {
			return
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Skip(err) // such as nesting
		}
		in := json.NewDecoder(strings.NewReader(string(text)))
		count := 0
		for {
			token, err := in.Token()
			if err != nil {
				break
			}
			if d, ok := token.(json.Delim); ok && (d == '{' || d == '[') {
				count++
			}
		}
		if n := containers(v); n != count {
			t.Errorf("%q: %d arrays and objects in the text, %d in what is read", text, count, n)
		}
	})
}

func containers(v any) (n int) {
	switch v := v.(type) {
	case []any:
		for n = 1; len(v) > 0; v = v[1:] {
			n += containers(v[0])
		}
	case map[string]any:
		n = 1
		for _, member := range v {
			n += containers(member)
		}
	}
	return n
}
