package visible

import (
	"encoding/json"
	"testing"
	"time"
)

// TestJSONBytes: names that differ in bytes that are not UTF-8 differ in JSON, wherever they stand.
func TestJSONBytes(t *testing.T) {
	type inner struct {
		File  string   `json:"file"`
		Paths []string `json:"paths"`
		when  string
	}
	type outer struct {
		inner
		Inner *inner         `json:"inner"`
		Any   any            `json:"any"`
		Map   map[string]any `json:"map"`
		Time  time.Time      `json:"time"`
		Raw   json.RawMessage
	}
	value := func(name string) any {
		one := inner{name, []string{name}, name}
		return outer{one, &one, []any{nil, name, 1}, map[string]any{name: one}, time.Unix(0, 0).UTC(), json.RawMessage(`"\ufffd"`)}
	}
	got, err := JSON(value("a\\\xff"))
	in := `{"file":"a\\\\\\xff","paths":["a\\\\\\xff"]}`
	want := in[:len(in)-1] + `,"inner":` + in + `,"any":[null,"a\\\\\\xff",1],"map":{"a\\\\\\xff":` + in + `},"time":"1970-01-01T00:00:00Z","Raw":"\ufffd"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	seen := map[string]string{}
	for _, name := range []string{"\xff.json", "\xfe.json", "\ufffd.json", `\xff` + "\xff", "\xff" + `\xff`, `\\` + "\xff", `\` + "\xff", "\xed\xa0\x80", "\xc3", `a\b`, `\xff.json`, `\\xff.json`, `\\\xff.json`, `\\\\xff.json`, `\` + "\xff.json", `\\` + "\xff.json", `\xFF.json`, `\x`, `\\x`} {
		text, err := JSON(map[string]string{"file": name})
		if other, twice := seen[string(text)]; twice || err != nil {
			t.Errorf("%q and %q: %s, %v", name, other, text, err)
		}
		seen[string(text)] = name
	}
}
