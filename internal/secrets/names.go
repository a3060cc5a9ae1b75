package secrets

import (
	"slices"
	"strings"
	"sync"

	"github.com/runattest/runattest/internal/casefold"
)

// The names of credentials: one list, for lint, which also looks at the value, and for capture, which looks at the name alone. Names
// are compared in their plain form. Captured identities depend on the lists: a name that is added or taken out after a release needs
// new tables in package capture.

// names are those of credentials: a plain name that ends so, a plural too.
var names = []string{
	"apikey", "apitoken", "secret", "secretkey", "secretaccesskey", "clientsecret", "accesskey", "accesstoken", "authtoken", "refreshtoken",
	"bearertoken", "sessiontoken", "idtoken", "hftoken", "githubtoken", "password", "passwd", "passphrase", "authorization", "privatekey", "credential", "pwd",
	"connectionstring", "accountkey", "subscriptionkey", "sharedkey",
}

// endings are those of more names whose values capture leaves out; lint takes such a value for a secret only by its look.
var endings = []string{"auth", "authentication", "authconfig", "bearer", "bearers", "cookie", "cookies", "creds", "headers", "jwt"}

// wholes are such names as a whole.
var wholes = []string{"cred", "env", "envs", "environ", "envvars", "environmentvariables", "vars", "key", "otp", "pass", "passcode", "pat", "pw", "sas", "session", "token"}

// tokenWords are all that stands before "token" in the names of what a tokenizer, a limit or a list of pages has.
var tokenWords = []string{
	"bos", "eos", "pad", "unk", "sep", "cls", "mask", "stop", "start", "end", "begin", "first", "last", "next", "prev", "previous", "page", "nextpage", "continuation", "cursor", "special",
	"image", "audio", "video", "vision", "text", "word", "prefix", "suffix", "middle", "fim", "fimprefix", "fimsuffix", "fimmiddle", "max", "min", "num", "per", "input", "output", "prompt",
	"think", "thinking", "thinkstart", "thinkend", "assistant", "separator", "decoderstart", "decoderend", "forcedbos", "forcedeos", "sot", "eot", "boi", "eoi", "imagestart", "imageend", "newline", "blank", "draft",
}

// vendors issue keys and tokens: a plain name that ends in "key" and has one of these in it.
var vendors = []string{
	"openai", "anthropic", "azure", "google", "gemini", "cohere", "mistral", "groq", "huggingface", "wandb", "github", "gitlab", "slack", "replicate", "together",
	"deepseek", "perplexity", "openrouter", "langsmith", "langfuse", "pinecone", "tavily", "elevenlabs", "stripe", "sendgrid", "twilio", "databricks", "nvidia", "fireworks", "vercel",
}

// kinds stand before "key" and say what it opens or which it is.
var kinds = []string{
	"hf", "aws", "gcp", "service", "account", "subscription", "signing", "encryption", "ssh", "session", "client", "license", "deploy", "master", "admin", "storage", "shared",
	"auth", "bearer", "access", "api", "personal", "bot", "user", "hmac", "secret", "private",
}

// typedNames are more of them, for lint alone: names of passwords that people type, and in other languages.
var typedNames = sync.OnceValue(func() []string {
	return plainNames("rootpw", "passwort", "kennwort", "motdepasse", "contraseña", "contrasena", "senha", "wachtwoord", "пароль", "密码", "密碼", "パスワード", "비밀번호")
})

// phraseNames are those of the words from which a wallet's keys are made.
var phraseNames = []string{"seedphrase", "seedwords", "mnemonic", "mnemonicphrase", "recoveryphrase", "secretphrase", "walletphrase", "backupphrase"}

// passNames are those that end in "pass" without another word for it.
var passNames = []string{"dbpass", "userpass", "rootpass", "adminpass", "sshpass", "ftppass", "smtppass", "mailpass", "ldappass", "bindpass", "mysqlpass", "pgpass", "redispass", "storepass", "keypass", "trustpass", "certpass"}

// plainName is a name without case, and without all ASCII characters that are not letters or digits.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r < '0' || r > '9') && (r < 'a' || r > 'z') {
			return -1
		}
		return r
	}, casefold.String(s))
}

func plainNames(all ...string) []string {
	for i, name := range all {
		all[i] = plainName(name)
	}
	return all
}

func endsIn(s string, l []string) bool {
	return slices.ContainsFunc(l, func(end string) bool { return strings.HasSuffix(s, end) })
}

// IsName tells the name of a credential, such as api_key, Authorization or DB_PASSWORD.
func IsName(name string) bool {
	if len(name) > longestName {
		return false
	}
	plain := strings.TrimSuffix(plainName(name), "s")
	return endsIn(plain, names) || plain == "cookie" || plain == "setcookie"
}

// isPasswordName is IsName, and the same of a name with a number behind it, and of names in other languages.
func isPasswordName(name string) bool {
	return len(name) <= longestName && (IsName(withoutNumber(name)) || endsIn(plainName(withoutNumber(name)), typedNames()))
}

// withoutNumber is the name of one of several: password2, OPENAI_API_KEY_1.
func withoutNumber(name string) string {
	if short := strings.TrimRight(name, "0123456789"); short != name {
		return strings.TrimRight(short, "_-. ")
	}
	return name
}

// IsWithheld tells the name of a value that a captured declaration leaves out, whatever it is: that of a credential, or one that
// mostly holds some, such as env or headers. It is the rule that docs/spec/capture/README.md prints.
func IsWithheld(name string) bool {
	if len(name) > longestName {
		name = name[len(name)-longestName:] // how it ends decides
	}
	plain := plainName(name)
	if len(plain) < 2 {
		return false
	}
	if endsIn(strings.TrimSuffix(plain, "s"), names) || endsIn(plain, names) || endsIn(plain, endings) || slices.Contains(wholes, plain) {
		return true
	}
	if before, ok := strings.CutSuffix(plain, "token"); ok {
		return !slices.Contains(tokenWords, before)
	}
	before, ok := strings.CutSuffix(strings.TrimSuffix(plain, "s"), "key")
	return ok && before != "" && !endsIn(before, ordinary) &&
		(endsIn(before, kinds) || slices.ContainsFunc(vendors, func(v string) bool { return strings.Contains(before, v) }))
}
