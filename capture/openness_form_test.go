package capture

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/identity"
)

// handMade is a declaration by hand of which some members are other than these.
func handMade(t testing.TB, api string, other map[string]string) *identity.Declaration {
	t.Helper()
	members := map[string]string{"prompt": `{"messages":[{"role":"user","content":"x"}]}`, "parameters": `{}`, "context": `[]`, "constraints": `{}`, "interface": "", "model": `{"name":"m"}`}
	for name, text := range other {
		if _, ok := members[name]; !ok {
			t.Fatal(name)
		}
		members[name] = text
	}
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"inference","model":%s,"prompt":%s,"parameters":%s,"context":%s,"constraints":%s,"extensions":{%q:{"api":%q%s}}}`,
		identity.Schema, members["model"], members["prompt"], members["parameters"], members["context"], members["constraints"], Interface, api, members["interface"]))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// toolText is a context of one tool.
func toolText(name, text string) string {
	content, _ := json.Marshal(text)
	return fmt.Sprintf(`[{"role":"tool","name":%q,"content":%s}]`, name, content)
}

func unreadOf(o Openness) []string {
	var l []string
	for _, u := range o.Unknown {
		if u.Unread {
			l = append(l, u.Pointer+" "+u.Name)
		}
	}
	return l
}

// TestOpenForm: what is not in the form of a table is unread, which no list of known names lets pass.
func TestOpenForm(t *testing.T) {
	message := func(text string) map[string]string { return map[string]string{"prompt": `{"messages":[` + text + `]}`} }
	one := func(name, text string) map[string]string { return map[string]string{name: text} }
	for name, c := range map[string]struct {
		d    map[string]string
		want string // of what is unread, or "" if nothing is
	}{
		"nothing":                   {nil, ""},
		"a member and more":         {message(`{"role":"member/instructions","content":"x","conversation":"c"}`), "/instructions message member/instructions"},
		"a member without content":  {message(`{"role":"member/instructions"}`), "/instructions message member/instructions"},
		"a member twice":            {message(`{"role":"member/instructions","content":"x"},{"role":"member/instructions","content":"x"}`), "/instructions message member/instructions"},
		"a member that is a list":   {message(`{"role":"member/input","content":[{"type":"item_reference","id":"m"}]}`), "/input message member/input"},
		"a member of another place": {message(`{"role":"member/text","content":"x"}`), "/text message member/text"},
		"a member of none":          {message(`{"role":"member/newcomer","content":"x"}`), "/newcomer message member/newcomer"},
		"an input":                  {message(`{"role":"member/input","content":"x"}`), ""},
		"an item":                   {message(`{"role":"item/reasoning","content":{"type":"reasoning","summary":[]}}`), ""},
		"an item and more":          {message(`{"role":"item/reasoning","content":{"type":"reasoning"},"id":"x"}`), "/input/0 message item/reasoning"},
		"an item of another type":   {message(`{"role":"item/reasoning","content":{"type":"compaction"}}`), "/input/0 message item/reasoning"},
		"an item that is a string":  {message(`{"role":"item/item_reference","content":"m"}`), "/input/0 message item/item_reference"},
		"an item without content":   {message(`{"role":"item/item_reference"}`), "/input/0 message item/item_reference"},
		"an item that is a message": {message(`{"role":"item/message","content":{"type":"message","role":"user","content":"x"}}`), "/input/0 message item/message"},
		"a message that is an item": {message(`{"role":"user","type":"item_reference","id":"m"}`), "/input/0 message of the type item_reference"},
		"a prompt by digest":        {one("prompt", `{"digest":{"sha256":"`+strings.Repeat("0", 64)+`"}}`), "/digest prompt digest"},
		"a header":                  {one("parameters", `{"header:x-thread":"c"}`), "header:x-thread setting header:x-thread"},
		"a header of the table":     {one("parameters", `{"header:openai-beta":"c"}`), ""},
		"a header that is a list":   {one("parameters", `{"header:openai-beta":["c"]}`), "header:openai-beta setting header:openai-beta"},
		"a query":                   {one("parameters", `{"query:thread":"c"}`), "query:thread setting query:thread"},
		"a query in constraints":    {one("constraints", `{"query:api-version":"c"}`), "query:api-version setting query:api-version"},
		"messages in parameters":    {one("parameters", `{"input":[{"type":"item_reference","id":"m"}]}`), "/input parameters input"},
		"tools in parameters":       {one("parameters", `{"tools":[{"type":"web_search"}]}`), "/tools parameters tools"},
		"no tools in parameters":    {one("parameters", `{"tools":[]}`), ""},
		"a location":                {one("constraints", `{"location":"eu"}`), "/location constraint location"},
		"an object in constraints":  {one("constraints", `{"location":{"previous_response_id":"r"}}`), "/location constraint location"},
		"a memory by address":       {one("context", `[{"role":"memory","name":"t","uri":"https://h.example/t"}]`), " resource memory t"},
		"a memory by digest":        {one("context", `[{"role":"memory","name":"t","uri":"https://h.example/t","digest":{"sha256":"`+strings.Repeat("0", 64)+`"}}]`), ""},
		"an adapter by address":     {one("model", `{"name":"m","components":[{"role":"adapter","name":"a","uri":"https://h.example/a"}]}`), " resource adapter a"},
		"a tool":                    {one("context", toolText("web_search", `{"type":"web_search"}`)), ""},
		"a tool and an address":     {one("context", strings.Replace(toolText("web_search", `{"type":"web_search"}`), `"role"`, `"uri":"https://h.example","role"`, 1)), " resource tool web_search"},
		"a tool of another name":    {one("context", toolText("f", `{"type":"web_search"}`)), " resource tool f"},
		"a tool with blanks":        {one("context", toolText("web_search", `{"type": "web_search"}`)), " resource tool web_search"},
		"a tool of two types":       {one("context", toolText("web_search", `{"type":"web_search","type":"mcp"}`)), " resource tool web_search"},
		"a tool with a bad escape":  {one("context", toolText("x", `{"\q":1}`)), " resource tool x"},
		"a tool that is deep":       {one("context", toolText("x", strings.Repeat("[", 100_000))), " resource tool x"},
		"a stored prompt's model":   {one("model", `{"name":"prompt/pmpt_1"}`), " model prompt/pmpt_1"},
		"bytes by digest":           {message(`{"role":"user","content":[{"type":"input_image","image_url":"ni:///sha-256;cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw?ct=image/png"}]}`), ""},
		"bytes without a digest":    {message(`{"role":"user","content":[{"type":"input_file","file_data":"ni:///sha-256;x"}]}`), "/input/0/content/0/file_data name of bytes without their digest"},
		"a member of the interface": {one("interface", `,"later":1`), " interface member later"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(unreadOf(Open(handMade(t, "openai-responses", c.d))), "; "); got != c.want {
				t.Errorf("unread is %q, want %q", got, c.want)
			}
		})
	}
	other := handMade(t, "openai-compatible-chat", one("parameters", `{"chat_template_kwargs":{"json":"{\"\\q\":1}"},"metadata":{"json":"{\"\\q\":1}"}}`))
	if diff := cmp.Diff([]string{"/metadata text that is not compact JSON"}, unreadOf(Open(other))); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct{ location, want string }{{`"eu"`, ""}, {`{"cachedContent":"c"}`, "/location constraint location"}} {
		if got := strings.Join(unreadOf(Open(handMade(t, "gemini", one("constraints", `{"location":`+c.location+`}`)))), "; "); got != c.want {
			t.Errorf("location %s: unread is %q, want %q", c.location, got, c.want)
		}
	}
}

// TestOpenFlood: what is found after more than is kept is not lost without a word.
func TestOpenFlood(t *testing.T) {
	text := `{"type":"namespace","name":"n","tools":[` + strings.Repeat(`{"type":"file_search","vector_store_ids":["v"]},`, 70_000) + `{"type":"mcp","server_label":"x"}]}`
	o := Open(handMade(t, "openai-responses", map[string]string{"context": toolText("n", text)}))
	if got := unreadOf(o); !slices.Equal(got, []string{" more than is looked at"}) {
		t.Errorf("unread is %q after %d that are open", got, len(o.Open))
	}
}

// TestOpenReplaced: a value that is withheld, or is an integer in digits, is open where its place is.
func TestOpenReplaced(t *testing.T) {
	image := map[string]string{"prompt": `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"[secret]"}}]}]}`,
		"interface": `,"secrets":["/messages/0/content/0/image_url/url"]`}
	if got, want := Open(handMade(t, "openai-chat", image)).Open, []Opening{{"/messages/0/content/0/image_url/url", "content"}}; !slices.Equal(got, want) {
		t.Errorf("%v is open, want %v", got, want)
	}
	container := map[string]string{"context": toolText("code_interpreter", `{"type":"code_interpreter","container":"12345"}`), "interface": `,"integers":["/tools/0/container"]`}
	if got, want := Open(handMade(t, "openai-responses", container)).Open, []Opening{{"/tools/0/container", "content"}}; !slices.Equal(got, want) {
		t.Errorf("%v is open, want %v", got, want)
	}
	if !namesFile("[secret]") {
		t.Error("what is withheld names no file")
	}
	f, err := Lookup("anthropic-messages/1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Capture(Source{Body: []byte(`{"model":"m","max_tokens":1,"messages":[],"fallbacks":90071992547409931}`)})
	if err != nil {
		t.Fatal(err)
	}
	if checkOpen(t, "an integer", c); !slices.Equal(c.Open, []Opening{{"/fallbacks", "model"}}) {
		t.Errorf("%v is open, want the model", c.Open)
	}
}

// TestOpenItemWithoutType: an item without a type may be a reference to one that the provider holds.
func TestOpenItemWithoutType(t *testing.T) {
	f, err := Lookup("openai-responses/1")
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []string{`{"id":"msg_123"}`, `{"type":null,"id":"msg_123"}`} {
		c, err := f.Capture(Source{Body: []byte(`{"model":"m","input":[` + item + `]}`)})
		if err != nil {
			t.Fatal(err)
		}
		if checkOpen(t, item, c); !slices.Equal(c.Open, []Opening{{"/input/0", "messages"}}) {
			t.Errorf("%s: %v is open, want messages", item, c.Open)
		}
	}
}

// TestOpenCost: the pointer of a value is not built for each value below it.
func TestOpenCost(t *testing.T) {
	const size = 1 << 16
	text := `{"type":"mcp","server_label":"x","headers":{"` + strings.Repeat("n", size) + `":[` + strings.Repeat(`{},`, 2000) + `{}]}}`
	for _, nulls := range []string{"", `,"nulls":["/a/b"]`, `,"nulls":["/tools/0/headers/` + strings.Repeat("n", size) + `/0/b"]`} {
		d := handMade(t, "openai-responses", map[string]string{"context": toolText("x", text), "interface": nulls})
		Open(d)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Open(d)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 200*size {
			t.Errorf("%.20s: %d MB are allocated for %d objects", nulls, n>>20, 2000)
		}
	}
}

// TestNullList: members are found at the object that a pointer leads to, and at no other.
func TestNullList(t *testing.T) {
	for pointers, want := range map[string]string{
		`"/z"`:                      "/z member z",
		`"z","","/temperature"`:     "",
		`"/reasoning/z"`:            "/reasoning/z member z",
		`"/reasonin/z","/text/a/z"`: "",
		`"/a~1b","/reasoning/z","/reasoning-/z","/reasoning/effort"`: "/a~1b member a/b; /reasoning/z member z",
		`"/input/0/z","/input/1/z","/input/10/z"`:                    "/input/0/z member z",
	} {
		d := handMade(t, "openai-responses", map[string]string{"interface": `,"nulls":[` + pointers + `]`, "parameters": `{"reasoning":{"effort":"low"},"text":{}}`})
		var got []string
		for _, u := range Open(d).Unknown {
			got = append(got, u.Pointer+" "+u.Name)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q is unknown, want %q", pointers, got, want)
		}
	}
}
