package capture

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
)

// A verdict is what the name of a member says of what it holds.
type verdict struct{ hidden, command, address bool }

func judge(name string) verdict {
	return verdict{secrets.IsWithheld(name), secrets.IsCommand(name), isAddress(name)}
}

// below is the mode m below a member of an object whose name says that.
func (w *walker) below(m mode, n verdict, object jsontree.Value, name string) mode {
	m.hidden = m.hidden || n.hidden || slices.Contains(valueNames, fold(name)) && w.isPair(object)
	m.command = m.command || n.command
	m.address = notURL
	if n.address {
		if m.address = otherURL; m.secrets == toolSecrets {
			m.address = serverURL
		}
	}
	return m
}

// addresses end the names of what is a URL, a plural too.
var addresses = []string{"url", "uri", "endpoint", "proxy", "server", "href", "link", "tunnel", "callback", "webhook", "upstream", "origin", "apibase"}

func isAddress(name string) bool {
	n := strings.TrimSuffix(squeeze(name), "s")
	return slices.ContainsFunc(addresses, func(end string) bool { return strings.HasSuffix(n, end) })
}

// plainNames lead, in a tool, to what users or models write: schemas, arguments, inputs and results.
var plainNames = []string{"arguments", "input", "input_examples", "input_schema", "inputSchema", "json_schema", "output",
	"output_schema", "outputSchema", "parameters", "result", "schema"}

func isPlain(name string) bool { return slices.Contains(plainNames, name) }

// valueNames hold the value of what the names in nameNames say, in an object that is a pair.
var (
	nameNames  = []string{"name", "key", "header", "variable"}
	valueNames = []string{"value", "values"}
)

// isPair tells {"name": "API_KEY", "value": ...}: an object with a member that holds what another one names.
func (w *walker) isPair(object jsontree.Value) bool {
	at := &object.Raw()[0]
	is, known := w.pairs[at] // it may have many values, by names in another case
	if known {
		return is
	}
	for name, v := range object.Members() {
		if slices.Contains(nameNames, fold(string(name))) && v.Kind() == jsontree.String && secrets.IsWithheld(v.Text()) {
			is = true
			break
		}
	}
	if w.pairs == nil {
		w.pairs = map[*byte]bool{}
	}
	w.pairs[at] = is
	return is
}

// url appends a URL without what is secret in it.
func (w *walker) url(dst []byte, v jsontree.Value, a address) []byte {
	if a == remote {
		w.note(LeftOpen, "").hides = "content"
	}
	text := v.Text()
	if !w.search(text, false) {
		return dst
	}
	clean, path, ok := secrets.URL(text, a == serverURL)
	if !ok {
		w.fail("a URL with a backslash where its host stands, which readers take for different hosts")
		return dst
	}
	if a == serverURL && path != "" && path != "/" {
		w.note(PathKept, "")
	}
	return w.cleaned(dst, v, clean)
}

// cleaned appends the string v, of which clean is what is not secret.
func (w *walker) cleaned(dst []byte, v jsontree.Value, clean string) []byte {
	if clean == v.Text() {
		return append(dst, v.Raw()...)
	}
	w.note(Withheld, "in part")
	return appendString(dst, []byte(clean))
}

// element appends a string that stands where names tell secrets, in a list behind the string before, or by itself.
func (w *walker) element(dst []byte, v jsontree.Value, m mode) []byte {
	text := v.Text()
	if !w.search(text, m.command) {
		return dst
	}
	if m.command {
		clean, ok := secrets.Argument(m.before, text, m.isPair)
		if !ok {
			w.failWith("take the secret out of the command line, and give it in env; for a container write -e NAME without a value", "has a secret beside another command, or what may be one: want a secret that is one word behind --NAME, NAME= or a header's name, and no ; & | < > ( ) ` * ? [ or line break in or beside it")
			return dst
		}
		return w.cleaned(dst, v, clean)
	}
	return w.cleaned(dst, v, secrets.Element(m.before, text, m.isPair))
}

// search counts a text that is looked through for secrets, and is false where they are too long together: nothing else of a capture takes
// so much time for a byte. What takes it is what may end a name or a value, of which base64 has next to none.
func (w *walker) search(text string, isCommand bool) bool {
	ends := 0
	for i := range len(text) {
		if c := text[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '/' || c > '9') && c != '+' && c != '_' {
			ends++
		}
	}
	size := max(min(len(text), 4*ends), len(text)/16)
	if isCommand {
		size *= limits.CaptureCommand
	}
	if w.searched += size; w.searched > limits.CaptureSearch {
		w.failWith("long text belongs into messages, or into a member that the format's page has; what it does not have, and commands and tools, is looked through",
			"is beyond %d MiB of text that is looked through for secrets, of which a byte of a command line counts as %d", limits.CaptureSearch>>20, limits.CaptureCommand)
		return false
	}
	return true
}
