package identity

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/secrets"
)

// A declaration is signed and published, and what is in it stays there. No message has the secret in it.

func (l *linter) secret(what string) {
	l.warn(CodeSecret, "looks like "+what+": a declaration is published with its signature",
		"take it out and name where it is kept, such as an environment variable; if it was shared, revoke it")
}

// namedSecret warns of a member whose name says that its value is secret, in the object that it is in.
func (l *linter) namedSecret(name string, v, object jsontree.Value) {
	if what := secrets.In(name); what != "" {
		l.inParent(func() { l.secret("a member's name is " + what) })
		return
	}
	if v.Kind() == jsontree.Array {
		for _, e := range v.Elements() {
			if secrets.IsNamed(name, e.Text()) && secrets.In(e.Text()) == "" {
				l.secret("a credential")
				return
			}
		}
		return
	}
	if what := namedSecret(name, v, object, l.isBelow); what != "" && secrets.In(v.Text()) == "" { // else it has its own warning
		l.secret(what)
	}
}

// namedSecret says what v is by its name, or "". It does not look for forms, which takes long.
func namedSecret(name string, v, object jsontree.Value, isBelow bool) string {
	switch s := v.Text(); {
	case v.Kind() == jsontree.Number:
		if len(v.Raw()) >= 6 && secrets.IsName(name) && secrets.IsNamed(name, "n"+string(v.Raw())) {
			return "a credential"
		}
	case v.Kind() != jsontree.String:
	case secrets.IsJWKMember(name, s, func() bool { return object.Get("kty").Kind() == jsontree.String }):
		return "a private key"
	case secrets.IsNamed(name, s), slices.Contains(valueNames, name) && hasSecretName(object, s), isBelow && secrets.IsBelow(name, s):
		return "a credential"
	}
	return ""
}

// valueNames are the names of a value in an object that names it, too.
var valueNames = []string{"value", "Value", "VALUE"}

// mostOfPair bounds how often such a value is read, in bytes: once for each member of its object.
const mostOfPair = 64 << 10

// hasSecretName tells {"name": "Authorization", "value": s}: an object that gives s the name of a credential.
func hasSecretName(object jsontree.Value, s string) bool {
	if object.Len()*len(s) > mostOfPair {
		return false
	}
	for name, m := range object.Members() {
		if !slices.Contains(valueNames, string(name)) && secrets.IsNamed(m.Text(), s) {
			return true
		}
	}
	return false
}

// elementSecret warns of the value that follows an option such as --api-key in a list of arguments, or a header's name in a pair.
func (l *linter) elementSecret(before string, e jsontree.Value, isPair bool) {
	if isElementSecret(before, e.Text(), isPair) {
		l.secret("a credential")
	}
}

func isElementSecret(before, s string, isPair bool) bool {
	if s == "" || strings.HasPrefix(s, "-") {
		return false
	}
	isNamed := (isPair || strings.HasPrefix(before, "-")) && secrets.IsNamed(strings.TrimLeft(before, "-"), s)
	return (isNamed || secrets.IsLoginOption(before, s)) && secrets.In(s) == ""
}

// programNames are the names of members that have a program, alone or with arguments; argumentNames those that have its arguments.
var (
	programNames  = []string{"command", "cmd", "program", "executable", "entrypoint"}
	argumentNames = []string{"args", "arguments", "argv", "run", "exec"}
)

// What is read of the program of arguments: so many words, each that long.
const mostWords, longestWord = 64, 256

// argumentSecret warns of the password of a program in a list of arguments of an object, which may name the program.
func (l *linter) argumentSecret(object jsontree.Value, name string, list jsontree.Value) {
	var words []string
	add := func(word string) {
		if len(words) < mostWords && len(word) <= longestWord {
			words = append(words, word)
		}
	}
	switch name = strings.ToLower(name); {
	case slices.Contains(programNames, name):
	case slices.Contains(argumentNames, name):
		for _, name := range programNames {
			v := object.Get(name)
			for i, e := range v.Elements() {
				if i == mostWords {
					break
				}
				add(e.Text())
			}
			add(v.Text())
		}
	default:
		return
	}
	program := strings.Join(words, " ")
	var args []string
	for _, e := range list.Elements() {
		args = append(args, e.Text())
	}
	at := secrets.InArguments(program, args)
	if at < 0 || secrets.In(args[at]) != "" {
		return
	}
	before := ""
	if at > 0 {
		before = args[at-1]
	}
	if isElementSecret(before, args[at], at == 1 && len(args) == 2) {
		return // which has its own warning
	}
	l.element(at)
	l.secret("a credential")
	l.back()
}

// commandSecrets is argumentSecret of each of several commands.
func (l *linter) commandSecrets(name string, lists jsontree.Value) {
	if name = strings.ToLower(name); name != "commands" && name != "cmds" && name != "steps" {
		return
	}
	for i, e := range lists.Elements() {
		l.element(i)
		l.argumentSecret(jsontree.Value{}, "command", e)
		l.back()
	}
}

// inParent does something one step up: the name of the member itself must not be shown.
func (l *linter) inParent(do func()) {
	path := l.path
	l.back()
	do()
	l.path = path
}
