package capture

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/testing/vectors"
)

// TestBatchVectors holds batches against what testdata/capture/oracle.py computed for all their requests.
func TestBatchVectors(t *testing.T) {
	for _, b := range batches {
		l := vectors.Load(t, "../capture/"+b.api)
		if len(l) < 8 {
			t.Errorf("%s has %d vectors, want at least 8", b.name(), len(l))
		}
		for _, v := range l {
			t.Run(v.Name, func(t *testing.T) {
				f, src := sourceOf(t, v)
				var ids, texts []string
				var refused error
				for c, err := range f.CaptureEach(src) {
					if err != nil {
						refused = errors.Join(refused, err)
						continue
					}
					ids = append(ids, c.Declaration.ID().String())
					texts = append(texts, string(c.Declaration.Canonical()))
					if c.CustomID == "" || c.Format.batch != nil {
						t.Errorf("custom id %q, format %s", c.CustomID, c.Format.Name())
					}
				}
				if !v.IsValid() {
					if v.Header["error"] == "" || refused == nil || !strings.Contains(refused.Error(), v.Header["error"]) {
						t.Errorf("got %v, want an error about %q", refused, v.Header["error"])
					}
					return
				}
				if refused != nil {
					t.Fatal(refused)
				}
				if got := strings.Join(ids, " "); got != v.Header["id"] {
					t.Errorf("identities %s, want %s", got, v.Header["id"])
				}
				if got := strings.Join(texts, ""); got != v.Header["canonical"] {
					t.Errorf("declarations\n%s\nwant\n%s", got, v.Header["canonical"])
				}
			})
		}
	}
}

// TestBatchAlone: a request of a batch has the identity that it has when it is sent alone.
func TestBatchAlone(t *testing.T) {
	request := `{"model":"m","max_tokens":9007199254740993,"messages":[{"role":"user","content":"\u00fc"}]}`
	for _, c := range []struct{ batch, alone, body string }{
		{"openai-batch", "openai-chat", `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":` + request + `}`},
		{"anthropic-batch", "anthropic-messages", `{"requests":[{"custom_id":"a","params":` + request + `}]}`},
	} {
		ids := map[string]string{}
		for name, body := range map[string]string{c.batch: c.body, c.alone: request} {
			f, err := Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Capture(Source{Body: []byte(body)})
			if err != nil {
				t.Fatal(err)
			}
			ids[name] = got.Declaration.ID().String()
		}
		if ids[c.batch] != ids[c.alone] {
			t.Errorf("%v", ids)
		}
	}
	f, err := Lookup("openai-batch")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Capture(Source{Body: nil}); err == nil || !strings.Contains(err.Error(), "a batch without requests") {
		t.Errorf("an empty batch: %v", err)
	}
}

// TestBatchPages: each batch format has its page.
func TestBatchPages(t *testing.T) {
	for _, b := range batches {
		checkPage(t, b.api, batchPage(b))
	}
}

func batchPage(b *batch) string {
	p := &pager{}
	p.line("# Capture format %s", b.name())
	p.line("\nThis page is printed from package capture. The rules that all formats share are in [README.md](README.md).")
	for _, a := range b.about {
		p.line("\n%s", wrap(a))
	}
	var links []string
	for _, name := range b.formats {
		api, _, _ := strings.Cut(name, "/")
		links = append(links, fmt.Sprintf("[%s](%s.md)", name, api))
	}
	rules := []string{"Each request has a declaration of its own, in their order: the same as if its `" + b.body + "` were sent alone, by " + strings.Join(links, ", ") +
		". Its `custom_id` is not part of the run.",
		"`custom_id` must be a string that is not empty, and no two requests may have the same. `" + b.body + "` must be an object. Members that are not named here are errors, and so is a batch without requests."}
	if b.urls {
		rules = append(rules, "`method` must be `POST`. `url` is the request's path, which tells the format; the path that no format has is an error. Empty lines are skipped.",
			"The file is held in memory, and has at most 64 MiB. Split a larger one at the ends of lines (`split -C 64M`): two parts may then have one `custom_id`, which is an error within a file alone.")
	} else {
		rules = append(rules, "The header lines are those of each request. The batch as a whole has at most 64 MiB and 1,000,000 members and elements.")
	}
	if len(b.drop) > 0 {
		rules = append(rules, "Flags that say that this is a batch are left out: "+code(b.drop)+".")
	}
	rules = append(rules, "The call's path, where it is known, is one of "+code(b.paths)+".")
	for _, r := range rules {
		p.line("\n%s", wrap(r))
	}
	return p.b.String()
}

// TestBatchPlaces: an error says the line in its message, and a pointer into it.
func TestBatchPlaces(t *testing.T) {
	good := `{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}` + "\n"
	for line, want := range map[string]string{
		`{"custom_id":"b","method":"GET","url":"/v1/embeddings","body":{}}`:                                                              `openai-batch/1: /method: line 2: is not "POST"`,
		`{"custom_id":"b","method":"POST","url":"/v1/x","body":{}}`:                                                                      `openai-batch/1: /url: line 2: "/v1/x" is not the path of one of `,
		`{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}`:                                      `openai-batch/1: line 2: has the custom_id "a", as a request before it has`,
		`{"custom_id":"b","method":"POST","url":"/openai/deployments/and the provider is","body":{"model":"m"}}`:                         `openai-batch/1: /url: line 2: "/openai/deployments/and the provider is" is not the path of one of `,
		`{"custom_id":"b","method":"POST","url":"/openai/deployments/d/chat/completions","body":{"model":"m","input":"x"}}`:              `line 2: the path "/openai/deployments/d/chat/completions" is one of azure, azure:*, and the provider is "openai"`,
		`{"custom_id":"b","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"},"custom":1}`:                           `openai-batch/1: line 2: has a member "custom"`,
		`{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user"}],"seed":[null]}}`: `openai-chat/1: /body/seed/0: line 2: null is an element of a list`,
	} {
		f, err := Lookup("openai-batch")
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range f.CaptureEach(Source{Body: []byte(good + line)}) {
			last = err
		}
		var e *Error
		if !errors.As(last, &e) || !strings.Contains(last.Error(), want) || e.Pointer != "" && e.Pointer[0] != '/' {
			t.Errorf("got %v, want %s", last, want)
		}
	}
}
