package canonical

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"testing"
)

var accepted = []struct{ name, in, want string }{
	{"RFC 8785 section 3.2.2", `{
  "numbers": [333333333.33333329, 1E30, 4.50,
              2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`, `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`},
	{"RFC 8785 section 3.2.3", `{
  "\u20ac": "Euro Sign",
  "\r": "Carriage Return",
  "\ufb33": "Hebrew Letter Dalet With Dagesh",
  "1": "One",
  "\ud83d\ude00": "Emoji: Grinning Face",
  "\u0080": "Control",
  "\u00f6": "Latin Small Letter O With Diaeresis"
}`, "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"},
	{"scalar", " 1 ", "1"},
	{"string", `"a"`, `"a"`},
	{"empty object", "{ }", "{}"},
	{"empty array", "[ ]\n", "[]"},
	{"escapes that stay", `"\b\f\n\r\t\"\\\u0000\u001f"`, `"\b\f\n\r\t\"\\\u0000\u001f"`},
	{"escapes that go", `"\u0008\u000c\u000a\u000d\u0009\u0022\u005c\/\u007f\u001F"`, "\"\\b\\f\\n\\r\\t\\\"\\\\/\u007f\\u001f\""},
	{"surrogate pair", `"\ud83d\ude00"`, `"😀"`},
	{"noncharacter", `"\uffff\ufdd0"`, "\"\uffff\ufdd0\""},
	{"order in order", `{"a":1,"b":{"c":2,"d":[]}}`, `{"a":1,"b":{"c":2,"d":[]}}`},
	{"disorder at every level", `{"b":{"b":{"b":1,"a":2},"a":[{"d":1,"c":2},{"e":1}]},"a":{"z":{"y":1,"x":2}}}`,
		`{"a":{"z":{"x":2,"y":1}},"b":{"a":[{"c":2,"d":1},{"e":1}],"b":{"a":2,"b":1}}}`},
	{"disorder in order", `{"a":{"y":1,"x":2},"b":[{"y":1,"x":2},{}],"c":0}`, `{"a":{"x":2,"y":1},"b":[{"x":2,"y":1},{}],"c":0}`},
	{"escaped names", `{"\u0062":1,"\"":2,"a\n":3,"a":4}`, `{"\"":2,"a":4,"a\n":3,"b":1}`},
	{"prefix names", `{"abcdefgh1":1,"abcdefgh":2,"abcdefg":3,"":4}`, `{"":4,"abcdefg":3,"abcdefgh":2,"abcdefgh1":1}`},
	{"minus zero", "[-0,-0.0,0e999999999,-0E-5]", "[0,0,0,0]"},
	{"numbers", "[1e-05,1.0,1E30,4.50,1e21,1e20,123456789012345678,0.000001,0.0000001,-1.5e-7,1e-400]",
		"[0.00001,1,1e+30,4.5,1e+21,100000000000000000000,123456789012345680,0.000001,1e-7,-1.5e-7,0]"},
}

func TestTransform(t *testing.T) {
	for _, tt := range accepted {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Transform([]byte(tt.in))
			if err != nil || string(got) != tt.want {
				t.Fatalf("got  %q, %v\nwant %q", got, err, tt.want)
			}
			if again, err := Transform(got); err != nil || string(again) != tt.want {
				t.Errorf("of its own result: %q, %v", again, err)
			}
			h := sha256.New()
			if err := (Options{}).Hash(h, []byte(tt.in)); err != nil || [32]byte(h.Sum(nil)) != sha256.Sum256(got) {
				t.Errorf("Hash is not the hash of the form (%v)", err)
			}
			if got, err := Append([]byte("dst"), []byte(tt.in)); err != nil || string(got) != "dst"+tt.want {
				t.Errorf("Append: %q, %v", got, err)
			}
		})
	}
}

var refused = []struct {
	in      string
	code    Code
	offset  int
	pointer string
}{
	{"", codeSyntax, 0, ""},
	{"  ", codeSyntax, 2, ""},
	{"\xef\xbb\xbf{}", codeBOM, 0, ""},
	{"{} {}", codeTrailing, 3, ""},
	{"[1,2", codeSyntax, 4, ""},
	{"[1,]", codeSyntax, 3, "/1"},
	{"[1 2]", codeSyntax, 3, ""},
	{`{"a":[1,{"b":tru}]}`, codeSyntax, 16, "/a/1/b"},
	{`{"a" 1}`, codeSyntax, 5, "/a"},
	{`{"a":1 "b":2}`, codeSyntax, 7, ""},
	{`{"a":1,}`, codeSyntax, 7, ""},
	{`{"a":{"x/~y":1e400}}`, codeRange, 13, "/a/x~1~0y"},
	{`{"a":1,"b":2,"a":3}`, codeDuplicate, 13, "/a"},
	{`{"b":1,"a":2,"\u0061":3}`, codeDuplicate, 13, "/a"},
	{`{"a":1,"a":2}`, codeDuplicate, 7, "/a"},
	{`["a` + "\x80" + `"]`, codeUTF8, 3, "/0"},
	{`["\ud800"]`, codeSurrogate, 2, "/0"},
	{`["\ud800\u0041"]`, codeSurrogate, 2, "/0"},
	{"[\"a\nb\"]", codeSyntax, 3, "/0"},
	{`["a`, codeSyntax, 3, "/0"},
	{`["\u12g4"]`, codeSyntax, 6, "/0"},
	{"[01]", codeSyntax, 2, "/0"},
	{"[1.]", codeSyntax, 3, "/0"},
	{"[-]", codeSyntax, 2, "/0"},
	{"[NaN]", codeSyntax, 1, "/0"},
	{"[1]]", codeTrailing, 3, ""},
	{"// c\n1", codeSyntax, 0, ""},
}

func TestRefused(t *testing.T) {
	for _, tt := range refused {
		_, err := Transform([]byte(tt.in))
		var e *Error
		if !errors.As(err, &e) || e.Code != tt.code || e.Offset != tt.offset || e.Pointer != tt.pointer {
			t.Errorf("%q: got %v (%+v), want %s at %d (%s)", tt.in, err, e, tt.code, tt.offset, tt.pointer)
		}
	}
}

func TestLimits(t *testing.T) {
	nest := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	for _, tt := range []struct {
		o    Options
		in   []byte
		code Code
	}{
		{Options{}, nest(10000), ""},
		{Options{}, nest(10001), codeDepth},
		{Options{MaxDepth: 1}, []byte(`{"a":1}`), ""},
		{Options{MaxDepth: 1}, []byte(`{"a":{}}`), codeDepth},
		{Options{MaxDepth: 3000000}, nest(3000000), ""},
		{Options{MaxValues: 3}, []byte(`{"a":[1,2]}`), ""},
		{Options{MaxValues: 2}, []byte(`{"a":[1,2]}`), codeCount},
	} {
		_, err := tt.o.Append(nil, tt.in)
		var e *Error
		if errors.As(err, &e); (err == nil) != (tt.code == "") || e != nil && e.Code != tt.code {
			t.Errorf("%+v: %v, want %q", tt.o, err, tt.code)
		}
	}
}

func TestLocate(t *testing.T) {
	src := ` {"a":[1,{"b/~":"x"}, [ ] ],"c" : true, "d\n":{}}`
	for _, tt := range []struct{ pointer, want string }{
		{"", `{"a"`}, {"/a", "[1"}, {"/a/0", "1,"}, {"/a/1", `{"b`}, {"/a/1/b~1~0", `"x"`}, {"/a/2", "[ ]"}, {"/c", "true"}, {"/d\n", "{}"},
		{"/a/3", ""}, {"/a/01", ""}, {"/x", ""}, {"/c/x", ""}, {"/a/2/0", ""}, {"a", ""}, {"/d\n/x", ""},
	} {
		offset, ok := Locate([]byte(src), tt.pointer)
		if ok != (tt.want != "") || ok && !strings.HasPrefix(src[offset:], tt.want) {
			t.Errorf("%q: %d %v, want %q", tt.pointer, offset, ok, tt.want)
		}
	}
	for i := range src {
		for _, p := range []string{"/a/1/b~1~0", "/c", "/d\n/x", "/a/9"} {
			Locate([]byte(src[:i]), p) // shall not panic
		}
	}
}

// The limits that a vector cannot express, with their places.
func TestLimitErrors(t *testing.T) {
	for _, tt := range []struct {
		o      Options
		in     string
		code   Code
		offset int
		where  string
	}{
		{Options{MaxDepth: 1}, `{"a":{}}`, codeDepth, 5, "/a"},
		{Options{MaxDepth: 2}, `[1,[2,[3]]]`, codeDepth, 6, "/1/1"},
		{Options{MaxValues: 1}, `{"a":1,"b":2}`, codeCount, 7, "/b"},
		{Options{MaxValues: 2}, `{"a":[1, 2]}`, codeCount, 9, "/a/1"},
		{Options{MaxValues: 1}, `[{"a~":1}]`, codeCount, 2, "/0/a~0"},
	} {
		got, err := tt.o.Append([]byte("x"), []byte(tt.in))
		var e *Error
		if !errors.As(err, &e) || e.Code != tt.code || e.Offset != tt.offset || e.Pointer != tt.where || string(got) != "x" {
			t.Errorf("%s: %v (%+v)", tt.in, err, e)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := Transform([]byte(`{"a":[1,1e999]}`))
	if want := `number beyond the range of a double at offset 8 ("/a/1")`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Transform([]byte("{} x"))
	if want := "data after the value at offset 3"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A text may be replaced by its form, in place.
func TestAppendInPlace(t *testing.T) {
	for _, tt := range accepted {
		b := []byte(tt.in)
		if got, err := Append(b[:0], b); err != nil || string(got) != tt.want {
			t.Errorf("%s: %q %v", tt.name, got, err)
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	h, dst := sha256.New(), make([]byte, 0, 1<<16)
	for _, tt := range accepted {
		src := []byte(tt.in)
		if n := testing.AllocsPerRun(100, func() { _, _ = Append(dst, src) }); n > 0 {
			t.Errorf("Append, %s: %v allocations", tt.name, n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = Options{}.Hash(h, src) }); n > 0 {
			t.Errorf("Hash, %s: %v allocations", tt.name, n)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				for _, tt := range accepted {
					if got, err := Transform([]byte(tt.in)); err != nil || string(got) != tt.want {
						t.Errorf("%s: %q %v", tt.name, got, err)
					}
				}
			}
		})
	}
	group.Wait()
}
