package main

import (
	"bytes"
	"errors"
	"io"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/cmd/runattest/internal/input"
	"github.com/runattest/runattest/identity"
)

var (
	errSeveralBundles = errors.New("holds several bundles, want one")
	errNoBundle       = errors.New("no bundle in it")
)

// oneBundle is the one bundle in a file; several are an error, and so is none.
func oneBundle(path string, stdin io.Reader) (*attest.Bundle, error) {
	var found *attest.Bundle
	for blob, err := range input.Bundles(path, stdin) {
		if err == nil && found != nil {
			err = errSeveralBundles
		}
		if err == nil {
			found, err = parseBundle(blob.Data)
		}
		if err != nil {
			return nil, named(path, hintReference(path, err, fetchFirst))
		}
	}
	if found == nil {
		return nil, named(path, errNoBundle)
	}
	return found, nil
}

// parseBundle reads a bundle, and knows a declaration that somebody took for one.
func parseBundle(data []byte) (*attest.Bundle, error) {
	b, err := attest.ParseBundle(data)
	if err != nil && bytes.Contains(data, []byte(identity.Schema)) { // which stands in a bundle in base64
		return nil, withHint(err, "this is a declaration: name its bundle, which sign has written beside it")
	}
	return b, err
}
