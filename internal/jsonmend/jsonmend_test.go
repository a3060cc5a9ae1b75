package jsonmend

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
)

var exact = canonical.Options{ExactNumbers: true, MaxDepth: 64, MaxValues: 1000}

func TestExplain(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":NaN}`:                 `5 NaN is not a number in JSON; write "NaN", if a string does as well; or leave the member out`,
		`{"a":-Infinity}`:           `5 -Infinity is not a number in JSON; write "-Infinity", if`,
		`{"a":None}`:                `5 None; write null`,
		`{"a":nul}`:                 `5 a word that is not quoted, nul`,
		`{"a":True}`:                `5 True; write true`,
		`{"a":[1,]}`:                `7 a comma before ]; remove it`,
		`{"a":1 , }`:                `7 a comma before }; remove it`,
		`{,}`:                       `1 a comma with nothing before it; remove it`,
		"{\"a\":1 // x\n}":          `7 a comment; remove it`,
		"# x\n{}":                   `0 a comment; remove it`,
		"{} // x":                   `3 a comment; remove it`,
		`{"a":/* x */1}`:            `5 a comment; remove it`,
		`{'a':1}`:                   `1 text in single quotes; write it in double quotes`,
		`{a:1}`:                     `1 a name that is not in double quotes; write "a"`,
		`{"b":1, a : 1}`:            `8 a name that is not in double quotes; write "a"`,
		"{\"a\":\"x\ny\"}":          `7 a raw control character, U+000A; write \n in a string`,
		"{\"a\":\"\x1b\"}":          `6 a raw control character, U+001B; remove it`,
		`{"a":"\x41"}`:              `7 an escape that JSON does not have, \x; escapes are`,
		`{"a":"\'"}`:                `7 an escape that JSON does not have, \'; write ' without a backslash`,
		`{"a":"\u12"}`:              `10 an escape that JSON does not have, \u; escapes are`,
		`{"a":+1}`:                  `5 +1 is not how JSON writes a number; write 1`,
		`{"a":.5}`:                  `5 .5 is not how JSON writes a number; write 0.5`,
		`{"a":-.5e1}`:               `5 -.5e1 is not how JSON writes a number; write -0.5e1`,
		`{"a":-}`:                   `5 - is not how JSON writes a number; write the digits`,
		`{"a":+}`:                   `5 + is not how JSON writes a number; write the digits`,
		`{"a":-.}`:                  `5 -. is not how JSON writes a number; write the digits`,
		`{"a":-e5}`:                 `5 -e5 is not how JSON writes a number; quote it, if it is text`,
		`{"a":0x}`:                  `5 0x is not how JSON writes a number; quote it, if it is text`,
		`{"a":01}`:                  `5 01 is not how JSON writes a number; write 1`,
		`{"a":010}`:                 `5 010 is not how JSON writes a number; write 10, or 8 if it is octal`,
		`{"a":-017}`:                `5 -017 is not how JSON writes a number; write -17, or -15 if it is octal`,
		`{"a":1/2}`:                 `6 a fraction; write the quotient, as in 0.5, or quote it`,
		`{"a":5.}`:                  `5 5. is not how JSON writes a number; write 5`,
		`{"a":5.,"b":1}`:            `5 5. is not how JSON writes a number; write 5`,
		`{"a":[1e,2]}`:              `6 1e is not how JSON writes a number; quote it, if it is text`,
		`{"a":5./2}`:                `5 5. is not how JSON writes a number; write 5`,
		`{"a":5.#x` + "\n}":         `5 5. is not how JSON writes a number; write 5`,
		`{"a":tru,"b":1}`:           `5 a word that is not quoted, tru; quote text: "tru"`,
		`{"a":007}`:                 `5 007 is not how JSON writes a number; write 7`,
		`{"a":0x1F}`:                `5 0x1F is not how JSON writes a number; write 31`,
		`{"a":1,000}`:               `5 1,000 is not how JSON writes a number; write 1000`,
		`{"a":-12,345,678}`:         `5 -12,345,678 is not how JSON writes a number; write -12345678`,
		`{"a":0,001}`:               `7 001 is not how JSON writes a number; write 1`,
		`[1,000,None]`:              `3 000 is not how JSON writes a number; write 0`,
		`{"ids":[101,102,010,011]}`: `16 010 is not how JSON writes a number; write 10`,
		`{"a":1,000.5}`:             `5 1,000.5 is not how JSON writes a number; write 1000.5`,
		`{"a":1,000.5.5}`:           `7 000.5.5 is not how JSON writes a number; quote it, if it is text`,
		`{"a":1.` + strings.Repeat("0", 1<<20) + `,000}`: "",
		`{"a":"1",000}`:                   `9 000 is not how JSON writes a number; write 0`,
		`{"a":1_000}`:                     `5 1_000 is not how JSON writes a number; write 1000`,
		`{"a":12:30}`:                     `7 unexpected ':'`,
		`{"a":1.2.3}`:                     `5 1.2.3 is not how JSON writes a number; quote it, if it is text`,
		`{"a":hello}`:                     `5 a word that is not quoted, hello; quote text: "hello"`,
		`{"a":1 "b":2}`:                   `7 a comma or a colon is missing; write it between the two`,
		`{"a" 1}`:                         `5 a comma or a colon is missing`,
		`{"a":}`:                          `5 a value is missing`,
		`{"a":1`:                          `6 the text ends before the value does; is the file complete?`,
		` `:                               `1 the text is empty`,
		`{"a":“x”}`:                       `5 a typographic quotation mark; write "`,
		`{"a":1;}`:                        `6 unexpected ';'`,
		"\xff\xfe{\x00}\x00":              `0 text in UTF-16; convert it: iconv -f UTF-16 -t UTF-8 FILE`,
		"{\x00}\x00":                      `1 text in UTF-16`,
		`[0.10000000000000001]`:           `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write 0.1, which is the same double; or quote it`,
		`[9007199254740993]`:              `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it: a string keeps every digit`,
		`[9007199254740993.0]`:            `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
		`[1.00000000000000001]`:           `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write 1, which is the same double; or quote it`,
		`[100.00000000000000001]`:         `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write 100, which`,
		`[-0.99999999999999999999]`:       `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write -1, which`,
		`[1.0000000000000000001e2]`:       `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write 100, which`,
		`[1000000000000000000000001e-24]`: `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write 1, which`,
		`[9007199254740993.5]`:            `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
		`[9007199254740993e0]`:            `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
		`[90071992547409930e-1]`:          `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
		`[900719925474099.3e1]`:           `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
		`[9007199254740993.000]`:          `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
		`[2.9999999999999999e-05]`:        `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); write 0.000029999999999999997, which is`,
		`[1e-400]`:                        `1 number cannot be kept exactly by JSON implementations (RFC 8785 would round it); quote it`,
	} {
		_, err := exact.Append(nil, []byte(text))
		ce, ok := err.(*canonical.Error)
		if !ok {
			t.Errorf("%q: %v", text, err)
			continue
		}
		m := Explain([]byte(text), ce)
		got := fmt.Sprintf("%d %s; %s", m.Offset, strings.TrimPrefix(m.Message, "not valid JSON: "), m.Hint)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestAll: one look finds everything, and what is mended is read.
func TestAll(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":[0.10000000000000001,9007199254740993],"b":null}`:        `inexact /a/0, inexact /a/1 -> {"a":[0,0],"b":null}`,
		"{\"a\":NaN, // no\n \"b\":'x', \"c\":[True,1e999,],}":         `syntax /a, syntax , syntax /b, syntax /c/0, range /c/1, syntax /c/2, syntax  -> {"a":0,"b":"x","c":[true,0]}`,
		"\xef\xbb\xbf{\"a\":\"\\ud800\xff\",\"a\":[{\"}\":\"]\"}]} {}": `bom , surrogate /a, utf8 /a, duplicate /a, trailing  -> {"a":"???????"}`,
		`{"a":1,"b":2,"a":3}`: `duplicate /a -> {"a":1,"b":2}`,
		`{"a":1,"a":2,"b":3}`: `duplicate /a -> {"a":1,"b":3}`,
		`{"a":1,"b":[1,2`:     `syntax /b -> `,
		`{a:1,"b":NaN}`:       `syntax  -> `,
		`{"a":5.,"b":[1e,-]}`: `syntax /a, syntax /b/0, syntax /b/1 -> {"a":0,"b":[0,0]}`,
		`{5., 6}`:             `syntax  -> `,
	} {
		found, _, form := All([]byte(text), exact, 100, 1<<20)
		var codes []string
		for _, m := range found {
			codes = append(codes, string(m.Code)+" "+m.Pointer)
		}
		if got := strings.Join(codes, ", ") + " -> " + string(form); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
	if found, _, _ := All([]byte(`[`+strings.Repeat("1e999,", 900)+`1]`), exact, 7, 1<<30); len(found) != 7 {
		t.Errorf("%d mistakes, want 7", len(found))
	}
	if found, _, _ := All([]byte(`[`+strings.Repeat("1e999,", 900)+`1]`), exact, 100, 20_000); len(found) > 5 {
		t.Errorf("%d mistakes for a small budget", len(found))
	}
}

func FuzzAll(f *testing.F) {
	f.Add([]byte("{\"a\":NaN, // no\n \"b\":'x', \"c\":[True,1e999,],}"))
	f.Add([]byte("\xef\xbb\xbf{\"a\":\"\\ud800\xff\",\"a\":[{\"}\":\"]\"}]} {}"))
	f.Add([]byte(`{"a":+0x1_F,"b":.5,"c":nil,"d":“x”}`))
	f.Add([]byte("0 \v"))
	f.Add([]byte("A = "))
	f.Fuzz(func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		found, _, form := All(src, exact, 100, 1<<20)
		if !bytes.Equal(before, src) {
			t.Fatal("the source is changed")
		}
		for _, m := range found {
			if m.Message == "" || m.Offset < 0 || m.Offset > len(src) {
				t.Fatalf("%+v", m)
			}
		}
		if again, err := exact.Append(nil, src); err == nil && (len(found) > 0 || !bytes.Equal(again, form)) {
			t.Fatalf("nothing is wrong, and %v is found", found)
		} else if err != nil && len(found) == 0 {
			t.Fatalf("%v is not found", err)
		}
	})
}
