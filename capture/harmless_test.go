package capture

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

// TestHarmless: nothing is withheld from what client libraries really sent, unless it is a secret, and lint finds none in what is declared.
func TestHarmless(t *testing.T) {
	checked := 0
	for _, v := range loadVectors(t) {
		if !v.IsValid() || !strings.Contains(v.Name, "recorded-") {
			continue
		}
		f, src := sourceOf(t, v)
		c, err := f.Capture(src)
		if err != nil {
			t.Fatal(err)
		}
		checked++
		if c.Withholds() != bytes.Contains(v.Body, []byte("not-a-key")) {
			t.Errorf("%s: withholds %v", v.Name, c.Withholds())
		}
		for _, p := range identity.Lint(c.Declaration.Canonical()) {
			if p.Code == identity.CodeSecret {
				t.Errorf("%s: %s %s", v.Name, p.Pointer, p.Message)
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d recorded bodies, want at least 30", checked)
	}
}

// TestHarmlessNames: names and texts that are often there, and hold no secret, stay as unknown members and in tools of every format.
func TestHarmlessNames(t *testing.T) {
	const members = `{"tokenizer":"t","token_count":"5","prompt_cache_keys":"k","stop_token_ids":["1"],"eos_token":"<s>","tokens":["a"],
		"logit_bias_by_name":{"secretary":1,"monkey":2,"author":"x"},"keyword":"k","page_token":"2","session_id":"s","note":"Filter as key=value, token: a word","doc":"https://h/?api-version=1&page=2","list":[["a","b"],["--max-tokens","5"]],"command":"npx -y @modelcontextprotocol/server-github --max-tokens 5",`
	const tools = `"tools":[{"type":"new","name":"get_api_key","description":"Give the token: optional. Call https://h/?page=1","parameters":{"api_key":"x","url":"https://u:p@h"},"args":["-y","@scope/server","--port","80"],"tags":["token","key"]}],`
	bodies := map[string]string{}
	for _, v := range loadVectors(t) {
		if filepath.Base(v.Name) != "minimal.vec" {
			continue
		}
		f, src := sourceOf(t, v)
		rest := string(bytes.TrimSpace(v.Body)[1:])
		body := members + rest
		if f.table.body.index.byName["tools"] != nil && !strings.Contains(rest, `"tools"`) {
			body = members + tools + rest
		}
		if f == (Format{table: mcp1()}) {
			body = members + strings.TrimSuffix(tools, ",") + "}"
		}
		bodies[f.table.api] = body
		src.Body = []byte(body)
		checkHarmless(t, f, src)
	}
	oneLine := strings.ReplaceAll(bodies["openai-chat"], "\n", "")
	for name, body := range map[string]string{
		"openai-batch":    `{"custom_id":"token","method":"POST","url":"/v1/chat/completions","body":` + oneLine + `}`,
		"anthropic-batch": `{"requests":[{"custom_id":"api_key","params":` + bodies["anthropic-messages"] + `}]}`,
	} {
		f, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		checkHarmless(t, f, Source{Body: []byte(body)})
	}
	if got, want := len(bodies)+len(batches), len(Formats())-len(folders); got != want {
		t.Errorf("%d formats were checked, want %d", got, want)
	}
}

func checkHarmless(t *testing.T, f Format, src Source) {
	t.Helper()
	c, err := f.Capture(src)
	if err != nil {
		t.Errorf("%s: %v", f.Name(), err)
		return
	}
	for _, fate := range c.Fates {
		if fate.Outcome == Withheld {
			t.Errorf("%s: %s is withheld", f.Name(), fate.Pointer)
		}
	}
}
