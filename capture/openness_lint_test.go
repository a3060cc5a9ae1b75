package capture

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLint: what is open is warned of at its place in the declaration.
func TestLint(t *testing.T) {
	f, err := Lookup("openai-responses/1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Capture(Source{Body: []byte(`{"model":"m","previous_response_id":"r","later":1,"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://h.example/a.png"}]}],
		"tools":[{"type":"mcp","server_label":"s","server_url":"https://h.example"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range Lint(c.Declaration) {
		got = append(got, p.Pointer+" "+p.Message)
	}
	want := []string{
		"/prompt the request's /input/0/content/0/image_url is open: the declaration does not say what it stands for, which may be content",
		"/parameters/previous_response_id the request's /previous_response_id is open: the declaration does not say what it stands for, which may be messages",
		"/context the request's /tools/0 is open: the declaration does not say what it stands for, which may be tools",
		"/parameters/later the request's /later may be open: openai-responses/1 does not know its member later",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l := Lint(nil); l != nil {
		t.Errorf("of no declaration: %v", l)
	}
}
