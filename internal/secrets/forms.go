package secrets

import (
	"bytes"
	"encoding/base64"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// form is how a secret looks in a text. The text is held against it only if it has one of the words, which is cheap to tell.
type form struct {
	what  string
	words []string
	form  *lazyregexp.Regexp
	value func(found string) bool // whether what was found is one; nil for all that are not placeholders
}

// forms are those of issuers, and of what stands around a secret.
var forms = []form{
	{"a private key", []string{"-----BEGIN", "AGE-SECRET", "PuTTY-User-Key"}, lazyregexp.New(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|AGE-SECRET-KEY-1[0-9A-Z]{20}|PuTTY-User-Key-File-\d`), all},
	{"a JSON Web Token", []string{"eyJ"}, lazyregexp.New(`\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}`), nil},
	{"an API key", []string{"sk-", "_live_", "_test_", "sk_"}, lazyregexp.New(`\bsk-([A-Za-z0-9]{16}|(ant|proj|svcacct|admin|or|lf)-[\w-]{16})[\w-]*|\b[sr]k_(live|test)_[A-Za-z0-9]{10}\w*|\bsk_[0-9a-f]{40}\w*`), nil},
	{"an API key", []string{"AIza", "gsk_", "nvapi-", "r8_", "pplx-", "xai-", "tvly-", "lsv2_", "dapi", "SG.", "jina_", "pcsk_", "tgp_v1_", "fw_", "rpa_", "wandb_v1_"},
		lazyregexp.New(`\b(AIza[\w-]{30}|gsk_\w{20}|nvapi-[\w-]{20}|r8_\w{20}|pplx-\w{20}|xai-\w{20}|tvly-[\w-]{16}|lsv2_[\w-]{16}|dapi[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16}|(jina|pcsk|tgp_v1|fw|rpa|wandb_v1)_[A-Za-z0-9_]{20})\w*`), nil},
	{"an API key", []string{"shpat_", "shpss_", "dop_v1_", "sq0", "whsec_", "PMAK-", "sntry", "hvs.", "hvb.", "ya29.", "figd_", "lin_api_", "ntn_", "secret_", "ATATT3x"},
		lazyregexp.New(`\b(shp(at|ss|ca)_[0-9a-fA-F]{32}|dop_v1_[0-9a-f]{32}|sq0(atp|csp)-[\w-]{20}|whsec_[A-Za-z0-9]{20}|PMAK-[A-Za-z0-9-]{20}|sntry[su]_[\w-]{20}|hv[sb]\.[\w-]{20}|ya29\.[\w-]{20}|figd_[\w-]{20}|lin_api_\w{20}|ntn_[A-Za-z0-9]{20}|secret_[A-Za-z0-9]{40}|ATATT3x[\w-]{20})`), nil},
	{"a token of GitHub or GitLab", []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-"}, lazyregexp.New(`\b(gh[pousr]_[A-Za-z0-9]{20}|github_pat_\w{20}|gl(pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[\w-]{16})\w*`), nil},
	{"an API key", []string{"tskey-", "glsa_", "glc_", "NRAK-", "dp.", "pscale_", "fo1_", "sbp_", "rubygems_", "GOCSPX-", "HRKU-", "CCIPAT_", "nfp_", "doo_v1_", "dor_v1_", ".atlasv1."},
		lazyregexp.New(`\b(tskey-([a-z]+-)?[A-Za-z0-9]{10}[\w-]*|glsa_\w{30}|glc_[\w+/-]{30}|NRAK-[A-Z0-9]{20}|dp\.(pt|st|ct|sa|scim|audit)\.([\w-]+\.)?[A-Za-z0-9]{30}|pscale_(tkn|pw|oauth)_[\w.-]{30}|(fo1|sbp|rubygems|nfp)_[\w-]{30}|GOCSPX-[\w-]{20}|HRKU-[\w-]{20}|CCIPAT_\w{20}|do[or]_v1_[0-9a-f]{32}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40})`), nil},
	{"an API key", []string{"csk-", "llx-", "fc-", "e2b_", "LTAI", "AKID", "KGAT_", "bce-v3/", "CLOJARS_", "dckr_oat_", "ATCTT3x", "ATBB", "8Q~", "7Q~", "1//0", "-us", "oy2", "eyJrIjoi"},
		lazyregexp.New(`\b(csk-[a-z0-9]{40}|llx-\w{40}|fc-[0-9a-f]{32}|e2b_[0-9a-f]{40}|LTAI[A-Za-z0-9]{12,20}|AKID[A-Za-z0-9]{32}|KGAT_[0-9a-f]{32}|bce-v3/ALTAK-\w{16}|CLOJARS_[0-9a-f]{60}|dckr_oat_[\w-]{20}|ATCTT3x[\w-]{20}|ATBB[A-Za-z0-9]{28}|\w{3}[78]Q~[\w.~-]{31}|1//0[\w-]{40}|[0-9a-f]{32}-us\d{1,2}|oy2[a-z0-9]{43}|eyJrIjoi[\w+/-]{40})`), isToken},
	{"a token of Discord", []string{"MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"}, lazyregexp.New(`\b[MNO][TjzD][\w-]{22,26}\.[\w-]{6}\.[\w-]{27,38}\b`), isToken},
	{"a token of Hugging Face", []string{"hf_", "api_org_"}, lazyregexp.New(`\b(hf|api_org)_[A-Za-z0-9]{20}\w*`), nil},
	{"a token of a package registry", []string{"npm_", "pypi-", "dckr_pat_"}, lazyregexp.New(`\b(npm_[A-Za-z0-9]{30}|pypi-[\w-]{30}|dckr_pat_[\w-]{20})`), nil},
	{"a key of AWS", []string{"AKIA", "ASIA"}, lazyregexp.New(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`), all},
	{"a token of Slack", []string{"xox", "xapp-"}, lazyregexp.New(`\bxox[abeoprs]-[A-Za-z0-9-]{10}|\bxapp-[A-Za-z0-9-]{10}`), nil},
	{"a webhook's address", []string{"hooks.zapier.com/", "hook.", "maker.ifttt.com/", "/bot/v2/hook/", "webhook/send?key=", "/hooks/", "webhook.site/"},
		lazyregexp.New(`hooks\.zapier\.com/hooks/catch/\d+/\w{4}|hook\.(?:\w+\.)?make\.com/\w{24}|maker\.ifttt\.com/trigger/[^/\s]+/(?:json/)?with/key/[\w-]{16}|/bot/v2/hook/[\w-]{30}|webhook/send\?key=[\w-]{30}|://[^\s/]+/hooks/[a-z0-9]{26}\b|webhook\.site/[0-9a-f-]{36}`), nil},
	{"a webhook's address", []string{"hooks.slack.com/", "/api/webhooks/", "office.com/webhook"}, lazyregexp.New(`hooks\.slack\.com/services/T\w+/B\w+/\w{16}|discord(app)?\.com/api/webhooks/\d+/[\w-]{40}|office\.com/webhook\w*/[\w@-]+/IncomingWebhook/\w{32}`), nil},
	{"a token of Telegram", []string{"api.telegram.org/"}, lazyregexp.New(`api\.telegram\.org/(?:file/)?bot\d{6,}:[\w-]{30}`), nil},
	{"a token of Telegram", []string{":AA"}, lazyregexp.New(`\b(?:bot)?\d{8,11}:AA[\w-]{32}\w\b`), nil},
	{"an API key", []string{"key-"}, lazyregexp.New(`^(?:api:)?key-[0-9a-f]{32}$|\bapi:key-[0-9a-f]{32}\b|(?i:mailgun)[^\n]{0,40}\bkey-[0-9a-f]{32}\b`), nil}, // of Mailgun: elsewhere that of a cache
	{"a bearer token", []string{"earer ", "EARER "}, lazyregexp.New(`(?i)\bbearer +([\w.~+/-]{4,}[0-9]|[0-9])[\w.~+/-]{4,}`), nil},
	{"a password", []string{"asic ", "ASIC "}, lazyregexp.New(`(?i)\bbasic +[A-Za-z0-9+/_-]{7,}={0,2}`), isBasic},
	{"a credential", []string{"uthorization:", "UTHORIZATION:", "-key:", "-Key:", "-KEY:"},
		lazyregexp.New(`(?i)\b(authorization: *(bearer|basic|token|bot|apikey) +|x-[\w-]*api-key: *)[^\s${<*"'][^\s"']{3}`), all},
	{"a password in a URI", []string{"://"}, lazyregexp.New(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"'<>]*:[^\s/?#@"'<>]+@`), isUserInfo},
	{"a token in a URI", []string{"://"}, lazyregexp.New(`\b[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9_]{12,}@`), isTokenUser},
	{"a password in a URI", []string{"//"}, lazyregexp.New(`(?:^|[\s"'` + "`" + `(<\[{,;=|])//[^\s/?#:@"'<>]+:[^\s/?#@"'<>]{4,}@`), isMadeUpInfo}, // relative to a scheme (RFC 3986, section 4.2)
	{"a credential", []string{"-u ", "--user"}, lazyregexp.New(`(?:^|\s)(?:-u|--user)[ =]['"]?[^\s:'"]+:[^\s'"]{4,}`), isOptionLogin},
	{"a credential", []string{"--"}, lazyregexp.New(`(?:^|[\s"'])--[A-Za-z][\w.-]*[ \t]+['"]?[^\s'"-][^\s'"]{7,}`), isOptionValue},
	{"a credential", []string{"DENTIFIED BY", "dentified by", "ASSWORD ", "assword "}, lazyregexp.New(`(?i)\bidentified by\s+(?:'[^'\s]{4,}'|"[^"\s]{4,}")|\bpassword\s+(?:=\s*)?'[^'\s/]{4,}'`), isQuoted}, // SQL
	{"a credential", []string{"assword("}, lazyregexp.New(`(?i)\b(?:set|with|use)_?\w*password\(\s*(?:'[^'\s]{4,}'|"[^"\s]{4,}")`), isQuoted},
	{"a credential", []string{"echo ", "printf "}, lazyregexp.New(`\b(?:echo|printf)\s+(?:-\w+\s+)?(?:['"]?%s(?:\\n)?['"]?\s+)?(?:'[^'\n]{4,}'|"[^"\n]{4,}"|[^\s'"|]{4,})\s*\|[^|;\n]*(?:--password-stdin|sudo -S|chpasswd|--with-token|--stdin)\b`), isPiped},
	{"a credential", []string{"chpasswd"}, lazyregexp.New(`chpasswd\s*<<<\s*['"]?[^\s'":]+:[^\s'"]{4,}`), isUserLogin},
	{"a password in a URI", []string{"@"}, lazyregexp.New(`(?:^|[\s"'=(])[\w.+-]+:[^\s/:@"'<>=]{8,}@[A-Za-z0-9.-]+(?::\d{2,5}\b|/)`), isHostLogin}, // without a scheme
	{"a password in a URI", []string{":thin:"}, lazyregexp.New(`:thin:\w+/[^\s@"'/]{4,}@`), isThin},
	{"a credential", []string{"assword "}, lazyregexp.New(`\b[Pp]assword [^\s"';,&]{8,}`), func(found string) bool { return isMadeUp(found[len("password "):]) }},
}

func all(string) bool { return true }

func isToken(found string) bool { return hasBoth(found) && !isPlaceholder(found) }

func isUserInfo(found string) bool {
	_, password, _ := strings.Cut(found[strings.Index(found, "//")+2:len(found)-1], ":")
	return !isPlaceholder(password)
}

// isMadeUpInfo wants more of what stands behind //, which begins a comment, too.
func isMadeUpInfo(found string) bool {
	_, password, _ := strings.Cut(found[strings.Index(found, "//")+2:len(found)-1], ":")
	return isMadeUp(password)
}

// isTokenUser tells a user's name in a URI that is a token: people have names with fewer digits.
func isTokenUser(found string) bool {
	user := found[strings.Index(found, "://")+3 : len(found)-1]
	return digitCount(user) >= 3 && hasBoth(user) && !isPlaceholder(user)
}

func digitCount(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// isBasic tells what HTTP's basic authentication sends: USER:PASSWORD in base64.
func isBasic(found string) bool {
	text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(found[strings.LastIndexByte(found, ' ')+1:], "="))
	login, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil && !bytes.ContainsFunc(login, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) && isLogin(string(login))
}

func isOptionLogin(found string) bool {
	return IsLoginOption("-u", strings.Trim(found[strings.LastIndexAny(found, " =")+1:], `'"`))
}

// isQuoted tells a word in quotation marks at the end that is a password.
func isQuoted(found string) bool {
	value := found[strings.IndexAny(found, `'"`)+1 : len(found)-1]
	return hasBoth(value) && !isTemplate(value)
}

// isPiped tells what a command writes that another one reads as a password.
func isPiped(found string) bool {
	text, _, _ := strings.Cut(found, "|")
	words := strings.Fields(text)
	value := strings.Trim(words[len(words)-1], `'"`)
	return len(value) >= 4 && hasBoth(value) && !isTemplate(value)
}

func isUserLogin(found string) bool { return isSecretAfter(found, strings.LastIndexByte(found, ':')) }

func isHostLogin(found string) bool {
	login := found[:strings.LastIndexByte(found, '@')]
	return isMadeUp(login[strings.LastIndexByte(login, ':')+1:])
}

func isThin(found string) bool {
	return isSecretAfter(strings.TrimSuffix(found, "@"), strings.LastIndexByte(found, '/'))
}

func isSecretAfter(found string, at int) bool {
	value := found[at+1:]
	return value != "" && hasBoth(value) && !isTemplate(value)
}

// isOptionValue tells an option of a command line, and the secret behind a blank: --api-key SECRET.
func isOptionValue(found string) bool {
	words := strings.FieldsFunc(found, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'", r) })
	name, value := strings.TrimLeft(words[0], "-"), words[len(words)-1]
	return isPasswordName(name) && isMadeUp(value) || isRandom(value) && IsNamed(name, value)
}

// In says what text has the form of a secret, or "". Its cost is linear: regular expressions see what is around the words alone.
func In(s string) string {
	for _, f := range forms {
		for _, word := range f.words {
			if f.isAround(s, word) {
				return f.what
			}
		}
	}
	if holdsJWK([]byte(s)) {
		return "a private key"
	}
	if what := inPairs(s); what != "" {
		return what
	}
	if isOnePair(s) || inCommand(s) || inTags(s) {
		return "a credential"
	}
	return ""
}

const (
	most   = 200 // how many places of one word are looked at in one text
	before = 40  // how much of the text before a word, and behind it, belongs to a form
	behind = 400
)

// isAround tells whether the form stands around the word somewhere in s.
func (f *form) isAround(s, word string) bool {
	for range f.around(s, word) {
		return true
	}
	return false
}

// around gives where the form stands around the word in s.
func (f *form) around(s, word string) iter.Seq2[int, int] {
	return func(yield func(start, end int) bool) {
		for at, n := 0, 0; n < most; n++ {
			i := strings.Index(s[at:], word)
			if i < 0 {
				return
			}
			at += i
			from := max(at-before, 0)
			near := s[from:min(at+len(word)+behind, len(s))]
			at += len(word)
			if strings.HasSuffix(word, "//") && strings.IndexByte(near, '@') < 0 {
				n-- // which is cheap to tell
				continue
			}
			for _, m := range f.form.FindAllStringIndex(near, 8) {
				found := near[m[0]:m[1]]
				isSecret := f.value == nil && !isPlaceholder(found) || f.value != nil && f.value(found)
				if isSecret && !yield(from+m[0], from+m[1]) {
					return
				}
			}
		}
	}
}
