// Package secrets tells what looks like a password, key or token: by the name that it has, by its form, and by where it stands
// in a text. It shows nothing of what it finds. The forms are those that issuers publish; names are compared without case and
// separators.
package secrets

import (
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// longestName is the length of a name that may be that of a credential.
const longestName = 200

// IsNamed tells whether s is a secret by the name that it has: a name that IsName takes and any value that may be one, or the name
// of a key, token or login, of which there are many kinds, and a value that a program or a person made up.
func IsNamed(name, s string) bool {
	numbered := name
	name = withoutNumber(name)
	if IsName(name) {
		return isValue(name, s)
	}
	if len(name) > longestName || name != numbered && !isPasswordName(name) && !isRandom(s) { // token_1 is one of a tokenizer
		return false
	}
	return isOfKind(name, s) && !isPlaceholder(s) // which takes longest
}

// isOfKind tells the name of a key, token or login, and a value that may be one.
func isOfKind(name, s string) bool {
	plain := plainName(name)
	switch {
	case endsIn(plain, typedNames()):
		return utf8.RuneCountInString(s) >= 4 && !strings.ContainsAny(s, " \n") && !required.MatchString(s)
	case endsIn(plain, phraseNames):
		return isPhrase(s)
	case endsIn(plain, passNames):
		return isMadeUp(s) || isMadeUpLogin(s)
	}
	words := nameWords(name)
	if len(words) == 0 {
		return false
	}
	last, before := words[len(words)-1], words[:len(words)-1]
	if n := len(before); n > 0 && slices.Contains(addressWords, last) {
		return isHook(before[n-1]) && hasToken(s)
	}
	switch last {
	case "pass", "bearer", "jwt", "auth", "pw", "psk":
		return isMadeUp(s) || last == "auth" && isLogin(s)
	case "cookie", "creds", "dsn", "hmac", "otp", "passcode", "pat", "sas", "session":
		return isRandom(s)
	case "login", "userpwd":
		return isMadeUpLogin(s)
	case "webhook", "webhooks", "hook":
		return hasToken(s)
	case "token":
		return isRandom(s) || isMadeUp(s) && (len(before) == 0 || isIssuer(before))
	case "key":
		return len(before) > 0 && !slices.ContainsFunc(before, isOrdinary) && (isRandom(s) || isMadeUp(s) && isIssuer(before))
	}
	return false
}

// ordinary are words before "key" that do not name a credential: of maps, tables, caches, and of what is public.
var ordinary = []string{
	"public", "pub", "cache", "primary", "foreign", "sort", "partition", "idempotency", "hash", "routing", "group", "row", "index", "map", "dict", "object",
	"dedup", "deduplication", "shard", "range", "column", "label", "text", "image", "metadata", "dataset", "hot", "kms", "message", "translation", "verification", "verifying",
}

func isOrdinary(word string) bool { return slices.Contains(ordinary, word) }

// isIssuer tells words before "key" or "token" that say who gives it out, or what it opens.
func isIssuer(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(vendors, w) || slices.Contains(kinds, w) })
}

// nameWords are the words of a name, in lower case: openaiKey, OPENAI_KEY and openai-key have two.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	before := ' '
	for _, r := range name {
		isStart := unicode.IsUpper(r) && unicode.IsLower(before)
		if isStart || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			word = append(word, r)
		}
		before = r
	}
	end()
	return words
}

// addressWords are the last words of a name that is an address's.
var addressWords = []string{"url", "urls", "uri", "address", "endpoint"}

func isHook(word string) bool { return word == "webhook" || word == "hook" || word == "webhooks" }

var tokenPart = lazyregexp.New(`^[A-Za-z0-9_.-]{16,}$`)

// hasToken tells a URL with a part that a program makes: who knows the address of a webhook may send to it.
func hasToken(s string) bool {
	_, path, ok := strings.Cut(s, "://")
	if !ok || strings.ContainsAny(s, " \n") {
		return false
	}
	if i := strings.IndexByte(path, '/'); i >= 0 {
		for piece := range strings.FieldsFuncSeq(path[i:], func(r rune) bool { return strings.ContainsRune("/?&=#", r) }) {
			if tokenPart.MatchString(piece) && !isCommit(piece) && digitCount(piece) >= 3 && hasBoth(piece) && !isPlaceholder(piece) {
				return true
			}
		}
	}
	return false
}

// required is what a form says of a field, in the languages of typedNames.
var required = lazyregexp.New(`(?i)^(obligatori[oa]|obrigat[oó]ri[oa]|op[ct]ional|opcional|requis|requerid[oa]|optionnel|erforderlich|pflicht(feld|angabe)?|verplicht|optioneel|обязател\pL*|необязател\pL*|必填\pL*|必須\pL*|必须\pL*|任意\pL*|필수\pL*|선택\pL*)$`)

// isCommit tells the name of a commit of Git, in SHA-1 or SHA-256.
func isCommit(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && (len(s) == 40 || len(s) == 64)
}

var phrase = lazyregexp.New(`^\p{Ll}{3,8}(?:[ ,]+\p{Ll}{3,8}){11,23}$`)

// isPhrase tells the words of BIP 39: 12, 15, 18, 21 or 24 of a list that has no words such as these.
func isPhrase(s string) bool {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	return len(words)%3 == 0 && phrase.MatchString(strings.TrimSpace(s)) && !slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{"and", "are", "for", "from", "into", "not", "the", "with", "your"}, word)
	})
}

// IsBelow tells whether s, somewhere below a name that IsName takes, is a secret; name is its own member's.
func IsBelow(name, s string) bool {
	switch plainName(name) {
	case "value", "values", "pem", "data", "plaintext", "literal", "token", "password":
		return isValue(name, s)
	case "pattern", "format", "description", "title", "name", "id", "type", "path", "file", "env", "ref", "$ref", "$id", "key", "profile", "version", "uri", "url", "role":
		return false
	}
	return isMadeUp(s)
}

// isValue tells text that may be the secret of a name that IsName takes, and does not say where one is kept.
func isValue(name, s string) bool {
	name = strings.TrimSuffix(plainName(name), "s")
	hasBlanks := strings.HasSuffix(name, "authorization") || strings.HasSuffix(name, "password") || strings.HasSuffix(name, "passphrase")
	isReference := name == "secret" || strings.HasSuffix(name, "credential") // often the name of one
	switch {
	case len(s) < 4, isPlaceholder(s), !hasBlanks && strings.ContainsAny(s, " \n"):
		return false
	case isReference:
		return isMadeUp(s)
	}
	return true
}

// placeholder is the beginning of text that stands for a secret, or all of it.
var placeholder = lazyregexp.New(`(?i)^((bearer|basic|token) +)?(\$|%[a-z_]+%|\{|<|\[|\*|env[:.]|os\.|process\.|secrets?[:./]|vault:|[a-z]*kms://|file:|/|\./|~/|` +
	`(none|null|string|true|false|optional|required|x+|\.+|redacted|changeme|dummy|empty|not-needed|unused|enabled|disabled)$|(your|dummy|fake)[-_ ]|example)`)

// inPlaceholders stand somewhere in such text, in lower case.
var inPlaceholders = []string{"${", "{{", "***", "...", "xxxxxxxx", "000000000000"}

var (
	bracketed = lazyregexp.New(`(?i)<[a-z_ -]+>`)
	fileName  = lazyregexp.New(`(?i)\.(pem|key|json|ya?ml|txt|env|crt)$`)
)

var variableName = lazyregexp.New(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)

// isPlaceholder tells text that stands for a secret: a variable, its name, a path or a reference.
func isPlaceholder(s string) bool {
	lower := strings.ToLower(s)
	return placeholder.MatchString(s) || variableName.MatchString(s) || fileName.MatchString(s[max(len(s)-len(".json"), 0):]) ||
		slices.ContainsFunc(inPlaceholders, func(part string) bool { return strings.Contains(lower, part) }) ||
		strings.IndexByte(s, '<') >= 0 && bracketed.MatchString(s)
}

var randomRun = lazyregexp.New(`[A-Za-z0-9]{16}`)

// isRandom tells text that a program makes: letters and digits, many in a row.
func isRandom(s string) bool {
	return hasBoth(s) && !strings.ContainsAny(s, " \n") && randomRun.MatchString(s)
}

var madeUp = lazyregexp.New(`^[A-Za-z0-9!@#$%^&*+=~]{8,}$`)

// isMadeUp tells text that is random, or one word of eight characters or more with letters and digits.
func isMadeUp(s string) bool {
	return isRandom(s) && !isPlaceholder(s) || hasBoth(s) && madeUp.MatchString(s) && !isPlaceholder(s)
}

func hasBoth(s string) bool {
	return digitCount(s) > 0 && strings.ContainsFunc(s, unicode.IsLetter)
}

// isMadeUpLogin tells USER:PASSWORD with a password that is made up.
func isMadeUpLogin(s string) bool {
	_, password, _ := strings.Cut(s, ":")
	return isLogin(s) && isMadeUp(password)
}

// isLogin tells USER:PASSWORD.
func isLogin(s string) bool {
	user, password, ok := strings.Cut(s, ":")
	return ok && user != "" && len(password) >= 4 && !strings.ContainsAny(s, " /") && !isPlaceholder(password)
}
