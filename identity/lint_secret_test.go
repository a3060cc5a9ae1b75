package identity_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

// secretAt are the pointers that lint warns of for a secret, in the parameters and the prompt of a declaration.
func secretAt(t *testing.T, parameters string) []string {
	t.Helper()
	var pointers []string
	for _, p := range identity.Lint([]byte(strings.Replace(clean, `"seed":1}`, `"seed":1,`+parameters+`}`, 1))) {
		if p.Code == identity.CodeSecret {
			pointers = append(pointers, strings.TrimPrefix(p.Pointer, "/parameters"))
		} else if p.Severity == identity.Error {
			t.Errorf("%s: %v", parameters, p)
		}
	}
	return pointers
}

// fake makes a secret of parts, so that no scanner takes this file for one that leaks.
func fake(parts ...string) string { return strings.Join(parts, "") }

func TestSecrets(t *testing.T) {
	const random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"
	for _, value := range []string{
		fake("sk-", random), fake("sk-ant-", "api03-", random), fake("sk-proj-", random), fake("ghp_", random, "abcd"), fake("github_pat_", random),
		fake("hf_", random), fake("AKIA", "IOSFODNN7EXAMPLE"), fake("xoxb-", "123456789012-abcdef"), fake("glpat-", random), fake("AIza", random, "abc"),
		fake("eyJ", "hbGciOiJIUzI1NiJ9.eyJ", "zdWIiOiIxMjM0NTY3ODkwIn0.", random), fake("-----BEGIN ", "PRIVATE KEY-----\\nMII"), fake("-----BEGIN OPENSSH ", "PRIVATE KEY-----"),
		"postgres://user:hunter2@db/x", "https://user:hunter2@example.com/repo/tree/main", "https://:hunter2@example.com", "https://x/y?X-Amz-Signature=abcdef0123", "https://x/y?a=1&sig=abcdef0123",
		fake("Bearer ", random), "use the header Authorization: Bearer abcdef", "--api-key=abcdef", "OPENAI_API_KEY=abcdef", "X-Api-Key: abcdef", fake("the key is sk-", random, " and no other"),
		"train.py --api-key " + random, "train.py --verbose --password  'hunter2pw' -v", "sh -c '--hf-token " + random + "'", "x --dsn " + random,
	} {
		if got := secretAt(t, `"x":"`+value+`"`); !slices.Equal(got, []string{"/x"}) {
			t.Errorf("%s: got %v", value, got)
		}
	}
	for _, member := range []string{
		`"api_key":"abcdef"`, `"apiKey":"abcdef"`, `"openai_api_key":"abcdef"`, `"X-API-Key":"abcdef"`, `"Authorization":"Basic dXNlcjpwYXNz"`, `"password":"hunter2"`, `"DB_PASSWORD":"correct horse"`,
		`"client_secret":"abcdef"`, `"aws_secret_access_key":"abcdef"`, `"access_token":"abcdef"`, `"token":"` + random + `"`, `"hf_token":"abcdef"`, `"wandb_token":"` + random + `"`,
	} {
		name, _, _ := strings.Cut(member, ":")
		if got := secretAt(t, member); !slices.Equal(got, []string{"/" + strings.Trim(name, `"`)}) {
			t.Errorf("%s: got %v", member, got)
		}
	}
	for member, want := range map[string]string{
		`"jwk":{"crv":"P-256","d":"` + random + `","kty":"EC","x":"x"}`: "/jwk/d", `"keys":[{"k":"` + random + `","kty":"oct"}]`: "/keys/0/k",
		`"env":[{"name":"API_KEY","value":"abcdef"}]`: "/env/0/value", `"args":["--api-key","abcdef"]`: "/args/1", `"args":["-u","user:geheim12"]`: "/args/1", `"argv":["curl","-u","user:geheim12"]`: "/argv/2", `"api_keys":["abcdef"]`: "/api_keys",
		`"headers":{"authorization":"token abcdef"}`: "/headers/authorization", fake(`"x":{"sk-`, random, `":1}`): "/x",
		`"api_key":{"value":"abcdef"}`: "/api_key/value", `"api_keys":{"openai":"hunter2pw"}`: "/api_keys/openai", `"auth":{"token":"hunter2pw"}`: "/auth/token", `"credentials":{"user":"u","pass":"hunter2pw"}`: "/credentials/pass",
		`"api_key":{"a":[{"b":"hunter2pw"}]}`: "/api_key/a/0/b", `"basic_auth":["u","hunter2pw"]`: "/basic_auth", `"api_key":12345678`: "/api_key", `"token":"hunter2pw"`: "/token", `"openai_key":"` + random + `"`: "/openai_key",
		`"headers":[{"name":"Authorization","value":"token abcdef"}]`: "/headers/0/value", `"headers":[{"Name":"X-Api-Key","Value":"abcdef"}]`: "/headers/0/Value", `"headers":[{"header":"Authorization","value":"abcdef"}]`: "/headers/0/value",
		`"args":["docker","login","-u","u","-p","geheim"]`: "/args/5", `"server":{"command":"/usr/bin/mysql","args":["-uroot","-pgeheim"]}`: "/server/args/1", `"x":{"command":["redis-cli"],"args":["-a","geheim"]}`: "/x/args/1", `"run":"docker login -u u -p S3cretWort12"`: "/run", `"args":["sshpass","-p","correct horse","ssh"]`: "/args/2",
		`"commands":[["mysql","-pgeheim"]]`: "/commands/0/1", `"args":["curl","-u","user:geheim34"]`: "/args/2", `"args":["openssl","enc","-pass","pass:geheim"]`: "/args/3", `"rootpw":"geheim"`: "/rootpw", `"seed_phrase":"legal winner thank year wave sausage worth useful legal winner thank yellow"`: "/seed_phrase", `"x":"<password>S3cret-Wort</password>"`: "/x",
		`"headers":[["Authorization","Basic dXNlcjpwYXNz"]]`: "/headers/0/1", `"args":["--token","hunter2pw"]`: "/args/1",
	} {
		if got := secretAt(t, member); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %v, want %s", member, got, want)
		}
	}
	for _, member := range []string{
		`"args":["docker","run","-u","1000:1000","img"]`, `"args":["-u","daemon:nogroup"]`, `"args":["--user","www-data:www-data"]`, `"jwk":{"kty":"EC","d":"https://example.com/a/b/c/d"}`,
		`"args":["docker","run","-p","8080:80","img"]`, `"x":{"command":"ssh","args":["-p","2222","h"]}`, `"x":{"command":"mysql","args":["-p","db"]}`, `"args":["redis-cli","-a","${PASS}"]`, `"args":["mkdir","-p","geheim"]`, `"x":"mount -o x; docker run -p 8080:80 img"`, `"x":"Answer as <password>the password</password>."`,
		`"max_tokens":100`, `"tokenizer":"meta-llama/Llama-3.1-8B"`, `"token":128`, `"token_budget":"20000"`, `"tokens":"100"`, `"eos_token":"<|im_end|>"`, `"pad_token":"[PAD]"`, `"bos_token":"<s>"`,
		`"pad_token":"reserved_special_token_128"`, `"api_key":"${OPENAI_API_KEY}"`, `"api_key":"OPENAI_API_KEY"`, `"api_key_env":"OPENAI_KEY"`, `"api_key":"env:KEY"`, `"api_key":"<your key>"`, `"api_key":"***"`,
		`"api_key":""`, `"password":{"type":"string"}`, `"required":["password"]`, `"properties":{"api_key":{"type":"string"}}`, `"Authorization":"Bearer ${TOKEN}"`, `"x":"bearer of bad news 1"`,
		`"x":"sk-learn-pipeline-version-2"`, `"x":"https://user@example.com"`, `"x":"https://user:${PASSWORD}@example.com"`, `"x":"oci://host:5000/repo@sha256:abc"`, `"x":"https://x/?page=1&key=${K}"`,
		`"jwk":{"crv":"P-256","kty":"EC","x":"` + random + `","y":"` + random + `"}`, `"d":"` + random + `"`,
		`"x":"git@github.com:acme/x"`, `"secret":"training-credentials"`, `"private_key":"keys/x.pem"`, `"x":"-----BEGIN PUBLIC KEY-----"`, `"x":"the Authorization header and a password"`, `"x":"risk-assessment0123456789abc"`,
		`"api_key":{"env":"OPENAI_API_KEY"}`, `"api_key":{"secretKeyRef":{"name":"openai","key":"k1"}}`, `"api_key":{"type":"string","description":"the key of 2024","pattern":"^[a-z0-9]{32}$"}`, `"auth":{"type":"oauth2","scopes":["read","write"]}`,
		`"credentials":{"type":"service_account","profile":"research2prod"}`, `"secrets":["openai-prod","hf-prod"]`, `"password":{"from":"vault"}`, `"args":["--max-tokens","1000a1000"]`, `"map":{"key":"a1b2c3d4e5","value":"x1y2z3w4"}`, `"max_tokens":12345678`, `"token":12345678`,
		`"x":"train.py --api-key ${OPENAI_API_KEY}"`, `"x":"train.py --api-key --verbose12345"`, `"x":"the option --password takes a value"`, `"x":"serve --max-tokens 1000a1000"`, `"x":"--tokenizer-revision ` + random + `"`,
		`"x":"--api-key-file keys/a1b2c3d4"`, `"dsn":"postgres://db.example/x"`, `"dsn":"research2prod"`,
		`"sha":"` + strings.Repeat("ab", 32) + `"`, `"secret_name":"prod/db"`, `"key":"abcdef0123456789abcdef"`, `"monkey":"banana"`, `"keyboard":"qwerty12345"`, `"passwordless":"yes please"`,
	} {
		if got := secretAt(t, member); got != nil {
			t.Errorf("%s: got %v", member, got)
		}
	}
}

// TestSecretsAreNotShown: what lint says has nothing of the secret in it.
func TestSecretsAreNotShown(t *testing.T) {
	const secret = "a1B2c3D4e5F6g7H8i9J0"
	text := strings.Replace(clean, `"version":"1"`, `"version":"1","uri":"https://user:`+secret+`@example.com/repo/tree/main"`, 1)
	text = strings.Replace(text, `"seed":1}`, `"seed":1,"sk-`+secret+`":1,"api_key":"`+secret+`","k":"sk-`+secret+`"}`, 1)
	problems := identity.Lint([]byte(text))
	shown, err := json.Marshal(problems)
	if err != nil || strings.Contains(string(shown), secret) || len(problems) != 5 {
		t.Errorf("%s", shown)
	}
	if _, err := identity.Parse([]byte(strings.Replace(clean, `"seed":1`, `"api_key":sk-`+secret, 1))); err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}
