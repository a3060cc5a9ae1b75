package capture

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
)

// Interface is the extension that says which API a captured declaration belongs to: docs/spec/interface-v1.md.
const Interface = "https://github.com/runattest/runattest/interface/v1"

// A Source is what is about to run, as it goes over the wire. Nothing else enters a declaration.
type Source struct {
	// Body is the decoded body of the request, as it is sent: at most 64 MiB.
	Body []byte

	// Provider is the name of who runs the model, as the caller or the upstream's configuration says and never the
	// client; "" is the format's default.
	Provider string

	// Target is the path of the request with its query, as it is sent, such as "/v1/messages?beta=true". "" says nothing
	// of either: the path is not checked, and no member of the query enters.
	Target string

	// Header has the request's header lines; names are compared without case. The format reads those that it names.
	Header map[string][]string

	// Model and Revision are the name of the model and its version, such as a commit, where the format says that the
	// caller names them; elsewhere both are "".
	Model, Revision string

	// Parents are the runs that this one descends from, if the caller names any.
	Parents []identity.ID
}

// A Format is one published table: how the requests of one API become declarations. The zero value is none and captures
// nothing. Formats are comparable.
type Format struct {
	table  *table
	batch  *batch  // or a batch of requests
	folder *folder // or a folder
}

// Lookup is the format of that name, such as "openai-chat/1". Without a number it is the newest table of the API.
func Lookup(name string) (Format, error) {
	var newest Format
	newestNumber := 0
	for _, f := range Formats() {
		api, number, _ := strings.Cut(f.Name(), "/")
		if f.Name() == name {
			return f, nil
		}
		if n, err := strconv.Atoi(number); err == nil && api == name && n > newestNumber {
			newest, newestNumber = f, n
		}
	}
	if newest == (Format{}) {
		return Format{}, fmt.Errorf("no capture format %q, want one of %s", name, strings.Join(names(), ", "))
	}
	return newest, nil
}

// Formats are all formats, in the order of their names.
func Formats() []Format {
	var l []Format
	for _, t := range tables() {
		l = append(l, Format{table: t})
	}
	for _, b := range batches {
		l = append(l, Format{batch: b})
	}
	for _, d := range folders {
		l = append(l, Format{folder: d})
	}
	slices.SortFunc(l, func(a, b Format) int { return strings.Compare(a.Name(), b.Name()) })
	return l
}

func names() []string {
	var l []string
	for _, f := range Formats() {
		l = append(l, f.Name())
	}
	return l
}

// Name is the API's name, a slash and the number of the table.
func (f Format) Name() string {
	switch {
	case f.table != nil:
		return f.table.name()
	case f.batch != nil:
		return f.batch.name()
	case f.folder != nil:
		return f.folder.name()
	}
	return ""
}

// Title says in a few words what the format reads.
func (f Format) Title() string {
	switch {
	case f.table != nil:
		return f.table.title
	case f.batch != nil:
		return f.batch.title
	case f.folder != nil:
		return f.folder.title
	}
	return ""
}

// Captured is what a source becomes.
type Captured struct {
	// Declaration is valid, and the same for this source on every machine.
	Declaration *identity.Declaration

	// Fates says where each member of the body went, in the order of the source, and what became of values on their
	// way. Each member of the body has a fate; a value inside has one where something is to be said of it.
	Fates []Fate

	// Open lists what the request does not say: state at the provider that the model will see.
	Open []Opening

	// Unknown names what the table does not know, and which may therefore be open as well.
	Unknown []Unknown

	// Unread names the header lines of the source that the format does not read, in lower case: they do not enter the declaration.
	Unread []string

	// Warnings are for a person.
	Warnings []Warning

	// Digest is the SHA-256 of the exact body. It lets be guessed what the declaration leaves out.
	Digest [sha256.Size]byte

	// CustomID is what a batch calls the request, or "".
	CustomID string

	// Format is the table that was used: of a request in a batch that of its own format.
	Format Format
}

// Withholds tells whether the declaration leaves out a secret that the source has.
func (c *Captured) Withholds() bool { return len(c.Withheld()) > 0 }

// Withheld are the RFC 6901 pointers into the source of what is secret in it, whole or in part, in the order of the source. Two sources
// that differ there alone have one declaration.
func (c *Captured) Withheld() []string {
	var pointers []string
	for _, f := range zero.IfNil(c).Fates {
		if f.Outcome == Withheld {
			pointers = append(pointers, f.Pointer)
		}
	}
	return pointers
}

// An Outcome is what became of a value.
type Outcome string

// The outcomes.
const (
	Kept       Outcome = "kept"        // it stands in the declaration, at To
	LeftOut    Outcome = "out"         // it is transport or bookkeeping
	Absent     Outcome = "absent"      // null or empty, which this API takes for absent
	Null       Outcome = "null"        // left out, and its pointer stands in nulls
	Withheld   Outcome = "secret"      // [secret] stands in its place, or in place of a part of it
	Hashed     Outcome = "hashed"      // bytes, of which the digest stands in its place
	NotDecoded Outcome = "not-decoded" // text where bytes were expected: it stays as it is
	Integer    Outcome = "integer"     // a string of its digits
	Rounded    Outcome = "rounded"     // the nearest double, which is what its reader takes
	LeftOpen   Outcome = "open"        // state at the provider
	NotKnown   Outcome = "unknown"     // the table does not have it
	TwoModels  Outcome = "two-models"  // the body names another model than the path
	PathKept   Outcome = "path-kept"   // the path of a server's URL, which may hold a secret
)

// A Fate is what became of one value.
type Fate struct {
	Pointer string // RFC 6901, into the body, with the table's names; header:NAME, query:NAME, path:location and folder:PATH are beside the body
	Outcome Outcome
	To      string // the RFC 6901 pointer of where it stands in the declaration, if it is kept
	Detail  string // why, or what
}

// An Opening is state at the provider that the declaration names and does not hold.
type Opening struct {
	Pointer string
	Hides   string // what it may hide: messages, system, tools, content, model; several are joined by commas
}

// An Unknown is a member, a type of part or a flag that the table does not have.
type Unknown struct {
	Pointer string
	Name    string // what it is and its name: "member top_k", "part video", "flag x-2026-01-01"

	// Unread says that [Open] did not look into it, because it is not in the form that the table gives to a declaration, or there is
	// no table. Its name does not say what it holds, so that no list of known names may take it for known.
	Unread bool
}

// A Warning is something that a person should look at.
type Warning struct {
	Pointer string
	Message string
}

func (w Warning) String() string {
	if w.Pointer == "" {
		return w.Message
	}
	return w.Pointer + ": " + w.Message
}

// An Error is why a source is not captured.
type Error struct {
	Format  string // the format's name
	Pointer string // RFC 6901, into the body, or "" where nothing in it can be named
	Offset  int    // in the body, in bytes, or -1 where none is known
	Message string
	Hint    string // what to do, or ""

	err error // what kind it is, or nil
}

// Unwrap is for errors that this package tells from others.
func (e *Error) Unwrap() error { return e.err }

func (e *Error) Error() string {
	s := e.Format + ": "
	if e.Pointer != "" {
		s += e.Pointer + ": "
	}
	return s + e.Message
}
