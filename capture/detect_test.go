package capture

import (
	"strings"
	"testing"
	"testing/fstest"
)

func namesIn(formats []Format) string {
	var l []string
	for _, f := range formats {
		l = append(l, f.Name())
	}
	return strings.Join(l, " ")
}

// TestDetect: a format is detected where it is the only one that knows all of a source.
func TestDetect(t *testing.T) {
	chat := `{"model":"m","messages":[{"role":"user","content":"x"}]}`
	for name, c := range map[string]struct {
		src  Source
		want string
		sure bool
	}{
		"chat":              {Source{Body: []byte(chat)}, "anthropic-messages/1 ollama-chat/1 openai-chat/1 openai-compatible-chat/1", false},
		"of a provider":     {Source{Body: []byte(chat), Provider: "openai"}, "openai-chat/1", true},
		"of another":        {Source{Body: []byte(chat), Provider: "anthropic"}, "anthropic-messages/1", true},
		"a path":            {Source{Body: []byte(chat), Target: "/v1/messages?beta=true"}, "anthropic-messages/1", true},
		"a header":          {Source{Body: []byte(chat), Header: map[string][]string{"anthropic-version": {"2023-06-01"}}}, "anthropic-messages/1", true},
		"an unknown header": {Source{Body: []byte(chat), Provider: "openai", Header: map[string][]string{"x": {"y"}}}, "openai-chat/1", false},
		"input":             {Source{Body: []byte(`{"model":"m","input":"x"}`)}, "openai-embeddings/1 openai-responses/1", false},
		"responses":         {Source{Body: []byte(`{"model":"m","input":"x","instructions":"y"}`)}, "openai-responses/1", true},
		"a new member":      {Source{Body: []byte(`{"model":"m","input":"x","instructions":"y","newcomer":1}`)}, "openai-responses/1", false},
		"a stored prompt":   {Source{Body: []byte(`{"model":"m","prompt":{"id":"x"},"stream":false}`)}, "openai-responses/1", true},
		"Ollama generate":   {Source{Body: []byte(`{"model":"m","prompt":"x","stream":false,"options":{"temperature":0}}`)}, "", false},
		"completions":       {Source{Body: []byte(`{"model":"m","prompt":"x","stream":false,"temperature":0,"top_p":1,"max_tokens":9}`)}, "", false},
		"gemini":            {Source{Body: []byte(`{"contents":[{"parts":[{"text":"x"}]}]}`)}, "gemini/1", true},
		"an evaluation":     {Source{Body: []byte("model: hf\nmodel_args: {pretrained: m}\ntasks: [a]\n")}, "lm-eval/1", true},
		"a model too many":  {Source{Body: []byte(chat), Model: "m"}, "", false},
		"tools":             {Source{Body: []byte(`{"tools":[]}`)}, "mcp/1", true},
		"a batch":           {Source{Body: []byte(`{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":` + chat + "}\n")}, "openai-batch/1", true},
		"no source":         {Source{Body: []byte(`{"name":"x","dependencies":{}}`)}, "", false},
		"an empty object":   {Source{Body: []byte(`{}`)}, "", false},
		"no JSON":           {Source{Body: []byte("{")}, "", false},
		"twice":             {Source{Body: []byte(`{"model":"m","model":"n","input":"x","instructions":"y"}`)}, "", false},
	} {
		formats, sure := Detect(c.src)
		if got := namesIn(formats); got != c.want || sure != c.sure {
			t.Errorf("%s: got %q (sure: %v), want %q (%v)", name, got, sure, c.want, c.sure)
		}
	}
}

// TestDetectVectors: a source is never detected as one of another format alone, and often as its own.
func TestDetectVectors(t *testing.T) {
	own := map[string]int{}
	for _, v := range loadVectors(t) {
		if !v.IsValid() {
			continue
		}
		f, src := sourceOf(t, v)
		formats, sure := Detect(src)
		switch {
		case sure && formats[0] != f:
			t.Errorf("%s: is detected as %s", v.Name, formats[0].Name())
		case sure && formats[0] == f:
			own[f.Name()]++
		}
	}
	for _, f := range Formats() {
		if f.table != nil && own[f.Name()] == 0 {
			t.Errorf("%s: none of its vectors is detected", f.Name())
		}
	}
}

func TestDetectFolder(t *testing.T) {
	formats, err := DetectFolder(fstest.MapFS{"config.json": {}, "model.safetensors": {}})
	if got := namesIn(formats); got != "hf-model/1" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if formats, err = DetectFolder(fstest.MapFS{"a/config.json": {}}); len(formats) > 0 || err != nil {
		t.Errorf("got %s, %v of a folder without a model", namesIn(formats), err)
	}
}
