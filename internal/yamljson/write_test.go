package yamljson_test

import (
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/yamljson"
)

// TestAppend: what is written is read as the same value.
func TestAppend(t *testing.T) {
	for _, text := range []string{
		`{"a":[1,"x",[],{},[[2],{"b":[true]}]],"no":{"1":null},"e1":"off","a b":{"c":{"d":"\u2028\u0085\ufeff\u007f\n\"\\"}},"":1e-7,"n":-0.5,"u\u2028":1}`,
		`{"\ufffe":"\uffff \u0080\u009f\u007f\ufffd","\u0080\uffff":1}`, `{"` + strings.Repeat("n", 3000) + `":{"` + strings.Repeat("\u00fc ", 1100) + `":1}}`,
		`[[["a"]],{"x":{}}]`, `{}`, `"a: b # c"`, `[{"a":1,"b":[{"c":2},3]},"- x"]`,
	} {
		form, err := canonical.Transform([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		root, err := jsontree.Parse(form)
		if err != nil {
			t.Fatal(err)
		}
		written := yamljson.Append(nil, root)
		doc, problems := yamljson.Read(written, "value", yamljson.Limits{Bytes: 1 << 20, Entries: 1000, Depth: 64, Problems: 10, Pointers: 1000})
		if len(problems) > 0 {
			t.Errorf("%s is not read: %v", written, problems)
			continue
		}
		if problem := yamljson.CheckBreaks(written); problem != nil {
			t.Errorf("%s: %v", written, problem)
		}
		again, err := canonical.Transform(doc.JSON)
		if err != nil || string(again) != string(form) {
			t.Errorf("%s is read as %s (%v), want %s", written, again, err, form)
		}
	}
}
