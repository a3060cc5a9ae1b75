package secrets

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// fake makes a secret of parts, so that no scanner takes this file for one that leaks.
func fake(parts ...string) string { return strings.Join(parts, "") }

const (
	random = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"
	typed  = "hunter2pw"
)

func TestIn(t *testing.T) {
	for _, s := range []string{
		"Server=tcp:x.example.net;Database=d;User ID=u;Password=" + typed + ";", "host=db user=u password=correcthorse dbname=d", "Data Source=x;Pwd=abcdef", "jdbc:mysql://h/db?user=u&password=abcdef",
		"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + random + "==;EndpointSuffix=core", "Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=" + random,
		"https://" + random + "@github.com/o/r.git", "https://k3y0f8c1d2e3@sentry.io/1", "https://x-access-token:" + random + "@github.com/o/r", "https://h/#access_token=" + random, "https://h/?key=" + random,
		fake("https://hooks.slack.com/", "services/T00000000/B00000000/", "a1B2c3D4e5F6g7H8i9J0k1L2"), fake("https://discord.com/", "api/webhooks/123456789012345678/", random, random),
		fake("https://api.telegram.org/", "bot123456789:", random, "abc/getMe"), fake("https://outlook.office.com/", "webhook/0123abcd-0123@4567/", "IncomingWebhook/", random, "/0123"),
		fake("https://acme.webhook.office.com/", "webhookb2/3f2504e0-4f89-41d3-9a0c-0305e82c3301@9b2f1c4e-77aa-4d1b-8e53-1f0c2ab94d6e/", "IncomingWebhook/", random, "/6fa459ea-ee8a-3ca4-894e-db77e160355e"), "https://h/x?api%5Fkey=" + random,
		"X-Auth-Token: abcdef", "Authorization: " + random, "--token=" + typed, "curl -u user:" + typed + " https://x", "mysql --password=" + typed, "export OPENAI_API_KEY=" + random + " && run", "API_KEY=" + random + "\nFOO=1",
		`{"api_key": "` + random + `"}`, "users:\n- user:\n    token: " + random, "machine x login u password " + typed, "api_key: " + random,
		fake("ya29.", random, random), fake("shpat_", strings.Repeat("ab12", 8)), fake("dop_v1_", strings.Repeat("ab12", 16)), fake("whsec_", random), fake("PMAK-", random), fake("hvs.", random), fake("wandb_v1_", random),
		fake("SG.", random[:22], ".", random, random[:11]), "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+typed)), "use basic " + base64.RawURLEncoding.EncodeToString([]byte("user:\u00fc?>"+typed)),
		fake("jina_", random), fake("pcsk_", random), fake("sk_", strings.Repeat("ab12", 12)), fake("ntn_", random), fake("figd_", random), fake("lin_api_", random), fake("PuTTY-User-", "Key-File-2: ssh-rsa"),
		fake("tskey-", "auth-kFake1CNTRL-", random), fake("tskey-", random), fake("glsa_", random, "_a1b2c3d4"), fake("glptt-", random), fake("GOCSPX-", random), fake("dp.", "pt.", random, "abc"), fake("NRAK-", strings.ToUpper(random)),
		"//user:" + typed + "@host/x", "clone it from //user:" + typed + "@host", `remote="//user:` + typed + `@host"`,
		`{"kty":"OKP","crv":"Ed25519","x":"` + random + random + `","d":"` + random + `"}`, `{\"kty\": \"RSA\", \"d\": \"` + random + `\"}`, "{'kty': 'oct', 'k': '" + random + "'}",
		fake("123456789:", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"), fake("the bot is 123456789:", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0, and so on"), fake("key-", strings.Repeat("ab12", 8)), fake("api:key-", strings.Repeat("ab12", 8)),
		"<password>" + typed + "</password>", "<server>\n <username>u</username>\n <password> " + typed + " </password>\n</server>", "<ns:apiKey xmlns='x'>" + random + "</ns:apiKey>", "<Password><![CDATA[" + typed + "]]></Password>", `<add key="ApiKey" value="` + typed + `"/>`,
		`<property name="db.password">` + typed + "</property>", `<property name="password" value="` + typed + `" />`, "<key>ApiToken</key>\n\t<string>" + random + "</string>", "Use this: <token>" + random + "</token>.", "<client_secret>" + typed + "</client_secret>", `<user name="u" password="` + typed + `"/>`,
		"os.environ['API_KEY'] = '" + typed + "'", "h = {'api_key' => '" + typed + "'}", "apiKey := \"" + typed + "\"", "const API_KEY = `" + typed + "`;", "x = 1\npassword: 'S3cret-Wort-12'", "curl -H \"PRIVATE-TOKEN: " + typed + "\" h", "CREATE USER u IDENTIFIED BY '" + typed + "'", "ALTER USER u WITH PASSWORD 'S3cret-Wort'",
		"c.setPassword(\"" + typed + "\")", "echo " + typed + " | docker login -u u --password-stdin r", "echo -n '" + typed + "' | sudo -S apt update", "printf '%s\\n' " + typed + " | gh auth login --with-token", "echo root:" + typed + " | chpasswd", "chpasswd <<< 'root:" + typed + "'",
		"user:S3cretWort12@db.example.com:5432/x", "jdbc:oracle:thin:scott/" + typed + "@h:1521:x", "ENV API_KEY " + typed, "npm config set //registry.npmjs.org/:_authToken " + typed, "cmdkey /add:h /user:u /pass:" + typed, "schtasks /create /ru u /rp " + typed, "bind 1.2.3.4\nrequirepass " + typed,
		"PASSWORD_1=" + typed + " x", "password2: " + typed, "Passwort: " + typed, "senha=" + typed, fake("https://hooks.zapier.com/", "hooks/catch/123456/abcde12/"), fake("https://qyapi.weixin.qq.com/cgi-bin/", "webhook/send?key=3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
		fake("csk-", strings.Repeat("ab12", 10)), fake("llx-", random, "abcdefgh12"), fake("fc-", strings.Repeat("ab12", 8)), fake("LTAI", "5tAbCdEfGhIjKlMnOp"), fake("abc8Q~", random), fake("1//0", "g", random, random), fake(strings.Repeat("ab12", 8), "-us12"),
		fake("MTIzNDU2Nzg5MDEyMzQ1Njc4", ".G1a2B3.", random), fake("oy2", strings.Repeat("ab12", 10), "abc"),
		strings.Repeat("https://x/ ", 50_000) + "https://u:" + typed + "@x", strings.Repeat("a=b ", 50_000) + "password=" + typed,
	} {
		if In(s) == "" {
			t.Errorf("%.200s: not found", s)
		}
	}
	for _, s := range []string{
		"https://user@example.com/", "git@github.com:o/r.git", "ssh://git@github.com/o/r.git", "https://jane.doe@dev.azure.com/org", "https://longusername@example.com", "https://user1234@example.com", "https://x-token-auth@bitbucket.org/o/r",
		"https://x?token_type=bearer", "https://h/?page_token=1", "https://h/?sort_key=created_at", "https://h/?key=value&a=b", "https://h/a:b@c", "what is your password?", "Reset your password: click here",
		"Password=hunter is what a connection string has", "the field password = text", "sorted(xs, key=len, reverse=True)", "tokens=1024", "max_tokens=1024;temperature=0", "token=word", "password=$PASSWORD", "password=os.environ['P']",
		"host=db user=u password=$PASSWORD", "Set Authorization: Bearer <token>", "use api_key: ${KEY}", "sk-...", "sk-" + strings.Repeat("x", 24), "task-1234567890abcdefghij", "airun:1:sha256:" + strings.Repeat("ab", 32), "note: a1", "Model: gpt4o2024", "password policy",
		"a ratio of 123456789:1234567890", "123456789:AABBCC", "cache-key-" + strings.Repeat("ab12", 8), "the cache key-" + strings.Repeat("ab12", 8) + " is stale", "key-" + strings.Repeat("ab12", 7), "monkey-" + strings.Repeat("ab12", 8), "see 12345678:AA" + strings.Repeat("x", 33),
		"<password>", "<password></password>", "<password>...</password>", "Answer as <password>the password</password>.", "<password>your-password1</password>", "<password>password</password>", "<password>${PASS1}</password>", "<token>word</token>", "<tokens>1024</tokens>", "<key>value12345</key>", "<a><password/><b>a1b2c3d4e5</b></a>",
		"if a<password and b>" + typed, "<password-policy>a1b2c3d4e5</password-policy>", "<key>CFBundleVersion</key><string>1.2.3b4</string>", `<add key="PageSize" value="` + random + `"/>`, `<property name="max_tokens">1024abcd</property>`, "<answer_token>x1</answer_token>", strings.Repeat("<", 10_000), strings.Repeat("<a", 10_000), strings.Repeat("<password>", 10_000),
		"password=input('x1')", "api_key=config.api_key2", "password=form.password1", "password = getpass.getpass('p1')", "gql-query alice:password \"localhost:6000/x1\"", "export TOKEN_SECRET=\"arn:aws:secretsmanager:eu-north-1:123:secret:cfn-1\" && x", "a password: \"https://vault.example.com/p1\"", "api_key := cfg.Key2", "token = tokenizer.encode('hello1')", "IDENTIFIED BY ?", "IDENTIFIED BY '$PW1'", "check_password('abc123', h)", "setPassword(password1)", "echo hello123 | docker build -", "echo $PW1 | docker login --password-stdin", "echo \"$PW1\" | sudo -S x",
		"mailto:jane2doe3@example.com", "note:anna1990@example.com", "git@github.com:o1/r2", "user:$PW12345@h:80", "a:b@c:80", "ENV PATH /usr/bin1", "ENV API_KEY $KEY1", "npm config set registry https://r1.example.com", "requirepass", "git config set user.name a1b2c3d4", "the login: admin, see a1b2c3d4", "h = {'api_key' => cfg.key1}", "x['password'] = None1",
		"en-us12", "HOOK.md in hook.example.com/abc", "https://example.com/hooks/run-finished", "NT kernel. version. MTA",
		"//example.com:8080/x", "//registry/image:tag@sha256:" + strings.Repeat("ab", 32), "x = 1 // note: mail@example.com", "//user@host", "//user:$PASSWORD@host", "a task-key and tskey-words",
		`{"kty":"EC","x":"` + random + `","y":"` + random + `"}`, `{"d":"` + random + `"}`, `{"kty":"EC","d":"..."}`,
		"//todo:mail@example.com", "see //TODO:ask-bob@acme.com",
		"50%token=word", "https://h/?page%5Ftoken=1", "100%=1234567890", "https://api.telegram.org/bot<TOKEN>/getMe",
		"basic authentication", "Basic Books Inc", "basic dXNlcm5hbWU", "Basic " + base64.StdEncoding.EncodeToString([]byte("user:$PASSWORD")), "basic arithmetic=",
	} {
		if what := In(s); what != "" {
			t.Errorf("%s: %s", s, what)
		}
	}
}

func TestNames(t *testing.T) {
	for name, value := range map[string]string{
		"token": typed, "hf_token": "abcdef", "github_token": typed, "x_token": random, "auth": "user:" + typed, "basic_auth": typed, "bearer": random, "jwt": random, "pass": typed, "db_pass": typed, "secret": typed, "credentials": typed,
		"openai_key": typed, "OPENAI_KEY": random, "openaiKey": random, "some_vendor_key": random, "AccountKey": "abcdef", "Ocp-Apim-Subscription-Key": "abcdef", "session_key": random, "dsn": random, "SENTRY_DSN": random, "ssh_key": random, "api key": "abcdef", "api.key": "abcdef",
		"Authorization": "token " + typed, "password": "correct horse",
		"rootpw": "geheim", "webhook_url": "https://n8n.example.com/webhook/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "slackWebhook": "https://h.example.com/a/" + random, "hmac": random, "seed_phrase": "legal winner thank year wave sausage worth useful legal winner thank yellow",
		"mnemonic": "legal, winner, thank, year, wave, sausage, worth, useful, legal, winner, thank, yellow", "password2": "geheim", "OPENAI_API_KEY_1": "abcdef", "token2": random, "login": "admin:" + typed, "userpass": "admin:" + typed, "dbPass": typed, "storepass": typed, "wifi_psk": typed, "passwort": "geheim", "Contraseña": "secreto", "пароль": "секретное", "密码": "abcdef",
	} {
		if !IsNamed(name, value) {
			t.Errorf("%s: %s is none", name, value)
		}
	}
	for name, value := range map[string]string{
		"max_tokens": "1000a1000b", "token_type_ids": random, "tokenizer": random, "tokenizer_revision": random, "key": random, "sort_key": random, "prompt_cache_key": random, "public_key": random, "idempotency_key": random, "kms_key": random, "hash_key": "customer1",
		"eos_token": "<|im_end|>", "mask_token": "reserved_special_token_128", "next_token": "page2page2", "token": "llama", "auth": "oauth2", "author": random, "authority": "https://login.example.com", "auth_type": "api_key", "auth_url": random,
		"monkey": random, "turkey": random, "hotkey": "ctrl+shift+1", "compass": typed, "bypass": typed, "passage": typed, "pass_rate": "0.95percent", "secret": "training-credentials", "secrets": "openai-prod", "key_id": random, "api_key": "your-api-key",
		"密码": "必填", "senha": "obrigatorio", "contraseña": "requerida", "wachtwoord": "verplicht", "пароль": "обязателен", "비밀번호": "필수입력", "hook": "https://github.com/o/r/blob/" + strings.Repeat("ab12", 10) + "/a",
		"recovery_phrase": "write down twelve words and keep them safe where people cannot look", "token_1": "reserved12", "pass1": "a1b2c3d4e5", "webhook_url": "https://example.com/hooks/run-finished", "webhook": "run-finished", "endpoint_url": "https://h/" + random, "hmac": "sha256", "mnemonic": "gsm8k", "seed_phrase": "once upon a time", "seed": "12345678a", "seed_words": "5", "sha256": random, "oauth2": random, "layer12": random, "max_tokens2": "1000a1000b", "password_1": "changeme", "rootpw": "$PW",
		"use_auth_token": "True", "password": "changeme", "cookie_policy": "strict", "secret_ref": "prod/openai2",
	} {
		if IsNamed(name, value) {
			t.Errorf("%s: %s is one", name, value)
		}
	}
}

// TestConnectionParts: one cursor finds what a search of the surroundings of each place does.
func TestConnectionParts(t *testing.T) {
	numbers := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var b strings.Builder
		for range 1 + numbers.IntN(6) {
			b.WriteString([]string{"server=a;", " user id = b", "xhost=c", ";uid=", "=", "host=d"}[numbers.IntN(6)])
			b.WriteString(strings.Repeat("x", numbers.IntN(2*behind)))
		}
		s := b.String()
		parts := connectionParts{text: s}
		all := connection.FindAllStringIndex(s, -1)
		for i := range s {
			want := slices.ContainsFunc(all, func(part []int) bool { return part[0] >= i-behind && part[1] <= i+behind })
			if s[i] == '=' && parts.isNear(i) != want {
				t.Fatalf("%q, at %d: %v", s, i, !want)
			}
		}
	}
}
