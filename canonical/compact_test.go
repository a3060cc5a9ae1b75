package canonical

import (
	"testing"
)

// TestAppendCompact: white space and spelling of strings go, order and numbers stay, and what Append refuses is refused.
func TestAppendCompact(t *testing.T) {
	for in, want := range map[string]string{
		` { "b" : 1.0 , "a" : [ -0 , 1E5, 0.69999999999999996, 18446744073709551616 ] } `: `{"b":1.0,"a":[-0,1E5,0.69999999999999996,18446744073709551616]}`,
		`"\u00e9\/\u000a\ud83d\ude00"`:        `"é/\n😀"`,
		`{"\u0062":null,"a":{"z":{},"y":[]}}`: `{"b":null,"a":{"z":{},"y":[]}}`,
		`{"b":1.50}`:                          `{"b":1.50}`,
	} {
		got, err := Options{}.AppendCompact([]byte("x"), []byte(in))
		if err != nil || string(got) != "x"+want {
			t.Errorf("%s: got %s, %v; want %s", in, got, err, want)
		}
		again, err := Options{}.AppendCompact(nil, got[1:])
		if err != nil || string(again) != want {
			t.Errorf("%s: compact twice: %s, %v", in, again, err)
		}
	}
	for _, in := range []string{`{"b":1,"a":2,"b":3}`, `1e400`, `"\ud800"`, `{} x`, "\xef\xbb\xbf{}", `NaN`, "\"\xff\"", `[1,]`} {
		if got, err := (Options{}).AppendCompact([]byte("x"), []byte(in)); err == nil || string(got) != "x" {
			t.Errorf("%s: got %s, %v; want an error", in, got, err)
		}
		if _, err := Transform([]byte(in)); err == nil {
			t.Errorf("%s: Transform takes it", in)
		}
	}
	// A transformer is used again: the next caller gets canonical numbers.
	if got, err := Transform([]byte(`[1.0]`)); err != nil || string(got) != `[1]` {
		t.Errorf("got %s, %v", got, err)
	}
}

// FuzzAppendCompact: the compact text has the canonical form of its source.
func FuzzAppendCompact(f *testing.F) {
	for _, s := range []string{`{"b":1.0,"a":["\u0041",2e5]}`, `[]`, `"\/"`, `-0.0`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		form, formErr := Transform(src)
		text, err := Options{}.AppendCompact(nil, src)
		if (err == nil) != (formErr == nil) {
			t.Fatalf("%v, but %v", err, formErr)
		}
		if err != nil {
			return
		}
		again, err := Transform(text)
		if err != nil || string(again) != string(form) {
			t.Fatalf("%s has the form %s (%v), and its source %s", text, again, err, form)
		}
	})
}
