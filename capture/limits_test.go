package capture

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

// TestLimits: what is too large or too deep, for a source or for its declaration, is an error that names the limit.
func TestLimits(t *testing.T) {
	f, err := Lookup("openai-chat")
	if err != nil {
		t.Fatal(err)
	}
	request := func(rest string) []byte {
		return []byte(`{"model":"m","messages":[{"role":"user","content":"x"}],` + rest + `}`)
	}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, c := range map[string]struct {
		body []byte
		want string // "" where it is captured
	}{
		"size":                    {make([]byte, limits.CaptureBody+1), "want at most 67108864"},
		"depth":                   {request(`"x":` + nested(limits.CaptureDepth)), "deeper than 256"},
		"depth in text":           {request(`"x":` + nested(limits.CaptureDepth-1)), ""},
		"depth of declaration":    {request(`"stop":` + nested(limits.DeclarationDepth)), "the limit of identity v1"},
		"values":                  {request(`"x":[` + strings.Repeat("1,", limits.CaptureValues) + `1]`), "more than 1000000"},
		"values in text":          {request(`"x":[` + strings.Repeat("1,", limits.DeclarationValues) + `1]`), ""},
		"values of declaration":   {request(`"stop":[` + strings.Repeat("1,", limits.DeclarationValues) + `1]`), "the limit of identity v1"},
		"size of declaration":     {request(`"stop":"` + strings.Repeat("y", limits.Declaration) + `"`), "the limit of identity v1"},
		"text to look through":    {request(`"x":{"y":"` + strings.Repeat("y=y ", limits.CaptureSearch/4+1) + `"}`), "looked through for secrets"},
		"command to look through": {request(`"x":{"command":"` + strings.Repeat("y ", limits.CaptureSearch/limits.CaptureCommand/2+1) + `"}`), "looked through for secrets"},
		"many commands":           {request(`"x":{"command":["` + strings.Repeat(strings.Repeat("y ", 5000)+`","`, 130) + `"]}`), "looked through for secrets"},
		"a long address":          {request(`"x":{"url":"https://a/?` + strings.Repeat("y=y&", limits.CaptureSearch/4+1) + `"}`), "looked through for secrets"},
		"a long data URL":         {request(`"x":{"url":"data:image/png;base64,` + strings.Repeat("QUJDx+/9", limits.CaptureSearch/4) + `"}`), ""},
		"text that fits":          {request(`"x":{"y":"` + strings.Repeat("y=y ", limits.CaptureSearch/4-10) + `"}`), ""},
		"base64":                  {request(`"x":{"y":"` + strings.Repeat("QUJDx+/9", limits.CaptureSearch/4) + `=="}`), ""},
		"a long message":          {[]byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("y", 2*limits.CaptureSearch) + `"}]}`), ""},
		"bytes beyond that":       {[]byte(`{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"` + strings.Repeat("AAAA", limits.Declaration/4+1) + `"}}]}]}`), ""},
		"places to report":        {request(`"` + strings.Repeat("n", 64<<10) + `":{"a":0},"logit_bias":{"` + strings.Repeat("n", 2<<20) + `1":null,"` + strings.Repeat("n", 2<<20) + `2":null,"` + strings.Repeat("n", 2<<20) + `3":null}`), "places to report"},
		"truncated":               {[]byte(`{"model":"m","messages":[{"role":"us`), "the text ends before the value does"},
		"empty":                   {nil, "the text is empty"},
		"a pickle":                {[]byte("\x80\x04\x95"), "a Python pickle"},
		"another request of all":  {[]byte(`{"contents":[]}`), "it is not of this format"},
	} {
		_, err := f.Capture(Source{Body: c.body})
		var e *Error
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.As(err, &e) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
	if _, err := (Format{}).Capture(Source{Body: request(`"n":1`)}); err == nil {
		t.Error("the zero format captures")
	}
	// What is captured does not refer to the source.
	body := request(`"n":1`)
	c, err := f.Capture(Source{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	before := c.Declaration.Canonical()
	copy(body, bytes.Repeat([]byte{'x'}, len(body)))
	if !bytes.Equal(c.Declaration.Canonical(), before) {
		t.Error("the declaration changes with the source")
	}
}
