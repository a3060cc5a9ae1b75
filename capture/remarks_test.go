package capture

import (
	"strings"
	"testing"
)

func TestRemarks(t *testing.T) {
	f, err := Lookup("openai-responses")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Capture(Source{
		Body:   []byte(`{"model":"m","input":"Bearer sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789abcdefghij","previous_response_id":"resp_1"}`),
		Header: map[string][]string{"X-Other": {"1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range c.Remarks() {
		all = append(all, r.Kind+": "+r.Text)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		"note: not in the declaration, since " + f.Name() + " does not read it: header x-other",
		"note: /previous_response_id is open: the declaration does not say what it stands for, which may be ",
		"warning: the declaration's /prompt",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestParseHeader(t *testing.T) {
	header, err := ParseHeader("a: 1", "A:2", "a : x: y")
	if err != nil || len(header["a"]) != 2 || header["a"][1] != "x: y" || header["A"][0] != "2" {
		t.Errorf("%q, %v", header, err)
	}
	for _, line := range []string{"secret", ": secret", ""} {
		if header, err := ParseHeader("a: 1", line); err == nil || !strings.HasPrefix(err.Error(), "line 2 ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %q, %v", line, header, err)
		}
	}
}
