package capture

import (
	"bytes"
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

// TestHarmlessNames: names and texts that are often there, and hold no secret, stay as unknown members and in tools.
func TestHarmlessNames(t *testing.T) {
	const body = `{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1,"tokenizer":"t","token_count":"5","prompt_cache_keys":"k","stop_token_ids":["1"],"eos_token":"<s>","tokens":["a"],
		"logit_bias_by_name":{"secretary":1,"monkey":2,"author":"x"},"keyword":"k","page_token":"2","session_id":"s","note":"Filter as key=value, token: a word","doc":"https://h/?api-version=1&page=2","list":[["a","b"],["--max-tokens","5"]],"command":"npx -y @modelcontextprotocol/server-github --max-tokens 5",
		"tools":[{"type":"new","name":"get_api_key","description":"Give the token: optional. Call https://h/?page=1","parameters":{"api_key":"x","url":"https://u:p@h"},"args":["-y","@scope/server","--port","80"],"tags":["token","key"]}]}`
	checked := 0
	for _, f := range Formats() {
		c, err := f.Capture(Source{Body: []byte(body)})
		if err != nil {
			continue // it has another shape
		}
		checked++
		for _, fate := range c.Fates {
			if fate.Outcome == Withheld {
				t.Errorf("%s: %s is withheld", f.Name(), fate.Pointer)
			}
		}
	}
	if checked < 5 {
		t.Errorf("%d formats took the body, want at least 5", checked)
	}
}
