package store

import "testing"

// TestTwoSpellings: of two members with one name, or names that differ in case alone, encoding/json takes the last.
func TestTwoSpellings(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"manifests":[],"mediaType":"x","annotations":{"a":"1","A":"2"}}`: true,
		`{"manifests":[{}],"Manifests":[]}`:                                false,
		`{"manifests":[{}],"manifests":[]}`:                                false,
		`{"manifests":[{}],"manife\u0073ts":[]}`:                           false,
		`{"manifests":[{}],"manifeſts":[]}`:                                false, // a long s, which encoding/json takes for one
		`{"manifests":[{}]`:                                                false,
	} {
		var v struct{ Manifests []struct{} }
		if err := Unmarshal([]byte(text), &v); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
