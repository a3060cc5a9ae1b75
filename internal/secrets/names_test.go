package secrets

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the lists into docs/spec/capture/README.md")

// TestLists: the page of capture prints the lists, from which others read them.
func TestLists(t *testing.T) {
	const name = "../../docs/spec/capture/README.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	lists := ""
	for _, l := range []struct {
		what  string
		words []string
	}{{"credentials", names}, {"more endings", endings}, {"whole names", wholes}, {"words of tokenizers", tokenWords}, {"ordinary keys", ordinary}, {"kinds of keys", kinds}, {"vendors", vendors}} {
		lists += printed(l.what, l.words)
	}
	query := printed("members of a query", querySecrets)
	if *update {
		text = between(text, "`cookie` or `setcookie`.\n\n", "\n### 6.2", lists)
		text = between(text, "or it is a secret name.\n\n", "\n### 6.3", query)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, "\n"+lists+"\n") || !strings.Contains(text, "\n"+query+"\n") {
		t.Errorf("%s does not have the lists: go test ./internal/secrets -run TestLists -update", name)
	}
}

func between(text, before, after, what string) string {
	start := strings.Index(text, before) + len(before)
	end := start + strings.Index(text[start:], after)
	return text[:start] + what + text[end:]
}

// printed is a list in Markdown, in lines of at most 118 bytes.
func printed(what string, words []string) string {
	var b strings.Builder
	line := "- *" + what + "*:"
	for _, w := range words {
		if len(line)+len(w)+3 > 118 {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " `" + w + "`"
	}
	return b.String() + line + "\n"
}

func TestIsWithheld(t *testing.T) {
	for _, name := range []string{
		"hf_token", "private_key", "api_keys", "apiKeys", "bearer", "passphrase", "cookie", "cookies", "Set-Cookie", "session", "credentials", "credential", "sas", "sas_token", "key", "token", "x_token", "myToken", "OPENAI_PROD_KEY", "wandb_key",
		"X-API-Key", "api.key", "x:api:key", "API KEY", "client_secret", "secrets", "secret_keys", "db_password", "passwords", "pwd", "passwd", "Authorization", "proxy-authorization", "auth", "basic_auth", "oauth", "authentication", "authConfig", "jwt", "pat", "otp", "pass",
		"headers", "extra_headers", "defaultHeaders", "env", "environ", "env_vars", "environmentVariables", "vars", "connectionString", "account_key", "ssh_key", "session_key", "service_account_key", "signing_key", "hmac_key", "github_token", "developer_token", "admin_token", "backend_token", "access_tokens", "\u017fecret", "creds",
		strings.Repeat("x", 300) + "_api_key",
	} {
		if !IsWithheld(name) {
			t.Errorf("%s stays", name)
		}
	}
	for _, name := range []string{
		"max_tokens", "tokens", "token_count", "tokenizer", "tokenizer_revision", "prompt_cache_key", "stop_token_ids", "stop_token", "eos_token", "eos_token_id", "bos_token", "pad_token", "decoder_start_token", "image_token", "page_token", "next_page_token", "continuationToken", "thinking_token_budget",
		"prompt_cache_retention", "cache_salt", "logit_bias", "50256", "session_id", "sort_key", "public_key", "openai_public_key", "openai_cache_key", "idempotency_key", "primary_key", "monkey", "turkey", "keyboard", "keyword", "keywords", "keys", "author", "authority", "authors", "password_policy", "passage",
		"compass", "bypass", "secretary", "header", "environment", "kms_key", "api_key_env", "secret_name", "token_type", "cookie_policy", "bearer_format", "sassy", "basis", "e", "", "s", "text", "input", "content", "role", "name", "label_key", "answer_key", "additional_special_tokens",
	} {
		if IsWithheld(name) {
			t.Errorf("%s is withheld", name)
		}
	}
}
