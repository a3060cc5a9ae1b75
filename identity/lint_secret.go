package identity

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/runattest/runattest/internal/jsontree"
)

// A declaration is signed and published, and what is in it stays there. The patterns are those of issuers, and of names
// that mean a credential; no message has the secret in it.

func (l *linter) secret(what string) {
	l.warn(CodeSecret, "looks like "+what+": a declaration is published with its signature",
		"take it out and name where it is kept, such as an environment variable; if it was shared, revoke it")
}

// secretForms: a text is held against a form only if it has one of the words, which is cheap to tell.
var secretForms = []struct {
	what  string
	words []string
	form  *regexp.Regexp
}{
	{"a private key", []string{"-----BEGIN", "AGE-SECRET"}, regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|AGE-SECRET-KEY-1[0-9A-Z]{20}`)},
	{"a JSON Web Token", []string{"eyJ"}, regexp.MustCompile(`\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}`)},
	{"an API key", []string{"sk-", "_live_", "_test_"}, regexp.MustCompile(`\bsk-([A-Za-z0-9]{16}|(ant|proj|svcacct|admin|or|lf)-[\w-]{16})|\b[sr]k_(live|test)_[A-Za-z0-9]{10}`)},
	{"an API key", []string{"AIza", "gsk_", "nvapi-", "r8_", "pplx-", "xai-", "tvly-", "lsv2_", "dapi", "SG."},
		regexp.MustCompile(`\b(AIza[\w-]{30}|gsk_\w{20}|nvapi-[\w-]{20}|r8_\w{20}|pplx-\w{20}|xai-\w{20}|tvly-[\w-]{16}|lsv2_[\w-]{16}|dapi[0-9a-f]{32}|SG\.[\w-]{16}\.[\w-]{16})`)},
	{"a token of GitHub or GitLab", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"}, regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{20}|github_pat_\w{20}|glpat-[\w-]{16})`)},
	{"a token of Hugging Face", []string{"hf_", "api_org_"}, regexp.MustCompile(`\b(hf|api_org)_[A-Za-z0-9]{20}`)},
	{"a token of a package registry", []string{"npm_", "pypi-", "dckr_pat_"}, regexp.MustCompile(`\b(npm_[A-Za-z0-9]{30}|pypi-[\w-]{30}|dckr_pat_[\w-]{20})`)},
	{"a key of AWS", []string{"AKIA", "ASIA"}, regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{"a token of Slack", []string{"xox", "xapp-"}, regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10}|\bxapp-[A-Za-z0-9-]{10}`)},
	{"a bearer token", []string{"earer ", "EARER "}, regexp.MustCompile(`(?i)\bbearer +([\w.~+/-]{4,}[0-9]|[0-9])[\w.~+/-]{4,}`)},
	{"a credential", []string{"uthorization:", "UTHORIZATION:", "-key:", "-Key:", "-KEY:"},
		regexp.MustCompile(`(?i)\b(authorization: *(bearer|basic|token|bot|apikey) +|x-[\w-]*api-key: *)[^\s${<*"'][^\s"']{3}`)},
	{passwordInURI, []string{"://"}, regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"'<>]*:[^\s/?#@"'<>]+@`)},
	{tokenInURI, []string{"="}, regexp.MustCompile(`(?i)[?&][\w.-]*(key|token|secret|password|sig|signature|credential)=[^\s&"'<>]{4,}`)},
}

const (
	passwordInURI = "a password in a URI"
	tokenInURI    = "a token in a URI"
)

// secretIn says what text has the form of a secret, or "".
func secretIn(s string) string {
	for _, f := range secretForms {
		if !slices.ContainsFunc(f.words, func(word string) bool { return strings.Contains(s, word) }) {
			continue
		}
		for _, found := range f.form.FindAllString(s, 16) {
			value := ""
			switch f.what {
			case passwordInURI:
				_, value, _ = strings.Cut(found[strings.Index(found, "://")+3:len(found)-1], ":")
			case tokenInURI:
				_, value, _ = strings.Cut(found, "=")
			}
			if value == "" || !isPlaceholder(value) {
				return f.what
			}
		}
	}
	if name, value, ok := strings.Cut(s, "="); ok && !strings.ContainsAny(s, " \n") && isSecretName(strings.TrimLeft(name, "-")) && isSecretValue(name, value) {
		return "a credential" // API_KEY=..., --api-key=...
	}
	return ""
}

// secretNames are names, without case and separators, that end so.
var secretNames = []string{
	"apikey", "apitoken", "secret", "secretkey", "secretaccesskey", "clientsecret", "accesskey", "accesstoken", "authtoken", "refreshtoken",
	"bearertoken", "sessiontoken", "idtoken", "hftoken", "githubtoken", "password", "passwd", "passphrase", "authorization", "privatekey", "credential", "pwd",
	"connectionstring",
}

// longestName is the length of a name that may be that of a credential.
const longestName = 200

func isSecretName(name string) bool {
	if len(name) > longestName {
		return false
	}
	plain := strings.TrimSuffix(plainName(name), "s")
	for _, s := range secretNames {
		if strings.HasSuffix(plain, s) {
			return true
		}
	}
	return plain == "cookie" || plain == "setcookie"
}

// namedSecret warns of a member whose name says that its value is secret, in the object that it is in.
func (l *linter) namedSecret(name string, v, object jsontree.Value) {
	if v.Kind() == jsontree.Array && isSecretName(name) {
		for _, e := range v.Elements() {
			if isSecretValue(name, e.Text()) {
				l.secret("a credential")
				return
			}
		}
	}
	switch s := v.Text(); {
	case secretIn(name) != "":
		l.inParent(func() { l.secret("a member's name is " + secretIn(name)) })
	case secretIn(s) != "" || !isSecretValue(name, s): // the first has its own warning
	case isSecretName(name),
		name == "value" && (isSecretName(object.Get("name").Text()) || isSecretName(object.Get("key").Text())),
		strings.HasSuffix(plainName(name), "token") && isRandom(s):
		l.secret("a credential")
	}
}

// optionSecret warns of the value that follows an option such as --api-key in a list of arguments.
func (l *linter) optionSecret(before string, e jsontree.Value) {
	if s := e.Text(); strings.HasPrefix(before, "-") && isSecretName(before) && isSecretValue(before, s) && secretIn(s) == "" && !strings.HasPrefix(s, "-") {
		l.secret("a credential")
	}
}

// inParent does something one step up: the name of the member itself must not be shown.
func (l *linter) inParent(do func()) {
	path := l.path
	l.back()
	do()
	l.path = path
}

// isSecretValue tells text that may be the secret of that name, and does not say where one is kept.
func isSecretValue(name, s string) bool {
	name = plainName(name) // of a name that isSecretName has taken
	hasBlanks := strings.HasSuffix(name, "authorization") || strings.HasSuffix(name, "password") || strings.HasSuffix(name, "passphrase")
	isReference := name == "secret" || strings.HasSuffix(name, "credential") || strings.HasSuffix(name, "credentials") // often the name of one
	switch {
	case len(s) < 4, isPlaceholder(s), !hasBlanks && strings.ContainsAny(s, " \n"):
		return false
	case isReference:
		return isRandom(s)
	}
	return true
}

// placeholder is text that stands for a secret, at its start or as a whole, or somewhere in it.
var placeholder = regexp.MustCompile(`(?i)^((bearer|basic|token) +)?(\$|%[a-z_]+%|\{|<|\[|\*|env[:.]|os\.|process\.|secrets?[:./]|vault:|[a-z]*kms://|file:|/|\./|` +
	`(none|null|string|true|false|optional|required|x+|\.+|redacted|changeme|dummy|empty|not-needed|unused)$|your[-_ ]|example)|\$\{|\{\{|<[a-z_ -]+>|\*\*\*|\.(pem|key|json|ya?ml|txt|env|crt)$`)

var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)

// isPlaceholder tells text that stands for a secret: a variable, its name, a path or a reference.
func isPlaceholder(s string) bool { return placeholder.MatchString(s) || variableName.MatchString(s) }

var randomRun = regexp.MustCompile(`[A-Za-z0-9]{16}`)

// isRandom tells text that a program makes: letters and digits, many in a row.
func isRandom(s string) bool {
	return !strings.Contains(s, " ") && strings.ContainsAny(s, "0123456789") && strings.ContainsFunc(s, unicode.IsLetter) && randomRun.MatchString(s)
}
