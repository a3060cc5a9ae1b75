package main

import (
	cyberphone "github.com/cyberphone/json-canonicalization/go/src/webpki.org/jsoncanonicalizer"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gowebpki/jcs"

	"github.com/runattest/runattest/canonical"
)

// A peer is one implementation. It may keep its result in dst, if it can.
type peer struct {
	name      string
	transform func(dst, src []byte) ([]byte, error)
}

var peers = []peer{
	{"canonical", func(dst, src []byte) ([]byte, error) { return canonical.Append(dst[:0], src) }},
	{"jsontext", func(dst, src []byte) ([]byte, error) {
		v := jsontext.Value(append(dst[:0], src...)) // it works in place
		err := v.Canonicalize()
		return v, err
	}},
	{"gowebpki", func(_, src []byte) ([]byte, error) { return jcs.Transform(src) }},
	{"cyberphone", func(_, src []byte) ([]byte, error) { return cyberphone.Transform(src) }},
}

func canonicalForm(src []byte) []byte {
	form, err := canonical.Transform(src)
	if err != nil {
		panic(err)
	}
	return form
}
