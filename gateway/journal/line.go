package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// timeLayout is RFC 3339 in UTC with nine digits after the second.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// place is where a line stands.
type place struct {
	n, group int
	prev     [sha256.Size]byte
	same     int // the line that has the content; 0 for this one
	time     time.Time
}

// appendLine appends a line in RFC 8785 form, with its line feed.
func (p *prepared) appendLine(out []byte, at place) []byte {
	out = append(out, p.head...)
	if at.same == 0 && p.content.name == "bundle" {
		out = append(append(append(out, `"bundle":`...), p.content.text...), ',')
	}
	out = strconv.AppendInt(append(out, p.upToFate...), int64(at.group), 10)
	out = strconv.AppendInt(append(append(out, p.middle...), `"n":`...), int64(at.n), 10)
	out = append(append(out, ','), p.policy...)
	out = append(hex.AppendEncode(append(out, `"prev":"`...), at.prev[:]), `",`...)
	if at.same == 0 && p.content.name == "proof" {
		out = append(append(append(out, `"proof":`...), p.content.text...), ',')
	}
	if at.same > 0 {
		out = append(strconv.AppendInt(append(out, `"same":`...), int64(at.same), 10), ',')
	}
	return append(at.time.UTC().AppendFormat(append(out, `"time":"`...), timeLayout), "\"}\n"...)
}

// UnverifiedLine is what a line of a journal says. Nothing of it has been checked but its form: make no decision by it.
type UnverifiedLine struct {
	Segment  int
	Number   int       // in its segment, from 1
	Time     time.Time // by the clock of the gateway
	Identity identity.ID
	Body     Body
	Client   string
	Policy   string
	Headers  []string
	Attempt  int
	Fate     Fate
	Same     int               // the line of the segment that has the bundle; 0 where this one has it, or none
	Bundle   *attest.Bundle    // the run's bundle, or the proof that it is in a set; nil for none, and where Same says which
	Digest   [sha256.Size]byte // of the line's bytes
	// Declaration is what is beside the segment, in canonical form, with the identity; nil where there is none, it is in Bundle,
	// or it was erased.
	Declaration []byte

	prev  [sha256.Size]byte
	group int
	ref   *attest.DeclarationRef
}

// Receipt names the line.
func (l UnverifiedLine) Receipt() Receipt { return Receipt{l.Segment, l.Number, l.Digest} }

// detached says that the line has its declaration beside the segment.
func (l *UnverifiedLine) detached() bool { return l.ref != nil }

var lineRules = canonical.Options{ExactNumbers: true, MaxDepth: limits.ProofDepth + 1, MaxValues: limits.ProofValues + limits.JournalHeaders + 100}

var lineMembers = []string{"attempt", "body", "bundle", "client", "fate", "group", "headers", "identity", "n", "policy", "prev", "proof", "same", "time"}

// parseLine reads a line, without its line feed, strictly: it is in RFC 8785 form and closed.
func parseLine(text []byte) (*UnverifiedLine, error) {
	if len(text) > limits.JournalLine {
		return nil, fmt.Errorf("is longer than %d bytes", limits.JournalLine)
	}
	form, err := lineRules.Append(make([]byte, 0, len(text)), text)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(form, text) {
		return nil, errors.New("is not in RFC 8785 form")
	}
	root, err := jsontree.Parse(form)
	if err != nil {
		return nil, err
	}
	if err := checkMembers(root, lineMembers...); err != nil {
		return nil, err
	}
	l := &UnverifiedLine{Digest: sha256.Sum256(text)}
	for _, read := range []func(jsontree.Value) error{l.readPlace, l.readCall, l.readRun} {
		if err := read(root); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *UnverifiedLine) readPlace(root jsontree.Value) error {
	var err error
	if l.Number, err = readCount(root, "n", 1); err != nil {
		return err
	}
	if l.group, err = readCount(root, "group", 1); err != nil {
		return err
	}
	if l.group > l.Number {
		return errors.New("group: is behind n")
	}
	if l.prev, err = parseDigest(root.Get("prev").Text()); err != nil {
		return fmt.Errorf("prev: %w", err)
	}
	text := root.Get("time").Text()
	if l.Time, err = time.Parse(timeLayout, text); err != nil || l.Time.Format(timeLayout) != text {
		return fmt.Errorf("time: want the form %s", timeLayout)
	}
	return nil
}

func (l *UnverifiedLine) readCall(root jsontree.Value) error {
	l.Fate = Fate(root.Get("fate").Text())
	if client := root.Get("client"); client.Kind() != jsontree.String {
		return errors.New("client: want a string")
	} else {
		l.Client = client.Text()
	}
	headers := root.Get("headers")
	if headers.Kind() != jsontree.Array {
		return errors.New("headers: want an array of names")
	}
	for _, h := range headers.Elements() {
		l.Headers = append(l.Headers, h.Text()) // "" where it is not a string, which is refused
	}
	if !slices.IsSorted(l.Headers) || len(slices.Compact(slices.Clone(l.Headers))) != len(l.Headers) {
		return errors.New("headers: want each name once, in order")
	}
	if p := root.Get("policy"); p.Kind() != jsontree.Absent {
		if l.Policy = p.Text(); l.Policy == "" {
			return errors.New("policy: want 64 lower-case hex digits")
		}
	}
	if root.Get("attempt").Kind() != jsontree.Absent {
		var err error
		if l.Attempt, err = readCount(root, "attempt", 1); err != nil {
			return err
		}
	}
	if err := l.readBody(root.Get("body")); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return errors.Join(checkTexts(l.Client, l.Headers), checkPlace(l.Policy, l.Attempt))
}

func (l *UnverifiedLine) readBody(v jsontree.Value) error {
	if v.Kind() == jsontree.Absent {
		if l.Fate != Denied {
			return errors.New("is missing")
		}
		return nil
	}
	if err := checkMembers(v, "sha256", "size", "decoded"); err != nil {
		return err
	}
	size, err := strconv.ParseInt(string(v.Get("size").Raw()), 10, 64)
	if err != nil {
		return errors.New("size: want a whole number")
	}
	l.Body = Body{v.Get("sha256").Text(), size, v.Get("decoded").Text()}
	if v.Get("decoded").Kind() != jsontree.Absent && l.Body.Decoded == "" || l.Body.SHA256 == "" {
		return errors.New("want digests of 64 lower-case hex digits")
	}
	return l.Body.check()
}

func (l *UnverifiedLine) readRun(root jsontree.Value) error {
	var named []string
	for _, name := range []string{"bundle", "proof", "same"} {
		if root.Get(name).Kind() != jsontree.Absent {
			named = append(named, name)
		}
	}
	id := root.Get("identity")
	switch l.Fate {
	case Admitted:
		if len(named) != 1 {
			return errors.New("an admitted call has one of bundle, proof and same")
		}
	case Undeclared, Denied:
		if len(named) != 0 || id.Kind() != jsontree.Absent {
			return fmt.Errorf("a call with the fate %s has neither identity nor bundle, proof or same", l.Fate)
		}
		return nil
	default:
		return fmt.Errorf("fate: %q, want %s, %s or %s", l.Fate, Admitted, Undeclared, Denied)
	}
	var err error
	if l.Identity, err = identity.ParseID(id.Text()); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if named[0] == "same" {
		if l.Same, err = readCount(root, "same", 1); err == nil && l.Same >= l.Number {
			err = errors.New("same: want the number of an earlier line")
		}
		return err
	}
	if l.Bundle, err = attest.ParseBundle(root.Get(named[0]).Raw()); err != nil {
		return fmt.Errorf("%s: %w", named[0], err)
	}
	l.ref, err = checkContent(named[0], l.Bundle, l.Identity)
	return err
}

// readCount reads a whole number from least.
func readCount(root jsontree.Value, name string, least int) (int, error) {
	n, err := strconv.ParseInt(string(root.Get(name).Raw()), 10, 32)
	if err != nil || n < int64(least) {
		return 0, fmt.Errorf("%s: want a whole number from %d to 2147483647", name, least)
	}
	return int(n), nil
}

// checkMembers refuses a value that is not an object, or has a member of another name.
func checkMembers(v jsontree.Value, allowed ...string) error {
	if v.Kind() != jsontree.Object {
		return fmt.Errorf("is of type %s, want object", v.Kind())
	}
	for name := range v.Members() {
		if !slices.Contains(allowed, string(name)) {
			return fmt.Errorf("unknown member %q", name)
		}
	}
	return nil
}
