package main

import (
	"bytes"
	"errors"
	"io"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
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

// errDeclaration says that a declaration was given for a bundle, as a pattern such as runs/*.json names both.
var errDeclaration = cli.WithHint(errors.New("is a declaration and no bundle"), "name the bundles alone: sign writes them beside the declarations, as "+"*"+signatureSuffix)

// parseBundle reads a bundle, and recognises a declaration that was given in its place.
func parseBundle(data []byte) (*attest.Bundle, error) {
	b, err := attest.ParseBundle(data)
	return b, orDeclaration(err, data)
}

// orDeclaration is why a bundle could not be read, in which a file of another kind that was given for one is called that.
func orDeclaration(err error, data []byte) error {
	if err == nil {
		return nil
	}
	switch kind := kindOf(data); kind {
	case input.KindDeclaration:
		return errDeclaration
	case input.KindBundle:
	case "":
		if errors.As(err, new(*canonical.Error)) {
			return cli.WithHint(err, "a bundle is JSON: sign writes it, as *"+signatureSuffix)
		}
	default:
		return cli.WithHint(errors.New("is "+kind+" and no bundle"), "sign writes bundles, as *"+signatureSuffix)
	}
	return err
}

// isDeclaration tells a declaration from a bundle, which has the schema's name in base64.
func isDeclaration(data []byte) bool { return bytes.Contains(data, []byte(identity.Schema)) }
