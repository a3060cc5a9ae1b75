package capture

import "testing"

// TestTargets: a path or query that servers may take for another one is refused.
func TestTargets(t *testing.T) {
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"x"}]}`)
	check := func(format, provider, target, model string) {
		t.Helper()
		f, err := Lookup(format)
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.Capture(Source{Body: body, Provider: provider, Target: target})
		switch {
		case err != nil && model != "":
			t.Errorf("%s: %v", target, err)
		case err == nil && (model == "" || c.Declaration.Model().Name != model):
			t.Errorf("%s is the model %q, want %q", target, c.Declaration.Model().Name, model)
		}
	}
	for _, target := range []string{"/v1/chat/completions", "/chat/completions", "/openai/v1beta1/chat/completions?x=1", "/v1/projects/p/locations/l/endpoints/openapi/chat/completions"} {
		check("openai-compatible-chat", "x", target, "m")
	}
	for _, target := range []string{"/v1/../chat/completions", "/v1/./chat/completions", "/%2e%2E/v1/chat/completions", "//v1/chat/completions", "/v1//chat/completions", `/v1\\x/chat/completions`, "/v1;x=1/chat/completions",
		"/v1%2Fx/chat/completions", "/v1%5cx/chat/completions", "/v1%00/chat/completions", "/v1%/chat/completions", "/v1/chat/completions/", "/v1/Chat/completions", "/v1/chat/completions;x", "/v1/chat/completions#x", "/v1 /chat/completions",
		"/openai/deployments/other/chat/completions", "/Models/other/v1/chat/completions", "/a/v1/chat/completions", "/OpenAI/v1/chat/completions",
		"/v1/account/gateway/azure-openai/resource/deployment/chat/completions", "/projects/p/locations/l/endpoints/openapi/chat/completions", "/v1/projects/p/locations/l/endpoints/1/chat/completions", "/v1/chat/completions?a=1;b=2"} {
		check("openai-compatible-chat", "x", target, "")
	}
	check("openai-chat", "azure", "/openai/deployments/d%2D1/chat/completions?api-version=1", "d-1")
	for _, model := range []string{"..", "%2e%2e", "a%2Fb", "a;v=1", "a%00", "a%5Cb", ""} {
		check("openai-chat", "azure", "/openai/deployments/"+model+"/chat/completions", "")
	}
}
