package signer

import (
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/shell"
)

// FormatError says that what was given for a key is something else than this package reads, or a key in another format.
type FormatError struct {
	Want  string // "private key" or "public key"
	Found string // what it is, as far as that can be told
	way   way
}

func (e *FormatError) Error() string { return e.Want + ": " + e.Found }

// Known tells whether the format was recognized. If not, Found says only what was wanted.
func (e *FormatError) Known() bool {
	return e.Found != unknownPrivate && e.Found != unknownPublic && e.Found != unknownJSON
}

// Convert is a shell command that writes what this package reads into a new file, NAME.key.pem or NAME.pub.pem as a rule,
// for the key in the file of that name; "" where there is none. It fails where there is a file of the new name already, and
// what it writes of a private key is for the user alone. The commands need openssl, ssh-keygen or another program that
// knows the format.
func (e *FormatError) Convert(name string) string {
	path := shell.Path(name)
	return e.way.command(e.Want, source{name: name, path: path, reference: path})
}

// ConvertVariable is Convert for the key in an environment variable; the new file is named after it.
func (e *FormatError) ConvertVariable(name string) string {
	return e.way.command(e.Want, source{name: name, printed: "printenv " + shell.Word(name), reference: shell.Word("env://" + name)})
}

// source is where the key to be converted is: in the file path, or in what the command printed prints.
type source struct {
	name          string
	path, printed string
	reference     string // as Load takes it
}

// way is how something becomes what this package reads: commands in which FILE is the file, NEW the new one and REF what Load
// takes. The zero value is none.
type way struct {
	stages []string // filters that the content goes through first
	form   form
	text   string
	suffix string // of the new file, where it is not PEM
}

type form int

const (
	plain  form = iota // a command as it is
	writes             // writes the key to standard output
	edits              // changes NEW, a copy of FILE, in place
	makes              // makes NEW itself, which must not be there
)

// makeKeys is for keys that can become nothing else.
var makeKeys = way{text: "runattest keygen"}

// publicOf makes the public key of a private one.
var publicOf = way{text: "runattest public-key --key REF -o NEW"}

func writing(command string) way { return way{form: writes, text: command} }
func editing(command string) way { return way{form: edits, text: command} }

// after is the way of what a filter makes of the content.
func (w way) after(filter string) way {
	if w.form != plain {
		w.stages = append([]string{filter}, w.stages...)
	}
	return w
}

// command is the way as a shell takes it. What fails leaves no file, so that it can be tried again.
func (w way) command(want string, from source) string {
	pipeline := slices.Clone(w.stages)
	switch {
	case from.printed != "":
		pipeline = append([]string{"PRINTED"}, pipeline...)
	case len(pipeline) > 0:
		pipeline[0] += " <ORIGINAL"
	}
	in := "ORIGINAL"
	if len(pipeline) > 0 {
		in = "/dev/stdin"
	}
	text := strings.ReplaceAll(w.text, "FILE", in)
	const guard = "umask 077; set -C; " // what is between a file and its public key may have private ones
	switch w.form {
	case writes:
		if text != "" {
			pipeline = append(pipeline, text)
		}
		text = "(" + guard + ": >NEW && { " + strings.Join(pipeline, " | ") + " >|NEW || ! rm NEW; })"
	case edits:
		if len(pipeline) == 0 {
			pipeline = []string{"cat ORIGINAL"}
		}
		text = "(" + guard + strings.Join(pipeline, " | ") + " >NEW && { " + text + " || ! rm NEW; })"
	case makes:
		text = "(" + guard + "test ! -e NEW && " + text + ")"
	}
	return strings.NewReplacer("ORIGINAL", from.path, "PRINTED", from.printed, "NEW", shell.Path(w.target(want, from.name)), "REF", from.reference).Replace(text)
}

// target is the name of the new file.
func (w way) target(want, name string) string {
	kind := ".pub"
	if want == wantPrivate {
		kind = ".key"
	}
	suffix := w.suffix
	if suffix == "" {
		suffix = kind + ".pem"
	}
	return strings.TrimSuffix(name, kind) + suffix
}

// finding is what a text is, and the way to PEM of it.
type finding struct {
	found string
	way   way
}

func (f finding) err(want string) error { return &FormatError{want, f.found, f.way} }

const (
	wantPrivate = "private key"
	wantPublic  = "public key"
)
