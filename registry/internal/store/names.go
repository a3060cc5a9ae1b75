package store

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/runattest/runattest/internal/casefold"
)

// CheckNames refuses an object, at any depth of a JSON text, in which two members have one name, or names that differ in case
// alone: encoding/json takes the last of them, and other readers another one. In annotations, which have names of any kind, only
// those that are equal.
func CheckNames(text []byte) error {
	if !json.Valid(text) {
		return nil // which decoding tells
	}
	n := names{text: text}
	n.value(false)
	return n.err
}

// names goes through a valid JSON text.
type names struct {
	text []byte
	at   int
	err  error // the first
}

// next is the first byte of what follows, behind white space, colons and commas.
func (n *names) next() byte {
	for {
		switch c := n.text[n.at]; c {
		case ' ', '\t', '\r', '\n', ':', ',':
			n.at++
		default:
			return c
		}
	}
}

// value passes over a value. The members of one that is free have names that may differ in case.
func (n *names) value(free bool) {
	switch n.next() {
	case '{':
		n.object(free)
	case '[':
		for n.at++; n.next() != ']' && n.err == nil; {
			n.value(false)
		}
		n.at++
	case '"':
		n.quoted()
	default:
		if end := bytes.IndexAny(n.text[n.at:], " \t\r\n,]}"); end >= 0 {
			n.at += end
		} else {
			n.at = len(n.text)
		}
	}
}

func (n *names) object(free bool) {
	seen := map[string]bool{}
	for n.at++; n.next() != '}' && n.err == nil; {
		var name string
		n.err = json.Unmarshal(n.quoted(), &name)
		folded := casefold.String(name)
		isFree := folded == "annotations"
		if free {
			folded = name
		}
		if seen[folded] && n.err == nil {
			n.err = fmt.Errorf("it has the member %q twice, or in two spellings", name)
		}
		seen[folded] = true
		n.value(isFree)
	}
	n.at++
}

// quoted is a string with its quotation marks.
func (n *names) quoted() []byte {
	start := n.at
	for n.at++; n.text[n.at] != '"'; n.at++ {
		if n.text[n.at] == '\\' {
			n.at++
		}
	}
	n.at++
	return n.text[start:n.at]
}
