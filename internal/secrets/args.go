package secrets

import (
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// Arguments, header lines and pairs, as they stand in the configuration of a tool: what is secret in them becomes the mark.

// IsCommand tells the name of what holds a command line or its arguments.
func IsCommand(name string) bool {
	switch plainName(name) {
	case "args", "argv", "cmd", "command", "commandline", "commands", "entrypoint", "exec", "headershelper", "run", "script", "shell":
		return true
	}
	return false
}

// Element is the element s of a list, without what is secret in it. before is the string before it, or ""; isPair says that the two
// are all that the list has.
func Element(before, s string, isPair bool) string { return element(before, s, isPair, prose) }

func element(before, s string, isPair bool, as reading) string {
	option := strings.TrimLeft(before, "-")
	switch before {
	case "-H", "--header", "--proxy-header", "-u", "--user", "--proxy-user":
		if isLocation(s) || plainHeader.MatchString(s) || before == "-H" && hostPort.MatchString(s) {
			return text(s, as) // python -u C:\\server.py, x -u https://h, docker -H 10.0.0.5:2375: neither a login nor a secret header
		}
	}
	switch before {
	case "-H", "--header", "--proxy-header":
		return afterFirst(s, ':', Mark)
	case "-u", "--user", "--proxy-user":
		if !userAndGroup.MatchString(s) {
			return afterFirst(s, ':', s)
		}
	}
	if m := assignment.FindString(s); setsVariable(before) && m != "" && s[0] != '-' {
		return afterFirst(s, '=', s)
	}
	if before == "--env" && variable.MatchString(s) {
		return s // docker run --env NAME takes its value from the environment
	}
	isOption := option != before && !strings.ContainsAny(option, "=: ") && !strings.HasPrefix(option, "no-")
	isValue := !strings.HasPrefix(s, "--") || strings.HasPrefix(s, "-----BEGIN")
	if s != "" && (isOption && isValue && IsWithheld(option) || isPair && IsName(option)) {
		return Mark
	}
	return text(s, as)
}

// IsLoginOption tells -u USER:PASSWORD and its long form, as two arguments. -u USER:GROUP is as usual, so the password must look made up.
func IsLoginOption(option, s string) bool {
	switch option {
	case "-u", "--user", "--proxy-user":
		return isMadeUpLogin(s)
	}
	return false
}

// setsVariable tells the option behind which a variable of the environment stands.
func setsVariable(option string) bool { return option == "-e" || option == "--env" }

// isLocation tells a URL, and a path that begins with the letter of a drive.
func isLocation(s string) bool {
	if len(s) > 2 && s[1] == ':' && (s[2] == '/' || s[2] == '\\') && 'a' <= s[0]|0x20 && s[0]|0x20 <= 'z' {
		return true
	}
	return schemeStart.MatchString(s)
}

// afterFirst is s with the mark for all behind the first separator and the blanks that follow it, or otherwise if it has none.
func afterFirst(s string, separator byte, otherwise string) string {
	i := strings.IndexByte(s, separator)
	if i < 0 {
		return otherwise
	}
	head := s[:i+1]
	rest := strings.TrimLeft(s[i+1:], " \t")
	if rest == "" {
		return s
	}
	return head + s[i+1:len(s)-len(rest)] + Mark
}

var (
	optionHeader = lazyregexp.New(`^(?:-H|--(?:proxy-)?header=)[^:]+:[ \t]*`)
	assignment   = lazyregexp.New(`^-*([A-Za-z0-9_.-]+)=`)
	runs         = lazyregexp.New(`^(?:-[A-Za-z]*c|/[ckCK]|--?[Cc]ommand)$`) // the option behind which a command line stands
	optionEnv    = lazyregexp.New(`^(?:-e[A-Z_][A-Z0-9_]*|--env=[A-Za-z_][A-Za-z0-9_.-]*)=`)
	plainHeader  = lazyregexp.New(`^(?:-H|--(?:proxy-)?header=)?(?i:accept|content-type):`) // what it says is not secret
	hostPort     = lazyregexp.New(`^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+):[0-9]{1,5}$`)
	variable     = lazyregexp.New(`^[A-Z_][A-Z0-9_]*$`)
	headerLine   = lazyregexp.New(`^([A-Za-z0-9_.-]+):[ \t]*(\S+|(?i:bearer|basic|token|apikey|key|bot|negotiate) +\S+|(?i:digest +)?\S+=[^\r\n]*)$`)
	pair         = lazyregexp.New(`([A-Za-z0-9_.-]+)=`)
	loosePair    = lazyregexp.New(`([A-Za-z0-9_.-]+)[ \t]*=+[ \t]*|(-[A-Za-z0-9_.-]+)[ \t]+`)
	nextOption   = lazyregexp.New(`[;&][A-Za-z0-9_.-]+=`)
	schemeStart  = lazyregexp.New(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	userAndGroup = lazyregexp.New(`^[0-9]{1,10}:[0-9]{1,10}$`) // docker run -u 1000:1000
	nextPair     = lazyregexp.New(`[,;&][A-Za-z0-9_.-]+=`)
)

// A reading says what kind of text a string is.
type reading byte

const (
	prose     reading = iota // unknown: with blanks, only the names of credentials count
	arguments                // of a list NAME=VALUE,NAME=VALUE: all secret names count
	shell                    // a command line, or a word of one: a blank ends a value, and values in URLs are secret
)

// Text is a string of which nothing is known, without what is secret in it: a header's line, pairs NAME=VALUE, members of an object, a
// URL. In one with blanks, which may be prose, only the names of credentials count.
func Text(s string) string { return text(s, prose) }

func text(s string, as reading) string {
	if strings.IndexByte(s, ':') < 0 && strings.IndexByte(s, '=') < 0 && !hasOption(s) && !hasSlashes(s) {
		return s
	}
	for _, option := range []*lazyregexp.Regexp{optionHeader, optionEnv} {
		if m := option.FindString(s); m != "" && len(m) < len(s) && !plainHeader.MatchString(s) {
			return m + Mark
		}
	}
	if m := assignment.FindStringSubmatch(s); m != nil && s[0] == '-' && len(m[0]) < len(s) && IsWithheld(m[1]) {
		return m[0] + Mark
	}
	isSecret := IsWithheld
	if strings.ContainsAny(s, " \t\r\n") {
		if as != arguments {
			isSecret = IsName
		}
	} else if authority.MatchString(s) {
		clean, _, ok := URL(s, as == shell)
		if !ok {
			return Mark
		}
		s = clean
	}
	if m := headerLine.FindStringSubmatchIndex(s); m != nil && isSecret(s[m[2]:m[3]]) {
		return s[:m[4]] + Mark
	}
	if as == arguments || isObject(s) {
		s = members(s, IsWithheld, true)
	} else {
		s = members(s, isSecret, false)
	}
	if as == shell {
		return pairs(s, pair, isSecret)
	}
	return pairs(s, loosePair, isSecret)
}

// hasOption tells a string with a word that begins with a hyphen and has another behind it.
func hasOption(s string) bool {
	for at := 0; ; at++ {
		i := strings.IndexByte(s[at:], '-')
		if i < 0 {
			return false
		}
		if at += i; at == 0 || strings.IndexByte(pairStarts, s[at-1]) >= 0 {
			return strings.ContainsAny(s[at:], " \t")
		}
	}
}

// hasSlashes tells a string that begins as a URL without its scheme does.
func hasSlashes(s string) bool {
	isSlash := func(c byte) bool { return c == '/' || c == '\\' }
	return len(s) > 1 && isSlash(s[0]) && isSlash(s[1])
}

// pairStarts may stand before a pair.
const pairStarts = " \t\r\n,;&?#\"'`({["

// pairs is s with the mark for the values of pairs with secret names. A value ends at a blank, a quotation mark, or a separator before
// the next pair; one in quotation marks ends with them.
func pairs(s string, form *lazyregexp.Regexp, isSecret func(string) bool) string {
	var b strings.Builder
	done, limit := 0, -1 // where a value without quotation marks ends at the latest
	for _, m := range form.FindAllStringSubmatchIndex(s, -1) {
		start := m[1]
		isOption := m[2] < 0
		if isOption {
			m[2], m[3] = m[4], m[5]
		}
		if m[0] < done || m[0] > 0 && strings.IndexByte(pairStarts, s[m[0]-1]) < 0 || isOption && strings.HasPrefix(s[start:], "--") ||
			!isSecret(strings.TrimLeft(s[m[2]:m[3]], "-")) {
			continue
		}
		var end int
		if start < len(s) && (s[start] == '"' || s[start] == '\'') {
			quote := s[start : start+1]
			start++
			end = indexAny(s, start, quote)
		} else {
			if limit < start {
				limit = indexAny(s, start, " \t\r\n\"'`")
			}
			end = limit
			if next := nextPair.FindStringIndex(s[start:end]); next != nil {
				end = start + next[0]
			}
			if form == pair {
				end -= atEnd(s[start:end])
			}
		}
		if start == end {
			continue
		}
		b.WriteString(s[done:start] + Mark)
		done = end
	}
	if done == 0 {
		return s
	}
	return b.String() + s[done:]
}

// List is a list NAME=VALUE,NAME=VALUE without the values of secret names, and without what is secret in others by itself. A secret
// value ends at the last comma before another NAME=. Members of objects are judged first: their commas are not those of the list.
func List(s string) string {
	s = members(s, IsWithheld, true)
	var b strings.Builder
	withheld := false
	for i, piece := range strings.Split(s, ",") {
		name, value, isPair := strings.Cut(piece, "=")
		if withheld && !isPair {
			continue
		}
		if i > 0 {
			b.WriteByte(',')
		}
		switch withheld = isPair && value != "" && IsWithheld(name); {
		case withheld:
			b.WriteString(name + "=" + Mark)
		case isPair:
			b.WriteString(name + "=" + text(value, arguments))
		default:
			b.WriteString(text(piece, arguments))
		}
	}
	return b.String()
}

// Argument is Element of a string that may be a command line or a word of one. NAME=VALUE is a word behind another one that does not
// run a command, and else begins a command line. It is not ok if what is secret may be a command, a program or an option, or stands
// beside another command: without the secret, lines that run different programs would be equal.
func Argument(before, s string, isPair bool) (clean string, ok bool) {
	clean, ok = argument(before, s, isPair, commandDepth)
	return clean, ok && !HoldsPrivateKey([]byte(s))
}

func argument(before, s string, isPair bool, depth int) (clean string, ok bool) {
	isLine := before == "" || runs.MatchString(before)
	isWord := !isLine || before == "" && strings.HasPrefix(s, "-")
	if name := assigned(s); name != "" && isWord {
		return name + Mark, isLone(before, s, name+Mark)
	}
	line := s
	object, isJSON := jsonIn(s)
	if isJSON {
		line = members(s, IsWithheld, true) // before the quotation marks are taken off
	}
	line, ok = command(line, depth)
	clean = element(before, line, isPair, shell)
	hasBlanks := strings.ContainsAny(s, blanks)
	ok = (ok || !isLine && !hasBlanks) && // else it is one word
		!(isJSON && hasPlaced(object)) && (runs.MatchString(before) || !schemeToken.MatchString(s)) && (clean == s || !isSource(before) || envValue.MatchString(s))
	if hasBlanks && !isJSON {
		s = line
	}
	if isLine {
		return clean, ok && (clean == line && !isJSON || clean == s || !isBesideCommand(s, clean) && areValues(s, clean))
	}
	return clean, ok && isLone(before, s, clean)
}

// assigned is what stands before the value of an argument NAME=VALUE that is secret, or "".
func assigned(s string) string {
	if m := optionEnv.FindString(s); m != "" && len(m) < len(s) {
		return m
	}
	if m := assignment.FindStringSubmatch(s); m != nil && len(m[0]) < len(s) && IsWithheld(m[1]) {
		return m[0]
	}
	return ""
}

// commandDepth is how deep command lines are looked for inside words of others, as in sh -c "COMMAND".
const commandDepth = 3

// command is a command line without what is secret in its words. It is read as shells of Unix do, in which a backslash takes the next
// byte, and then as those do for which it is a byte like others. A word that has a secret in it is written without the marks inside
// it, and between marks that leave it what it is to a shell.
func command(s string, depth int) (clean string, ok bool) {
	if depth == 0 {
		return s, true
	}
	clean, ok = commandWords(s, depth, true)
	clean, again := commandWords(clean, depth, false)
	return clean, ok && again
}

func commandWords(s string, depth int, escapes bool) (clean string, ok bool) {
	var b strings.Builder
	done, behind, before := 0, 0, "x"
	ok = true
	for at := 0; at < len(s); {
		start, end, word, quoting := readWord(s, at, escapes)
		at = end
		if start == end {
			continue
		}
		if strings.ContainsAny(joined.Replace(s[behind:start]), "\r\n") && before != "x" { // a line break may end a command
			own, _ := argument("x", word, false, 0)
			other, _ := argument(before, word, false, 0)
			ok = ok && (own == other || runs.MatchString(before))
		}
		behind = end
		n := min(atEnd(s[start:end]), atEnd(word))
		end, word = end-n, word[:len(word)-n]
		below := 0
		if strings.ContainsAny(word, blanks) {
			below = depth - 1
		}
		clean, isOne := argument(before, word, false, below)
		ok = ok && isOne
		if clean != word {
			mark, isSame := markFor(s[start], word, clean, quoting)
			b.WriteString(s[done:start] + mark + clean + mark)
			done = end
			ok = ok && isSame && (runs.MatchString(before) || !isBesideCommand(word, clean))
		}
		if before = word; n > 0 {
			before = "x" // another command begins
		}
	}
	return b.String() + s[done:], ok
}

const blanks = " \t\r\n"

// joined takes out the line breaks that a backslash takes.
var joined = strings.NewReplacer("\\\n", "", "\\\r\n", "")

// atEnd is how many bytes at the end of a word end a command.
func atEnd(word string) int {
	rest := strings.TrimRight(word, ";&|")
	if strings.HasSuffix(rest, `\`) {
		return 0
	}
	return len(word) - len(rest)
}

// readWord reads the blanks from at on and the word behind them: where it stands, its text without quotation marks and backslashes, and
// for each byte of that the mark it is quoted with: a backslash like a single one, or 0.
func readWord(s string, at int, escapes bool) (start, end int, word string, quoting []byte) {
	start = -1
	quote := byte(0)
	var text []byte
	for ; at < len(s) && (quote != 0 || start < 0 || !isBlank(s[at])); at++ {
		c := s[at]
		n := 0 // bytes that the backslash takes
		if c == '\\' && escapes {
			n = taken(s[at+1:], quote)
		}
		if isBreak := n > 0 && lineBreak(s[at+1:]) > 0; isBreak {
			at += n
			continue
		}
		if start < 0 && !isBlank(c) {
			start = at
		}
		switch {
		case n > 0:
			at++
			text, quoting = append(text, s[at]), append(quoting, '\'')
		case start < 0:
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			text, quoting = append(text, c), append(quoting, quote)
		}
	}
	if start < 0 {
		start = at
	}
	return start, at, string(text), quoting
}

// taken is how many bytes a backslash takes of rest, in a shell of Unix between such quotation marks or none.
func taken(rest string, quote byte) int {
	n := lineBreak(rest)
	switch {
	case quote == '\'' || rest == "":
		return 0
	case n > 0:
		return n
	case quote == '"' && strings.IndexByte("$`\"\\", rest[0]) < 0:
		return 0
	}
	return 1
}

// lineBreak is the length of the line break that s begins with, or 0.
func lineBreak(s string) int {
	switch {
	case strings.HasPrefix(s, "\n"):
		return 1
	case strings.HasPrefix(s, "\r\n"):
		return 2
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
